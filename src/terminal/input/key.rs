//! Decodes keys that are numbers: the bytes of the C0 set, and the key codes of xterm's modifyOtherKeys and of kitty's
//! protocol.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Returns the key of a character. An upper case letter was typed with Shift.
pub(super) fn character(c: char) -> (KeyCode, KeyModifiers) {
    (KeyCode::Char(c), if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE })
}

/// Returns the key of a byte of the C0 set or of DEL. Some terminals send Ctrl-H for Backspace; both keys delete.
pub(super) fn control(byte: u8) -> (KeyCode, KeyModifiers) {
    match byte {
        b'\r' | b'\n' => (KeyCode::Enter, KeyModifiers::NONE),
        b'\t' => (KeyCode::Tab, KeyModifiers::NONE),
        0x7f => (KeyCode::Backspace, KeyModifiers::NONE),
        0x1b => (KeyCode::Esc, KeyModifiers::NONE),
        0 => (KeyCode::Char(' '), KeyModifiers::CONTROL),
        1..=0x1a => (KeyCode::Char(char::from(byte - 1 + b'a')), KeyModifiers::CONTROL),
        // Ctrl-\ ] ^ _
        _ => (KeyCode::Char(char::from(byte.saturating_add(0x40))), KeyModifiers::CONTROL),
    }
}

/// Returns the key with this code and xterm's modifier number; `kind` is kitty's. Returns `None` for keys without a use here:
/// modifiers alone, media keys, and chords with Super, Hyper or Meta, which are for the desktop.
pub(super) fn coded(code: u32, shifted: u32, number: u32, kind: u32) -> Option<KeyEvent> {
    let (code, implied) = match code {
        0x20.. => {
            functional(code).map(|code| (code, KeyModifiers::NONE)).or_else(|| printable(code, shifted, number))?
        }
        code => control(u8::try_from(code).ok()?),
    };
    let mut event = modified(code, number, kind)?;
    event.modifiers |= implied;
    Some(event)
}

/// Returns the key with xterm's modifier number: one more than the sum of 1 Shift, 2 Alt, 4 Ctrl, 8 Super or Meta, and so
/// on; 64 and 128 are locks.
pub(super) fn modified(code: KeyCode, number: u32, kind: u32) -> Option<KeyEvent> {
    let bits = number.saturating_sub(1);
    if bits & 0b11_1000 != 0 {
        return None;
    }
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        if bits & bit != 0 {
            modifiers |= modifier;
        }
    }
    let code = if code == KeyCode::Tab && modifiers.contains(KeyModifiers::SHIFT) { KeyCode::BackTab } else { code };
    let kind = match kind {
        2 => KeyEventKind::Repeat,
        3 => KeyEventKind::Release,
        _ => KeyEventKind::Press,
    };
    Some(KeyEvent::new_with_kind(code, modifiers, kind))
}

fn printable(code: u32, shifted: u32, number: u32) -> Option<(KeyCode, KeyModifiers)> {
    // Kitty's functional keys are in Unicode's private use area, and the C1 set is not text.
    if matches!(code, 0x7f..=0x9f | 0xe000..=0xf8ff) {
        return None;
    }
    let bits = number.saturating_sub(1);
    let (shift, caps) = (bits & 1 != 0, bits & 64 != 0);
    let c = char::from_u32(code)?;
    let c = match char::from_u32(shifted).filter(|c| shift && !c.is_control()) {
        Some(shifted) => shifted,
        None if shift != caps && c.is_alphabetic() => c.to_uppercase().next().unwrap_or(c),
        None => c,
    };
    Some((KeyCode::Char(c), KeyModifiers::NONE))
}

/// Returns the key of kitty's functional key codes.
fn functional(code: u32) -> Option<KeyCode> {
    let number = |from: u32| u8::try_from(code - from).unwrap_or(0);
    Some(match code {
        127 | 57_347 => KeyCode::Backspace,
        57_344 => KeyCode::Esc,
        57_345 | 57_414 => KeyCode::Enter,
        57_346 => KeyCode::Tab,
        57_348 | 57_425 => KeyCode::Insert,
        57_349 | 57_426 => KeyCode::Delete,
        57_350 | 57_417 => KeyCode::Left,
        57_351 | 57_418 => KeyCode::Right,
        57_352 | 57_419 => KeyCode::Up,
        57_353 | 57_420 => KeyCode::Down,
        57_354 | 57_421 => KeyCode::PageUp,
        57_355 | 57_422 => KeyCode::PageDown,
        57_356 | 57_423 => KeyCode::Home,
        57_357 | 57_424 => KeyCode::End,
        57_364..=57_398 => KeyCode::F(number(57_363)),
        57_399..=57_408 => KeyCode::Char(char::from(b'0' + number(57_399))),
        57_409 => KeyCode::Char('.'),
        57_410 => KeyCode::Char('/'),
        57_411 => KeyCode::Char('*'),
        57_412 => KeyCode::Char('-'),
        57_413 => KeyCode::Char('+'),
        57_415 => KeyCode::Char('='),
        57_416 => KeyCode::Char(','),
        57_427 => KeyCode::KeypadBegin,
        _ => return None,
    })
}
