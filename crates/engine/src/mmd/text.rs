//! Decodes the bytes of a body by their actual character set, which may differ from the header's.

use std::borrow::Cow;

/// The characters of windows-1252 from 0x80 to 0x9f, where Latin-1 has control characters. On the web, Latin-1 means this set.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', //
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The media type of a body.
#[derive(Clone, Debug, Default)]
pub(super) struct MediaType {
    /// The type in small letters, such as `text/plain`; blank if there is none.
    pub(super) name: String,
    charset: Option<String>,
}

impl MediaType {
    /// Parses the value of `Content-Type`.
    pub(super) fn parse(value: &str) -> Self {
        let mut parts = value.split(';');
        let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            let value = value.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
            key.trim().eq_ignore_ascii_case("charset").then_some(value)
        });
        Self { name, charset }
    }
}

/// Converts a body to UTF-8 without a byte order mark, from UTF-16 or from the single-byte set that the answer names. Other
/// bytes are unchanged.
pub(super) fn to_utf8<'a>(bytes: &'a [u8], media_type: &MediaType) -> Cow<'a, [u8]> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return Cow::Borrowed(rest);
    }
    let charset = media_type.charset.as_deref().unwrap_or_default();
    if let Some((units, rest)) = utf16(bytes, charset) {
        let units = rest.chunks_exact(2).map(|pair| units([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        return Cow::Owned(text.into_bytes());
    }
    // Valid UTF-8 is hardly ever another set, in which its longer sequences make no sense.
    if std::str::from_utf8(bytes).is_ok() || charset.is_empty() || charset.starts_with("utf") {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned(windows_1252(bytes).into_bytes())
}

/// Decodes a text: UTF-8, or else windows-1252.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| Cow::Owned(windows_1252(bytes)), Cow::Borrowed)
}

type UnitDecoder = fn([u8; 2]) -> u16;

/// Returns how the units of UTF-16 are decoded, and the bytes without a mark. A zero beside the first character identifies
/// UTF-16 without a mark.
fn utf16<'a>(bytes: &'a [u8], charset: &str) -> Option<(UnitDecoder, &'a [u8])> {
    let little: UnitDecoder = u16::from_le_bytes;
    let big: UnitDecoder = u16::from_be_bytes;
    match bytes {
        [0xff, 0xfe, rest @ ..] => Some((little, rest)),
        [0xfe, 0xff, rest @ ..] => Some((big, rest)),
        [0, 1..=255, ..] => Some((big, bytes)),
        [1..=255, 0, ..] => Some((little, bytes)),
        _ => match charset {
            "utf-16" | "utf-16be" => Some((big, bytes)),
            "utf-16le" | "unicode" => Some((little, bytes)),
            _ => None,
        },
    }
}

fn windows_1252(bytes: &[u8]) -> String {
    let character = |byte: &u8| match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    bytes.iter().map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(media_type: &str, bytes: &[u8]) -> String {
        decode(&to_utf8(bytes, &MediaType::parse(media_type))).into_owned()
    }

    #[test]
    fn body_in_another_character_set_is_read() {
        type Bytes = fn(u16) -> [u8; 2];
        let units = |text: &str, bytes: Bytes| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let (little, big): (Bytes, Bytes) = (u16::to_le_bytes, u16::to_be_bytes);
        for (media_type, bytes, shown) in [
            ("text/as_text", "gesperrt für «Müller»".as_bytes().to_vec(), "gesperrt für «Müller»"),
            ("text/as_text", b"\xef\xbb\xbff\xc3\xbcr".to_vec(), "für"),
            ("text/as_text; charset=ISO-8859-1", b"f\xfcr".to_vec(), "für"),
            ("text/as_text; charset=\"windows-1252\"", b"\x93f\xfcr\x94 \x80".to_vec(), "“für” €"),
            ("text/as_text; format=flowed; Charset=latin1", b"f\xfcr".to_vec(), "für"),
            ("text/as_text; charset=ISO-8859-1", "für".as_bytes().to_vec(), "für"),
            ("text/as_text", b"f\xfcr".to_vec(), "für"),
            ("", b"f\xfcr".to_vec(), "für"),
            ("text/as_text", [vec![0xff, 0xfe], units("für", little)].concat(), "für"),
            ("text/as_text", [vec![0xfe, 0xff], units("für", big)].concat(), "für"),
            ("text/as_text; charset=utf-16le", units("für", little), "für"),
            ("text/as_text; charset=utf-16", units("für", big), "für"),
            ("application/json", units("{\"a\":1}", little), "{\"a\":1}"),
        ] {
            assert_eq!(read(media_type, &bytes), shown, "{media_type} {bytes:?}");
        }
    }
}
