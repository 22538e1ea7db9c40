//! A list: which rows of a tab are shown, in which order, and which one is selected. It knows of a row only what it sorts
//! and filters by.

use std::{cmp::Ordering, sync::Arc};

use super::{
    filter::{Facts, Filter, Text},
    row_map::{RowId, RowMap},
    sorted,
};
use crate::{
    dashboard::TextField,
    keys::{Motion, Tab},
};

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

/// What a list sorts and filters a row by.
#[derive(Clone, Debug)]
struct ListEntry {
    facts: Arc<Facts>,
    /// The second by which it is newer or older than others. What has no time stands with the newest.
    second: i64,
}

impl ListEntry {
    fn key(&self, sort: Sort) -> &str {
        match sort {
            Sort::Newest | Sort::Oldest => "",
            Sort::Ticket => self.facts.text(Text::Ticket),
            Sort::Device => self.facts.text(Text::Device),
            Sort::State => self.facts.state.word(),
        }
    }

    /// Returns whether both stand at the same place of a list in this order.
    fn stands_as(&self, other: &Self, sort: Sort) -> bool {
        match sort {
            Sort::Newest | Sort::Oldest => self.second == other.second,
            Sort::Ticket | Sort::Device | Sort::State => self.key(sort) == other.key(sort),
        }
    }
}

/// The rows that the agent has marked, and the range that is being marked.
#[derive(Clone, Debug, Default)]
struct Marks {
    rows: RowMap<()>,
    count: usize,
    /// Where the range began; it ends at the selected row.
    range: Option<RowId>,
}

impl Marks {
    fn has(&self, row: RowId) -> bool {
        self.rows.get(row).is_some()
    }

    fn set(&mut self, row: RowId, is_marked: bool) {
        if self.has(row) == is_marked {
            return;
        }
        if is_marked {
            self.rows.insert(row, ());
            self.count += 1;
        } else {
            self.rows.remove(row);
            self.count -= 1;
        }
    }
}

/// The rows of a tab in their order, its filter, its selection and its marks.
#[derive(Clone, Debug)]
pub struct List {
    tab: Tab,
    entries: RowMap<ListEntry>,
    /// All rows, in the order of `sort`.
    order: Vec<RowId>,
    /// Those of them that the filter lets through.
    shown: Vec<RowId>,
    selected: Option<RowId>,
    marks: Marks,
    /// Whether the agent has seen it.
    was_seen: bool,
    sort: Sort,
    /// The line of the filter.
    line: TextField,
    filter: Filter,
}

impl List {
    pub(super) fn new(tab: Tab) -> Self {
        Self {
            tab,
            entries: RowMap::default(),
            order: Vec::new(),
            shown: Vec::new(),
            selected: None,
            marks: Marks::default(),
            was_seen: false,
            sort: Sort::default(),
            line: TextField::one_line(),
            filter: Filter::default(),
        }
    }

    /// All rows of the tab, in the order of their ids.
    pub(in crate::dashboard) fn all(&self) -> impl Iterator<Item = RowId> {
        self.entries.iter().map(|(row, _)| row)
    }

    /// The rows that are shown, in their order.
    #[must_use]
    pub fn shown(&self) -> &[RowId] {
        &self.shown
    }

    /// How many rows there are, whether or not the filter lets them through.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no rows, whatever the filter says.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.order.is_empty()
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

    /// The line of the filter.
    #[must_use]
    pub const fn filter(&self) -> &TextField {
        &self.line
    }

    /// What of the filter is not understood.
    #[must_use]
    pub fn filter_problem(&self) -> Option<&str> {
        self.filter.problem.as_deref()
    }

    /// Where the selected row stands among those that are shown.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.place(&self.shown, self.selected?).ok()
    }

    /// The first and the last place of the range that is being marked.
    fn range(&self) -> Option<(usize, usize)> {
        let (from, to) = (self.place(&self.shown, self.marks.range?).ok()?, self.position()?);
        Some((from.min(to), from.max(to)))
    }

    /// Whether a range is being marked.
    #[must_use]
    pub const fn is_marking_range(&self) -> bool {
        self.marks.range.is_some()
    }

    /// The rows that are marked and shown, in their order: these are acted on.
    #[must_use]
    pub fn marked(&self) -> Vec<RowId> {
        if self.marks.count == 0 && self.marks.range.is_none() {
            return Vec::new();
        }
        let range = self.range();
        let is_in_range = |at: usize| range.is_some_and(|(from, to)| (from..=to).contains(&at));
        let shown = self.shown.iter().enumerate();
        shown.filter(|(at, row)| is_in_range(*at) || self.marks.has(**row)).map(|(_, row)| *row).collect()
    }

    /// How many rows are marked, and how many of them the filter hides.
    #[must_use]
    pub fn marks(&self) -> (usize, usize) {
        let shown = if self.marks.range.is_none() && self.shown.len() == self.order.len() {
            self.marks.count
        } else {
            self.marked().len()
        };
        let in_marks = self.shown.iter().filter(|row| self.marks.has(**row));
        let hidden = if self.shown.len() == self.order.len() { 0 } else { self.marks.count - in_marks.count() };
        (shown + hidden, hidden)
    }

    /// Whether a row that is shown is marked. `at` is its place.
    #[must_use]
    pub fn is_marked(&self, row: RowId, at: usize) -> bool {
        self.marks.has(row)
            || self.marks.range.is_some() && self.range().is_some_and(|(from, to)| (from..=to).contains(&at))
    }

    /// Marks the selected row or takes its mark, and goes on to the next. A range that is being marked becomes marks.
    pub(super) fn toggle_mark(&mut self) {
        if self.end_range() {
            return;
        }
        if let Some(row) = self.selected {
            self.marks.set(row, !self.marks.has(row));
            self.move_selection(Motion::Down);
        }
    }

    /// Begins a range at the selected row, or makes marks of the one that is being marked.
    pub(super) fn toggle_range(&mut self) {
        if !self.end_range() {
            self.marks.range = self.selected;
        }
    }

    /// Makes marks of the range that is being marked. Returns whether there was one.
    fn end_range(&mut self) -> bool {
        if self.marks.range.is_none() {
            return false;
        }
        for row in self.marked() {
            self.marks.set(row, true);
        }
        self.marks.range = None;
        true
    }

    /// Marks all that are shown, or takes all their marks if they are marked.
    pub(super) fn toggle_all(&mut self) {
        self.marks.range = None;
        let is_marked = !self.shown.iter().all(|row| self.marks.has(*row));
        for row in &self.shown {
            self.marks.set(*row, is_marked);
        }
    }

    /// Forgets the range that is being marked, or else all marks. Returns whether there were any.
    pub(super) fn clear_marks(&mut self) -> bool {
        let had_range = self.marks.range.take().is_some();
        if had_range {
            return true;
        }
        std::mem::take(&mut self.marks).count > 0
    }

    /// Whether there are marks, or a range that is being marked.
    #[must_use]
    pub const fn has_marks(&self) -> bool {
        self.marks.count > 0 || self.marks.range.is_some()
    }

    /// Where a row stands among those that are shown.
    #[must_use]
    pub fn position_of(&self, row: RowId) -> Option<usize> {
        self.entries.get(row)?;
        self.place(&self.shown, row).ok()
    }

    /// Compares two rows of the list by its order.
    fn compare(&self, one: RowId, other: RowId) -> Ordering {
        let entry = |row: RowId| self.entries.get(row);
        let second = |row: RowId| (entry(row).map_or(i64::MAX, |entry| entry.second), row);
        let key = |row: RowId| (entry(row).map_or("", |entry| entry.key(self.sort)), row);
        match self.sort {
            Sort::Newest => second(other).cmp(&second(one)),
            Sort::Oldest => second(one).cmp(&second(other)),
            Sort::Ticket | Sort::Device | Sort::State => key(one).cmp(&key(other)),
        }
    }

    /// Where a row stands, or belongs, among rows in the order of the list.
    fn place(&self, rows: &[RowId], row: RowId) -> Result<usize, usize> {
        rows.binary_search_by(|other| self.compare(*other, row))
    }

    fn entry(&self, facts: Arc<Facts>) -> ListEntry {
        let second = if self.tab == Tab::Closed { facts.closed } else { facts.opened };
        ListEntry { facts, second: second.unwrap_or(i64::MAX) }
    }

    /// Puts a row in its place. The selection stays with its row; where that is shown no longer, its neighbour has it.
    pub(super) fn put(&mut self, row: RowId, facts: Arc<Facts>) {
        let position = self.position();
        let entry = self.entry(facts);
        let is_shown = self.filter.matches(&entry.facts);
        let (sort, filter) = (self.sort, &self.filter);
        if let Some(old) = self.entries.get_mut(row)
            && old.stands_as(&entry, sort)
            && filter.matches(&old.facts) == is_shown
        {
            *old = entry;
            return;
        }
        self.take_out(row);
        self.entries.insert(row, entry);
        if let Err(at) = self.place(&self.order, row) {
            self.order.insert(at, row);
        }
        if is_shown && let Err(at) = self.place(&self.shown, row) {
            self.shown.insert(at, row);
        }
        self.keep_selected(position);
    }

    /// Puts many rows that are not in the list yet in their places.
    pub(super) fn put_all(&mut self, rows: Vec<(RowId, Arc<Facts>)>) {
        let position = self.position();
        let shows_all = self.shown.len() == self.order.len();
        let mut new: Vec<_> = rows.iter().map(|(row, _)| *row).collect();
        for (row, facts) in rows {
            let entry = self.entry(facts);
            self.entries.insert(row, entry);
        }
        self.sort_rows(&mut new);
        let place = |rows: &[RowId], row| self.place(rows, row).unwrap_or_else(|at| at);
        self.order = sorted::merge(&self.order, &new, place);
        new.retain(|row| self.entries.get(*row).is_some_and(|entry| self.filter.matches(&entry.facts)));
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
        self.marks.set(row, false);
        self.marks.range.take_if(|from| *from == row);
        self.keep_selected(position);
    }

    fn take_out(&mut self, row: RowId) {
        let (in_order, in_shown) = (self.place(&self.order, row), self.place(&self.shown, row));
        if self.entries.remove(row).is_none() {
            return;
        }
        if let Ok(at) = in_order {
            self.order.remove(at);
        }
        if let Ok(at) = in_shown {
            self.shown.remove(at);
        }
    }

    /// Selects a row of the list, whatever the filter says: the filter is cleared where it hides the row. Any other row is
    /// not selected.
    pub(super) fn select(&mut self, row: RowId) {
        if self.entries.get(row).is_none() {
            return;
        }
        if !self.is_shown(row) {
            self.set_filter(TextField::one_line(), Filter::default());
        }
        (self.selected, self.was_seen) = (Some(row), true);
    }

    /// The agent sees the list: from here on its selection moves by keys alone. At first it is at the first row.
    pub(super) fn see(&mut self) {
        if !self.was_seen && !self.shown.is_empty() {
            self.was_seen = true;
            self.selected = self.shown.first().copied();
        }
    }

    /// Returns whether the list has the row.
    pub(super) fn has(&self, row: RowId) -> bool {
        self.entries.get(row).is_some()
    }

    /// Returns whether the filter lets a row through.
    pub(super) fn is_shown(&self, row: RowId) -> bool {
        self.has(row) && self.place(&self.shown, row).is_ok()
    }

    /// Sorts rows of the list. Each row's key is made once.
    fn sort_rows(&self, rows: &mut Vec<RowId>) {
        match self.sort {
            Sort::Newest | Sort::Oldest => {
                let second = |row: RowId| self.entries.get(row).map_or(i64::MAX, |entry| entry.second);
                rows.sort_by_cached_key(|row| (second(*row), *row));
            }
            Sort::Ticket | Sort::Device | Sort::State => {
                let key = |row: RowId| self.entries.get(row).map_or("", |entry| entry.key(self.sort));
                let mut keyed: Vec<_> = rows.iter().map(|row| (key(*row), *row)).collect();
                keyed.sort_unstable();
                *rows = keyed.into_iter().map(|(_, row)| row).collect();
            }
        }
        if self.sort == Sort::Newest {
            rows.reverse();
        }
    }

    pub(super) fn next_sort(&mut self) {
        let position = self.position();
        self.sort = self.sort.next();
        let mut order = std::mem::take(&mut self.order);
        self.sort_rows(&mut order);
        self.order = order;
        self.filter_rows(position);
    }

    /// Filters by another line.
    pub(super) fn set_filter(&mut self, line: TextField, filter: Filter) {
        let position = self.position();
        (self.line, self.filter) = (line, filter);
        self.filter_rows(position);
    }

    /// Returns whether what the filter lets through changes with time.
    pub(super) const fn is_filtered_by_time(&self) -> bool {
        self.filter.is_about_time
    }

    /// Finds anew which rows are shown. The selected one stood at `position`.
    fn filter_rows(&mut self, position: Option<usize>) {
        let mut is_shown = RowMap::default();
        // In the order of the rows, in which their texts lie in memory.
        for (row, _) in self.entries.iter().filter(|(_, entry)| self.filter.matches(&entry.facts)) {
            is_shown.insert(row, ());
        }
        self.shown = self.order.iter().copied().filter(|row| is_shown.get(*row).is_some()).collect();
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
        self.selected = self.shown.get(motion.from(at, last)).copied();
    }
}
