//! The pseudo-terminal harness itself, on a shell: what it says of the program must be true of something simpler.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::pty::{Program, Pty};

const LIMIT: Duration = Duration::from_secs(5);

fn shell(script: &str) -> Program {
    Program::new("sh").arg("-c").arg(script)
}

fn started(program: Program) -> Pty {
    let pty = program.start();
    pty.wait_for_text("ready");
    pty
}

#[test]
fn size_environment_and_keys_reach_the_program_and_its_screen_comes_back() {
    let script = r#"stty -echo; echo "$NAME $(stty size)"; echo ready; read -r key; echo "got $key $(stty size)""#;
    let mut pty = started(shell(script).env("NAME", "Ann").size(60, 20));
    assert_eq!(pty.screen().lines().next(), Some("Ann 20 60"));
    pty.resize(80, 24);
    pty.send("x\n");
    pty.wait_for("the answer", |screen| screen.contents().contains("got x 24 80"));
    assert!(pty.wait_for_exit(LIMIT).success());
}

#[test]
fn a_terminal_given_back_is_told_from_one_that_was_not() {
    let on = r#"settings=$(stty -g); stty raw; printf "\033[?1049h\033[?2004h""#;
    let off = r#"printf "\033[?2004l\033[?1049l"; stty "$settings""#;
    let given_back = |script: &str| {
        let mut pty = shell(script).start();
        pty.wait_for_exit(LIMIT);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pty.assert_given_back())).is_ok()
    };
    assert!(given_back(&format!("{on}; {off}")));
    assert!(!given_back(on), "everything was left");
    assert!(!given_back(&format!(r#"{on}; printf "\033[?1049l"; stty "$settings""#)), "a mode was left");
    assert!(!given_back(&format!(r#"{on}; printf "\033[?2004l\033[?1049l""#)), "the settings were left");
    assert!(!given_back(&format!(r#"{on}; printf "\033[?2004l"; {off}"#)), "a mode was switched off twice");
}

#[test]
fn signals_and_hang_ups_arrive_unless_they_are_ignored() {
    let mut pty = started(shell("echo ready; exec sleep 60"));
    pty.signal(Signal::TERM);
    assert_eq!(pty.wait_for_exit(LIMIT).signal(), Some("Terminated"));

    let mut pty = started(shell("echo ready; exec sleep 60"));
    pty.hang_up();
    assert_eq!(pty.wait_for_exit(LIMIT).signal(), Some("Hangup"));

    let mut pty = started(shell("echo ready; read -r key; exit 7").ignoring_hang_up());
    pty.hang_up();
    assert_eq!(pty.wait_for_exit(LIMIT).exit_code(), 7, "the read ended, the signal did not come");
}
