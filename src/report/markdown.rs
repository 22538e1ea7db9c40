//! A report in Markdown, as a list that can also be read as it is. Every text is escaped, so that a parser reads back what is
//! visible: no link, no HTML, no emphasis and no list comes from it.

use mmd_elevate_core::{Untrusted, visible};

use super::{Report, ReportEntry, ReportGroup, State, duration_text, utc};

pub(super) fn render(report: &Report) -> String {
    let tenant = &report.tenant;
    let called = tenant.name.as_ref().unwrap_or(&tenant.id).visible();
    let mut out = format!("# {}\n\n", line(&format!("Report of the shift: {called}")));
    let practice = if tenant.is_practice { ", the practice tenant" } else { "" };
    let tenant = match &tenant.name {
        Some(name) => format!("{}, {}{practice}", name.visible(), tenant.id.visible()),
        None => format!("{}{practice}", tenant.id.visible()),
    };
    let agent = report.agent.as_ref().map_or("not known".into(), Untrusted::visible);
    let since = report.since.map_or_else(|| "everything that is known".to_owned(), utc);
    let counts = report.counts();
    let mut head = vec![
        format!("Tenant: {tenant}"),
        format!("Agent: {agent}"),
        format!("Period: {since} to {}", utc(report.until)),
        format!(
            "{} opened, {} closed, {} still open, {} of unknown outcome, {} not opened",
            counts.opened, counts.closed, counts.still_open, counts.unknown, counts.not_opened
        ),
    ];
    head.extend(report.notes.iter().map(|note| visible(note).into_owned()));
    for text in head {
        out.push_str(&format!("- {}\n", line(&text)));
    }
    out.push_str("\nTimes are UTC.\n");
    for group in ReportGroup::ALL {
        let count = report.entries(group).count();
        if count > 0 {
            out.push_str(&format!("\n## {} ({count})\n\n", group.heading()));
        }
        for entry in report.entries(group) {
            push_entry(&mut out, report, entry);
        }
    }
    out
}

fn push_entry(out: &mut String, report: &Report, entry: &ReportEntry) {
    let names = [&entry.ticket, &entry.device, &entry.title].map(|text| match text.visible() {
        blank if blank.trim().is_empty() => "–".into(),
        text => text,
    });
    out.push_str(&format!("- {}\n", line(&names.join(" · "))));
    let by = |who: &Untrusted| if who.is_blank() { String::new() } else { format!(" by {}", who.visible()) };
    let mut facts = Vec::new();
    if let Some(opened) = entry.opened {
        facts.push(format!("opened {}{}", utc(opened), by(&entry.opened_by)));
    }
    let duration = report.duration(entry).map(duration_text);
    match (entry.state.group(), entry.closed) {
        (ReportGroup::Closed, Some(closed)) => {
            facts.push(format!("request closed {}{}", utc(closed), by(&entry.closed_by)));
        }
        (ReportGroup::Closed, None) => facts.push(format!("request closed, known since {}", utc(entry.as_of))),
        (ReportGroup::StillOpen | ReportGroup::Unknown | ReportGroup::NotOpened, _) => {}
    }
    facts.extend(duration.map(|duration| format!("open for {duration}")));
    push_text(out, &facts.join(", "));
    let reason = entry.reason.as_ref().map(|reason| reason.sentence(utc));
    push_text(
        out,
        &match (entry.state, reason) {
            (State::Open, None) => String::new(),
            (State::Closed, reason) => reason.unwrap_or_default(),
            (state, None) => state.word().to_owned(),
            (state, Some(reason)) => format!("{}: {reason}", state.word()),
        },
    );
    let long = |label: &str, text: &Untrusted| {
        let text = text.visible_lines().collect::<Vec<_>>().join("\n");
        let text = text.trim_end_matches('\n');
        if text.is_empty() { String::new() } else { format!("{label}: {text}") }
    };
    push_text(out, &long("plan", &entry.plan));
    push_text(out, &long("actions taken", &entry.actions));
    if !entry.id.is_blank() {
        push_text(out, &format!("id: {}", entry.id.visible()));
    }
}

/// Adds an item below the one before. Its lines stay lines.
fn push_text(out: &mut String, text: &str) {
    if text.is_empty() {
        return;
    }
    let lines: Vec<_> = text.split('\n').map(line).collect();
    // A backslash at the end of a line breaks it; two blanks would do the same and be lost in every other editor.
    out.push_str(&format!("  - {}\n", lines.join("\\\n    ")));
}

/// Escapes a visible text that has a line for itself.
fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let numbered = text.trim_start_matches(|c: char| c.is_ascii_digit());
    // `1.` and `1)` begin a list.
    let number_ends = if numbered.len() < text.len() { text.len() - numbered.len() } else { usize::MAX };
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let is_first = at == 0;
        let acts = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '&' | '~' | '|' | '#' | '$' | '^' | '{' | '}' => true,
            '>' | '-' | '+' | '=' => is_first,
            // An address would become a link by itself.
            ':' => is_first || rest.starts_with('/'),
            '.' => at == number_ends || text[..at].to_ascii_lowercase().ends_with("www"),
            ')' => at == number_ends,
            _ => false,
        };
        match c {
            // Blanks at the ends of a line are dropped.
            ' ' if is_first || rest.is_empty() => out.push_str("&#32;"),
            c if acts => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}
