//! What a complete control sequence means: a key, the mouse, the focus, the beginning of a paste, or nothing of ours.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{
    Input,
    key::{coded, modified},
};

/// What a sequence stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SequenceMeaning {
    /// A key, which an ESC before the sequence makes an Alt chord.
    Key(KeyEvent),
    /// Something else that the terminal tells by itself.
    Input(Input),
    BeginPaste,
    /// A reply, or what nobody here knows.
    Nothing,
}

impl From<Option<KeyEvent>> for SequenceMeaning {
    fn from(key: Option<KeyEvent>) -> Self {
        key.map_or(Self::Nothing, Self::Key)
    }
}

/// Up to three parameters, each with up to three parts; what is missing is 0.
type Parameters = [[u32; 3]; 3];

/// Reads parameters as in `1;5:2`; `None` where something else stands there, or more than any key has.
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

/// `CSI body last`. A private marker or an intermediate byte makes it a reply; only the mouse has a marker too.
pub(super) fn csi(body: &[u8], last: u8) -> SequenceMeaning {
    if let Some(report) = body.strip_prefix(b"<") {
        return mouse(report, last)
            .map_or(SequenceMeaning::Nothing, |event| SequenceMeaning::Input(Input::Mouse(event)));
    }
    let Some([first, [number, kind, _], [text, ..]]) = parameters(body) else { return SequenceMeaning::Nothing };
    let [code, shifted, _] = first;
    let key = |code| modified(code, number, kind).into();
    let with = |code, modifiers: KeyModifiers| {
        let event = modified(code, number, kind);
        event.map(|event| KeyEvent { modifiers: event.modifiers | modifiers, ..event }).into()
    };
    let by_number = |code| tilde(code).or_else(|| editing(code));
    match last {
        b'~' if code == 200 => SequenceMeaning::BeginPaste,
        b'~' if code == 27 => coded(text, 0, number, kind).into(),
        b'~' => by_number(code).map_or(SequenceMeaning::Nothing, key),
        b'u' if body.is_empty() => SequenceMeaning::Nothing,
        b'u' => {
            // The text is what the layout makes of the key; a chord has none.
            let text = char::from_u32(text).filter(|c| !c.is_control() && number.saturating_sub(1) & 0b11_1110 == 0);
            text.map_or_else(|| coded(code, shifted, number, kind), |c| modified(KeyCode::Char(c), number, kind)).into()
        }
        // With two parameters this is where the cursor is, but for the row that a modified F3 shares with it.
        b'R' if !body.is_empty() && (code != 1 || number > 16) => SequenceMeaning::Nothing,
        b'P' | b'Q' | b'R' | b'S' => key(KeyCode::F(last - b'P' + 1)),
        b'Z' => with(KeyCode::BackTab, KeyModifiers::SHIFT),
        b'^' => by_number(code).map_or(SequenceMeaning::Nothing, |code| with(code, KeyModifiers::CONTROL)),
        b'@' => by_number(code)
            .map_or(SequenceMeaning::Nothing, |code| with(code, KeyModifiers::CONTROL | KeyModifiers::SHIFT)),
        b'a'..=b'd' if body.is_empty() => {
            arrow(last.to_ascii_uppercase()).map_or(SequenceMeaning::Nothing, |code| with(code, KeyModifiers::SHIFT))
        }
        b'I' | b'O' if body.is_empty() => SequenceMeaning::Input(Input::Focus(last == b'I')),
        _ => arrow(last).map_or(SequenceMeaning::Nothing, key),
    }
}

/// `SS3 body last`: keys of the application modes. A modifier stands before the last byte in some terminals.
pub(super) fn ss3(body: &[u8], last: u8) -> SequenceMeaning {
    let Some([[first, ..], [second, ..], _]) = parameters(body) else { return SequenceMeaning::Nothing };
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
            return SequenceMeaning::Key(KeyEvent::new(code, KeyModifiers::CONTROL));
        }
        _ => match arrow(last) {
            Some(code) => code,
            None => return SequenceMeaning::Nothing,
        },
    };
    modified(code, number, 0).into()
}

/// `CSI [ last`: F1 to F5 of the Linux console.
pub(super) fn linux_function(last: u8) -> SequenceMeaning {
    match last {
        b'A'..=b'E' => SequenceMeaning::Key(KeyEvent::new(KeyCode::F(last - b'A' + 1), KeyModifiers::NONE)),
        _ => SequenceMeaning::Nothing,
    }
}

/// `CSI number $`: a key with Shift in rxvt, whose last byte is no last byte elsewhere. Replies with it have a marker or
/// two parameters.
pub(super) fn rxvt_shift(body: &[u8]) -> Option<SequenceMeaning> {
    let [[code, ..], ..] = parameters(body).filter(|_| body.iter().all(u8::is_ascii_digit))?;
    let code = tilde(code).or_else(|| editing(code))?;
    Some(SequenceMeaning::Key(KeyEvent::new(code, KeyModifiers::SHIFT)))
}

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

/// Function keys by number, with the gaps that the VT220 left.
fn tilde(number: u32) -> Option<KeyCode> {
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

/// An SGR mouse report. Buttons: two bits, 4 Shift, 8 Alt, 16 Ctrl, 32 motion, 64 wheel.
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
