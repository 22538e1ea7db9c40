//! Panes whose lines may be more than fit.

use ratatui::{
    Frame,
    layout::Rect,
    text::Line,
    widgets::{Block, Paragraph},
};

use super::Theme;

/// Draws the lines in this pane, from `scroll` on; its frame says how many there are below what is seen. Returns how many
/// lines do not fit: so far it can be scrolled.
pub(super) fn draw(frame: &mut Frame, area: Rect, block: Block<'_>, lines: Vec<Line<'_>>, scroll: u16) -> u16 {
    let inner = block.inner(area);
    let limit = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(inner.height);
    let first = scroll.min(limit);
    let below = limit - first;
    let block = if below > 0 && inner.height > 0 {
        block.title_bottom(Line::styled(format!(" {below} more below "), Theme::dim()).right_aligned())
    } else {
        block
    };
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(lines).scroll((first, 0)), inner);
    limit
}
