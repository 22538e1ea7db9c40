//! Decodes the replies of a terminal that the program uses. All others are dropped.

/// A reply of the terminal to a query. It may be late, or meant for another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalReply {
    /// The colour of text: red, green and blue.
    Foreground(u8, u8, u8),
    /// The colour of the background: red, green and blue.
    Background(u8, u8, u8),
}

/// Decodes the body of an operating system command, if it is one of these replies.
pub(super) fn osc(body: &[u8]) -> Option<TerminalReply> {
    let (number, value) = std::str::from_utf8(body).ok()?.split_once(';')?;
    let (red, green, blue) = colour(value)?;
    match number {
        "10" => Some(TerminalReply::Foreground(red, green, blue)),
        "11" => Some(TerminalReply::Background(red, green, blue)),
        _ => None,
    }
}

/// Decodes a colour as X writes it: `rgb:RRRR/GGGG/BBBB` with one to four digits each, `rgba:` with one more part, or `#RRGGBB`
/// with as many digits each.
fn colour(text: &str) -> Option<(u8, u8, u8)> {
    let parts: Vec<&str> = if let Some(digits) = text.strip_prefix('#') {
        let each = digits.len() / 3;
        (0..3)
            .map(|index| digits.get(index * each..(index + 1) * each).filter(|_| digits.len() == 3 * each))
            .collect::<Option<_>>()?
    } else if let Some(parts) = text.strip_prefix("rgba:") {
        parts.split('/').take(3).collect()
    } else {
        text.strip_prefix("rgb:")?.split('/').collect()
    };
    let &[red, green, blue] = parts.as_slice() else { return None };
    Some((component(red)?, component(green)?, component(blue)?))
}

/// Decodes one component of a colour and scales it to a byte.
fn component(digits: &str) -> Option<u8> {
    if !(1..=4).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    let most = (1 << (4 * digits.len())) - 1;
    u8::try_from(value * 255 / most).ok()
}
