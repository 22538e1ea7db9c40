//! Any bytes that a terminal may send, cut anywhere and with pauses: no panic, no state that keeps the keys, no text that
//! did not come.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use mmd_elevate::terminal::{Input, Parser};

/// The first byte says how the rest is cut, and where the terminal pauses.
pub(crate) fn terminal(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else { return };
    let (mut parser, mut now) = (Parser::default(), Instant::now());
    let mut inputs = Vec::new();
    for piece in bytes.chunks(usize::from(how % 16) + 1) {
        inputs.extend(parser.feed(piece, now));
        now += Duration::from_millis(u64::from(how / 16) * 16);
        inputs.extend(parser.idle(now));
        assert!(parser.deadline().is_none_or(|deadline| deadline > now), "what is due has been done");
    }
    assert_bounded(&inputs, bytes.len());
    // Right behind whatever was begun, and again after a pause.
    let mut again = parser.feed(b"\x03", now);
    again.extend(parser.idle(now + Duration::from_secs(2)));
    assert!(again.contains(&ctrl_c()), "{again:?} holds no Ctrl-C after {bytes:?}");
    let later = parser.feed(b"\x03", now + Duration::from_secs(3));
    assert!(later.ends_with(&[ctrl_c()]), "{later:?} is no Ctrl-C after {bytes:?}");
    assert_eq!(parser.deadline(), None);
}

fn ctrl_c() -> Input {
    Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL))
}

/// No byte makes more than one key, or more than one character.
fn assert_bounded(inputs: &[Input], came: usize) {
    let made: usize = inputs
        .iter()
        .map(|input| match input {
            Input::Paste(text) => text.chars().count(),
            Input::NotUtf8 => 0,
            _ => 1,
        })
        .sum();
    assert!(made <= came, "{made} from {came}");
    assert!(inputs.iter().filter(|input| **input == Input::NotUtf8).count() <= 1, "told once");
}
