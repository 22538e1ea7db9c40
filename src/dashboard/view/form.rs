//! `New request`: six fields, what is wrong beside each, and what is suggested.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Clear, Paragraph},
};

use super::{
    Theme,
    words::{cut, fit, wrap},
};
use crate::{
    dashboard::{Form, Model, Pane},
    keys::{Action, Scope},
};
use mmd_elevate_core::{Field, visible};

/// Labels stand in one column, values in another.
const LABELS: u16 = 13;
/// From this many rows on, each field has a row of its own for what is wrong with it.
const ROOMY: u16 = 15;
/// How many rows what is wrong with a field may take.
const PROBLEM_ROWS: u16 = 4;
/// How many suggestions are seen at once.
const SUGGESTIONS: usize = 6;

pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    let form = &model.form;
    let focused = model.pane == Pane::Form && model.overlays.is_empty();
    let right = if form.sending().is_some() { "sending" } else { "" };
    let block = theme.pane("New request", right, focused);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if form.is_empty() && !focused && form.sending().is_none() {
        let key = model.keymap.name(Scope::Panes, Action::NewRequest);
        let line =
            Line::from(vec![Span::styled(key, theme.accent()), Span::styled(" begins a new request.", Theme::dim())]);
        let below = Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
        frame.render_widget(Paragraph::new(line), below);
    }
    let editable = focused && form.sending().is_none();
    let mut y = inner.y;
    let mut suggested_at = None;
    for field in Field::ALL {
        if y >= inner.bottom() {
            break;
        }
        let here = editable && form.focused == field;
        let row = Rect { y, height: 1, ..inner };
        let label = if here { theme.accent() } else { Theme::dim() };
        // A line's style covers its whole area, so the label gets no more than it needs.
        let label_width = u16::try_from(field.label().len()).unwrap_or(row.width).min(row.width);
        frame.render_widget(Line::styled(field.label(), label), Rect { width: label_width, ..row });
        if field == Field::PlanOfAction {
            draw_plan(frame, Rect { height: inner.bottom() - y, ..row }, form, theme, here);
            break;
        }
        let value = Rect { x: row.x + LABELS.min(row.width), width: row.width.saturating_sub(LABELS), ..row };
        draw_value(frame, value, form, theme, field, here);
        y += 1;
        if here {
            suggested_at = Some(Rect { y, ..value });
        }
        // An empty field says what is missing in its own place; there are rows only for what is wrong with a text.
        let problem = form.problem(field).filter(|_| !form.field(field).is_blank()).map(|text| theme.problem(text));
        let warning = || {
            let warning = form.device_warning(&model.patterns).filter(|_| field == Field::Device);
            warning.map(|warning| (theme.uncertain(&warning.to_string()), theme.doubt()))
        };
        let remark = problem.map(|text| (text, theme.failure())).or_else(warning);
        let rows = remark.map_or(0, |(text, style)| draw_remark(frame, Rect { y, ..value }, inner, &text, style));
        y += rows.max(u16::from(inner.height >= ROOMY));
    }
    if let Some(at) = suggested_at {
        draw_suggestions(frame, at, inner, model, theme);
    }
}

fn draw_value(frame: &mut Frame, area: Rect, form: &Form, theme: &Theme, field: Field, here: bool) {
    let text = form.field(field);
    if here {
        frame.render_widget(text.widget(), area);
        if let Some(cursor) = text.widget().rendered_cursor_position() {
            frame.set_cursor_position(cursor);
        }
    }
    match form.problem(field) {
        Some(problem) if text.is_blank() => {
            let line = Line::styled(cut(&theme.problem(problem), usize::from(area.width)), theme.failure());
            frame.render_widget(line, area);
        }
        _ if here => {}
        _ => {
            let style = if form.sending().is_some() { Theme::dim() } else { Style::new() };
            let line = text.first_line();
            frame.render_widget(Line::styled(cut(&visible(line), usize::from(area.width)), style), area);
        }
    }
}

/// What is wrong or doubtful to its end, in as many rows as it needs and the form can spare. Says how many.
fn draw_remark(frame: &mut Frame, at: Rect, inner: Rect, text: &str, style: Style) -> u16 {
    let spare = usize::from(PROBLEM_ROWS.min(inner.bottom().saturating_sub(at.y)));
    let mut lines = wrap(text, usize::from(at.width).max(1));
    lines.truncate(spare);
    let rows = u16::try_from(lines.len()).unwrap_or(PROBLEM_ROWS);
    let lines: Vec<_> = lines.into_iter().map(|line| Line::styled(line, style)).collect();
    frame.render_widget(Paragraph::new(lines), Rect { height: rows, ..at });
    rows
}

fn draw_plan(frame: &mut Frame, area: Rect, form: &Form, theme: &Theme, here: bool) {
    let text = form.field(Field::PlanOfAction);
    if let Some(problem) = form.problem(Field::PlanOfAction) {
        let beside = Rect { x: area.x + 15.min(area.width), width: area.width.saturating_sub(15), height: 1, ..area };
        frame.render_widget(
            Line::styled(cut(&theme.problem(problem), usize::from(beside.width)), theme.failure()),
            beside,
        );
    }
    let below = Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(1), height: area.height - 1 };
    if below.is_empty() {
        return;
    }
    if here {
        frame.render_widget(text.widget(), below);
        if let Some(cursor) = text.widget().rendered_cursor_position() {
            frame.set_cursor_position(cursor);
        }
        return;
    }
    let style = if form.sending().is_some() { Theme::dim() } else { Style::new() };
    let width = usize::from(below.width);
    let height = usize::from(below.height);
    // Only as much is wrapped as can be seen: the text may be long.
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().iter().take(height + 1) {
        let shown = visible(line);
        let head: String = shown.chars().take(width * (height + 1)).collect();
        lines.extend(wrap(&head, width).into_iter().map(std::borrow::Cow::into_owned));
    }
    if lines.len() > height {
        lines.truncate(height);
        if let Some(last) = lines.last_mut() {
            *last = cut(&format!("{last} …"), width);
        }
    }
    let lines: Vec<_> = lines.into_iter().map(|line| Line::styled(line, style)).collect();
    frame.render_widget(Paragraph::new(lines), below);
}

fn draw_suggestions(frame: &mut Frame, at: Rect, inner: Rect, model: &Model, theme: &Theme) {
    let names = model.form.suggestions(&model.categories);
    if names.is_empty() || at.y >= inner.bottom() {
        return;
    }
    let highlighted = model.form.highlighted(&model.categories);
    let rows = names.len().min(SUGGESTIONS).min(usize::from(inner.bottom() - at.y));
    let first = highlighted.unwrap_or(0).saturating_sub(rows - 1);
    let area = Rect { height: u16::try_from(rows).unwrap_or(1), ..at };
    frame.render_widget(Clear, area);
    let width = usize::from(area.width);
    let lines = names.iter().enumerate().skip(first).take(rows).map(|(index, name)| {
        let (sign, style) = if Some(index) == highlighted { ("> ", theme.accent()) } else { ("  ", Theme::dim()) };
        Line::styled(fit(&format!("{sign}{}", visible(name)), width), style)
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
}
