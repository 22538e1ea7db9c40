//! A row of a list, in its columns.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{
    Theme,
    words::{age, cut, cut_head, fit, local},
};
use crate::{
    dashboard::{
        Model, Row, RowState,
        names::{agent, viewers},
    },
    keys::Tab,
};
use mmd_elevate_core::Field;

/// How wide a state is with its sign: the longest has nine letters.
const STATE: usize = 11;

/// One of the columns, to be widened.
type Column = fn(&mut Columns) -> &mut usize;

/// The columns of a list this wide, by their widths with the blank behind. A width of nothing means that the column gave
/// way. A wider list never shows less.
#[derive(Clone, Copy, Debug)]
pub(in crate::dashboard) struct Columns {
    tab: Tab,
    ticket: usize,
    device: usize,
    title: usize,
    category: usize,
    by: usize,
    viewed: usize,
    age: usize,
    state: usize,
}

impl Columns {
    pub(in crate::dashboard) fn new(tab: Tab, width: usize) -> Self {
        let is_of_others = matches!(tab, Tab::Tenant | Tab::Closed);
        let mut this = Self { tab, ticket: 11, device: 0, title: 0, category: 0, by: 0, viewed: 0, age: 8, state: 2 };
        this.title = width.saturating_sub(2 + this.ticket + this.age + 1 + this.state);
        // In this order columns come, and grow, each once the title keeps so many columns beside it.
        let steps: [(Column, usize, usize); 10] = [
            (|this| &mut this.state, STATE, 10),
            (|this| &mut this.device, 12, 10),
            (|this| &mut this.ticket, 13, 16),
            (|this| &mut this.age, 9, 16),
            (|this| &mut this.by, if is_of_others { 10 } else { 0 }, 16),
            (|this| &mut this.device, 17, 20),
            (|this| &mut this.viewed, if tab == Tab::Tenant { 13 } else { 0 }, 24),
            (|this| &mut this.by, if is_of_others { 13 } else { 0 }, 28),
            (|this| &mut this.viewed, if tab == Tab::Tenant { 16 } else { 0 }, 28),
            (|this| &mut this.category, 20, 30),
        ];
        for (column, wanted, beside) in steps {
            let more = wanted.saturating_sub(*column(&mut this));
            if more == 0 {
                continue;
            }
            if this.title < beside + more {
                // What comes later waits for this, so that a wider list has all that a narrower one has.
                break;
            }
            *column(&mut this) += more;
            this.title -= more;
        }
        let used = 2 + this.ticket + this.device + this.category + this.by + this.viewed + this.age + this.state + 1;
        this.title = width.saturating_sub(used);
        this
    }

    /// The texts of a row in their columns, up to its age.
    fn line(&self, cells: [&str; 6]) -> String {
        let widths = [self.ticket, self.device, self.title, self.category, self.by, self.viewed];
        let mut line = String::new();
        for (index, (text, width)) in cells.into_iter().zip(widths).enumerate() {
            if width > 1 {
                // Devices differ by their ends.
                let cut = if index == 1 { cut_head(text, width - 1) } else { cut(text, width - 1) };
                line.push_str(&fit(&cut, width));
            }
        }
        line
    }

    pub(in crate::dashboard) fn heading(&self) -> String {
        let age = if self.tab == Tab::Closed { "Closed" } else { "Age" };
        let texts = self.line(["Ticket", "Device", "Title", "Category", "By", "Viewed by"]);
        let state = if self.state >= STATE { "State" } else { "" };
        format!("  {texts}{age:>width$} {state}", width = self.age)
    }
}

/// The age of a row, or when it was closed.
fn age_cell(row: &Row<'_>, model: &Model, columns: &Columns) -> String {
    let none = || "–".to_owned();
    match row.state {
        RowState::Open | RowState::Closing(_) | RowState::CloseUnknown | RowState::Accepted => {
            let mark = model.requests.ages().of(row, model.now).mark();
            let age = row.since.map_or_else(none, |since| age(since, model.now));
            if mark.is_empty() { age } else { format!("{age} {mark}") }
        }
        RowState::Closed(_) if columns.tab == Tab::Closed => {
            let closed = row.request.and_then(|request| request.closed.as_ref()?.at);
            closed.map_or_else(none, |at| {
                let today = local(model.now, &model.time_zone, "%F") == local(at, &model.time_zone, "%F");
                local(at, &model.time_zone, if today { "%H:%M" } else { "%b %d" })
            })
        }
        RowState::Checking(_)
        | RowState::Sending(_)
        | RowState::Refused
        | RowState::Looking(_)
        | RowState::Unknown
        | RowState::SetAside
        | RowState::Draft
        | RowState::Closed(_) => none(),
    }
}

/// A row. `selected`: it is the selected one, and whether the list has the focus. `marked`: the agent has marked it.
pub(in crate::dashboard) fn row_line(
    row: &Row<'_>,
    selected: Option<bool>,
    marked: bool,
    model: &Model,
    theme: &Theme,
    columns: &Columns,
) -> Line<'static> {
    let text = |field| row.text(field).into_owned();
    let category = row.categories("/");
    let by = match (columns.tab, row.request) {
        (Tab::Closed, Some(request)) if !request.closed_by.is_blank() => agent(&request.closed_by),
        (Tab::Closed, _) => "–".to_owned(),
        _ => model.opener(row),
    };
    let viewed = row.request.map_or_else(String::new, |request| viewers(&request.viewers));
    let cells = [text(Field::Ticket), text(Field::Device), text(Field::Title), category, by, viewed];
    let texts = columns.line(cells.each_ref().map(String::as_str));
    let age = format!("{:>width$} ", age_cell(row, model, columns), width = columns.age);
    let band = model.requests.ages().of(row, model.now);
    let state = if columns.state >= STATE {
        format!("{} {}", theme.state_sign(row.state), model.state_word(row))
    } else {
        theme.state_sign(row.state).to_owned()
    };
    let ground = selected.map_or_else(Style::new, |focused| theme.selection(focused));
    Line::from(vec![
        Span::styled(theme.row_mark(selected.is_some(), marked), ground.patch(theme.accent())),
        Span::styled(texts, ground),
        Span::styled(age, ground.patch(theme.age(band))),
        Span::styled(fit(&state, columns.state), ground.patch(theme.state(row.state))),
    ])
}
