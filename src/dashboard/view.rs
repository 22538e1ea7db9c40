//! Draws the model: one list over the full width, one sheet below it. Nothing here changes anything but cells.

mod details;
mod footer;
mod form;
mod header;
mod list;

pub use header::short_id;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::Line,
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use super::draw::words::{columns, wrap};
pub use super::draw::{Borders, Palette, Theme};
use super::{
    Model, Overlay, Pane, PointerTarget, Regions, ScrollLimits, close, guard, help, leaving, notices, palette,
    recovery_panel, report, template_picker, tenants, unknown, unsent, word,
};
use mmd_elevate_core::invisible_characters;

/// Below this size there is only a line that says so.
pub(crate) const USABLE: (u16, u16) = (40, 8);

/// Below this size header and notices give way before data does.
const ROOMY: (u16, u16) = (60, 16);

/// From this size of the body on the sheet stands below the list; in a smaller one it takes the list's place.
const BELOW: (u16, u16) = (100, 18);

/// How many rows the form and the dialogs need, with their frame.
const SHEET: u16 = 14;

/// How many rows the list keeps at least beside a sheet.
const LEAST_LIST: u16 = 6;

/// Whether there is room to draw the model. Where there is none, only a line says so.
#[must_use]
pub const fn fits(area: Rect) -> bool {
    area.width >= USABLE.0 && area.height >= USABLE.1
}

/// Whether the tenant's name stands in the list's frame, for want of a header.
const fn is_small(area: Rect) -> bool {
    area.width < ROOMY.0 || area.height < ROOMY.1
}

/// What is known of a frame once it is drawn.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    /// How far what had no room can be scrolled.
    pub limits: ScrollLimits,
    /// What stands where.
    pub regions: Regions,
}

/// Draws the model. Returns how far it can be scrolled, and what stands where.
pub fn draw(frame: &mut Frame, model: &Model, theme: &Theme) -> Drawn {
    let area = frame.area();
    if !fits(area) {
        too_small(frame, area);
        return Drawn::default();
    }
    let small = is_small(area);
    let most = match area.height {
        _ if small => 1,
        ..24 => 2,
        _ => 3,
    };
    let told = footer::notice_lines(model, theme, usize::from(area.width), most);
    let rows = u16::try_from(told.len()).unwrap_or(most).max(u16::from(!small));
    let [header, body, notice, keys] = Layout::vertical([
        Constraint::Length(u16::from(!small)),
        Constraint::Min(0),
        Constraint::Length(rows),
        Constraint::Length(1),
    ])
    .areas(area);
    if !small {
        header::draw(frame, header, model, theme);
    }
    let (drawn, has_list) = draw_body(frame, body, model, theme, small);
    if small && !has_list {
        // Which tenant it is stands on every screen.
        let tenant = format!(" {} ", list::tenant_words(model));
        let width = u16::try_from(columns(&tenant)).unwrap_or(body.width).min(body.width.saturating_sub(4));
        let at = Rect { x: body.right().saturating_sub(width + 2), width, height: 1.min(body.height), ..body };
        frame.render_widget(Line::styled(tenant.as_str(), theme.tenant()), at);
        header::mark_read_only(frame, at, &tenant, theme);
    }
    frame.render_widget(Paragraph::new(told), notice);
    footer::draw_keys(frame, keys, model, theme);
    escape_cells(frame, theme);
    drawn
}

/// Draws the list and the sheet, or what takes their place. Returns what is known of it, and whether the list was drawn.
fn draw_body(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, small: bool) -> (Drawn, bool) {
    let Drawn { mut limits, mut regions } = Drawn::default();
    let mut has_list = false;
    if !model.overlays.is_empty() {
        regions.add(area, PointerTarget::Overlay);
    }
    match model.overlays.last() {
        Some(Overlay::Help(help)) => limits.help = help::draw(frame, area, model, theme, help),
        Some(Overlay::Notices { scroll }) => limits.notices = notices::draw(frame, area, model, theme, *scroll),
        Some(Overlay::Report(panel)) => limits.report = report::draw(frame, area, model, theme, panel),
        Some(Overlay::Recovery(panel)) => limits.recovery = recovery_panel::draw(frame, area, model, theme, panel),
        overlay => {
            let is_below = area.width >= BELOW.0 && area.height >= BELOW.1;
            let has_sheet = overlay.is_some() || model.pane != Pane::List;
            has_list = is_below || !has_sheet;
            if !is_below && has_sheet {
                limits.details = draw_sheet(frame, area, model, theme, &mut regions);
            } else if is_below && (has_sheet || !model.hides_details) {
                let [above, below] = split(area, model);
                list::draw(frame, above, model, theme, small, false, &mut regions);
                limits.details = draw_sheet(frame, below, model, theme, &mut regions);
            } else {
                list::draw(frame, area, model, theme, small, !model.hides_details, &mut regions);
            }
        }
    }
    (Drawn { limits, regions }, has_list)
}

/// The areas of the list and of the sheet. A list that needs less gives its rows to the sheet.
fn split(area: Rect, model: &Model) -> [Rect; 2] {
    let wanted = list::wanted_rows(model);
    let is_details = model.pane != Pane::Form && matches!(model.overlays.last(), None | Some(Overlay::Look(_)));
    let most =
        if is_details { area.height - area.height * 2 / 5 } else { area.height.saturating_sub(SHEET).max(LEAST_LIST) };
    // A question needs few rows: the list has the rest.
    let is_question = matches!(
        model.overlays.last(),
        Some(
            Overlay::Quit
                | Overlay::Unsent(_)
                | Overlay::Unknown(..)
                | Overlay::SendAgain(_)
                | Overlay::TakeAsClosed(_)
        )
    );
    let list = if is_question { most } else { wanted.clamp(LEAST_LIST.min(most), most) };
    Layout::vertical([Constraint::Length(list), Constraint::Fill(1)]).areas(area)
}

/// Draws what stands below the list, or in its place. Returns how far details can be scrolled.
fn draw_sheet(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, regions: &mut Regions) -> u16 {
    if model.overlays.is_empty() && model.pane != Pane::Form {
        regions.add(area, PointerTarget::Details);
    }
    match model.overlays.last() {
        Some(Overlay::Close(dialog)) => close::draw(frame, area, model, theme, (dialog.row, dialog.problem), regions),
        Some(Overlay::Quit) => leaving::draw(frame, area, model, theme),
        Some(Overlay::Unsent(row)) => unsent::draw(frame, area, model, theme, *row),
        Some(Overlay::Unknown(row, chosen)) => unknown::draw(frame, area, model, theme, (*row, *chosen), regions),
        Some(Overlay::SendAgain(row)) => unknown::draw_send_again(frame, area, model, theme, *row),
        Some(Overlay::TakeAsClosed(row)) => word::draw(frame, area, model, theme, *row),
        Some(Overlay::Device(chosen)) => guard::draw(frame, area, model, theme, *chosen, regions),
        Some(Overlay::Palette(palette)) => palette::draw(frame, area, theme, palette),
        Some(Overlay::Templates(picker)) => template_picker::draw(frame, area, model, theme, picker),
        Some(Overlay::Tenants(panel)) => tenants::draw(frame, area, model, theme, panel),
        Some(Overlay::Look(row)) => return details::draw(frame, area, model, theme, model.requests.get(*row)),
        // Those take the place of the list and the sheet.
        Some(Overlay::Help(_) | Overlay::Notices { .. } | Overlay::Report(_) | Overlay::Recovery(_)) => {}
        None if model.pane == Pane::Form => form::draw(frame, area, model, theme, regions),
        None => return details::draw(frame, area, model, theme, model.requests.selected()),
    }
    0
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
fn escape_cells(frame: &mut Frame, theme: &Theme) {
    for cell in &mut frame.buffer_mut().content {
        if let Some(symbol) = theme.symbol(cell.symbol()) {
            cell.set_symbol(symbol);
            continue;
        }
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
