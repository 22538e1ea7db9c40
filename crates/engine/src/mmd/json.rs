//! Reads JSON with damaged strings and numbers, so that the rest of an answer can be used.
//!
//! A text whose structure (brackets, commas, quotes) is not JSON is refused: it is unknown what a truncated answer lacks.

use std::borrow::Cow;

use serde_json::Value;

/// Replaces unreadable bytes.
const UNREADABLE: char = char::REPLACEMENT_CHARACTER;

/// Reads JSON, with or without the byte order mark that .NET may write.
pub(super) fn read(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).ok().or_else(|| serde_json::from_str(&repair(body)).ok())
}

/// Estimates how much memory [`read`] needs for the values of a body, in bytes, and not much too low: a map allocates a node for
/// eleven members, a list four places, and each comma may begin another member. Texts are not counted: they need as much as in
/// the body.
pub(super) fn estimated_memory(body: &[u8]) -> usize {
    let (mut bytes, mut quoted, mut escaped) = (0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' => bytes += 640,
            b'[' | b',' => bytes += 128,
            _ => {}
        }
    }
    bytes
}

/// Replaces invalid parts of strings by [`UNREADABLE`] (bytes that are not UTF-8, control characters, half a surrogate pair,
/// unknown escapes), and invalid numbers by strings (`NaN`, `1e999`, `007`).
fn repair(body: &[u8]) -> String {
    let mut out = String::with_capacity(body.len() + 16);
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        match first {
            b'"' => {
                out.push('"');
                rest = repair_string(after, &mut out);
            }
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
                let end = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                repair_literal(literal, &mut out);
                rest = after;
            }
            // Some gateways leave the terminator of a C string.
            b'\0' => rest = after,
            0x01..=0x7f => {
                out.push(char::from(*first));
                rest = after;
            }
            0x80.. => rest = repair_non_ascii(rest, &mut out),
        }
    }
    out
}

/// Copies a literal or number, as a string if it is invalid.
fn repair_literal(literal: &[u8], out: &mut String) {
    let literal = String::from_utf8_lossy(literal);
    let is_json = serde_json::from_str::<Value>(&literal).is_ok();
    out.push_str(&if is_json { literal } else { Cow::Owned(format!("\"{literal}\"")) });
}

/// Copies a string including the quote that ends it. Returns the rest.
fn repair_string<'a>(mut rest: &'a [u8], out: &mut String) -> &'a [u8] {
    while let Some((first, after)) = rest.split_first() {
        match first {
            b'"' => {
                out.push('"');
                return after;
            }
            b'\\' => rest = repair_escape(after, out),
            // Line ends and tabs that are not escaped are accepted.
            b'\n' | b'\r' | b'\t' => {
                out.push_str(&format!("\\u{first:04x}"));
                rest = after;
            }
            0x00..=0x1f => {
                out.push(UNREADABLE);
                rest = after;
            }
            0x20..=0x7f => {
                out.push(char::from(*first));
                rest = after;
            }
            0x80.. => rest = repair_non_ascii(rest, out),
        }
    }
    rest
}

/// Copies the leading characters beyond ASCII. Returns the rest.
fn repair_non_ascii<'a>(rest: &'a [u8], out: &mut String) -> &'a [u8] {
    let end = rest.iter().position(u8::is_ascii).unwrap_or(rest.len());
    let (characters, after) = rest.split_at(end);
    out.push_str(&String::from_utf8_lossy(characters));
    after
}

/// Copies the escape after a backslash. Returns the rest.
fn repair_escape<'a>(rest: &'a [u8], out: &mut String) -> &'a [u8] {
    let Some((kind, after)) = rest.split_first() else { return rest };
    match kind {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
            out.push('\\');
            out.push(char::from(*kind));
            after
        }
        b'u' => {
            let Some(unit) = parse_unit(after) else {
                out.push(UNREADABLE);
                return after;
            };
            let (units, length) = match after.get(4..).and_then(|next| next.strip_prefix(b"\\u")).and_then(parse_unit) {
                Some(second) if (0xd800..0xdc00).contains(&unit) && (0xdc00..0xe000).contains(&second) => {
                    (vec![unit, second], 10)
                }
                _ => (vec![unit], 4),
            };
            for character in char::decode_utf16(units) {
                match character {
                    Ok(character) if u32::from(character) < 0x20 || matches!(character, '"' | '\\') => {
                        out.push_str(&format!("\\u{:04x}", u32::from(character)));
                    }
                    Ok(character) => out.push(character),
                    Err(_) => out.push(UNREADABLE),
                }
            }
            after.get(length..).unwrap_or_default()
        }
        // An escaped character beyond ASCII is copied after the mark.
        0x80.. => {
            out.push(UNREADABLE);
            rest
        }
        _ => {
            out.push(UNREADABLE);
            after
        }
    }
}

/// Parses the four hexadecimal digits of an escape.
fn parse_unit(rest: &[u8]) -> Option<u16> {
    let digits = rest.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_text_that_is_none_spoils_itself_and_nothing_else() {
        for (text, read_as) in [
            (&b"half \\ud83d"[..], "half \u{fffd}"),
            (b"\\ud83d half", "\u{fffd} half"),
            (b"\\ude00\\ud83d", "\u{fffd}\u{fffd}"),
            (b"\\ud83d\\u0041", "\u{fffd}A"),
            (b"\\ud83d\\ud83d\\ude00", "\u{fffd}\u{1f600}"),
            (b"\\ud83d\\ude00 \\ud83d", "\u{1f600} \u{fffd}"),
            (b"caf\xe9 au", "caf\u{fffd} au"),
            (b"\xf0\x9f\x98 \xff\xfe", "\u{fffd} \u{fffd}\u{fffd}"),
            (b"a\x00b\x1bc", "a\u{fffd}b\u{fffd}c"),
            (b"two\r\n\tlines", "two\r\n\tlines"),
            (b"a \\x b", "a \u{fffd} b"),
            (b"\\u12", "\u{fffd}12"),
            (b"\\\xc3\xa9 \\ud83d", "\u{fffd}\u{e9} \u{fffd}"),
            (b"\\\\ \\\" \\u0022 \\u005c \\u0007 \\ud83d", "\\ \" \" \\ \u{7} \u{fffd}"),
        ] {
            let body = [b"\xef\xbb\xbf{\"value\": [{\"title\": \"", text, b"\"}, {\"id\": \"7\"}]}\0\r\n"].concat();
            assert_eq!(read(&body), Some(json!({"value": [{"title": read_as}, {"id": "7"}]})), "{read_as:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_a_text() {
        let body = br#"{"a": NaN, "b": -Infinity, "c": 1e999, "d": 007, "e": [1, true, null], "f": undefined}"#;
        let read_as =
            json!({"a": "NaN", "b": "-Infinity", "c": "1e999", "d": "007", "e": [1, true, null], "f": "undefined"});
        assert_eq!(read(body), Some(read_as));
    }

    #[test]
    fn what_is_cut_or_something_else_is_not_read() {
        for body in [
            &b"{\"value\": [{\"id\": \"7\""[..],
            b"{\"id\": \"7\"} {\"id\": \"8\"}",
            b"<html>",
            b"{\"id\": \"7",
            b"[1,]",
            b"\xff",
        ] {
            assert_eq!(read(body), None, "{}", String::from_utf8_lossy(body));
        }
    }
}
