//! What is said of a copy: how it was handed over, and never more than is known.

use super::{GONE, Home, create, leave, started, wait_until};
use crate::support::{
    harmless::{Sequence, sequences},
    pty,
};

/// A tmux whose behaviour is a file, and that keeps what it is given.
const TMUX: &str = r#"#!/bin/sh
. "$HOME/behaviour"
case "$1" in
show-options) echo "$clipboard" ;;
load-buffer)
    echo "$*" >>"$HOME/asked"
    test "$2" = -w && test "$has_w" = no && exit 1
    cat >"$HOME/buffer.new" && mv "$HOME/buffer.new" "$HOME/buffer" ;;
esac
"#;

fn copies(bytes: &[u8]) -> usize {
    sequences(bytes).iter().filter(|sequence| matches!(sequence, Sequence::Copied(_))).count()
}

#[test]
fn a_copy_outside_of_tmux_is_sent_to_the_terminal_and_not_said_to_be_copied() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("● open");
    pty.send("Y");
    pty.wait_for_text("Sent to the terminal: INC-10442 · MMD-03690457…");
    assert!(!pty.has_shown("Copied"));
    assert_eq!(copies(&pty.bytes()), 1);
    leave(&mut pty);
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
}

#[test]
fn a_copy_inside_tmux_goes_to_tmux_and_says_how_far() {
    use std::os::unix::fs::PermissionsExt;
    if pty::missing() {
        return;
    }
    let home = Home::new();
    std::fs::create_dir(home.path("bin")).unwrap();
    home.write("bin/tmux", TMUX);
    std::fs::set_permissions(home.path("bin/tmux"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", home.path("bin"), std::env::var("PATH").unwrap());
    let mut pty = started(home.dashboard().env("PATH", &path).env("TMUX", "/nowhere,1,0"));
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("● open");
    for (behaviour, key, told, to_the_terminal) in [
        ("clipboard=external", "Y", "Sent to tmux and the terminal: INC-10442", 0),
        ("clipboard=off", "Y", "Sent to tmux: INC-10442", 0),
        ("clipboard=on", "Y", "Sent to tmux and the terminal: INC-10442", 0),
        ("clipboard=on; has_w=no", "Y", "Sent to tmux: INC-10442", 0),
        ("exit 1", "Y", "Sent to the terminal: INC-10442", 1),
        ("clipboard=on; sleep 60", "Y", "Sent to the terminal: INC-10442", 2),
    ] {
        let _ = std::fs::remove_file(home.path("buffer"));
        home.write("behaviour", behaviour);
        pty.send(key);
        // While a tmux hangs, the keys work.
        if behaviour.contains("sleep") {
            pty.send("?");
            pty.wait_for_text("j scroll");
            pty.send("\x1b");
        }
        pty.wait_for(told, |screen| screen.contents().contains(told));
        assert_eq!(copies(&pty.bytes()), to_the_terminal, "{behaviour}");
        let has_buffer = home.read("buffer").contains("MMD-03690457680");
        assert_eq!(has_buffer, told.contains("tmux"), "{behaviour}");
        let asked = home.read("asked");
        let asked: Vec<_> = asked.lines().collect();
        let expected: &[_] = match behaviour {
            "clipboard=external" | "clipboard=on" => &["load-buffer -w -"],
            // Where tmux hands nothing on, it is not asked to.
            "clipboard=off" => &["load-buffer -"],
            "clipboard=on; has_w=no" => &["load-buffer -w -", "load-buffer -"],
            _ => &[],
        };
        assert_eq!(asked, expected, "{behaviour}");
        let _ = std::fs::remove_file(home.path("asked"));
        pty.send("s");
        pty.wait_for_text("Sorted");
    }
    // Copied and left at once: tmux has it.
    let _ = std::fs::remove_file(home.path("buffer"));
    home.write("behaviour", "clipboard=on");
    pty.send("yq");
    pty.wait_for_text("Leave?");
    pty.send("l");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    wait_until("the copy", || home.read("buffer").len() == 36);
}
