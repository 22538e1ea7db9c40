//! Reads the message of an error body that is not JSON.
//!
//! | body | its message |
//! |---|---|
//! | plain text | the text |
//! | XML | its `message`, `faultstring`, `detail` or `title` |
//! | HTML | none: it is a web page of a server between, which has a title |

use super::error_body::ServiceMessage;

/// How many bytes of a body that is not JSON are read.
const MAX_READ: usize = 64 << 10;

/// The longest message without a media type.
const LONGEST_UNTYPED_TEXT: usize = 2_000;

/// A body that is not JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TextBody {
    /// A message.
    ServiceMessage(ServiceMessage),
    /// A web page, with its title if it has one.
    Page(Option<String>),
    /// Nothing readable.
    Unreadable,
}

/// Reads a body that is not JSON. `has_type`: its media type is a text.
pub(super) fn parse(text: &str, has_type: bool) -> TextBody {
    let text = text.trim();
    let end = (0..=MAX_READ.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let text = &text[..end.unwrap_or_default()];
    if text.starts_with('<') {
        let start: String = text.chars().take(1_000).collect::<String>().to_ascii_lowercase();
        if ["<html", "<!doctype html", "<head", "<body", "<title", "<h1", "<center", "<p>", "<p ", "<div"]
            .iter()
            .any(|tag| start.contains(tag))
        {
            return TextBody::Page(element(text, "title"));
        }
        let mut message = ServiceMessage::default();
        for name in ["message", "faultstring", "detail", "title"] {
            if let Some(text) = element(text, name) {
                message.push(&text);
            }
        }
        return if message.is_blank() { TextBody::Page(None) } else { TextBody::ServiceMessage(message) };
    }
    let is_control = |c: char| c.is_control() && !c.is_whitespace();
    let is_message = has_type || text.len() <= LONGEST_UNTYPED_TEXT;
    if text.is_empty() || text.starts_with(['{', '[']) || text.contains(is_control) || !is_message {
        return TextBody::Unreadable;
    }
    let mut message = ServiceMessage::default();
    message.push(text);
    TextBody::ServiceMessage(message)
}

/// Returns the text of the first element of this name, with any namespace prefix.
fn element(markup: &str, name: &str) -> Option<String> {
    // Lower-casing ASCII only does not move byte offsets.
    let lower = markup.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower.get(from..)?.find(name) {
        let (start, end) = (from + found, from + found + name.len());
        let opens = lower[..start].ends_with('<')
            || lower[..start].ends_with(':')
                && lower[..start].rfind('<').is_some_and(|at| !lower[at..start].contains(['>', ' ', '/']));
        if opens && lower[end..].starts_with(['>', ' ', '\n', '\r', '\t']) {
            let body = end + lower[end..].find('>')? + 1;
            let length = markup[body..].find('<').unwrap_or(markup.len() - body);
            let text = markup[body..body + length].split_whitespace().collect::<Vec<_>>().join(" ");
            let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
            return (!text.is_empty()).then_some(text);
        }
        from = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_message_and_a_page_is_not() {
        let message = |text: &str| match parse(text, true) {
            TextBody::ServiceMessage(message) => message.text().raw().to_owned(),
            other => format!("{other:?}"),
        };
        for (text, told) in [
            ("  The device is locked.\r\n", "The device is locked."),
            (
                "<m:error xmlns:m=\"x\"><m:code/><m:message xml:lang=\"en\">Not &lt;here&gt;.</m:message></m:error>",
                "Not <here>.",
            ),
            ("<?xml version=\"1.0\"?><error><message>No.</message></error>", "No."),
            ("<html><head><title>502 Bad\n Gateway</title></head>", "Page(Some(\"502 Bad Gateway\"))"),
            ("<!DOCTYPE html><h1>already closed</h1>", "Page(None)"),
            ("<html><TITLE lang=en>Blocked</TITLE>", "Page(Some(\"Blocked\"))"),
            ("<envelope/>", "Page(None)"),
            ("{\"error\": {\"mess", "Unreadable"),
            ("a\0b", "Unreadable"),
            (" ", "Unreadable"),
        ] {
            assert_eq!(message(text), told, "{text}");
        }
        assert_eq!(parse(&"a".repeat(3_000), false), TextBody::Unreadable);
    }
}
