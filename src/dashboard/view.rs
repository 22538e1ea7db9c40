//! Draws the model. Nothing here changes anything but cells. The [crate page](crate) shows which module draws what.

mod boxes;
mod details;
mod footer;
mod form;
mod header;
mod help;
mod list;
mod recovery;
mod scroll;
mod theme;
mod words;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::Line,
    widgets::Paragraph,
};
pub use theme::{Borders, Theme};
use unicode_width::UnicodeWidthStr;

use self::words::wrap;
use crate::dashboard::{Model, Overlay, Pane, ScrollLimits};
use mmd_elevate_core::invisible_characters;

/// From this size on the three panes stand together; below, the one in focus has the room.
const TOGETHER: (u16, u16) = (100, 24);
/// Below this size there is only a line that says so.
pub(crate) const USABLE: (u16, u16) = (40, 12);

/// Whether there is room to draw the model. Where there is none, only a line says so.
#[must_use]
pub const fn fits(area: Rect) -> bool {
    area.width >= USABLE.0 && area.height >= USABLE.1
}

/// Draws the model. Returns how far what had no room can be scrolled.
pub fn draw(frame: &mut Frame, model: &Model, theme: &Theme) -> ScrollLimits {
    let area = frame.area();
    let mut limits = ScrollLimits::default();
    if !fits(area) {
        too_small(frame, area);
        return limits;
    }
    // Enough for what happened and its hint to be read to the end.
    let notice_rows = match area.width {
        ..80 if area.height >= 20 => 4,
        ..100 => 3,
        _ => 2,
    };
    let [header, body, notice, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(notice_rows),
        Constraint::Length(1),
    ])
    .areas(area);
    header::draw(frame, header, model, theme);
    if area.width >= TOGETHER.0 && area.height >= TOGETHER.1 {
        let [left, right] = Layout::horizontal([Constraint::Percentage(36), Constraint::Percentage(64)]).areas(body);
        let [list, details] = Layout::vertical([Constraint::Percentage(45), Constraint::Percentage(55)]).areas(right);
        form::draw(frame, left, model, theme);
        list::draw(frame, list, model, theme);
        limits.details = details::draw(frame, details, model, theme);
    } else {
        match model.pane {
            Pane::Form => form::draw(frame, body, model, theme),
            Pane::List => list::draw(frame, body, model, theme),
            Pane::Details => limits.details = details::draw(frame, body, model, theme),
        }
    }
    match model.overlays.last() {
        Some(Overlay::Help { scopes, scroll }) => limits.help = help::draw(frame, body, model, theme, scopes, *scroll),
        Some(Overlay::Close { row, problem, .. }) => boxes::close(frame, body, model, theme, *row, *problem),
        Some(Overlay::Quit) => boxes::quit(frame, body, model, theme),
        Some(Overlay::Unsent(row)) => boxes::unsent(frame, body, model, theme, *row),
        Some(Overlay::Unknown(row, chosen)) => boxes::unknown(frame, body, model, theme, *row, *chosen),
        Some(Overlay::SendAgain(row)) => boxes::send_again(frame, body, model, theme, *row),
        Some(Overlay::Recovery { scroll }) => limits.recovery = recovery::draw(frame, body, model, theme, *scroll),
        None => {}
    }
    footer::draw(frame, notice, keys, model, theme);
    escape_cells(frame);
    limits
}

fn too_small(frame: &mut Frame, area: Rect) {
    let text = format!("mmd-elevate needs {} x {}; all is kept", USABLE.0, USABLE.1);
    let lines: Vec<_> = wrap(&text, usize::from(area.width.max(1))).into_iter().map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// The longest symbol of a cell that is drawn as it is, in bytes: room for every accent and emoji that is one in earnest.
const LONGEST_SYMBOL: usize = 32;

/// Takes out of every cell the characters that a terminal would act on, and what has no room in the cell, whatever a widget
/// let through.
fn escape_cells(frame: &mut Frame) {
    for cell in &mut frame.buffer_mut().content {
        let symbol = cell.symbol();
        if symbol.len() <= LONGEST_SYMBOL && invisible_characters(symbol) == 0 {
            continue;
        }
        let columns = symbol.width();
        let mut kept = String::new();
        for c in symbol.chars().filter(|c| invisible_characters(c.encode_utf8(&mut [0; 4])) == 0) {
            kept.push(c);
            // Without what joined them two characters may be wider than the one that they were.
            if kept.len() > LONGEST_SYMBOL || kept.width() > columns.max(1) {
                kept.pop();
                break;
            }
        }
        cell.set_symbol(if kept.trim().is_empty() { "·" } else { &kept });
    }
}
