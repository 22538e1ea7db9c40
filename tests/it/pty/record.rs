//! The record in the real program: whatever ends it, the next start has everything.

use rustix::process::Signal;

use super::{GONE, Home, create, started};
use crate::support::pty::{self, Pty};

const DEVICE: &str = "MMD-03690457680";

/// Ends it as nothing else does: it can save nothing any more.
fn kill(mut pty: Pty) {
    pty.signal(Signal::KILL);
    pty.wait_for_exit(GONE);
}

/// A second start in the same home: the recovery pane has come.
fn again(home: &Home) -> Pty {
    let pty = home.dashboard().start();
    pty.wait_for_text("This is how you left it");
    pty
}

/// What is typed is saved within a second. A test that looks at nothing but the clock would prove nothing on a busy
/// machine, so this waits for the file to change and to be still; the promise itself is tried where the clock is given.
fn wait_until_saved(home: &Home, text: &str) {
    super::wait_until("saving the draft", || {
        ["record.db", "record.db-wal"].iter().any(|name| {
            let bytes = std::fs::read(home.path(&format!("logs/{name}"))).unwrap_or_default();
            bytes.windows(text.len()).any(|found| found == text.as_bytes())
        })
    });
}

#[test]
fn killed_with_a_request_open_and_a_draft_typed_it_has_both_at_the_next_start() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut first = started(home.dashboard());
    create(&mut first, "INC-10442", DEVICE);
    first.wait_for_text("● open");
    first.send("nINC-777\t\t\t\t\thalf a plan");
    wait_until_saved(&home, "half a plan");
    kill(first);

    let mut second = again(&home);
    second.wait_for_text("1 request was open");
    second.wait_for_text("in the form");
    second.send("\r");
    for text in ["INC-10442", "● open", "INC-777"] {
        second.wait_for_text(text);
    }
    second.send("n");
    second.wait_for_text("half a plan");
    second.send("\x1b");
    second.wait_for_text("n new");
    second.send("q");
    second.wait_for_text("1 request is open. Left open, the next start shows it");
    second.send("l");
    assert_eq!(second.wait_for_exit(GONE).exit_code(), 0);
    second.assert_given_back();

    // The agent left by choice, and all is known: a notice is enough.
    let mut third = started(home.dashboard());
    third.wait_for_text("Since you left");
    third.wait_for_text("INC-777");
    // The practice tenant has kept the request: it can be closed.
    third.wait_for_text("signed in");
    third.send(format!("cDone{}", super::SUBMIT));
    third.wait_for_text("verified, by");
    third.signal(Signal::TERM);
    third.wait_for_exit(GONE);

    let fourth = again(&home);
    fourth.wait_for_text("in the form");
    assert!(!fourth.screen().contains("was open"), "{}", fourth.screen());
}

#[test]
fn a_signal_saves_what_was_typed_a_moment_ago() {
    if pty::missing() {
        return;
    }
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let home = Home::new();
        let mut first = started(home.dashboard());
        first.send("nINC-8\t\ta title");
        first.wait_for_text("a title");
        first.signal(signal);
        first.wait_for_exit(GONE);
        let mut second = again(&home);
        second.send("\r");
        second.wait_for_text("a title");
    }
}

#[test]
fn an_answer_that_is_lost_is_unknown_until_it_is_found() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let late = "[[rules]]\non = \"create\"\ndo = \"late\"\nms = 1500\ntimes = 1\n";
    home.write("rules.toml", &format!("{late}[[rules]]\non = \"create\"\ndo = \"drop-after\"\ntimes = 1\n"));
    let rules = home.path("rules.toml");
    let mut pty = started(home.dashboard().arg("--practice").arg("--practice-rules").arg(&rules));
    create(&mut pty, "INC-10442", DEVICE);
    pty.wait_for_text("Opened for MMD-03690457680 (INC-10442)");
    pty.wait_for_text("● open");
    assert!(pty.has_shown("? unknown") && pty.has_shown("was opened; looking"));
    pty.send("q");
    pty.wait_for_text("1 request is open.");
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
}

#[test]
fn killed_while_nobody_knows_it_is_looked_up_at_the_next_start() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    home.write("rules.toml", "[[rules]]\non = \"create\"\ndo = \"hang-after\"\ntimes = 1\n");
    let rules = home.path("rules.toml");
    let mut first = started(home.dashboard().arg("--practice").arg("--practice-rules").arg(&rules));
    create(&mut first, "INC-10442", DEVICE);
    first.wait_for_text("… sending");
    // The tenant has done it; its answer never comes.
    super::wait_until("the create at the tenant", || home.read("logs/practice.json").contains("INC-10442"));
    kill(first);
    let mut second = again(&home);
    second.wait_for_text("1 write had no answer");
    second.wait_for_text("● open");
    second.send("\r");
    second.wait_for_text("● open");
    assert_eq!(home.read("logs/practice.json").matches("INC-10442").count(), 1, "it was not sent twice");
}
