//! A stop from outside, which leaves no time to give the terminal back: it is taken again when the program goes on.

use rustix::process::{Pid, Signal, kill_process};

use super::{GONE, Home, PROGRAM, started, wait_until, wait_until_ready};
use crate::support::pty;

#[test]
fn a_stop_from_outside_ends_with_the_terminal_taken_again() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.send("nhalf a ticket");
    pty.wait_for_text("half a ticket");
    pty.wait_for_text("No open requests");
    pty.wait_for_text("draft saved");
    let screen = pty.panes();
    for times in 2..4 {
        pty.signal(Signal::STOP);
        if pty.is_stopped().is_none() {
            return;
        }
        wait_until("the stop", || pty.is_stopped() == Some(true));
        pty.reset();
        pty.signal(Signal::CONT);
        pty.wait_until_taken(times);
        // All of it is drawn anew, on a screen that others may have written on.
        pty.wait_for("the screen as it was", |now| pty::panes(now) == screen);
    }
    // Raw mode: the keys are the program's.
    pty.send("!\x1b");
    pty.wait_for_text("half a ticket!");
    pty.wait_for_text("n new");
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn a_continuation_without_a_stop_changes_nothing_that_is_seen() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.wait_for_text("No open requests");
    let screen = pty.panes();
    pty.signal(Signal::CONT);
    pty.wait_until_taken(2);
    pty.wait_for("the screen as it was", |now| pty::panes(now) == screen);
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

/// A shell takes the terminal as soon as its job stops, and gives it back with `fg`. With `bg`, the program waits.
#[test]
fn a_job_that_was_stopped_from_outside_is_whole_after_fg() {
    let home = Home::new();
    let Some(shell) = home.shell().filter(|_| !pty::missing()) else { return };
    let mut pty = shell.start();
    pty.wait_for_text("prompt>");
    pty.send(format!("sh -c 'echo $$ >$HOME/id; exec \"$0\"' {PROGRAM}\n"));
    wait_until_ready(&pty);
    let id = home.read("id").trim().parse().unwrap();
    let signal = |signal| kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    pty.send("nhalf a ticket");
    pty.wait_for_text("half a ticket");
    signal(Signal::STOP);
    pty.wait_for_text("Stopped");
    pty.send("echo $((6 * 7)) is back\n");
    pty.wait_for_text("42 is back");
    pty.send("fg\n");
    pty.wait_until_taken(2);
    pty.wait_for("the dashboard", |screen| {
        let text = screen.contents();
        screen.alternate_screen() && text.contains("half a ticket") && !text.contains("is back")
    });
    // Once more, and by way of the background, where it must not touch the terminal.
    signal(Signal::STOP);
    pty.wait_for_text("Stopped");
    pty.send("bg\n");
    // It gives back what it still had, and stops where it would take the terminal.
    pty.wait_for("the shell's screen", |screen| !screen.alternate_screen());
    pty.send("until [ \"$(jobs -s)\" ]; do :; done; echo $((6 * 8)) is back\n");
    pty.wait_for_text("48 is back");
    pty.send("fg\n");
    pty.send("!");
    pty.wait_for_text("half a ticket!");
    // A job that was stopped, by itself or from outside, ends when it is told to, and leaves the shell its
    // terminal.
    signal(Signal::STOP);
    pty.wait_for_text("Stopped");
    pty.send("kill %1; wait -f %1; echo code $?\n");
    pty.wait_for_text("code 143");
    pty.send(format!("clear; {PROGRAM}\n"));
    pty.wait_for("the dashboard", |screen| {
        screen.alternate_screen() && screen.contents().contains("Typed and not sent")
    });
    pty.send("\r");
    pty.wait_for_text("n new");
    pty.send("\x1a");
    pty.wait_for_text("Stopped");
    pty.send("clear; kill %1; wait -f %1; echo code $?\n");
    pty.wait_for_text("code 143");
    pty.send("exit\n");
    pty.wait_for_exit(GONE);
}
