//! What reaches the terminal: our own sequences and harmless text, nothing else.

use super::{GONE, Home, SUBMIT, started};
use crate::support::{
    harmless::{Sequence, assert_harmless_lines, sequences},
    pty::{self, Pty},
};

/// A session that shows untrusted text wherever there is some, and answers of the service that hold it.
fn hostile_session(home: &Home, no_color: &str) -> Pty {
    let mut pty = started(home.dashboard().env("NO_COLOR", no_color));
    let hostile = "a\x1b]0;title\x07b\x1b[31mc\u{9b}2Jd\u{202e}e\u{200b}f\u{2066}g\ttab";
    let pasted = |text: &str| format!("\x1b[200~{text}\x1b[201~");
    let text = pasted(hostile);
    pty.send(format!("n{text}\tMMD-03690457680\t{text}\t{text}\t{text}\t{text}{SUBMIT}"));
    pty.wait_for_text("● open");
    pty.send("?");
    pty.wait_for_text("j scroll");
    pty.send("\x1b");
    pty.wait_for_text("n new");
    pty.send("c");
    pty.wait_for_text("Close request");
    pty.send(format!("{text}{SUBMIT}"));
    pty.wait_for_text("Request closed");
    pty.send("4");
    pty.wait_for_text("✓ closed");
    pty.resize(60, 20);
    pty.wait_for_size_taken();
    pty.send("\rq");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    pty
}

#[test]
fn the_bytes_hold_our_own_sequences_alone() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let pty = hostile_session(&home, "");
    assert!(!sequences(&pty.bytes()).is_empty());
    assert_harmless_lines(&home.read("logs/mmd-elevate.log"), "the log");
}

#[test]
fn without_colour_no_colour_is_asked_for() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let pty = hostile_session(&home, "1");
    let looks: Vec<_> = sequences(&pty.bytes())
        .into_iter()
        .filter_map(|sequence| match sequence {
            Sequence::Control(looks, 'm') => Some(looks),
            _ => None,
        })
        .collect();
    let is_colour = |look: &str| look.parse().is_ok_and(|look: u8| matches!(look, 30..=49 | 58 | 59 | 90..=107));
    let colours: Vec<_> = looks.iter().filter(|looks| looks.split([';', ':']).any(is_colour)).collect();
    assert!(colours.is_empty(), "{colours:?}");
    assert!(looks.iter().any(|look| look == "2"), "dim and bold are no colours: {looks:?}");
    assert!(pty.has_shown("▌ "), "the selection has a sign");
}
