//! Keys as a test writes them, and as a terminal tells them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use mmd_elevate::keys::Key;

/// The events of keys, each word the name of a key or else text that is typed. Text that names a key or holds blanks
/// stands in single quotes.
pub(crate) fn events(keys: &str) -> Vec<KeyEvent> {
    let mut events = Vec::new();
    let mut rest = keys.trim_start();
    while !rest.is_empty() {
        let (word, quoted, after) = if let Some(inner) = rest.strip_prefix('\'') {
            let (word, after) = inner.split_once('\'').unwrap();
            (word, true, after)
        } else {
            let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            (word, false, after)
        };
        match word.parse::<Key>() {
            Ok(key) if !quoted => events.push(event(key)),
            _ => events.extend(word.chars().map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))),
        }
        rest = after.trim_start();
    }
    events
}

/// A press of this key, as a terminal tells it.
pub(crate) fn event(key: Key) -> KeyEvent {
    let named = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Insert,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Null,
    ];
    let codes = named.into_iter().chain((1..=12).map(KeyCode::F)).chain((' '..='~').map(KeyCode::Char));
    let mut events =
        codes.flat_map(|code| (0..8).map(move |held| KeyEvent::new(code, KeyModifiers::from_bits_truncate(held))));
    let found = events.find(|event| Key::from(*event) == key);
    found.unwrap_or_else(|| panic!("{key} cannot be pressed"))
}
