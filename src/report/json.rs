//! A report as JSON. It keeps every text whole; what nobody can see, or what acts on a terminal, is escaped.

use mmd_elevate_core::Untrusted;
use serde_json::{Value, json};

use super::{Report, ReportEntry, utc};
use crate::json::{document, text};

/// The version of the form. It changes when a field is renamed, removed or has another meaning.
const SCHEMA: u32 = 1;

pub(super) fn render(report: &Report) -> String {
    let counts = report.counts();
    document(&json!({
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
    }))
}

/// A request, with the service's names for its fields.
fn request(report: &Report, entry: &ReportEntry) -> Value {
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
