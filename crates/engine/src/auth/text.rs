//! Parses the text of a token or a client secret from a variable, a file, or a program's output. Characters that editors and
//! shells add around it are removed; other texts are refused with an error that does not repeat them.

/// Why a text is not a valid secret. The error does not hold the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretTextError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is UTF-16 text.
    #[error("it is UTF-16 text")]
    Utf16,
    /// It is not text.
    #[error("it is not text")]
    NotText,
    /// It has quotes of any kind at an end.
    #[error("it is in quotes")]
    Quoted,
    /// It has the form of the header, with a word before the token.
    #[error("it begins with a word such as Bearer")]
    Bearer,
    /// It has more than one line.
    #[error("it does not hold one line alone")]
    Lines,
    /// It has a blank within the token.
    #[error("a blank stands within it")]
    Blank,
}

impl SecretTextError {
    /// Returns what to do about it. It is shown after `hint: `.
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

/// Decodes UTF-8 text, without a byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, SecretTextError> {
    let looks_wide = |at: usize| bytes.len() >= 4 && bytes.iter().skip(at).step_by(2).take(64).all(|byte| *byte == 0);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || looks_wide(0) || looks_wide(1) {
        return Err(SecretTextError::Utf16);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|_| SecretTextError::NotText)
}

/// Returns the client secret in a text, without surrounding blanks.
///
/// # Errors
/// The text is not a client secret.
pub fn parse_client_secret(text: &str) -> Result<&str, SecretTextError> {
    let text = text.trim_matches(is_surrounding);
    if text.is_empty() {
        return Err(SecretTextError::Empty);
    }
    if text.starts_with(is_quote) && text.ends_with(is_quote) {
        return Err(SecretTextError::Quoted);
    }
    if text.contains(['\n', '\r']) { Err(SecretTextError::Lines) } else { Ok(text) }
}

/// Returns the token in a text, without surrounding blanks.
///
/// # Errors
/// The text is not a token. [`Token`](super::Token) checks its characters.
pub fn parse_token(text: &str) -> Result<&str, SecretTextError> {
    let text = text.trim_matches(is_surrounding);
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

/// Returns whether a character is a blank or invisible, and is removed at the ends.
fn is_surrounding(c: char) -> bool {
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
            assert_eq!(
                (parse_token(&text), parse_client_secret(&text)),
                (Ok("the-value"), Ok("the-value")),
                "{text:?}"
            );
        }
        assert_eq!(parse_client_secret("a b\"c"), Ok("a b\"c"), "a secret may hold anything within");
        assert_eq!(parse_token("bearer"), Ok("bearer"), "a word alone may be one");
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
            assert_eq!(parse_token(text), Err(unfit), "{text:?}");
            assert!(!format!("{unfit} {unfit:?} {}", unfit.hint()).contains("canary"));
        }
        for (text, unfit) in [
            ("\"canary\"", SecretTextError::Quoted),
            ("a\nb", SecretTextError::Lines),
            ("a\rb", SecretTextError::Lines),
        ] {
            assert_eq!(parse_client_secret(text), Err(unfit), "{text:?}");
        }
    }

    #[test]
    fn bytes_are_utf_8_with_or_without_a_mark() {
        let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        assert_eq!(decode(b"\xef\xbb\xbfvalue"), Ok("value"));
        assert_eq!(decode(b"value"), Ok("value"));
        assert_eq!(decode(b""), Ok(""));
        for bytes in [wide("\u{feff}value\r\n"), wide("value"), [b"\xfe\xff".to_vec(), vec![0, b'v']].concat()] {
            assert_eq!(decode(&bytes), Err(SecretTextError::Utf16), "{bytes:?}");
        }
        assert_eq!(decode(b"caf\xe9"), Err(SecretTextError::NotText));
    }
}
