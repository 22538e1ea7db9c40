//! The notation of keys: parses a key as the table and the settings write it, and displays it as people read it.

use std::{fmt, str::FromStr};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use mmd_elevate_core::{Problem, invisible_characters};
use mmd_elevate_engine::redact::quoted;

/// A key with its modifiers, normalized so that two presses of the same key are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// The keys that are not characters: as they are written, and as they are shown.
const NAMED: [(&str, &str, KeyCode); 16] = [
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("tab", "Tab", KeyCode::Tab),
    ("backtab", "Shift-Tab", KeyCode::BackTab),
    ("space", "Space", KeyCode::Char(' ')),
    ("backspace", "Backspace", KeyCode::Backspace),
    ("delete", "Delete", KeyCode::Delete),
    ("insert", "Insert", KeyCode::Insert),
    ("up", "Up", KeyCode::Up),
    ("down", "Down", KeyCode::Down),
    ("left", "Left", KeyCode::Left),
    ("right", "Right", KeyCode::Right),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("pgup", "PgUp", KeyCode::PageUp),
    ("pgdn", "PgDn", KeyCode::PageDown),
];

/// The characters that make the same byte as another key when Ctrl is held, and that key.
const SAME_BYTE: [(&str, &str); 9] = [
    ("i", "Tab"),
    ("mj", "Enter"),
    ("[{3", "Esc"),
    ("?8", "Backspace"),
    ("@2", "Ctrl-Space"),
    ("4", "Ctrl-\\"),
    ("5", "Ctrl-]"),
    ("6", "Ctrl-^"),
    ("7/", "Ctrl-_"),
];

impl Key {
    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let mut modifiers = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match code {
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            KeyCode::Null => {
                modifiers |= KeyModifiers::CONTROL;
                KeyCode::Char(' ')
            }
            // Few terminals distinguish Ctrl-S from Ctrl-Shift-S, so that only the letter counts.
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        // Shift is part of the character, and of BackTab.
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers -= KeyModifiers::SHIFT;
        }
        Self { code, modifiers }
    }

    /// Returns the key without Alt, if Alt is held. Terminals send the same bytes for Esc followed by that key.
    #[must_use]
    pub fn without_alt(self) -> Option<Self> {
        let modifiers = self.modifiers - KeyModifiers::ALT;
        self.has_alt().then_some(Self { modifiers, ..self })
    }

    /// Returns whether Alt is held.
    #[must_use]
    pub const fn has_alt(self) -> bool {
        self.modifiers.contains(KeyModifiers::ALT)
    }

    /// Returns whether this is Enter, with or without modifiers.
    #[must_use]
    pub fn is_enter(self) -> bool {
        self.code == KeyCode::Enter
    }

    /// Returns the key that a terminal reports instead of this one, because both make the same byte.
    #[must_use]
    pub fn reported_as(self) -> Option<&'static str> {
        let KeyCode::Char(c) = self.code else { return None };
        let has_ctrl = self.modifiers.contains(KeyModifiers::CONTROL);
        SAME_BYTE.iter().find(|(characters, _)| has_ctrl && characters.contains(c)).map(|(_, instead)| *instead)
    }

    /// Returns the character that this key types, if it types one.
    #[must_use]
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// Returns whether the key may repeat its action while it is held: only movement, typing and deleting may.
    #[must_use]
    pub const fn may_repeat(self) -> bool {
        !matches!(self.code, KeyCode::Enter | KeyCode::Esc | KeyCode::F(_))
            && !self.modifiers.intersects(KeyModifiers::CONTROL.union(KeyModifiers::ALT))
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }
}

impl FromStr for Key {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let unknown = || {
            let hint = "keys are written like \"n\", \"G\", \"ctrl-s\", \"alt-b\", \"shift-tab\", \"f1\" or \"pgdn\"";
            Problem::new(format!("{} is not a key", quoted(text)), hint)
        };
        if invisible_characters(text) > 0 {
            return Err(unknown());
        }
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once('-')
            && !tail.is_empty()
        {
            modifiers |= match head.to_ascii_lowercase().as_str() {
                "ctrl" => KeyModifiers::CONTROL,
                "alt" => KeyModifiers::ALT,
                "shift" => KeyModifiers::SHIFT,
                _ => return Err(unknown()),
            };
            rest = tail;
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::Char(c.to_ascii_uppercase()),
            (Some(c), None) => KeyCode::Char(c),
            _ => {
                let name = rest.to_ascii_lowercase();
                let named = NAMED.iter().find(|(written, ..)| *written == name).map(|(.., code)| *code);
                let function = || {
                    let number = name.strip_prefix('f')?.parse().ok()?;
                    (1..=12).contains(&number).then_some(KeyCode::F(number))
                };
                named.or_else(function).ok_or_else(unknown)?
            }
        };
        Ok(Self::new(code, modifiers))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in
            [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        if let Some((_, shown, _)) = NAMED.iter().find(|(.., code)| *code == self.code) {
            return f.write_str(shown);
        }
        match self.code {
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::Char(c) if self.modifiers.is_empty() => write!(f, "{c}"),
            KeyCode::Char(c) => write!(f, "{}", c.to_uppercase()),
            code => write!(f, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_key_displays_as_people_know_it() {
        for (written, shown) in [
            ("ctrl-s", "Ctrl-S"),
            ("Ctrl-S", "Ctrl-S"),
            ("alt-enter", "Alt-Enter"),
            ("shift-tab", "Shift-Tab"),
            ("G", "G"),
            ("shift-g", "G"),
            ("g", "g"),
            ("?", "?"),
            ("-", "-"),
            ("ctrl--", "Ctrl--"),
            ("f1", "F1"),
            ("pgdn", "PgDn"),
            ("space", "Space"),
            ("ctrl-space", "Ctrl-Space"),
        ] {
            assert_eq!(written.parse::<Key>().unwrap().to_string(), shown);
        }
        for written in ["", "hyper-x", "ctrl-", "f13", "enterr", "\u{1b}", "ctrl-\u{202e}", "\u{200b}"] {
            assert!(written.parse::<Key>().is_err(), "{written:?}");
        }
    }

    #[test]
    fn key_event_equals_the_written_key() {
        for (code, modifiers, written) in [
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (KeyCode::Char('G'), KeyModifiers::NONE, "G"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::Char('s'), KeyModifiers::CONTROL, "ctrl-s"),
            (KeyCode::Enter, KeyModifiers::ALT, "alt-enter"),
        ] {
            assert_eq!(Key::from(KeyEvent::new(code, modifiers)), written.parse().unwrap());
        }
    }
}
