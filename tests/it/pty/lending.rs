//! The terminal lent to a shell or to an editor, and taken back.

use std::time::Duration;

use super::{EDITOR, GONE, Home, PROGRAM, create, gate::Gate, started, wait_until, wait_until_ready};
use crate::support::pty::{self, Pty};

/// Focuses the plan of action of an empty form.
const TO_THE_PLAN: &str = "n\x1b[Z";

fn wait_for_prompt(pty: &Pty) {
    let at_prompt = |text: String| text.trim_end().lines().last().is_some_and(|line| line.trim_end() == "prompt>");
    pty.wait_for("prompt", |screen| !screen.alternate_screen() && at_prompt(screen.contents()));
}

fn stopped(pty: &mut Pty) {
    pty.send("\x1a");
    wait_for_prompt(pty);
    assert!(pty.screen().contains("Stopped"), "{}", pty.screen());
    // The shell's own line editing works again: the terminal is as it was.
    pty.send("clear; echo $((6 * 7)) is back\n");
    pty.wait_for_text("42 is back");
    wait_for_prompt(pty);
}

pub(super) fn leave_the_shell(mut pty: Pty) {
    wait_for_prompt(&pty);
    pty.send("exit\n");
    pty.wait_for_exit(GONE);
    pty.assert_given_back();
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
    let home = Home::new();
    let Some(shell) = home.shell().filter(|_| !pty::missing()) else { return };
    let mut pty = shell.start();
    pty.wait_for_text("prompt>");
    pty.send(format!("{PROGRAM}\n"));
    wait_until_ready(&pty);
    pty.send("nINC-1");
    pty.wait_for_text("INC-1");
    pty.send("\x1b");
    pty.wait_for_text("n new");
    for _ in 0..2 {
        stopped(&mut pty);
        pty.send("fg\n");
        pty.wait_for("dashboard", |screen| screen.alternate_screen() && screen.contents().contains("INC-1"));
    }
    pty.send("n0442");
    pty.wait_for_text("INC-10442");
    pty.send("\x03\x03");
    leave_the_shell(pty);
}

#[test]
fn an_answer_that_comes_while_the_program_is_stopped_is_not_lost() {
    let home = Home::new();
    let Some(shell) = home.shell().filter(|_| !pty::missing()) else { return };
    let gate = Gate::closed();
    let mut pty = gate.before(shell).start();
    pty.wait_for_text("prompt>");
    pty.send(format!("{PROGRAM}\n"));
    wait_until_ready(&pty);
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("… sending");
    stopped(&mut pty);
    gate.open();
    pty.send("fg\n");
    pty.wait_for_text("● open");
    super::leave(&mut pty);
    leave_the_shell(pty);
}

#[test]
fn without_a_shell_ctrl_z_says_so_and_stops_nothing() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.send("\x1a");
    pty.wait_for_text("there is no shell that could continue the program");
    pty.send("q");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

fn with_editor(home: &Home, script: &str) -> pty::Program {
    home.write("editor.sh", script);
    home.dashboard().env("EDITOR", &format!("sh {}", home.path("editor.sh")))
}

#[test]
fn the_editors_text_comes_back_and_keys_typed_behind_it_come_after() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(with_editor(&home, r#"printf " from the editor" >>"$1""#));
    pty.send(format!("{TO_THE_PLAN}A plan{EDITOR}, then more"));
    pty.wait_for_text("A plan from the editor, then more");
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn the_editor_has_the_keys_and_the_usual_terminal() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(with_editor(&home, r#"echo "Say it:"; read -r line; printf %s "$line" >"$1""#));
    pty.send(format!("{TO_THE_PLAN}A plan{EDITOR}"));
    pty.wait_for("editor", |screen| !screen.alternate_screen() && screen.contents().contains("Say it:"));
    pty.send("Another plan\n");
    pty.wait_for("dashboard", |screen| screen.alternate_screen() && screen.contents().contains("Another plan"));
    assert!(!pty.screen().contains("A plan"), "{}", pty.screen());
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn an_answer_that_comes_while_an_editor_is_open_is_not_lost() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let gate = Gate::closed();
    let script = r#"touch "$HOME/opened"; while ! test -e "$HOME/go"; do sleep 0.02; done; printf edited >"$1""#;
    let mut pty = started(gate.before(with_editor(&home, script)));
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("… sending");
    pty.send(format!("{TO_THE_PLAN}{EDITOR}"));
    wait_until("opening the editor", || std::fs::exists(home.path("opened")).unwrap());
    gate.open();
    home.write("go", "");
    pty.wait_for("both", |screen| ["edited", "● open"].iter().all(|text| screen.contents().contains(text)));
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn keys_that_interrupt_an_editor_never_end_the_program() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(with_editor(&home, "sleep 0.01"));
    pty.send(TO_THE_PLAN);
    // Ctrl-\ is a signal in the editor's terminal and an unbound key in ours. It comes at every moment, also between the
    // two; that it may end the editor, and take with it what the terminal holds, is as it should be.
    for _ in 0..10 {
        pty.send(EDITOR);
        for _ in 0..8 {
            pty.send("\x1c");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    wait_until("typing into the plan", || {
        pty.send("k");
        pty.screen().contains("│   kk")
    });
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
}
