//! The requests that the service holds, what this process attempts about them, and the list of both. Every change goes
//! through [`Requests`], which puts the row that changed, and no other, in its place in the list.

mod attempt;
mod filter;
mod list;
mod row;
mod row_map;
mod sorted;
mod store;
mod tab;

use std::sync::Arc;

pub use attempt::{Attempts, CloseAttempt, CreateAttempt, CreateState, SentClose};
pub use filter::RequestFilter;
use filter::{Facts, Filter};
use jiff::{Timestamp, tz::TimeZone};
pub use list::{List, Sort};
pub use row::{Row, RowState};
pub use row_map::RowId;
pub use store::{Closure, Request, RequestStore};
pub use tab::{Age, Ages};

use super::TextField;
use crate::keys::{Marking, Motion, Tab};
use mmd_elevate_core::{CallError, ElevationRequest, RequestId};

/// The rows of the dashboard.
#[derive(Clone, Debug)]
pub struct Requests {
    store: RequestStore,
    attempts: Attempts,
    /// The list of each tab, in their order.
    lists: [List; 4],
    /// The tab that is shown.
    tab: Tab,
    ages: Ages,
    /// The time by which ages are reckoned.
    now: Timestamp,
    /// How many rows there have been.
    rows: u64,
    /// How often what is attempted, or known of it, may have changed.
    changes: u64,
}

impl Requests {
    /// No rows yet.
    pub(super) fn new(ages: Ages, now: Timestamp) -> Self {
        let (store, attempts) = (RequestStore::default(), Attempts::default());
        Self { store, attempts, lists: Tab::ALL.map(List::new), tab: Tab::default(), ages, now, rows: 0, changes: 0 }
    }

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

    /// The list of the tab that is shown.
    #[must_use]
    pub const fn list(&self) -> &List {
        &self.lists[self.tab as usize]
    }

    /// The list of a tab.
    #[must_use]
    pub const fn list_of(&self, tab: Tab) -> &List {
        &self.lists[tab as usize]
    }

    fn list_mut(&mut self) -> &mut List {
        &mut self.lists[self.tab as usize]
    }

    /// The tab that is shown.
    #[must_use]
    pub const fn tab(&self) -> Tab {
        self.tab
    }

    /// From which ages on an open request is marked.
    #[must_use]
    pub const fn ages(&self) -> Ages {
        self.ages
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
        (1..=self.rows).filter_map(|id| self.get(RowId(id)))
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
        self.list().selected().and_then(|id| self.get(id))
    }

    /// The row of a request that the service knows by this id.
    #[must_use]
    pub fn find(&self, id: &RequestId) -> Option<Row<'_>> {
        self.store.find(id).and_then(|request| self.get(request.row))
    }

    /// The rows of the requests that are open on a device, the oldest row first.
    pub fn open_on(&self, device: &str) -> impl Iterator<Item = Row<'_>> {
        let rows = self.store.on_device(device).filter_map(|request| self.get(request.row));
        rows.filter(|row| row.state.counts_as_open())
    }

    /// How a sentence names a row; nothing where there is none.
    pub(super) fn name(&self, id: RowId) -> String {
        self.get(id).map_or_else(String::new, |row| row.name())
    }

    /// How often what is attempted, or known of it, may have changed: as long as this stays, so do its texts.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    fn next_id(&mut self) -> RowId {
        self.rows += 1;
        RowId(self.rows)
    }

    /// Puts a row that has changed in its place in the lists of the tabs that it belongs to.
    fn update_list(&mut self, id: RowId) {
        self.changes += 1;
        let Some(row) = self.get(id) else {
            for list in &mut self.lists {
                list.remove(id);
            }
            return;
        };
        let holds = Tab::ALL.map(|tab| tab::holds(tab, &row, self.ages, self.now));
        let facts = Arc::new(Facts::new(&row));
        for (list, holds) in self.lists.iter_mut().zip(holds) {
            if holds {
                list.put(id, Arc::clone(&facts));
            } else if list.has(id) {
                list.remove(id);
            }
        }
    }

    /// Takes in what the time has changed: which requests are old. Returns the oldest age that one of the agent's own
    /// requests has just reached.
    pub(super) fn set_time(&mut self, now: Timestamp, zone: &TimeZone) -> Age {
        let before = std::mem::replace(&mut self.now, now);
        let mut reached = Age::Fresh;
        let aged: Vec<_> = self.mine().filter(|row| self.ages.of(row, before) != self.ages.of(row, now)).collect();
        reached = aged.iter().map(|row| self.ages.of(row, now)).fold(reached, Age::max);
        let aged: Vec<_> = aged.iter().map(|row| row.id).collect();
        for id in aged {
            self.update_list(id);
        }
        if self.list().is_filtered_by_time() {
            self.change_filter(zone, |_| ());
        }
        reached
    }

    /// Takes in a request of this record that is over. What is known of it already stays.
    pub(super) fn insert_ended(&mut self, data: ElevationRequest, closure: Closure, at: Timestamp) {
        if let Some(row) = self.store.find(&data.id).map(|known| known.row) {
            // The tenant's list was faster than the record. Where it had the request as open, a check decides.
            return self.change_request(row, |request| request.mine = true);
        }
        let row = self.next_id();
        let listed = Request::listed(row, data, at);
        self.store.insert(Request { mine: true, unclaimed: false, closure: Some(closure), ..listed });
        self.update_list(row);
    }

    /// Takes in requests that the service listed. One that is not known becomes somebody else's; one's own
    /// requests are not changed: only a check says what became of them.
    /// `at` is when the list was begun: what was learnt later is not replaced.
    pub fn insert_listed(&mut self, listed: Vec<ElevationRequest>, at: Timestamp) {
        let mut new = Vec::new();
        for data in listed {
            let Some((row, mine)) = self.store.find(&data.id).map(|request| (request.row, request.mine)) else {
                let row = self.next_id();
                new.push(Request::listed(row, data, at));
                continue;
            };
            self.change_request(row, |request| {
                let is_newer = at > request.as_of;
                if mine {
                    // A request that came back by its id alone is listed by no name.
                    if request.data.device.is_blank() {
                        request.take(ElevationRequest { closed: None, ..data.clone() });
                    }
                    // No list had shown these as closed.
                    let was_told = matches!(request.closure, Some(Closure::OnWord | Closure::Recorded | Closure::Gone));
                    if was_told && is_newer && data.closed.is_none() {
                        (request.closure, request.as_of) = (None, at);
                    }
                    return;
                }
                match (request.closure, data.closed.is_some()) {
                    // The list may be older than the close that it does not show.
                    (Some(_), false) if !is_newer => return,
                    (_, false) => request.closure = None,
                    (closure, true) => request.closure = Some(closure.unwrap_or(Closure::Elsewhere)),
                }
                request.take(data);
                request.as_of = request.as_of.max(at);
            });
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
        let mut of_tabs = Tab::ALL.map(|_| Vec::new());
        for id in rows {
            let Some(row) = self.get(id) else { continue };
            let facts = Arc::new(Facts::new(&row));
            for (tab, of_tab) in Tab::ALL.into_iter().zip(&mut of_tabs) {
                if tab::holds(tab, &row, self.ages, self.now) {
                    of_tab.push((id, Arc::clone(&facts)));
                }
            }
        }
        for (list, rows) in self.lists.iter_mut().zip(of_tabs) {
            if !rows.is_empty() {
                list.put_all(rows);
            }
        }
    }

    /// Makes a request one of the agent's own. What is known of it already stays. Returns its row.
    pub(super) fn take_as_mine(&mut self, data: ElevationRequest, now: Timestamp) -> RowId {
        if let Some(row) = self.store.find(&data.id).map(|request| request.row) {
            self.change_request(row, Request::become_mine);
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

    /// Shows another tab.
    pub(super) fn show(&mut self, tab: Tab) {
        self.tab = tab;
        self.list_mut().see();
    }

    /// Selects a row, in the tab that is shown if it has the row, or else in the first one that has, and clears the filter
    /// where that hides the row.
    pub(super) fn select(&mut self, id: RowId) {
        let has = |tab: &Tab| self.list_of(*tab).has(id);
        if let Some(tab) = [self.tab].into_iter().chain(Tab::ALL).find(has) {
            self.tab = tab;
            self.list_mut().select(id);
        }
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
        let had_it = Tab::ALL.map(|tab| self.list_of(tab).selected() == Some(id));
        self.update_list(id);
        self.change_request(known, |request| {
            request.become_mine();
            (request.surplus, request.unclaimed) = (false, false);
        });
        for (list, had_it) in self.lists.iter_mut().zip(had_it) {
            if had_it && list.is_shown(known) {
                list.select(known);
            }
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
        self.changes += 1;
        Some(self.attempts.closes.entry(id).or_default().text())
    }

    pub(super) fn change_filter(&mut self, zone: &TimeZone, change: impl FnOnce(&mut TextField)) {
        let mut line = self.list().filter().clone();
        change(&mut line);
        let filter = Filter::parse(line.first_line(), self.now, zone);
        self.list_mut().set_filter(line, filter);
    }

    pub(super) fn clear_filter(&mut self) {
        self.list_mut().set_filter(TextField::one_line(), Filter::default());
    }

    /// Marks or unmarks rows of the tab that is shown.
    pub(super) fn mark(&mut self, what: Marking) {
        let list = self.list_mut();
        match what {
            Marking::Row => list.toggle_mark(),
            Marking::Range => list.toggle_range(),
            Marking::All => list.toggle_all(),
        }
    }

    /// Forgets the range, or else the marks, of the tab that is shown. Returns whether there were any.
    pub(super) fn clear_marks(&mut self) -> bool {
        self.list_mut().clear_marks()
    }

    pub(super) fn next_sort(&mut self) {
        self.list_mut().next_sort();
    }

    pub(super) fn move_selection(&mut self, motion: Motion) {
        self.list_mut().move_selection(motion);
    }
}
