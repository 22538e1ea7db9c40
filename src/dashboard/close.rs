//! Closing a request: the dialog, up to the call. The dialog holds the row's id; the text lives in the attempt, so that leaving the
//! dialog keeps it.

use jiff::Timestamp;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    Effect, Model, Notice, Overlay, Pane, PointerTarget, Regions, Row, RowId, Subject, close_round,
    draw::{
        Theme,
        words::{age, counted, cut, local, wrap},
    },
};
use crate::keys::{Action, Scope};
use mmd_elevate_core::{Call, CloseElevationRequest, Field, Operation, Untrusted};

/// From this width on the plan stands beside what is typed.
const SIDE_BY_SIDE: u16 = 96;

/// The text with which `u` closes what was opened by mistake.
const MISTAKE: &str = "Opened by mistake; nothing was done on the device.";

/// The dialog: which request it closes, and what was said of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseDialog {
    /// The request's row.
    pub row: RowId,
    /// What is wrong with the text.
    pub(super) problem: Option<&'static str>,
    /// Whether the text was changed since the dialog came.
    pub(super) touched: bool,
    /// Whether the agent was told that blanks of a template are not filled in: closing again closes all the same.
    pub(super) warned_of_blanks: bool,
}

impl CloseDialog {
    pub(super) const fn new(row: RowId) -> Self {
        Self { row, problem: None, touched: false, warned_of_blanks: false }
    }
}

/// Opens the dialog for this row.
pub(super) fn open_dialog(model: &mut Model, row: RowId) {
    model.overlays.push(Overlay::Close(CloseDialog::new(row)));
}

/// Opens the dialog for what the key is about: the marked requests, or the one that is selected.
pub(super) fn open(model: &mut Model) {
    let marked = if model.overlays.is_empty() { model.requests.list().marked() } else { Vec::new() };
    if model.pane == Pane::List && !marked.is_empty() {
        return close_round::begin(model, marked);
    }
    if let Some(id) = model.row_in_focus() {
        open_dialog(model, id);
    }
}

/// Opens the dialog for a request that was opened by mistake, with that text unless it is there.
pub(super) fn open_mistake(model: &mut Model) {
    let Some(row) = model.row_in_focus() else { return };
    if let Some(text) = model.requests.actions_taken(row)
        && !text.text().contains(MISTAKE)
    {
        text.paste(MISTAKE);
    }
    open_dialog(model, row);
}

/// What the dialog would send. `None` where there is nothing to read in it, or nothing to close any more: the agent is told.
pub(super) fn text_to_send(model: &mut Model, row_id: RowId) -> Option<String> {
    let row = model.requests.get(row_id)?;
    let name = row.name();
    if row.request_id().is_none() || !row.state.is_open() {
        model.overlays.pop();
        close_round::leave(model);
        model.notice = Some(Notice::info(format!("{name} is no longer open")));
        return None;
    }
    let text = row.actions_taken.filter(|text| !text.is_blank());
    let Some(actions_taken) = text.map(super::TextField::text) else {
        if let Some(Overlay::Close(dialog)) = model.overlays.last_mut() {
            dialog.problem = Some("say what was done on the device");
        }
        return None;
    };
    let has_blanks = model.requests.actions_taken(row_id).is_some_and(|text| !text.unfilled_blanks().is_empty());
    if let Some(Overlay::Close(dialog)) = model.overlays.last_mut()
        && has_blanks
        && !dialog.warned_of_blanks
    {
        // What was typed before is not the answer to this.
        *dialog = CloseDialog { warned_of_blanks: true, ..CloseDialog::new(row_id) };
        dialog.problem = Some("a blank is not filled in; sent again, it is sent as it is");
        if let Some(text) = model.requests.actions_taken(row_id) {
            text.select_first_blank();
        }
        return None;
    }
    Some(actions_taken)
}

/// Sends the close of a request that is open.
pub(super) fn send(model: &mut Model, row_id: RowId, actions_taken: String) -> Option<Effect> {
    let row = model.requests.get(row_id)?;
    let (id, name, device) = (row.request_id()?.clone(), row.name(), row.device());
    let call_id = model.begin_call(Subject::Row(row_id), format!("closing {name}"));
    model.set_close_text(call_id, &actions_taken);
    model.requests.change_close(row_id, |_, close| {
        close.call = Some(call_id);
        (close.error, close.unread) = (None, None);
    });
    // Of several each says in its row what became of it: no dialog comes back by itself.
    let is_alone = model.round.is_none() || model.leaving.closes_all;
    model.untouched_since = is_alone.then_some(row_id);
    let call = Call::Send(Operation::Close(CloseElevationRequest { id, device, actions_taken }));
    Some(Effect::Call(call_id, call))
}

/// Draws the dialog of a row: what it closes and what was planned, beside what is typed, and what is wrong with that.
pub(super) fn draw(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    theme: &Theme,
    (id, problem): (RowId, Option<&str>),
    regions: &mut Regions,
) {
    let Some(row) = model.requests.get(id) else { return };
    let width = usize::from(area.width.saturating_sub(24));
    let together = model.closed_with_one_text();
    let turn = model.close_turn().map_or_else(String::new, |(at, of)| format!("  {at} of {of}"));
    let title = match &together {
        Some(rows) => format!("Close {}  one text for all", counted(rows.len(), "request", "requests")),
        None => format!("Close request  {}{turn}", cut(&row.text(Field::Ticket), width)),
    };
    let block = theme.panel(&title, "", true);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if inner.width >= SIDE_BY_SIDE {
        let [left, rule, right] =
            Layout::horizontal([Constraint::Percentage(50), Constraint::Length(2), Constraint::Fill(1)]).areas(inner);
        for y in rule.y..rule.bottom() {
            frame.render_widget(Line::styled(theme.vertical_rule(), Theme::dim()), Rect { y, height: 1, ..rule });
        }
        let width = usize::from(left.width.saturating_sub(1));
        let lines = if let Some(rows) = &together {
            close_round::lines(model, theme, rows, width, usize::from(left.height))
        } else {
            let mut lines = target(&row, model, theme, width);
            lines.push(Line::default());
            lines.extend(planned(&row, width, usize::from(left.height)));
            lines
        };
        frame.render_widget(Paragraph::new(lines), left);
        draw_text(frame, right, model, theme, &row, problem);
        regions.add(right, PointerTarget::ActionsTaken);
        return;
    }
    let width = usize::from(inner.width);
    let lines = if let Some(rows) = &together {
        let most = usize::from(inner.height).saturating_sub(5).max(1);
        close_round::lines(model, theme, rows, width, most)
    } else {
        let mut lines = target(&row, model, theme, width);
        // What was planned has what room is left beside a text of some lines.
        let room = usize::from(inner.height).saturating_sub(lines.len() + 6);
        if room >= 2 {
            lines.extend(planned(&row, width, room.min(6)));
        }
        lines
    };
    let used = u16::try_from(lines.len()).unwrap_or(inner.height).min(inner.height.saturating_sub(3));
    let [above, below] = Layout::vertical([Constraint::Length(used), Constraint::Fill(1)]).areas(inner);
    frame.render_widget(Paragraph::new(lines), above);
    draw_text(frame, below, model, theme, &row, problem);
    regions.add(below, PointerTarget::ActionsTaken);
}

/// Device, title and age: what the dialog is about, and whose it is.
fn target(row: &Row<'_>, model: &Model, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let known =
        model.devices.find(&row.text(Field::Device)).map_or_else(String::new, |device| format!(" · {}", device.about));
    let value = |label: &'static str, value: String, style: Style| {
        Line::from(vec![
            Span::styled(format!("{label:<9}"), Theme::dim()),
            Span::styled(cut(&value, width.saturating_sub(9)), style),
        ])
    };
    let mut lines = vec![
        value("Device", format!("{}{known}", row.text(Field::Device)), Style::new()),
        value("Title", row.text(Field::Title).into_owned(), Style::new()),
    ];
    let band = model.requests.ages().of(row, model.now);
    let day = |at: Timestamp| local(at, &model.time_zone, "%F");
    let format = if row.since.is_none_or(|since| day(since) == day(model.now)) { "%H:%M" } else { "%b %d %H:%M" };
    let since = row.since.map_or_else(
        || "–".to_owned(),
        |since| format!("{} {} since {}", age(since, model.now), band.mark(), local(since, &model.time_zone, format)),
    );
    let opener = model.opener(row);
    let whose = if row.mine { "by you".to_owned() } else { format!("by {opener}, a colleague") };
    let style = if row.mine { theme.age(band).remove_modifier(Modifier::DIM) } else { theme.doubt() };
    lines.push(value("Open", format!("{}, {whose}", since.replace("  ", " ")), style));
    if let Some(error) = row.error {
        let style = if error.may_have_happened() { theme.doubt() } else { theme.failure() };
        lines.extend(wrap(&error.what(), width).into_iter().take(2).map(|line| Line::styled(line.into_owned(), style)));
    }
    lines
}

/// What was planned, in at most so many lines.
fn planned(row: &Row<'_>, width: usize, most: usize) -> Vec<Line<'static>> {
    let stored = row.request.map(|request| request.plan_of_action.clone()).filter(|plan| !plan.is_blank());
    let plan = stored.unwrap_or_else(|| Untrusted::new(row.draft.map_or("", |draft| draft.get(Field::PlanOfAction))));
    let mut lines = vec![Line::styled(if row.mine { "You planned" } else { "Planned" }, Theme::dim())];
    for line in plan.visible_lines() {
        lines
            .extend(wrap(&line, width.saturating_sub(2).max(1)).into_iter().map(|line| Line::raw(format!("  {line}"))));
    }
    if lines.len() > most && most > 1 {
        lines.truncate(most - 1);
        lines.push(Line::styled("  …", Theme::dim()));
    }
    lines
}

/// What is typed, under its label.
fn draw_text(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, row: &Row<'_>, problem: Option<&str>) {
    if area.height < 2 {
        return;
    }
    let label = Span::styled(format!("{}Actions taken", theme.selected_mark(true)), theme.accent());
    let key = model.keymap.name(Scope::LongText, Action::OpenEditor);
    let head = if let Some(problem) = problem {
        Line::from(vec![label, Span::raw("  "), Span::styled(theme.problem(problem), theme.failure())])
    } else {
        let templates = model.keymap.name(Scope::LongText, Action::ShowTemplates);
        let hint = format!("{templates} texts  {key} editor");
        let gap = usize::from(area.width).saturating_sub(label.width() + hint.len());
        let hint = if gap < 2 { String::new() } else { format!("{}{hint}", " ".repeat(gap)) };
        Line::from(vec![label, Span::styled(hint, Theme::dim())])
    };
    frame.render_widget(head, Rect { height: 1, ..area });
    let text = Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height - 1 };
    frame.buffer_mut().set_style(text, theme.field(true));
    match row.actions_taken {
        Some(field) if !field.is_empty() => {
            frame.render_widget(field.widget(), text);
            frame.buffer_mut().set_style(text, theme.field(true));
            if let Some(cursor) = field.cursor(text.width) {
                frame.set_cursor_position(cursor);
            }
        }
        _ => {
            let hint = cut("What did you do on the device?", usize::from(text.width));
            frame.render_widget(Line::styled(hint, theme.field(true).patch(Theme::dim())), Rect { height: 1, ..text });
            frame.set_cursor_position((text.x, text.y));
        }
    }
}
