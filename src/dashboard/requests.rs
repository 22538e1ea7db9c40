//! The session's requests: rows, their order, the filter and the selection.

use std::collections::BTreeMap;

use super::{
    TextField,
    row::{Row, RowId, RowState},
};
use crate::keys::Motion;
use mmd_elevate_core::{Field, RequestId};

/// How far a page is, in rows.
const PAGE: usize = 10;

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
        self.all().filter(|row| !row.state.is_past()).count()
    }

    /// How many have been closed in this session.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.all().filter(|row| matches!(row.state, RowState::Closed(_))).count()
    }

    /// The name that the next row will have.
    pub(super) fn next_id(&mut self) -> RowId {
        let id = RowId(self.next);
        self.next += 1;
        id
    }

    /// The row of a request that the service knows by this id.
    #[must_use]
    pub fn of_request(&self, id: &RequestId) -> Option<&Row> {
        self.all().find(|row| row.request_id() == Some(id))
    }

    /// A row that came from elsewhere: the selection stays where it is.
    pub(super) fn add_quietly(&mut self, row: Row) {
        self.rows.insert(row.id, row);
        self.arrange();
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

    pub(super) fn step(&mut self, step: Motion) {
        let Some(last) = self.shown.len().checked_sub(1) else { return };
        let at = self.position().unwrap_or(0);
        let to = match step {
            Motion::Down => at + 1,
            Motion::Up => at.saturating_sub(1),
            Motion::PageDown => at + PAGE,
            Motion::PageUp => at.saturating_sub(PAGE),
            Motion::First => 0,
            Motion::Last => last,
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
