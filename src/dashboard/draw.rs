//! What panes and panels are drawn with: the theme, words that fit, rows, and the parts that all panels have.

mod row;
pub(super) mod scroll;
mod theme;
pub(super) mod words;

use std::borrow::Cow;

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

pub(super) use self::row::{Columns, row_line};
pub use self::theme::{Borders, Palette, Theme};
use self::words::{columns, wrap};
use super::Model;

/// Says in the lower border of a panel how many lines are below what is seen.
pub(super) fn draw_more_below(frame: &mut Frame, area: Rect, count: u16) {
    let text = format!(" {count} more below ");
    let width = u16::try_from(text.len()).unwrap_or(area.width).min(area.width.saturating_sub(2));
    let x = area.right().saturating_sub(width + 1);
    let at = Rect { x, y: area.bottom().saturating_sub(1), width, height: 1 };
    frame.render_widget(Line::styled(text, Theme::dim()), at);
}

/// The keys of the panel, each with what it does, on as many lines as they need.
pub(super) fn draw_keys(model: &Model, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let scope = model.scopes()[..1].to_vec();
    let mut lines: Vec<Line> = vec![Line::default()];
    for (binding, keys) in model.keymap.reachable(&scope) {
        let Some(label) = binding.footer.filter(|_| model.unavailable(binding.action).is_none()) else { continue };
        let (key, label) = (Span::styled(keys[0].to_string(), theme.accent()), format!(" {label}   "));
        if lines.last().is_some_and(|line| line.width() + key.width() + label.trim_end().len() > width) {
            lines.push(Line::default());
        }
        if let Some(line) = lines.last_mut() {
            line.push_span(key);
            line.push_span(Span::raw(label));
        }
    }
    lines
}

/// Draws a panel that asks something: what it is about, a text, and its keys in the last lines. Returns where each of the shown
/// lines stands, as far as there is room.
pub(super) fn draw_question(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    theme: &Theme,
    title: &str,
    texts: &[String],
    shown: &[String],
) -> Vec<Rect> {
    let block = theme.panel(title, "", true);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    // In a wider line the eye loses its place.
    let width = usize::from(inner.width.min(100));
    let wrap = |text: &String| wrap(text, width).into_iter().map(Cow::into_owned).collect::<Vec<_>>();
    let mut lines: Vec<Line> = texts.iter().flat_map(wrap).map(Line::from).collect();
    let mut places = Vec::new();
    if !shown.is_empty() {
        lines.push(Line::default());
    }
    for shown in shown.iter().map(wrap) {
        let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let y = inner.y.saturating_add(rows(lines.len()));
        places.push(Rect { y, height: rows(shown.len()), ..inner });
        lines.extend(shown.into_iter().map(Line::from));
    }
    let keys = draw_keys(model, theme, width);
    let key_rows = u16::try_from(keys.len()).unwrap_or(1);
    let text_rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let room = inner.height.saturating_sub(key_rows);
    // The keys stand close to what they answer.
    let gap = u16::from(text_rows < room);
    let used = text_rows.min(room);
    if usize::from(used) < lines.len() && used > 0 {
        lines.truncate(usize::from(used) - 1);
        lines.push(Line::styled("…", Theme::dim()));
    }
    frame.render_widget(Paragraph::new(lines), Rect { height: used, ..inner });
    let below = Rect { y: inner.y + used + gap, height: key_rows.min(inner.height - used), ..inner };
    frame.render_widget(Paragraph::new(keys), below.intersection(inner));
    let seen = Rect { height: used, ..inner };
    places.into_iter().map(|place| place.intersection(seen)).collect()
}

/// A line with one text at its left end and one at its right. The left one gives way.
pub(super) fn line_with_ends(
    (left, left_style): (&str, Style),
    (right, right_style): (&str, Style),
    width: usize,
) -> Line<'static> {
    let right_width = columns(right);
    let left = words::fit(left, width.saturating_sub(right_width));
    Line::from(vec![Span::styled(left, left_style), Span::styled(right.to_owned(), right_style)])
}
