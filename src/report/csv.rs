//! A report as CSV (RFC 4180): a row for each request. No cell is taken for a formula by a spreadsheet.

use ::csv::{QuoteStyle, Terminator, WriterBuilder};
use mmd_elevate_core::Untrusted;

use super::{Reason, Report, ReportEntry, duration_text, utc};

const COLUMNS: [&str; 21] = [
    "state",
    "ticket",
    "device",
    "title",
    "category",
    "subcategory",
    "opened",
    "closed",
    "minutes",
    "duration",
    "why",
    "plan of action",
    "actions taken",
    "opened by",
    "closed by",
    "id",
    "tenant",
    "tenant id",
    "agent",
    "since",
    "until",
];

pub(super) fn render(report: &Report) -> String {
    let mut bytes = Vec::new();
    let mut writer = WriterBuilder::new()
        // Everything is quoted: blanks and line ends at the ends of a cell are kept.
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .from_writer(&mut bytes);
    let rows = report.entries.iter().map(|entry| row(report, entry));
    for row in std::iter::once(COLUMNS.map(str::to_owned)).chain(rows) {
        // Writing to memory does not fail, and all rows have the same length.
        let _ = writer.write_record(row.map(|cell| defuse(&cell)));
    }
    let _ = writer.flush();
    drop(writer);
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn row(report: &Report, entry: &ReportEntry) -> [String; COLUMNS.len()] {
    let text = |text: &Untrusted| text.visible_lines().collect::<Vec<_>>().join("\n");
    let duration = report.duration(entry);
    let time = |at: Option<jiff::Timestamp>| at.map_or_else(String::new, utc);
    let tenant = &report.tenant;
    [
        entry.state.word().to_owned(),
        text(&entry.ticket),
        text(&entry.device),
        text(&entry.title),
        text(&entry.category),
        text(&entry.subcategory),
        time(entry.opened),
        time(entry.closed),
        duration.map_or_else(String::new, |duration| duration.as_mins().to_string()),
        duration.map_or_else(String::new, duration_text),
        entry.reason.as_ref().map_or_else(String::new, |reason: &Reason| reason.sentence(utc)),
        text(&entry.plan),
        text(&entry.actions),
        text(&entry.opened_by),
        text(&entry.closed_by),
        text(&entry.id),
        tenant.name.as_ref().map_or_else(String::new, text),
        text(&tenant.id),
        report.agent.as_ref().map_or_else(String::new, text),
        time(report.since),
        utc(report.until),
    ]
}

/// Puts an apostrophe before a cell that a spreadsheet would take for a formula, also behind blanks and in full width.
fn defuse(cell: &str) -> String {
    let begins_formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\u{2212}' | '＝' | '＋' | '－' | '＠');
    let is_formula = cell.trim_start().starts_with(begins_formula) || cell.starts_with(['\t', '\r', '\n']);
    if is_formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cell_that_begins_like_a_formula_is_text() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\u{a0}=1", "\n=1", "＝1", "＋1", "－1", "＠x"]
        {
            assert_eq!(defuse(formula), format!("'{formula}"));
        }
        for text in ["", "INC-1", "a=1", "1 - 2", "'=1", " x"] {
            assert_eq!(defuse(text), text);
        }
    }
}
