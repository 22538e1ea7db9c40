//! `Open requests`: a row begins with its ticket and ends with its state, which is never cut.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    Theme,
    words::{age, cut, fit},
};
use crate::{
    dashboard::{Model, Pane, RecordState, Row, RowState, Sort},
    keys::{Action, Scope},
};
use mmd_elevate_core::Field;

/// The columns of a list this wide. A width of nothing means that the column gave way.
pub(super) struct Columns {
    ticket: usize,
    device: usize,
    title: usize,
    age: usize,
    state: usize,
}

impl Columns {
    pub(super) fn new(width: usize, longest: usize) -> Self {
        // Sign, blank and the longest word; a mark and a blank before the ticket.
        let (state, mark) = (2 + longest, 2);
        let mut room = width.saturating_sub(state + mark);
        let mut take = |wanted: usize, least: usize| {
            let taken = if room > wanted {
                wanted
            } else if room > least {
                room - 1
            } else {
                0
            };
            room -= if taken > 0 { taken + 1 } else { 0 };
            taken
        };
        let ticket = take(12, 0);
        let device = take(16, 8);
        let age = take(6, 6);
        let title = take(usize::MAX, 6);
        Self { ticket, device, title, age, state }
    }

    pub(super) fn line(&self, cells: [&str; 3], age: &str) -> String {
        let mut line = String::new();
        for (text, width) in cells.into_iter().zip([self.ticket, self.device, self.title]) {
            if width > 0 {
                line.push_str(&fit(text, width));
                line.push(' ');
            }
        }
        if self.age > 0 {
            line.push_str(&format!("{age:>width$} ", width = self.age));
        }
        line
    }
}

pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    let list = model.requests.list();
    let focused = model.pane == Pane::List && model.overlays.is_empty();
    let block = theme.pane("Open requests", &count(model), focused);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let is_filtered = model.filtering || !list.filter().is_empty();
    let [filter, below] = Layout::vertical([Constraint::Length(is_filtered.into()), Constraint::Fill(1)]).areas(inner);
    if is_filtered {
        draw_filter(frame, filter, model, theme);
    }
    if list.shown().is_empty() {
        frame.render_widget(Paragraph::new(empty(model, theme)).wrap(ratatui::widgets::Wrap { trim: true }), below);
        return;
    }
    // Only what was set aside has a longer word than the rest, and is seldom shown.
    let columns = Columns::new(usize::from(below.width), list.longest_state().max("sending".len()));
    let heading = format!("  {}{}", columns.line(["Ticket", "Device", "Title"], "Open"), fit("State", columns.state));
    let [top, rows] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(below);
    frame.render_widget(Line::styled(heading, Theme::dim()), top);
    let height = usize::from(rows.height);
    let position = list.position().unwrap_or(0);
    // The selection stays in the middle as long as there is more on both sides.
    let first = position.saturating_sub(height / 2).min(list.shown().len().saturating_sub(height));
    // However long the list is, only the rows that are seen are put together.
    let seen = list.shown().iter().enumerate().skip(first).take(height);
    let lines: Vec<_> = seen
        .filter_map(|(index, id)| Some(row_line(&model.requests.get(*id)?, index == position, model, theme, &columns)))
        .collect();
    frame.render_widget(Paragraph::new(lines), rows);
}

/// A count of what is shown would be taken for all that there is.
fn count(model: &Model) -> String {
    match model.record {
        RecordState::Opening => return "reading the record".to_owned(),
        RecordState::NotRead => return "record not read".to_owned(),
        RecordState::Keeping | RecordState::Failing => {}
    }
    let (shown, all) = (model.requests.list().shown().len(), model.requests.list().not_past());
    let sort = match model.requests.list().sort() {
        Sort::Newest => String::new(),
        sort => format!("{} · ", sort.label()),
    };
    if model.requests.list().filter().is_empty() { format!("{sort}{all}") } else { format!("{sort}{shown} found") }
}

fn draw_filter(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    frame.render_widget(Line::styled("/", theme.accent()), area);
    let text = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(1), ..area };
    let filter = model.requests.list().filter();
    frame.render_widget(filter.widget(), text);
    if model.filtering
        && model.overlays.is_empty()
        && let Some(cursor) = filter.widget().rendered_cursor_position()
    {
        frame.set_cursor_position(cursor);
    }
}

fn empty(model: &Model, theme: &Theme) -> Line<'static> {
    let closed = model.requests.list().closed();
    let key = |scope, action| Span::styled(model.keymap.name(scope, action), theme.accent());
    if !model.requests.list().filter().is_empty() {
        let clear = key(Scope::Filter, Action::Back);
        return Line::from(vec![Span::raw("Nothing matches the filter. "), clear, Span::raw(" clears it.")]);
    }
    match model.record {
        RecordState::Opening => return Line::raw("Reading the record of what is open."),
        RecordState::NotRead => {
            return Line::styled(
                "Record not read: what was opened before may still be open and is not shown here.",
                theme.doubt(),
            );
        }
        RecordState::Keeping | RecordState::Failing => {}
    }
    let mut spans =
        vec![Span::raw("No open requests. "), key(Scope::Panes, Action::NewRequest), Span::raw(" opens one.")];
    if closed > 0 {
        spans.push(Span::styled(format!(" {closed} closed since the start: "), Theme::dim()));
        spans.push(key(Scope::List, Action::Filter));
        spans.push(Span::styled("closed shows them.", Theme::dim()));
    }
    Line::from(spans)
}

pub(super) fn row_line(
    row: &Row<'_>,
    selected: bool,
    model: &Model,
    theme: &Theme,
    columns: &Columns,
) -> Line<'static> {
    let age = match row.state {
        RowState::Open | RowState::Closing(_) | RowState::CloseUnknown | RowState::Accepted => {
            row.since.map_or_else(|| "–".to_owned(), |since| age(since, model.now))
        }
        RowState::Sending(_)
        | RowState::Refused
        | RowState::Looking(_)
        | RowState::Unknown
        | RowState::SetAside
        | RowState::Draft
        | RowState::Closed(_) => "–".to_owned(),
    };
    let cells = [Field::Ticket, Field::Device, Field::Title].map(|field| row.text(field).into_owned());
    let text = columns.line(cells.each_ref().map(String::as_str), &age);
    let state = cut(&format!("{} {}", theme.state_sign(row.state), row.state.word()), columns.state);
    let (mark, style) = if selected { ("> ", theme.accent()) } else { ("  ", ratatui::style::Style::new()) };
    Line::from(vec![
        Span::styled(mark, theme.accent()),
        Span::styled(text, style),
        Span::styled(state, theme.state(row.state)),
    ])
}
