//! Decodes complete control sequences: a key, the mouse, the focus or the beginning of a paste. It keeps no state.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{
    Input,
    key::{coded, modified},
};

/// The meaning of a control sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DecodedSequence {
    /// A key. An ESC before the sequence makes it an Alt chord.
    Key(KeyEvent),
    /// Another input.
    Input(Input),
    BeginPaste,
    /// A reply or an unknown sequence.
    Unknown,
}

impl From<Option<KeyEvent>> for DecodedSequence {
    fn from(key: Option<KeyEvent>) -> Self {
        key.map_or(Self::Unknown, Self::Key)
    }
}

/// Up to three parameters, each with up to three parts. A missing one is 0.
type Parameters = [[u32; 3]; 3];

/// Parses parameters such as `1;5:2`. Returns `None` for anything else, and for more parameters than any key has.
fn parameters(body: &[u8]) -> Option<Parameters> {
    let mut parameters = Parameters::default();
    for (index, part) in body.split(|byte| *byte == b';').enumerate() {
        for (place, digits) in part.split(|byte| *byte == b':').enumerate() {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            *parameters.get_mut(index)?.get_mut(place)? = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        }
    }
    Some(parameters)
}

/// Decodes `CSI body last`. With a private marker or an intermediate byte it is a reply, except for a mouse report.
pub(super) fn csi(body: &[u8], last: u8) -> DecodedSequence {
    if let Some(report) = body.strip_prefix(b"<") {
        return mouse(report, last)
            .map_or(DecodedSequence::Unknown, |event| DecodedSequence::Input(Input::Mouse(event)));
    }
    let Some([first, [number, kind, _], [text, ..]]) = parameters(body) else { return DecodedSequence::Unknown };
    let [code, shifted, _] = first;
    let key = |code| modified(code, number, kind).into();
    let with = |code, modifiers: KeyModifiers| {
        let event = modified(code, number, kind);
        event.map(|event| KeyEvent { modifiers: event.modifiers | modifiers, ..event }).into()
    };
    let by_number = |code| function(code).or_else(|| editing(code));
    match last {
        b'~' if code == 200 => DecodedSequence::BeginPaste,
        b'~' if code == 27 => coded(text, 0, number, kind).into(),
        b'~' => by_number(code).map_or(DecodedSequence::Unknown, key),
        b'u' if body.is_empty() => DecodedSequence::Unknown,
        b'u' => {
            // The text is the character of the key in the keyboard layout; a chord has none.
            let text = char::from_u32(text).filter(|c| !c.is_control() && number.saturating_sub(1) & 0b11_1110 == 0);
            text.map_or_else(|| coded(code, shifted, number, kind), |c| modified(KeyCode::Char(c), number, kind)).into()
        }
        // With two parameters this is a cursor position, except in row 1, where it may be a modified F3.
        b'R' if !body.is_empty() && (code != 1 || number > 16) => DecodedSequence::Unknown,
        b'P' | b'Q' | b'R' | b'S' => key(KeyCode::F(last - b'P' + 1)),
        b'Z' => with(KeyCode::BackTab, KeyModifiers::SHIFT),
        b'^' => by_number(code).map_or(DecodedSequence::Unknown, |code| with(code, KeyModifiers::CONTROL)),
        b'@' => by_number(code)
            .map_or(DecodedSequence::Unknown, |code| with(code, KeyModifiers::CONTROL | KeyModifiers::SHIFT)),
        b'a'..=b'd' if body.is_empty() => {
            arrow(last.to_ascii_uppercase()).map_or(DecodedSequence::Unknown, |code| with(code, KeyModifiers::SHIFT))
        }
        b'I' | b'O' if body.is_empty() => DecodedSequence::Input(Input::Focus(last == b'I')),
        _ => arrow(last).map_or(DecodedSequence::Unknown, key),
    }
}

/// Decodes `SS3 body last`: keys of the application modes. Some terminals send a modifier before the last byte.
pub(super) fn ss3(body: &[u8], last: u8) -> DecodedSequence {
    let Some([[first, ..], [second, ..], _]) = parameters(body) else { return DecodedSequence::Unknown };
    let number = if second == 0 { first } else { second };
    let code = match last {
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        b'M' => KeyCode::Enter,
        b'I' => KeyCode::Tab,
        b' ' => KeyCode::Char(' '),
        b'X' => KeyCode::Char('='),
        // The numeric keypad: `*+,-./0123456789` from `j` on.
        b'j'..=b'y' => KeyCode::Char(char::from(last - 0x40)),
        b'a'..=b'd' => {
            let code = arrow(last.to_ascii_uppercase()).unwrap_or(KeyCode::Null);
            return DecodedSequence::Key(KeyEvent::new(code, KeyModifiers::CONTROL));
        }
        _ => match arrow(last) {
            Some(code) => code,
            None => return DecodedSequence::Unknown,
        },
    };
    modified(code, number, 0).into()
}

/// Decodes `CSI [ last`: F1 to F5 of the Linux console.
pub(super) fn linux_function(last: u8) -> DecodedSequence {
    match last {
        b'A'..=b'E' => DecodedSequence::Key(KeyEvent::new(KeyCode::F(last - b'A' + 1), KeyModifiers::NONE)),
        _ => DecodedSequence::Unknown,
    }
}

/// Decodes `CSI number $`: a key with Shift in rxvt, where `$` is a final byte. Replies with `$` have a marker or two
/// parameters.
pub(super) fn rxvt_shift(body: &[u8]) -> Option<DecodedSequence> {
    let [[code, ..], ..] = parameters(body).filter(|_| body.iter().all(u8::is_ascii_digit))?;
    let code = function(code).or_else(|| editing(code))?;
    Some(DecodedSequence::Key(KeyEvent::new(code, KeyModifiers::SHIFT)))
}

/// Returns the key of an arrow's final byte.
fn arrow(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'E' => KeyCode::KeypadBegin,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        _ => return None,
    })
}

/// Returns the editing key of a number.
fn editing(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        _ => return None,
    })
}

/// Returns the function key of a number. The numbers have the gaps of the VT220.
fn function(number: u32) -> Option<KeyCode> {
    let gaps = match number {
        11..=15 => 10,
        17..=21 => 11,
        23..=26 => 12,
        28 | 29 => 13,
        31..=34 => 14,
        _ => return None,
    };
    u8::try_from(number - gaps).ok().map(KeyCode::F)
}

/// Decodes an SGR mouse report. The bits are 1 and 2 for the button, 4 Shift, 8 Alt, 16 Ctrl, 32 motion, 64 wheel.
fn mouse(report: &[u8], last: u8) -> Option<MouseEvent> {
    let [[bits, ..], [column, ..], [row, ..]] = parameters(report)?;
    let button = match bits & 0b11 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (last, bits & 0b1110_0000, button) {
        (b'M', 0, Some(button)) => MouseEventKind::Down(button),
        (b'm', 0, Some(button)) => MouseEventKind::Up(button),
        (b'M' | b'm', 32, Some(button)) => MouseEventKind::Drag(button),
        (b'M' | b'm', 32, None) => MouseEventKind::Moved,
        (b'M', 64, Some(MouseButton::Left)) => MouseEventKind::ScrollUp,
        (b'M', 64, Some(MouseButton::Middle)) => MouseEventKind::ScrollDown,
        (b'M', 64, Some(MouseButton::Right)) => MouseEventKind::ScrollLeft,
        (b'M', 64, None) => MouseEventKind::ScrollRight,
        _ => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)] {
        if bits & bit != 0 {
            modifiers |= modifier;
        }
    }
    let place = |number: u32| u16::try_from(number.checked_sub(1)?).ok();
    Some(MouseEvent { kind, column: place(column)?, row: place(row)?, modifiers })
}
