//! A terminal that takes no bytes: a stopped multiplexer, a dead link.

use std::time::Duration;

use rustix::process::Signal;

use super::{GONE, Home, started, wait_until};
use crate::support::pty::{self, Pty};

/// Fills the terminal: nobody reads, and each size has to be drawn.
fn fill(pty: &mut Pty) {
    // What is typed is kept from when on the record is open.
    pty.wait_for_text("No open requests");
    pty.pause(true);
    let mut columns = 0;
    wait_until("filling the terminal", || {
        columns = (columns + 1) % 40;
        pty.resize(100 + columns, 30);
        pty.is_full()
    });
}

fn is_saved(home: &Home, text: &str) -> bool {
    ["record.db", "record.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(home.path(&format!("logs/{name}"))).unwrap_or_default();
        bytes.windows(text.len()).any(|found| found == text.as_bytes())
    })
}

#[test]
fn keys_and_drafts_go_on_while_the_terminal_takes_nothing_and_then_the_screen_is_whole() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    fill(&mut pty);
    pty.send("nINC-777\t\ttyped blind");
    wait_until("saving the draft", || is_saved(&home, "typed blind"));
    let before = pty.processor_time();
    // Nothing is drawn meanwhile, and nothing spins.
    std::thread::sleep(Duration::from_millis(300));
    if let (Some(before), Some(after)) = (before, pty.processor_time()) {
        let used = after.saturating_sub(before);
        assert!(used < Duration::from_millis(100), "{used:?}");
    }
    pty.resize(120, 36);
    pty.pause(false);
    pty.wait_for_text("typed blind");
    // Its first and its last row, and the widest: all of the size that it has now.
    let is_at = |text: &str, row, part| text.lines().nth(row).is_some_and(|line: &str| line.contains(part));
    pty.wait_for("the whole screen", |screen| {
        let text = screen.contents();
        let is_wide = text.lines().nth(1).is_some_and(|line| line.chars().count() == 120);
        is_wide && is_at(&text, 0, "PRACTICE TENANT") && is_at(&text, 8, "INC-777") && is_at(&text, 35, "F1 all keys")
    });
    let drawn = pty.panes();
    // A screen that is drawn from nothing is the same.
    pty.signal(Signal::CONT);
    pty.wait_until_taken(2);
    pty.wait_for("the same screen", |screen| pty::panes(screen) == drawn);
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn a_signal_ends_it_in_time_while_the_terminal_takes_nothing_and_the_draft_is_kept() {
    if pty::missing() {
        return;
    }
    for signal in [Signal::TERM, Signal::HUP, Signal::USR1] {
        let is_kept = || {
            let home = Home::new();
            let mut pty = started(home.dashboard());
            fill(&mut pty);
            pty.send_and_wait_until_read("nINC-777\t\ttyped blind");
            pty.signal(signal);
            pty.wait_for_exit(GONE);
            is_saved(&home, "typed blind")
        };
        // The last write to the disk has 600 ms and no more: on a machine that is busy enough, one of them may be cut off.
        assert!((0..3).any(|_| is_kept()), "{signal:?}");
    }
}

#[test]
fn leaving_ends_it_in_time_while_the_terminal_takes_nothing() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    fill(&mut pty);
    pty.send("q");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
}

/// The terminal may be stuck while an editor has it, and still be when the editor has ended.
#[test]
fn an_editor_that_ends_while_the_terminal_takes_nothing_does_not_end_the_program() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    home.write(
        "editor.sh",
        r#"touch "$HOME/opened"; until test -e "$HOME/go"; do sleep 0.02; done; printf edited >"$1""#,
    );
    let mut pty = started(home.dashboard().env("EDITOR", &format!("sh {}", home.path("editor.sh"))));
    pty.send("n\x1b[Z\x0f");
    wait_until("opening the editor", || std::fs::exists(home.path("opened")).unwrap());
    pty.pause(true);
    wait_until("filling the terminal", || {
        pty.fill();
        pty.is_full()
    });
    home.write("go", "");
    wait_until("saving the text", || is_saved(&home, "edited"));
    pty.pause(false);
    pty.wait_for("the dashboard", |screen| screen.alternate_screen() && screen.contents().contains("edited"));
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}
