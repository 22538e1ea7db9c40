//! A report as JSON. It keeps every text whole; what nobody can see, or what acts on a terminal, is escaped.

use mmd_elevate_core::{Untrusted, invisible_characters};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthChar;

use super::{Entry, Report, utc};

/// The version of the form. It changes when a field is renamed, removed or has another meaning.
const SCHEMA: u32 = 1;

pub(super) fn render(report: &Report) -> String {
    let counts = report.counts();
    let document = json!({
        "schema": SCHEMA,
        "tenant": {
            "name": report.tenant.name.as_ref().map(Untrusted::raw),
            "id": report.tenant.id.raw(),
            "practice": report.tenant.is_practice,
        },
        "agent": report.agent.as_ref().map(Untrusted::raw),
        "since": report.since.map(utc),
        "until": utc(report.until),
        "notes": report.notes,
        "counts": {
            "opened": counts.opened,
            "closed": counts.closed,
            "stillOpen": counts.still_open,
            "unknown": counts.unknown,
            "notOpened": counts.not_opened,
        },
        "requests": report.entries.iter().map(|entry| request(report, entry)).collect::<Vec<_>>(),
    });
    escape(&format!("{document:#}\n"))
}

/// A request, with the service's names for its fields.
fn request(report: &Report, entry: &Entry) -> Value {
    let text = |text: &Untrusted| if text.raw().is_empty() { Value::Null } else { text.raw().into() };
    json!({
        "state": entry.state.word(),
        "why": entry.reason.as_ref().map(|reason| reason.sentence(utc)),
        "asOf": utc(entry.as_of),
        "mine": entry.mine,
        "openMinutes": report.duration(entry).map(|duration| duration.as_mins()),
        "id": text(&entry.id),
        "partnerTicketId": text(&entry.ticket),
        "deviceName": text(&entry.device),
        "title": text(&entry.title),
        "category": text(&entry.category),
        "subcategory": text(&entry.subcategory),
        "planOfAction": text(&entry.plan),
        "actionsTaken": text(&entry.actions),
        "requestingAgentUpn": text(&entry.opened_by),
        "closingAgentUpn": text(&entry.closed_by),
        "requestCreationTime": entry.opened.map(utc),
        "requestClosureTime": entry.closed.map(utc),
    })
}

/// Escapes every character that cannot be seen by itself. Outside of strings a document has none but line ends.
fn escape(document: &str) -> String {
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
