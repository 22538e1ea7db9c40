//! Reads a token or a client secret as people and programs hand it over: from a variable, a file, or a program's output.
//! What editors and shells add around it is dropped; what cannot belong to it is refused in words that do not repeat it.

/// Why a text is not the secret that it should be. The text itself is in none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretTextError {
    /// Nothing is in it.
    #[error("it is empty")]
    Empty,
    /// A text of Windows' older kind.
    #[error("it is UTF-16 text")]
    Utf16,
    /// No text at all.
    #[error("it is not text")]
    NotText,
    /// Quotes of any kind at one of its ends.
    #[error("it is in quotes")]
    Quoted,
    /// As the header has it, and not the token alone.
    #[error("it begins with a word such as Bearer")]
    Bearer,
    /// More than one line.
    #[error("it does not hold one line alone")]
    Lines,
    /// A blank within a token.
    #[error("a blank stands within it")]
    Blank,
}

impl SecretTextError {
    /// What to do about it. It stands behind `hint: `.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Empty => "give the value itself, and nothing else",
            Self::Utf16 => "save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)",
            Self::NotText => "give the value itself, as text",
            Self::Quoted => "take the quotes away: the value alone, with nothing around it",
            Self::Bearer => "take the word in front away: the token alone, without Bearer",
            Self::Lines => "give the value in one line, and nothing else",
            Self::Blank => "give the token in one piece: copy it again, without line ends and blanks",
        }
    }
}

/// The text in these bytes, without the byte order mark that editors put before it.
pub(super) fn decoded(bytes: &[u8]) -> Result<&str, SecretTextError> {
    let looks_wide = |at: usize| bytes.len() >= 4 && bytes.iter().skip(at).step_by(2).take(64).all(|byte| *byte == 0);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || looks_wide(0) || looks_wide(1) {
        return Err(SecretTextError::Utf16);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|_| SecretTextError::NotText)
}

/// A client secret without what stands around it.
///
/// # Errors
/// [`SecretTextError`] where it is none.
pub fn client_secret(text: &str) -> Result<&str, SecretTextError> {
    let text = text.trim_matches(is_around);
    if text.is_empty() {
        return Err(SecretTextError::Empty);
    }
    if text.starts_with(is_quote) && text.ends_with(is_quote) {
        return Err(SecretTextError::Quoted);
    }
    if text.contains(['\n', '\r']) { Err(SecretTextError::Lines) } else { Ok(text) }
}

/// A token without what stands around it.
///
/// # Errors
/// [`SecretTextError`] where it is none. That each of its characters can be sent is for [`Token`](super::Token) to see to.
pub fn token(text: &str) -> Result<&str, SecretTextError> {
    let text = text.trim_matches(is_around);
    let first = text.split(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
    if text.is_empty() {
        Err(SecretTextError::Empty)
    } else if text.starts_with(is_quote) || text.ends_with(is_quote) {
        Err(SecretTextError::Quoted)
    } else if ["bearer", "authorization", "token"].iter().any(|word| first.eq_ignore_ascii_case(word)) && first != text
    {
        Err(SecretTextError::Bearer)
    } else if text.contains(char::is_whitespace) {
        Err(SecretTextError::Blank)
    } else {
        Ok(text)
    }
}

/// Blanks of any kind, and what nobody sees.
fn is_around(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '«' | '»')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_a_secret_is_dropped() {
        for around in ["", "\n", "\r\n", " \t", "\u{feff}", "\u{a0}", "\u{200b}\u{3000}", "\0"] {
            let text = format!("{around}the-value{around}");
            assert_eq!((token(&text), client_secret(&text)), (Ok("the-value"), Ok("the-value")), "{text:?}");
        }
        assert_eq!(client_secret("a b\"c"), Ok("a b\"c"), "a secret may hold anything within");
        assert_eq!(token("bearer"), Ok("bearer"), "a word alone may be one");
    }

    #[test]
    fn what_cannot_belong_to_a_token_is_told_without_it() {
        for (text, unfit) in [
            ("", SecretTextError::Empty),
            (" \u{feff}\r\n", SecretTextError::Empty),
            ("\"canary\"", SecretTextError::Quoted),
            ("'canary'", SecretTextError::Quoted),
            ("`canary`", SecretTextError::Quoted),
            ("\u{201c}canary\u{201d}", SecretTextError::Quoted),
            ("\"canary", SecretTextError::Quoted),
            ("\"Bearer canary\"", SecretTextError::Quoted),
            ("Bearer canary", SecretTextError::Bearer),
            ("bearer\tcanary", SecretTextError::Bearer),
            ("Bearer: canary", SecretTextError::Bearer),
            ("Authorization: Bearer canary", SecretTextError::Bearer),
            ("can ary", SecretTextError::Blank),
            ("can\nary", SecretTextError::Blank),
            ("can\r\nary", SecretTextError::Blank),
            ("can\u{a0}ary", SecretTextError::Blank),
        ] {
            assert_eq!(token(text), Err(unfit), "{text:?}");
            assert!(!format!("{unfit} {unfit:?} {}", unfit.hint()).contains("canary"));
        }
        for (text, unfit) in [
            ("\"canary\"", SecretTextError::Quoted),
            ("a\nb", SecretTextError::Lines),
            ("a\rb", SecretTextError::Lines),
        ] {
            assert_eq!(client_secret(text), Err(unfit), "{text:?}");
        }
    }

    #[test]
    fn bytes_are_utf_8_with_or_without_a_mark() {
        let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        assert_eq!(decoded(b"\xef\xbb\xbfvalue"), Ok("value"));
        assert_eq!(decoded(b"value"), Ok("value"));
        assert_eq!(decoded(b""), Ok(""));
        for bytes in [wide("\u{feff}value\r\n"), wide("value"), [b"\xfe\xff".to_vec(), vec![0, b'v']].concat()] {
            assert_eq!(decoded(&bytes), Err(SecretTextError::Utf16), "{bytes:?}");
        }
        assert_eq!(decoded(b"caf\xe9"), Err(SecretTextError::NotText));
    }
}
