//! Panels whose lines may be more than fit.

use ratatui::{
    Frame,
    layout::Rect,
    text::Line,
    widgets::{Block, Paragraph},
};

use super::draw_more_below;

/// Draws the lines in this panel, from `scroll` on; its frame says how many there are below what is seen. Returns how many
/// lines do not fit: so far it can be scrolled.
pub(in crate::dashboard) fn draw(
    frame: &mut Frame,
    area: Rect,
    block: Block<'_>,
    lines: Vec<Line<'_>>,
    scroll: u16,
) -> u16 {
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let limit = draw_column(frame, inner, lines, scroll);
    if limit > scroll.min(limit) && inner.height > 0 {
        draw_more_below(frame, area, limit - scroll.min(limit));
    }
    limit
}

/// Draws the lines without a frame. Returns how many do not fit.
pub(in crate::dashboard) fn draw_column(frame: &mut Frame, area: Rect, lines: Vec<Line<'_>>, scroll: u16) -> u16 {
    let limit = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(area.height);
    frame.render_widget(Paragraph::new(lines).scroll((scroll.min(limit), 0)), area);
    limit
}
