//! JSON as the program writes it: every text is whole, and what nobody can see, or what acts on a terminal, is escaped.

use mmd_elevate_core::{ElevationRequest, ServiceTime, Untrusted, invisible_characters};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthChar;

/// Escapes every character that cannot be seen by itself as `\uXXXX`. Outside of strings a document has none but line ends.
#[must_use]
pub fn escape(document: &str) -> String {
    let is_seen = |c: char| {
        let has_width = c.width().is_some_and(|width| width > 0);
        matches!(c, ' '..='~' | '\n') || (has_width && invisible_characters(c.encode_utf8(&mut [0; 4])) == 0)
    };
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        if is_seen(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// Returns a document on several lines, with a line end.
#[must_use]
pub fn document(value: &Value) -> String {
    escape(&format!("{value:#}\n"))
}

/// Returns a document on one line, with a line end.
#[must_use]
pub fn line(value: &Value) -> String {
    escape(&format!("{value}\n"))
}

/// Returns a text of the service; `null` for an empty one.
#[must_use]
pub fn text(text: &Untrusted) -> Value {
    if text.raw().is_empty() { Value::Null } else { text.raw().into() }
}

/// Returns a request with the service's names for its fields, its state, and whether it is one of the agent's own.
#[must_use]
pub fn request(request: &ElevationRequest, is_closed: bool, mine: bool) -> Value {
    let time = |time: &Option<ServiceTime>| match time {
        Some(ServiceTime { at: Some(at), .. }) => at.to_string().into(),
        Some(ServiceTime { text: unclear, at: None }) => text(unclear),
        None => Value::Null,
    };
    json!({
        "id": request.id.raw(),
        "partnerTicketId": text(&request.ticket),
        "deviceName": text(&request.device),
        "title": text(&request.title),
        "category": text(&request.category),
        "subcategory": text(&request.subcategory),
        "planOfAction": text(&request.plan_of_action),
        "actionsTaken": text(&request.actions_taken),
        "requestingAgentUpn": text(&request.requested_by),
        "closingAgentUpn": text(&request.closed_by),
        "requestCreationTime": time(&request.created),
        "requestClosureTime": time(&request.closed),
        "viewerUpns": request.viewers.iter().map(Untrusted::raw).collect::<Vec<_>>(),
        "state": if is_closed { "closed" } else { "open" },
        "mine": mine,
    })
}
