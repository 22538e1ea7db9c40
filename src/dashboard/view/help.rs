//! Help: every key that works where it was asked for, from the one table.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Clear,
};

use super::{Theme, scroll, words::cut};
use crate::{dashboard::Model, keys::Scope};

pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, scopes: &[Scope], from: u16) -> u16 {
    let block = theme.pane("Help", "", true);
    let lines = lines(model, theme, scopes, usize::from(block.inner(area).width));
    frame.render_widget(Clear, area);
    scroll::draw(frame, area, block, lines, from)
}

fn lines(model: &Model, theme: &Theme, scopes: &[Scope], width: usize) -> Vec<Line<'static>> {
    let rows: Vec<_> = model.keymap.reachable(scopes).collect();
    let mut lines = Vec::new();
    for scope in scopes {
        let of_scope: Vec<_> = rows.iter().filter(|(binding, _)| binding.scope == *scope).collect();
        if of_scope.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(scope.heading(), Theme::bold()));
        for (binding, keys) in of_scope {
            let names: Vec<_> = keys.iter().map(ToString::to_string).collect();
            let help = cut(binding.help, width.saturating_sub(24));
            lines.push(Line::from(vec![
                Span::styled(format!("  {:<22}", names.join(", ")), theme.accent()),
                Span::raw(help),
            ]));
        }
    }
    lines
}
