//! Decides whether a listed close is the one that was sent, from the text and the time that the service stored.

use jiff::{SignedDuration, Timestamp};
use unicode_normalization::UnicodeNormalization;

use super::ElevationRequest;

/// A closure time that is earlier than the close by more than this belongs to another close. After the correction by the
/// `Date` header, clocks agree far better.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(2);

/// How many letters and digits of a shortened text identify it; half of a short text is enough.
const IDENTIFYING_LENGTH: usize = 8;

/// Which close has closed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// This close: the service stored its text, or shows none.
    Us,
    /// This close: the service stored its text in another form, such as shortened or escaped.
    UsStoredDifferently,
    /// Unknown: the stored text differs, and its time does not exclude this close.
    PerhapsUs,
    /// Another close, which is older than this one.
    Another,
}

impl ElevationRequest {
    /// Decides which close has closed the request. `sent` is the text of this program's close, `sent_at` when it was sent
    /// first, and `skew` how far the service's clock is behind this machine's.
    #[must_use]
    pub fn attribute_close(&self, sent: &str, sent_at: Timestamp, skew: SignedDuration) -> ClosedBy {
        let closed = self.closed.as_ref().and_then(|closed| closed.at);
        let closed = closed.map(|at| at.saturating_add(skew).unwrap_or(at));
        let is_before = closed.is_some_and(|at| at.duration_since(sent_at) < -CLOCK_TOLERANCE);
        match (stored_as(sent, self.actions_taken.raw()), is_before) {
            (StoredAs::Same, _) | (StoredAs::Nothing, false) => ClosedBy::Us,
            (StoredAs::Variant, false) => ClosedBy::UsStoredDifferently,
            (StoredAs::Other, false) => ClosedBy::PerhapsUs,
            (StoredAs::Nothing | StoredAs::Variant | StoredAs::Other, true) => ClosedBy::Another,
        }
    }

    /// Returns whether the service shows exactly this text as the actions taken.
    #[must_use]
    pub fn holds_text(&self, sent: &str) -> bool {
        stored_as(sent, self.actions_taken.raw()) == StoredAs::Same
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StoredAs {
    Same,
    /// Shortened, added to, escaped, or with characters lost.
    Variant,
    Nothing,
    Other,
}

fn stored_as(sent: &str, stored: &str) -> StoredAs {
    if stored.trim().is_empty() {
        return StoredAs::Nothing;
    }
    if normalize(sent) == normalize(stored) {
        return StoredAs::Same;
    }
    let letters = |text: &str| letters(&unescape(&normalize(text)));
    let (sent, stored) = (letters(sent), letters(stored));
    let enough = IDENTIFYING_LENGTH.min(sent.len().div_ceil(2)).max(1);
    let is_part = stored.len() >= enough && (sent.starts_with(&stored[..]) || stored.starts_with(&sent[..]));
    // A character that the service's character set lacks is missing or a question mark.
    let ascii = |text: &[char]| text.iter().copied().filter(char::is_ascii).collect::<Vec<_>>();
    let is_lossy = ascii(&sent).len() >= enough && ascii(&sent) == ascii(&stored);
    if !sent.is_empty() && (is_part || is_lossy) { StoredAs::Variant } else { StoredAs::Other }
}

/// Normalizes a text for comparison: composed (NFC), HTML entities decoded, each run of blanks as one blank.
fn normalize(text: &str) -> String {
    // Twice, for a text that two layers have escaped.
    let plain = decode_entities(&decode_entities(text));
    let composed: String = plain.nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn letters(text: &str) -> Vec<char> {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
}

/// Replaces the escapes of a string literal by blanks.
fn unescape(text: &str) -> String {
    ["\\r\\n", "\\n", "\\r", "\\t"].iter().fold(text.to_owned(), |text, escape| text.replace(escape, " "))
}

/// Decodes HTML entities, and replaces each `<br>` by a blank.
fn decode_entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = entity(rest).or_else(|| line_break(rest)).unwrap_or_else(|| {
            let c = rest.chars().next().unwrap_or(' ');
            (c, c.len_utf8())
        });
        plain.push(c);
        rest = &rest[length..];
    }
    plain.push_str(rest);
    plain
}

/// Returns the character of the entity at the start of the text, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']);
            let code = hex.map_or_else(|| number.parse(), |hex| u32::from_str_radix(hex, 16)).ok()?;
            char::from_u32(code)?
        }
    };
    text.starts_with('&').then_some((c, end + 1))
}

fn line_break(text: &str) -> Option<(char, usize)> {
    ["<br>", "<br/>", "<br />"].iter().find(|tag| text.starts_with(**tag)).map(|tag| (' ', tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequestId, ServiceTime, Untrusted};

    const SENT: &str = "Réparé l'imprimante & <b>redémarré</b>.\nDone";

    fn listed(stored: &str, closed: &str) -> ElevationRequest {
        let blank = Untrusted::default;
        ElevationRequest {
            id: RequestId::new("1").unwrap(),
            ticket: blank(),
            device: blank(),
            title: blank(),
            category: blank(),
            subcategory: blank(),
            plan_of_action: blank(),
            actions_taken: Untrusted::new(stored),
            requested_by: blank(),
            closed_by: blank(),
            created: None,
            closed: ServiceTime::read(Untrusted::new(closed)),
            viewers: Vec::new(),
        }
    }

    fn closed_by(sent: &str, stored: &str, closed: &str) -> ClosedBy {
        let at = "2024-01-01T12:00:00Z".parse().unwrap();
        listed(stored, closed).attribute_close(sent, at, SignedDuration::ZERO)
    }

    #[test]
    fn text_that_is_the_same_after_normalization_is_ours_whatever_the_clock_says() {
        for stored in [
            SENT,
            "  Réparé l'imprimante & <b>redémarré</b>.\r\nDone\r\n",
            "Re\u{301}pare\u{301} l'imprimante & <b>redémarré</b>. Done",
            "Réparé l&#39;imprimante &amp; &lt;b&gt;redémarré&lt;/b&gt;.\nDone",
            "Réparé l&amp;#x27;imprimante &amp;amp; &amp;lt;b&amp;gt;redémarré&amp;lt;/b&amp;gt;.<br/>Done",
            "Réparé l&apos;imprimante\u{a0}&amp; <b>redémarré</b>.   Done",
        ] {
            for closed in ["2024-01-01T12:00:01Z", "2023-01-01T00:00:00Z"] {
                assert_eq!(closed_by(SENT, stored, closed), ClosedBy::Us, "{stored}");
            }
        }
        assert_eq!(closed_by(SENT, "", "2024-01-01T12:00:01Z"), ClosedBy::Us, "a service that shows no text");
    }

    #[test]
    fn text_that_was_shortened_escaped_or_added_to_is_stored_differently() {
        for stored in [
            "Réparé l'imprimante",
            "Réparé l'imprimante & <b>redé…",
            "Réparé l'imprimante...",
            "Réparé l\\'imprimante & <b>redémarré</b>.\\nDone",
            "R?par? l'imprimante & <b>red?marr?</b>. Done",
            "Rpar l'imprimante & <b>redmarr</b>. Done",
            "RÉPARÉ L'IMPRIMANTE & <B>REDÉMARRÉ</B>. DONE",
            "Réparé l'imprimante & <b>redémarré</b>. Done (closed over the API)",
        ] {
            assert_eq!(closed_by(SENT, stored, "2024-01-01T12:00:01Z"), ClosedBy::UsStoredDifferently, "{stored}");
            assert_eq!(closed_by(SENT, stored, "2023-12-31T12:00:00Z"), ClosedBy::Another, "{stored}");
        }
        assert_eq!(closed_by("Done", "Do", "2024-01-01T12:00:01Z"), ClosedBy::UsStoredDifferently);
        assert_eq!(closed_by("再起動しました", "再起動し", "2024-01-01T12:00:01Z"), ClosedBy::UsStoredDifferently);
    }

    #[test]
    fn another_text_is_anothers_only_where_its_time_says_so() {
        for stored in ["Something else.", "D", "Closed by the administrator", "Ré"] {
            assert_eq!(closed_by(SENT, stored, "2024-01-01T12:00:01Z"), ClosedBy::PerhapsUs, "{stored}");
            assert_eq!(closed_by(SENT, stored, "2024-01-01T11:59:00Z"), ClosedBy::PerhapsUs, "{stored}: clocks differ");
            assert_eq!(closed_by(SENT, stored, "2024-01-01T11:57:59Z"), ClosedBy::Another, "{stored}");
        }
    }
}
