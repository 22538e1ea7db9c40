//! What may reach a terminal: our own sequences, each known, and characters that do nothing but stand there.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The longest run of characters without a width: a cell of the screen has no room for more.
const MOST_MARKS: usize = 16;

/// Whether a character only stands there. The program's own table is not asked: this is what Rust's standard library
/// would print as it is, less those that Unicode lets nobody see, and with the usual accents, which it escapes.
pub(crate) fn stands_there(c: char) -> bool {
    let is_usual = matches!(c, '"' | '\'' | '\\' | '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20f0}');
    let is_hidden = matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
        | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    !is_hidden && !c.is_control() && (is_usual || c.escape_debug().eq([c]))
}

/// Fails at a character that a terminal would act on or nobody would see, and at a pile of marks.
#[track_caller]
pub(crate) fn assert_harmless(text: &str, whence: &str) {
    let mut marks = 0;
    for (at, c) in text.char_indices() {
        let before: String = text[..at].chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
        // The selector that makes an emoji of a sign before it.
        let is_emoji = c == '\u{fe0f}' && matches!(before.chars().last(), Some('\u{203c}'..='\u{3299}'));
        assert!(stands_there(c) || is_emoji, "{whence}: U+{:04X} after {before:?}", u32::from(c));
        marks = if unicode_width::UnicodeWidthChar::width(c) == Some(0) { marks + 1 } else { 0 };
        assert!(marks <= MOST_MARKS, "{whence}: {marks} marks on one character after {before:?}");
    }
}

/// The same for every line of a text.
#[track_caller]
pub(crate) fn assert_harmless_lines(text: &str, whence: &str) {
    for line in text.lines() {
        assert_harmless(line, whence);
    }
}

/// A control sequence of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// CSI: its parameters, and its last character.
    Control(String, char),
    /// OSC 52: what was put into the clipboard.
    Copied(String),
    /// OSC 2: a title of the window.
    Title(String),
    /// OSC 11: the question for the background.
    BackgroundQuery,
}

/// Reads what a program wrote to its terminal; fails at whatever is not one of our sequences or harmless text.
#[track_caller]
pub(crate) fn sequences(bytes: &[u8]) -> Vec<Sequence> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut found = Vec::new();
    let mut parts = text.split('\x1b');
    assert_harmless(parts.next().unwrap_or_default(), "before the first sequence");
    while let Some(part) = parts.next() {
        let rest = match part.as_bytes().first() {
            Some(b'[') => {
                let end = part[1..].find(|c: char| ('@'..='~').contains(&c)).map(|end| end + 1);
                let end = end.unwrap_or_else(|| panic!("a sequence without an end: {part:?} after {found:?}"));
                let (parameters, last) = (&part[1..end], char::from(part.as_bytes()[end]));
                assert!(is_ours(parameters, last), "a foreign sequence: {:?}", &part[..=end]);
                found.push(Sequence::Control(parameters.to_owned(), last));
                &part[end + 1..]
            }
            Some(b']') if part == "]11;?" => {
                found.push(Sequence::BackgroundQuery);
                let rest = parts.next().and_then(|end| end.strip_prefix('\\'));
                rest.unwrap_or_else(|| panic!("a question without an end"))
            }
            Some(b']') if part.starts_with("]2;") => {
                assert_harmless(&part[3..], "the title");
                found.push(Sequence::Title(part[3..].to_owned()));
                let rest = parts.next().and_then(|end| end.strip_prefix('\\'));
                rest.unwrap_or_else(|| panic!("a title without an end"))
            }
            Some(b']') => {
                let encoded = part.strip_prefix("]52;c;").unwrap_or_else(|| panic!("a foreign sequence: {part:?}"));
                let copied = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
                assert_harmless_lines(&copied, "the clipboard");
                found.push(Sequence::Copied(copied));
                let rest = parts.next().and_then(|end| end.strip_prefix('\\'));
                rest.unwrap_or_else(|| panic!("a copy without an end"))
            }
            _ => panic!("a foreign sequence: {:?}", part.chars().take(20).collect::<String>()),
        };
        assert_harmless(rest, "the terminal");
    }
    found
}

/// What a program that draws needs: places, looks, clearing, and the modes that the guard and the frames switch.
fn is_ours(parameters: &str, last: char) -> bool {
    let modes = ["?25", "?1049", "?2004", "?2026"];
    let numbers = |separators: &[char]| {
        parameters.is_empty() || parameters.split(separators).all(|number| number.parse::<u16>().is_ok())
    };
    match last {
        'H' => numbers(&[';']),
        'm' => numbers(&[';', ':']),
        'J' => parameters == "2",
        'h' | 'l' => modes.contains(&parameters),
        // The title is saved and restored.
        't' => ["22;0", "23;0"].contains(&parameters),
        _ => false,
    }
}
