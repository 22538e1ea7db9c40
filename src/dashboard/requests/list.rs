//! The list: which rows are shown, in which order, and which one is selected. It knows of a row only what it sorts and
//! filters by.

use std::collections::BTreeMap;

use super::{
    row::{Row, RowState},
    row_map::{RowId, RowMap},
    sorted,
};
use crate::{dashboard::TextField, keys::Motion};
use mmd_elevate_core::Field;

/// How far a page is, in rows.
const PAGE: usize = 10;

/// From how many letters on a word of the filter may mean a state.
const SHORTEST_STATE: usize = 3;

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

/// What the list sorts and filters a row by.
#[derive(Clone, Debug)]
pub(super) struct ListEntry {
    /// Ticket, device and title in small letters, a line each: no visible text holds a line end.
    text: Box<str>,
    state: RowState,
}

impl ListEntry {
    pub(super) fn new(row: &Row<'_>) -> Self {
        let [ticket, device, title] =
            [Field::Ticket, Field::Device, Field::Title].map(|field| row.text(field).to_lowercase());
        Self { text: format!("{ticket}\n{device}\n{title}").into(), state: row.state }
    }

    fn key(&self, sort: Sort) -> &str {
        match sort {
            Sort::Newest | Sort::Oldest => "",
            Sort::Ticket => self.text.split('\n').next().unwrap_or_default(),
            Sort::Device => self.text.split('\n').nth(1).unwrap_or_default(),
            Sort::State => self.state.word(),
        }
    }

    /// Whether every word of the filter is in the row. A row that is past has to be asked for by its state, from "clo" on.
    fn matches(&self, words: &[String]) -> bool {
        let is_state = |word: &String| word.len() >= SHORTEST_STATE && self.state.word().starts_with(word.as_str());
        let is_asked_for = !self.state.is_past() || words.iter().any(is_state);
        is_asked_for && words.iter().all(|word| is_state(word) || self.text.contains(word.as_str()))
    }
}

/// How many rows are in each state, by its word.
#[derive(Clone, Debug, Default)]
struct Counts(BTreeMap<&'static str, usize>);

impl Counts {
    fn add(&mut self, state: RowState) {
        *self.0.entry(state.word()).or_default() += 1;
    }

    fn remove(&mut self, state: RowState) {
        if let Some(count) = self.0.get_mut(state.word()) {
            *count -= 1;
        }
    }

    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|(_, count)| **count > 0).map(|(word, _)| *word)
    }

    fn get(&self, word: &str) -> usize {
        self.0.get(word).copied().unwrap_or_default()
    }
}

/// The rows in their order, the filter and the selection.
#[derive(Clone, Debug)]
pub struct List {
    entries: RowMap<ListEntry>,
    /// All rows, in the order of `sort`.
    order: Vec<RowId>,
    /// Those of them that the filter lets through.
    shown: Vec<RowId>,
    all_states: Counts,
    shown_states: Counts,
    selected: Option<RowId>,
    sort: Sort,
    filter: TextField,
    /// The words of the filter, in small letters.
    words: Vec<String>,
}

impl Default for List {
    fn default() -> Self {
        Self {
            entries: RowMap::default(),
            order: Vec::new(),
            shown: Vec::new(),
            all_states: Counts::default(),
            shown_states: Counts::default(),
            selected: None,
            sort: Sort::default(),
            filter: TextField::one_line(),
            words: Vec::new(),
        }
    }
}

impl List {
    /// All rows, the oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = RowId> {
        self.entries.iter().map(|(row, _)| row)
    }

    /// The rows that are shown, in their order.
    #[must_use]
    pub fn shown(&self) -> &[RowId] {
        &self.shown
    }

    /// The row that is selected.
    #[must_use]
    pub const fn selected(&self) -> Option<RowId> {
        self.selected
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

    /// How many rows are not past.
    #[must_use]
    pub fn not_past(&self) -> usize {
        self.order.len() - self.closed() - self.all_states.get(RowState::SetAside.word())
    }

    /// How many rows are closed.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.all_states.get("closed")
    }

    /// The length of the longest state that is shown.
    #[must_use]
    pub fn longest_state(&self) -> usize {
        self.shown_states.words().map(str::len).max().unwrap_or_default()
    }

    /// Where the selected row stands among those that are shown.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.place(&self.shown, self.selected?).ok()
    }

    /// Where a row stands, or belongs, among rows in the order of the list.
    fn place(&self, rows: &[RowId], row: RowId) -> Result<usize, usize> {
        let key = |row: RowId| self.entries.get(row).map_or("", |entry| entry.key(self.sort));
        match self.sort {
            Sort::Newest => rows.binary_search_by(|other| row.cmp(other)),
            Sort::Oldest => rows.binary_search(&row),
            Sort::Ticket | Sort::Device | Sort::State => {
                let wanted = (key(row), row);
                rows.binary_search_by(|other| (key(*other), *other).cmp(&wanted))
            }
        }
    }

    /// Puts a row in its place. The selection stays with its row; where that is shown no longer, its neighbour has it.
    pub(super) fn put(&mut self, row: RowId, entry: ListEntry) {
        let position = self.position();
        if let Some(old) = self.entries.get_mut(row)
            && old.key(self.sort) == entry.key(self.sort)
            && old.matches(&self.words) == entry.matches(&self.words)
        {
            let old = std::mem::replace(old, entry);
            self.count(row, &old);
        } else {
            self.take_out(row);
            let (state, is_shown) = (entry.state, entry.matches(&self.words));
            self.entries.insert(row, entry);
            self.all_states.add(state);
            if let Err(at) = self.place(&self.order, row) {
                self.order.insert(at, row);
            }
            if is_shown {
                self.shown_states.add(state);
                if let Err(at) = self.place(&self.shown, row) {
                    self.shown.insert(at, row);
                }
            }
        }
        self.keep_selected(position);
    }

    /// Counts a row that stays in its place in another state.
    fn count(&mut self, row: RowId, old: &ListEntry) {
        let Some(entry) = self.entries.get(row) else { return };
        self.all_states.remove(old.state);
        self.all_states.add(entry.state);
        if entry.matches(&self.words) {
            self.shown_states.remove(old.state);
            self.shown_states.add(entry.state);
        }
    }

    /// Puts many rows that are not in the list yet in their places.
    pub(super) fn put_all(&mut self, entries: Vec<(RowId, ListEntry)>) {
        let position = self.position();
        let shows_all = self.shown.len() == self.order.len();
        let mut new: Vec<_> = entries.iter().map(|(row, _)| *row).collect();
        for (row, entry) in entries {
            self.all_states.add(entry.state);
            if entry.matches(&self.words) {
                self.shown_states.add(entry.state);
            }
            self.entries.insert(row, entry);
        }
        self.sort_rows(&mut new);
        let place = |rows: &[RowId], row| self.place(rows, row).unwrap_or_else(|at| at);
        self.order = sorted::merge(&self.order, &new, place);
        new.retain(|row| self.entries.get(*row).is_some_and(|entry| entry.matches(&self.words)));
        self.shown = if shows_all && self.shown.len() + new.len() == self.order.len() {
            self.order.clone()
        } else {
            sorted::merge(&self.shown, &new, |rows, row| self.place(rows, row).unwrap_or_else(|at| at))
        };
        self.keep_selected(position);
    }

    /// Takes a row out of the list.
    pub(super) fn remove(&mut self, row: RowId) {
        let position = self.position();
        self.take_out(row);
        self.keep_selected(position);
    }

    fn take_out(&mut self, row: RowId) {
        let (in_order, in_shown) = (self.place(&self.order, row), self.place(&self.shown, row));
        let Some(entry) = self.entries.remove(row) else { return };
        self.all_states.remove(entry.state);
        if let Ok(at) = in_order {
            self.order.remove(at);
        }
        if let Ok(at) = in_shown {
            self.shown.remove(at);
            self.shown_states.remove(entry.state);
        }
    }

    /// Selects a row, whatever the filter says: the filter is cleared where it hides the row.
    pub(super) fn select(&mut self, row: RowId) {
        if !self.is_shown(row) {
            self.clear_filter();
        }
        self.selected = Some(row);
    }

    /// Returns whether the filter lets a row through.
    pub(super) fn is_shown(&self, row: RowId) -> bool {
        self.place(&self.shown, row).is_ok()
    }

    /// Sorts rows of the list. Each row's key is made once.
    fn sort_rows(&self, rows: &mut Vec<RowId>) {
        let key = |row: RowId| self.entries.get(row).map_or("", |entry| entry.key(self.sort));
        let mut keyed: Vec<_> = rows.iter().map(|row| (key(*row), *row)).collect();
        keyed.sort_unstable();
        if self.sort == Sort::Newest {
            keyed.reverse();
        }
        *rows = keyed.into_iter().map(|(_, row)| row).collect();
    }

    pub(super) fn next_sort(&mut self) {
        let position = self.position();
        self.sort = self.sort.next();
        let mut order = std::mem::take(&mut self.order);
        self.sort_rows(&mut order);
        self.order = order;
        self.filter_rows(position);
    }

    pub(super) fn change_filter(&mut self, change: impl FnOnce(&mut TextField)) {
        let position = self.position();
        change(&mut self.filter);
        self.words = self.filter.text().to_lowercase().split_whitespace().map(str::to_owned).collect();
        self.filter_rows(position);
    }

    pub(super) fn clear_filter(&mut self) {
        self.change_filter(|filter| *filter = TextField::one_line());
    }

    /// Finds anew which rows are shown. The selected one stood at `position`.
    fn filter_rows(&mut self, position: Option<usize>) {
        let mut states = Counts::default();
        let mut is_shown = RowMap::default();
        // In the order of the rows, in which their texts lie in memory.
        for (row, entry) in self.entries.iter().filter(|(_, entry)| entry.matches(&self.words)) {
            states.add(entry.state);
            is_shown.insert(row, ());
        }
        self.shown = self.order.iter().copied().filter(|row| is_shown.get(*row).is_some()).collect();
        self.shown_states = states;
        self.keep_selected(position);
    }

    /// Where the selected row is shown no longer, the row in its place is selected.
    fn keep_selected(&mut self, position: Option<usize>) {
        if self.position().is_none() {
            let last = self.shown.len().saturating_sub(1);
            self.selected = self.shown.get(position.unwrap_or(0).min(last)).copied();
        }
    }

    pub(super) fn move_selection(&mut self, motion: Motion) {
        let Some(last) = self.shown.len().checked_sub(1) else { return };
        let at = self.position().unwrap_or(0);
        let to = match motion {
            Motion::Down => at + 1,
            Motion::Up => at.saturating_sub(1),
            Motion::PageDown => at + PAGE,
            Motion::PageUp => at.saturating_sub(PAGE),
            Motion::First => 0,
            Motion::Last => last,
        };
        self.selected = self.shown.get(to.min(last)).copied();
    }
}
