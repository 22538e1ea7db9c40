//! Opening a ticket: by the agent's own program, without the terminal, and else as a copy.

use std::os::unix::fs::PermissionsExt;

use super::{GONE, Home, PROGRAM, create, leave, started, wait_until};
use crate::support::{
    harmless::{Sequence, sequences},
    pty::{self, Program},
};

/// A browser that keeps its arguments, whether it has a terminal and a session of its own, and stays.
const BROWSER: &str = r#"#!/bin/sh
(: </dev/tty) 2>/dev/null && echo "has the terminal" >>"$HOME/wrong"
test -t 0 -o -t 1 -o -t 2 && echo "is at the terminal" >>"$HOME/wrong"
echo noise
echo noise >&2
printf '%s\n' "$#" "$@" >"$HOME/opened.new" && mv "$HOME/opened.new" "$HOME/opened"
while test ! -e "$HOME/end"; do sleep 0.05; done
touch "$HOME/ended"
"#;

fn home() -> Home {
    let home = Home::new();
    std::fs::create_dir_all(home.path("config/mmd-elevate")).unwrap();
    home.write("config/mmd-elevate/config.toml", "ticket_url = 'https://t.example/?id={ticket}'\n");
    home
}

fn write_program(home: &Home, name: &str, text: &str) {
    home.write(name, text);
    std::fs::set_permissions(home.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn dashboard(home: &Home) -> Program {
    home.run(PROGRAM).arg("--practice")
}

/// The texts that the terminal was given to copy.
fn copied(bytes: &[u8]) -> Vec<String> {
    let copied = |sequence: &Sequence| match sequence {
        Sequence::Copied(text) => Some(text.clone()),
        _ => None,
    };
    sequences(bytes).iter().filter_map(copied).collect()
}

#[test]
fn ticket_is_opened_by_the_agents_program_which_has_no_terminal_and_outlives_the_dashboard() {
    if pty::missing() {
        return;
    }
    let home = home();
    write_program(&home, "browser", BROWSER);
    let mut pty = started(dashboard(&home).env("BROWSER", &home.path("browser")));
    create(&mut pty, "INC 1/x", "MMD-03690457680");
    pty.wait_for_text("● open");
    pty.send("o");
    pty.wait_for_text("Asked browser to open https://t.example/?id=INC%201%2Fx");
    wait_until("opening", || home.read("opened") == "1\nhttps://t.example/?id=INC%201%2Fx\n");
    // The keys work while the browser runs.
    pty.send("?");
    pty.wait_for_text("j scroll");
    pty.send("\x1b");
    leave(&mut pty);
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    home.write("end", "");
    wait_until("the browser's own end", || std::fs::exists(home.path("ended")).unwrap());
    assert_eq!((home.read("wrong").as_str(), pty.has_shown("noise")), ("", false));
    assert!(copied(&pty.bytes()).is_empty());
}

#[test]
fn address_is_copied_without_a_display_and_where_the_program_fails() {
    if pty::missing() {
        return;
    }
    let home = home();
    write_program(&home, "failing", "#!/bin/sh\nexit 3\n");
    let failing = home.path("failing");
    for (variables, told) in [
        (vec![("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22")], "; there is no browser or no display here"),
        (vec![("BROWSER", failing.as_str())], "; failing did not open it"),
        (vec![("BROWSER", "/nowhere/browser")], "; browser did not open it"),
    ] {
        let program =
            variables.iter().fold(dashboard(&home).arg("--fresh"), |program, (name, value)| program.env(name, value));
        let mut pty = started(program);
        create(&mut pty, "INC-1", "MMD-03690457680");
        pty.wait_for_text("● open");
        pty.send("o");
        pty.wait_for_text(told);
        pty.wait_for_text("Sent to the terminal: https://t.example/?id=INC-1");
        assert_eq!(copied(&pty.bytes()), ["https://t.example/?id=INC-1"], "{told}");
        pty.send("\x03\x03");
        pty.wait_for_exit(GONE);
        std::fs::remove_dir_all(home.path("logs")).unwrap();
    }
}
