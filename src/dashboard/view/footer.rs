//! The last lines: what just happened, and the keys that work here.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::Theme;
use crate::{dashboard::Model, keys::Action};

pub(super) fn draw(frame: &mut Frame, notice: Rect, keys: Rect, model: &Model, theme: &Theme) {
    frame.render_widget(Paragraph::new(notice_lines(model, theme)).wrap(Wrap { trim: true }), notice);
    frame.render_widget(Paragraph::new(key_line(model, theme, usize::from(keys.width))), keys);
}

fn notice_lines(model: &Model, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(notice) = &model.notice {
        let sign = theme.tone_sign(notice.tone);
        lines.push(Line::styled(format!("{sign} {}", notice.text), theme.tone(notice.tone)));
        if let Some(hint) = &notice.hint {
            lines.push(Line::from(vec![Span::styled("  hint: ", Theme::dim()), Span::raw(hint.clone())]));
        }
    }
    if let Some((call, age)) = model.slow_call() {
        let text = format!("? Still {} after {} s; the keys work meanwhile", call.label, age.as_secs());
        lines.push(Line::styled(text, theme.doubt()));
    }
    lines
}

/// What the footer names, as much of it as fits; help stands last and is always there.
fn key_line(model: &Model, theme: &Theme, width: usize) -> Line<'static> {
    let scopes = model.scopes();
    let mut entries: Vec<(Action, String, &'static str)> = Vec::new();
    for (binding, keys) in model.keymap.reachable(scopes) {
        let Some(label) = binding.footer else { continue };
        let known = entries.iter().any(|(action, ..)| *action == binding.action);
        if !known && model.unavailable(binding.action).is_none() {
            entries.push((binding.action, keys[0].to_string(), label));
        }
    }
    let length = |(_, key, label): &(Action, String, &str)| key.chars().count() + label.len() + 4;
    while entries.iter().map(length).sum::<usize>() > width {
        // From the end, but never help nor the way out.
        let Some(least) = entries
            .iter()
            .rposition(|(action, ..)| !matches!(action, Action::Help | Action::Quit | Action::Back | Action::Submit))
        else {
            break;
        };
        entries.remove(least);
    }
    let spans = entries.into_iter().flat_map(|(_, key, label)| {
        [Span::raw(" "), Span::styled(key, theme.accent()), Span::styled(format!(" {label}  "), Theme::dim())]
    });
    spans.collect()
}
