//! The session's requests: rows, their order, the filter and the selection.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;

use super::TextField;
use crate::{
    action::Step,
    domain::{Draft, ElevationRequest, Field, RequestId, visible},
    port::{CallId, Fault},
};

/// How far a page is, in rows.
const PAGE: usize = 10;

/// A row's name within this run. It is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(pub u64);

/// How a request came to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closure {
    /// The service took our close.
    Done,
    /// The service said that it was closed already.
    Already,
    /// The service said that there is no such request.
    Gone,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowState {
    /// The create is under way.
    Sending(CallId),
    /// The service did not take the create; the row keeps the draft.
    Refused,
    /// Nobody knows whether the create happened; the row keeps the draft.
    Unknown,
    /// Open.
    Open,
    /// The close is under way.
    Closing(CallId),
    /// Nobody knows whether the close happened. Repeating it is harmless.
    CloseUnknown,
    /// Closed.
    Closed(Closure),
}

impl RowState {
    /// The state in a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sending(_) => "sending",
            Self::Refused => "refused",
            Self::Unknown | Self::CloseUnknown => "unknown",
            Self::Open => "open",
            Self::Closing(_) => "closing",
            Self::Closed(_) => "closed",
        }
    }

    /// Whether the service holds the request open, as far as anybody knows.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::CloseUnknown)
    }

    /// Whether a call is under way.
    #[must_use]
    pub const fn in_flight(self) -> bool {
        matches!(self, Self::Sending(_) | Self::Closing(_))
    }
}

/// One request of this session.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub id: RowId,
    /// What was sent.
    pub draft: Draft,
    /// What the service made of it, once it has.
    pub request: Option<ElevationRequest>,
    /// Where it stands.
    pub state: RowState,
    /// What went wrong with it last.
    pub fault: Option<Fault>,
    /// What was typed in its close dialog, as long as the service has not stored it.
    pub actions_taken: Option<Box<TextField>>,
    /// When its state was learnt.
    pub as_of: Timestamp,
    /// When it was opened, or sent as long as that is not known.
    pub since: Timestamp,
}

impl Row {
    /// Ticket, device, title, …: in the service's words where there are any, else as typed; harmless to a terminal.
    #[must_use]
    pub fn text(&self, field: Field) -> Cow<'_, str> {
        let Some(request) = &self.request else { return visible(self.draft.get(field)) };
        match field {
            Field::Ticket => request.ticket.visible(),
            Field::Device => request.device.visible(),
            Field::Title => request.title.visible(),
            Field::Category => request.category.visible(),
            Field::Subcategory => request.subcategory.visible(),
            Field::PlanOfAction => request.plan_of_action.visible(),
        }
    }

    /// The service's id, once there is one.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.request.as_ref().map(|request| &request.id)
    }

    /// The text of the close that the service did not store, and never will.
    #[must_use]
    pub fn unsent_text(&self) -> Option<&TextField> {
        let lost = matches!(self.state, RowState::Closed(Closure::Already | Closure::Gone));
        self.actions_taken.as_deref().filter(|text| lost && !text.is_blank())
    }

    /// "MMD-1 (INC-1)": how a sentence names it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({})", self.text(Field::Device), self.text(Field::Ticket))
    }

    /// Whether every word of the filter is in the row. A closed row has to be asked for by its state, from "clo" on.
    fn matches(&self, words: &[String]) -> bool {
        let state = self.state.word();
        let by_state = |word: &String| word.len() >= 3 && state.starts_with(word.as_str());
        let asked_for = !matches!(self.state, RowState::Closed(_)) || words.iter().any(by_state);
        let contains = |word: &String| {
            by_state(word)
                || [Field::Ticket, Field::Device, Field::Title]
                    .iter()
                    .any(|f| self.text(*f).to_lowercase().contains(word))
        };
        asked_for && words.iter().all(contains)
    }
}

/// In which order the list stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// By ticket.
    Ticket,
    /// By device.
    Device,
    /// By state.
    State,
}

impl Sort {
    /// The order in a word or two.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Newest => "newest first",
            Self::Oldest => "oldest first",
            Self::Ticket => "by ticket",
            Self::Device => "by device",
            Self::State => "by state",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Newest => Self::Oldest,
            Self::Oldest => Self::Ticket,
            Self::Ticket => Self::Device,
            Self::Device => Self::State,
            Self::State => Self::Newest,
        }
    }
}

/// The rows, and what of them is shown.
#[derive(Clone, Debug)]
pub struct Requests {
    rows: BTreeMap<RowId, Row>,
    next: u64,
    shown: Vec<RowId>,
    selected: Option<RowId>,
    sort: Sort,
    /// The filter's text.
    filter: TextField,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            next: 1,
            shown: Vec::new(),
            selected: None,
            sort: Sort::default(),
            filter: TextField::one_line(),
        }
    }
}

impl Requests {
    /// The row of this name.
    #[must_use]
    pub fn get(&self, id: RowId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// All rows, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// The names of the rows that are shown, in their order.
    #[must_use]
    pub fn shown(&self) -> &[RowId] {
        &self.shown
    }

    /// The row that is selected.
    #[must_use]
    pub fn selected(&self) -> Option<&Row> {
        self.selected.and_then(|id| self.get(id))
    }

    /// The order of the list.
    #[must_use]
    pub const fn sort(&self) -> Sort {
        self.sort
    }

    /// The filter.
    #[must_use]
    pub const fn filter(&self) -> &TextField {
        &self.filter
    }

    /// How many requests are not closed.
    #[must_use]
    pub fn not_closed(&self) -> usize {
        self.all().filter(|row| !matches!(row.state, RowState::Closed(_))).count()
    }

    /// How many have been closed in this session.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.rows.len() - self.not_closed()
    }

    /// The name that the next row will have.
    pub(super) fn next_id(&mut self) -> RowId {
        let id = RowId(self.next);
        self.next += 1;
        id
    }

    /// A new row is shown and selected, whatever the filter says: the filter is cleared where it would hide it.
    pub(super) fn add(&mut self, row: Row) {
        let id = row.id;
        self.rows.insert(id, row);
        self.arrange();
        if !self.shown.contains(&id) {
            self.clear_filter();
        }
        self.selected = Some(id);
    }

    pub(super) fn remove(&mut self, id: RowId) {
        self.rows.remove(&id);
        self.arrange();
    }

    /// Changes a row, and the list with it.
    pub(super) fn change(&mut self, id: RowId, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.rows.get_mut(&id) {
            change(row);
            self.arrange();
        }
    }

    /// The text of a row's close dialog, for typing in. It changes nothing that the list shows.
    pub(super) fn actions_taken(&mut self, id: RowId) -> Option<&mut TextField> {
        let row = self.rows.get_mut(&id)?;
        Some(row.actions_taken.get_or_insert_with(|| Box::new(TextField::multi_line())))
    }

    pub(super) fn change_filter(&mut self, change: impl FnOnce(&mut TextField)) {
        change(&mut self.filter);
        self.arrange();
    }

    pub(super) fn clear_filter(&mut self) {
        self.change_filter(|filter| *filter = TextField::one_line());
    }

    pub(super) fn next_sort(&mut self) {
        self.sort = self.sort.next();
        self.arrange();
    }

    pub(super) fn step(&mut self, step: Step) {
        let Some(last) = self.shown.len().checked_sub(1) else { return };
        let at = self.position().unwrap_or(0);
        let to = match step {
            Step::Down => at + 1,
            Step::Up => at.saturating_sub(1),
            Step::PageDown => at + PAGE,
            Step::PageUp => at.saturating_sub(PAGE),
            Step::First => 0,
            Step::Last => last,
        };
        self.selected = self.shown.get(to.min(last)).copied();
    }

    /// Where the selected row stands among those that are shown.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        let selected = self.selected?;
        self.shown.iter().position(|id| *id == selected)
    }

    /// Computes anew what is shown. The selection stays with its row; where that is shown no longer, its neighbour has it.
    fn arrange(&mut self) {
        let at = self.position().unwrap_or(0);
        let words: Vec<String> = self.filter.text().to_lowercase().split_whitespace().map(str::to_owned).collect();
        let mut rows: Vec<&Row> = self.rows.values().filter(|row| row.matches(&words)).collect();
        match self.sort {
            Sort::Newest => rows.reverse(),
            Sort::Oldest => {}
            Sort::Ticket => rows.sort_by_cached_key(|row| row.text(Field::Ticket).to_lowercase()),
            Sort::Device => rows.sort_by_cached_key(|row| row.text(Field::Device).to_lowercase()),
            Sort::State => rows.sort_by_key(|row| row.state.word()),
        }
        self.shown = rows.into_iter().map(|row| row.id).collect();
        if self.position().is_none() {
            let last = self.shown.len().saturating_sub(1);
            self.selected = self.shown.get(at.min(last)).copied();
        }
    }
}
