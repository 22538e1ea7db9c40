//! The requests that the service holds, what this process attempts about them, and the list of both. Every change goes
//! through [`Requests`], which puts the row that changed, and no other, in its place in the list.

mod attempt;
mod list;
mod row;
mod row_map;
mod sorted;
mod store;

pub use attempt::{Attempts, CloseAttempt, CreateAttempt, CreateState, SentClose};
use jiff::Timestamp;
use list::ListEntry;
pub use list::{List, Sort};
pub use row::{Row, RowState};
pub use row_map::RowId;
pub use store::{Closure, Request, RequestStore};

use super::TextField;
use crate::keys::Motion;
use mmd_elevate_core::{CallError, ElevationRequest, RequestId};

/// The rows of the dashboard.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    store: RequestStore,
    attempts: Attempts,
    list: List,
    /// How many rows there have been.
    rows: u64,
}

impl Requests {
    /// What the service holds.
    #[must_use]
    pub const fn store(&self) -> &RequestStore {
        &self.store
    }

    /// What this process attempts.
    #[must_use]
    pub const fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// What is shown of both.
    #[must_use]
    pub const fn list(&self) -> &List {
        &self.list
    }

    /// A row.
    #[must_use]
    pub fn get(&self, id: RowId) -> Option<Row<'_>> {
        let create = self.attempts.create(id);
        match self.store.get(id) {
            Some(request) => Some(Row::from_request(request, create, self.attempts.close(id))),
            None => create.map(|create| Row::from_create(id, create)),
        }
    }

    /// All rows, the oldest first: one's own, and those of others.
    pub fn all(&self) -> impl Iterator<Item = Row<'_>> {
        self.list.all().filter_map(|id| self.get(id))
    }

    /// The rows of the agent's own requests, the oldest first.
    pub fn mine(&self) -> impl Iterator<Item = Row<'_>> {
        self.store.mine().filter_map(|request| self.get(request.row))
    }

    /// The rows of drafts and creates that have not become a request, the oldest first.
    pub fn creates(&self) -> impl Iterator<Item = Row<'_>> {
        self.attempts.creates.keys().filter_map(|id| self.get(*id)).filter(|row| row.request.is_none())
    }

    /// The rows of requests that this process has begun to close, the oldest first.
    pub fn closes(&self) -> impl Iterator<Item = Row<'_>> {
        self.attempts.closes.keys().filter_map(|id| self.get(*id))
    }

    /// The row that is selected.
    #[must_use]
    pub fn selected(&self) -> Option<Row<'_>> {
        self.list.selected().and_then(|id| self.get(id))
    }

    /// The row of a request that the service knows by this id.
    #[must_use]
    pub fn find(&self, id: &RequestId) -> Option<Row<'_>> {
        self.store.find(id).and_then(|request| self.get(request.row))
    }

    /// How a sentence names a row; nothing where there is none.
    pub(super) fn name(&self, id: RowId) -> String {
        self.get(id).map_or_else(String::new, |row| row.name())
    }

    fn next_id(&mut self) -> RowId {
        self.rows += 1;
        RowId(self.rows)
    }

    /// Puts a row that has changed in its place in the list.
    fn update_list(&mut self, id: RowId) {
        match self.get(id).map(|row| ListEntry::new(&row)) {
            Some(entry) => self.list.put(id, entry),
            None => self.list.remove(id),
        }
    }

    /// Takes in requests that the service listed. One that is not known becomes somebody else's; one's own
    /// requests are not changed: only a check says what became of them.
    pub fn insert_listed(&mut self, listed: Vec<ElevationRequest>, at: Timestamp) {
        let mut new = Vec::new();
        for data in listed {
            let Some((row, mine)) = self.store.find(&data.id).map(|request| (request.row, request.mine)) else {
                let row = self.next_id();
                new.push(Request::listed(row, data, at));
                continue;
            };
            if !mine {
                self.change_request(row, |request| {
                    request.closure = data.closed.is_some().then_some(request.closure.unwrap_or(Closure::Elsewhere));
                    request.take(data);
                    request.as_of = at;
                });
            }
        }
        if new.len() < 2 {
            for request in new {
                let row = request.row;
                self.store.insert(request);
                self.update_list(row);
            }
            return;
        }
        let rows = self.store.insert_all(new);
        let entries = rows.into_iter().filter_map(|id| Some((id, ListEntry::new(&self.get(id)?)))).collect();
        self.list.put_all(entries);
    }

    /// Makes a request one of the agent's own. What is known of it already stays. Returns its row.
    pub(super) fn take_as_mine(&mut self, data: ElevationRequest, now: Timestamp) -> RowId {
        if let Some(row) = self.store.find(&data.id).map(|request| request.row) {
            self.change_request(row, |request| request.mine = true);
            return row;
        }
        let row = self.next_id();
        self.store.insert(Request { mine: true, unclaimed: false, ..Request::listed(row, data, now) });
        self.update_list(row);
        row
    }

    /// Adds an attempt to open a request. The selection stays where it is.
    pub(super) fn add_create(&mut self, create: CreateAttempt) -> RowId {
        let row = self.next_id();
        self.attempts.creates.insert(row, create);
        self.update_list(row);
        row
    }

    /// Selects a row, and clears the filter where that hides the row.
    pub(super) fn select(&mut self, id: RowId) {
        self.list.select(id);
    }

    /// The service has opened the request of this create: it is the agent's own from here on, in the same row.
    pub(super) fn open(&mut self, id: RowId, data: ElevationRequest, closure: Option<Closure>, now: Timestamp) {
        let Some(create) = self.attempts.creates.get_mut(&id) else { return };
        create.state = CreateState::Opened;
        (create.error, create.seen) = (None, None);
        let data = data.with_gaps_from_draft(&create.draft);
        self.store.insert(Request { mine: true, unclaimed: false, closure, ..Request::listed(id, data, now) });
        self.update_list(id);
    }

    /// The request of this create has a row already: that one takes over the attempt, and the create's own row goes.
    pub(super) fn open_as(&mut self, id: RowId, known: RowId) {
        if let Some(create) = self.attempts.creates.remove(&id) {
            let create = CreateAttempt { state: CreateState::Opened, error: None, seen: None, ..create };
            self.attempts.creates.insert(known, create);
        }
        let was_selected = self.list.selected() == Some(id);
        self.list.remove(id);
        self.change_request(known, |request| {
            (request.mine, request.surplus, request.unclaimed) = (true, false, false);
        });
        if was_selected && self.list.is_shown(known) {
            self.list.select(known);
        }
    }

    /// Drops an attempt to open a request, and its row.
    pub(super) fn remove_create(&mut self, id: RowId) -> Option<CreateAttempt> {
        let create = self.attempts.creates.remove(&id);
        self.update_list(id);
        create
    }

    /// Changes what is known of a request.
    pub(super) fn change_request(&mut self, id: RowId, change: impl FnOnce(&mut Request)) {
        if self.store.change(id, change) {
            self.update_list(id);
        }
    }

    /// Changes an attempt to open a request.
    pub(super) fn change_create(&mut self, id: RowId, change: impl FnOnce(&mut CreateAttempt)) {
        if let Some(create) = self.attempts.creates.get_mut(&id) {
            change(create);
            self.update_list(id);
        }
    }

    /// Changes a request together with the attempt to close it.
    pub(super) fn change_close(&mut self, id: RowId, change: impl FnOnce(&mut Request, &mut CloseAttempt)) {
        let close = self.attempts.closes.entry(id).or_default();
        let is_known = self.store.change(id, |request| change(request, close));
        if !is_known || close.is_empty() {
            self.attempts.closes.remove(&id);
        }
        self.update_list(id);
    }

    /// Notes what went wrong with what a row attempts.
    pub(super) fn set_error(&mut self, id: RowId, error: CallError) {
        if self.store.get(id).is_some() {
            self.change_close(id, |_, close| close.error = Some(error));
        } else {
            self.change_create(id, |create| create.error = Some(error));
        }
    }

    /// The text of a row's close dialog, for typing in. It changes nothing that the list shows.
    pub(super) fn actions_taken(&mut self, id: RowId) -> Option<&mut TextField> {
        self.store.get(id)?;
        Some(self.attempts.closes.entry(id).or_default().text())
    }

    pub(super) fn change_filter(&mut self, change: impl FnOnce(&mut TextField)) {
        self.list.change_filter(change);
    }

    pub(super) fn clear_filter(&mut self) {
        self.list.clear_filter();
    }

    pub(super) fn next_sort(&mut self) {
        self.list.next_sort();
    }

    pub(super) fn move_selection(&mut self, motion: Motion) {
        self.list.move_selection(motion);
    }
}
