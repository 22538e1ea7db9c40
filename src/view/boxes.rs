//! What stands before the panes: the close dialog, and the questions.

use std::borrow::Cow;

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Clear, Paragraph},
};

use super::{
    Theme,
    words::{counted, cut, wrap},
};
use crate::{
    domain::{Field, visible},
    state::{Closure, Model, Row, RowId, RowState, TextField},
};

/// An empty frame in the middle of the area.
fn open(frame: &mut Frame, area: Rect, theme: &Theme, title: &str, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let area = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    let block = theme.pane(title, "", true);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// Ticket, device and title: what the dialog is about.
fn target(row: &Row, width: usize) -> Vec<Line<'static>> {
    [Field::Ticket, Field::Device, Field::Title]
        .map(|field| {
            let value = cut(&row.text(field), width.saturating_sub(13));
            Line::from(vec![Span::styled(format!("{:<13}", field.label()), Theme::dim()), Span::raw(value)])
        })
        .to_vec()
}

pub(super) fn close(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, id: RowId, problem: Option<&str>) {
    let Some(row) = model.requests.get(id) else { return };
    let inner = open(frame, area, theme, "Close request", 78, 18);
    let width = usize::from(inner.width);
    let mut lines = target(row, width);
    if let Some(fault) = &row.fault {
        let style = if fault.kind.may_have_happened() { theme.doubt() } else { theme.failure() };
        lines.push(Line::styled(cut(&fault.what(), width), style));
    }
    lines.push(Line::default());
    let label = Span::styled("Actions taken", theme.accent());
    lines.push(match problem {
        Some(problem) => {
            Line::from(vec![label, Span::raw("  "), Span::styled(theme.problem(problem), theme.failure())])
        }
        None => Line::from(label),
    });
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height);
    frame.render_widget(Paragraph::new(lines), inner);
    let text =
        Rect { x: inner.x + 1, y: inner.y + used, width: inner.width.saturating_sub(1), height: inner.height - used };
    match row.actions_taken.as_deref() {
        Some(field) if !text.is_empty() => draw_text(frame, text, field),
        _ => frame.set_cursor_position((text.x, text.y)),
    }
}

fn draw_text(frame: &mut Frame, area: Rect, field: &TextField) {
    frame.render_widget(field.widget(), area);
    if let Some(cursor) = field.widget().rendered_cursor_position() {
        frame.set_cursor_position(cursor);
    }
}

pub(super) fn quit(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    let remains = model.remains();
    let mut texts = Vec::new();
    if remains.open > 0 {
        let what = counted(remains.open, "request is open", "requests are open");
        texts
            .push(format!("{what}. Left open, the service keeps what it grants, and the next start does not list it."));
    }
    if remains.in_flight > 0 {
        let what = counted(remains.in_flight, "call is under way", "calls are under way");
        texts.push(format!("{what}. Leaving now, nobody sees what comes of it."));
    }
    if remains.unknown > 0 {
        let what = counted(remains.unknown, "request may or may not be open", "requests may or may not be open");
        texts.push(format!("{what}. Look before you leave."));
    }
    if remains.drafts > 0 {
        texts.push(format!("{} would be lost.", counted(remains.drafts, "draft", "drafts")));
    }
    notice_box(frame, area, theme, "Leave?", &texts, &[], &keys(model, theme));
}

pub(super) fn unsent(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, id: RowId) {
    let Some(row) = model.requests.get(id) else { return };
    let Some(field) = row.unsent_text() else { return };
    let title = match row.state {
        RowState::Closed(Closure::Gone) => "Does not exist",
        _ => "Already closed",
    };
    let what = row.fault.as_ref().map_or_else(String::new, crate::port::Fault::what);
    let texts = [format!("{}: {what}", row.name()), "The service did not store what you typed:".to_owned()];
    let lines: Vec<_> = field.lines().iter().map(|line| visible(line).into_owned()).collect();
    notice_box(frame, area, theme, title, &texts, &lines, &keys(model, theme));
}

pub(super) fn unknown(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, id: RowId) {
    let Some(row) = model.requests.get(id) else { return };
    let what = row.fault.as_ref().map_or_else(String::new, crate::port::Fault::what);
    let texts = [
        format!("{}: {what}", row.name()),
        "The service may have opened it all the same. Look there before you send it again: a second one counts against \
         the device's limit."
            .to_owned(),
    ];
    notice_box(frame, area, theme, "Outcome unknown", &texts, &[], &keys(model, theme));
}

/// The keys of the box, each with what it does.
fn keys(model: &Model, theme: &Theme) -> Line<'static> {
    let scope = model.scopes()[..1].to_vec();
    let rows: Vec<_> = model
        .keymap
        .reachable(&scope)
        .filter(|(binding, _)| model.unavailable(binding.action).is_none())
        .filter_map(|(binding, keys)| binding.footer.map(|label| (keys[0].to_string(), label)))
        .collect();
    let spans = rows
        .into_iter()
        .flat_map(|(key, label)| [Span::styled(key, theme.accent()), Span::raw(format!(" {label}   "))]);
    spans.collect()
}

/// A box that says something, shows a text, and names its keys in the last line.
fn notice_box(
    frame: &mut Frame,
    area: Rect,
    theme: &Theme,
    title: &str,
    texts: &[String],
    shown: &[String],
    keys: &Line<'static>,
) {
    let width = area.width.min(72);
    let columns = usize::from(width.saturating_sub(4)).max(1);
    let wrap = |text: &String| wrap(text, columns).into_iter().map(Cow::into_owned).collect::<Vec<_>>();
    let mut lines: Vec<Line> = texts.iter().flat_map(wrap).map(Line::from).collect();
    if !shown.is_empty() {
        lines.push(Line::default());
        lines.extend(shown.iter().flat_map(wrap).map(|line| Line::styled(line, Style::new())));
    }
    let height = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let inner = open(frame, area, theme, title, width, height);
    lines.truncate(usize::from(inner.height.saturating_sub(2)));
    frame.render_widget(Paragraph::new(lines), inner);
    let last = Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
    frame.render_widget(keys.clone(), last);
}
