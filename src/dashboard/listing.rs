//! The lists of the tenant: its open requests, asked for again and again, and its closed ones, asked for on demand. A list
//! that comes by itself moves nothing under the agent's eyes: what is new is told in a line, and shown on a key.

use std::{collections::HashSet, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{Closure, Effect, Model, RowId, RowState, ServiceState, Subject, names::agent};
use crate::keys::{Action, Scope, Tab};
use mmd_elevate_core::{
    Call, CallError, CallId, ElevationRequest, ErrorCode, Gaps, Query, RequestId, SignIn, Untrusted,
};

/// A list is not asked for sooner than after this many times what the last one took (contract: a sweep is heavy work).
const REST: u32 = 10;

/// How long at most until a list is asked for again while the service fails.
const LONGEST_REST: Duration = Duration::from_secs(600);

/// How long at least after the service asked to wait.
const THROTTLED_REST: Duration = Duration::from_secs(60);

/// After how long without a newer list one is called stale, at least.
const STALE: SignedDuration = SignedDuration::from_mins(2);

/// How many requests are named in the line of what is new.
const NAMED: usize = 2;

/// How far a list of the service is known.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The call that is under way, and when it began: as [`Model::elapsed`] stood then, and the time of day.
    asking: Option<(CallId, Duration, Timestamp)>,
    /// How many requests its pages have had so far.
    pub read: usize,
    /// When the last list was read.
    pub as_of: Option<Timestamp>,
    /// What could not be read of the last list.
    pub gaps: Gaps,
    /// Why the last call failed.
    pub error: Option<CallError>,
    /// How often in a row it failed.
    failures: u32,
    /// Until when it is not asked for again, as [`Model::elapsed`] stands then: reading it is heavy work for a service.
    rests_until: Duration,
    /// When it is due again, as [`Model::elapsed`] stands then.
    due: Option<Duration>,
    /// The ids of the pages so far.
    seen: HashSet<RequestId>,
    /// Whether the agent asked: then what is new is shown at once.
    by_hand: bool,
    /// Requests that are new since the list was shown.
    opened: Vec<ElevationRequest>,
    /// Rows that the last list has no more, and when that list began.
    gone: Vec<RowId>,
    gone_since: Timestamp,
}

impl Listing {
    /// Whether it is being read.
    #[must_use]
    pub const fn is_loading(&self) -> bool {
        self.asking.is_some()
    }

    fn has_news(&self) -> bool {
        !self.opened.is_empty() || !self.gone.is_empty()
    }
}

/// The lists of the tenant.
#[derive(Clone, Debug, Default)]
pub struct Listings {
    open: Listing,
    closed: Listing,
}

impl Listings {
    /// The list of this tab, where the service has one for it.
    #[must_use]
    pub const fn get(&self, tab: Tab) -> Option<&Listing> {
        match tab {
            Tab::Tenant => Some(&self.open),
            Tab::Closed => Some(&self.closed),
            Tab::Mine | Tab::Attention => None,
        }
    }

    const fn get_mut(&mut self, tab: Tab) -> Option<&mut Listing> {
        match tab {
            Tab::Tenant => Some(&mut self.open),
            Tab::Closed => Some(&mut self.closed),
            Tab::Mine | Tab::Attention => None,
        }
    }

    /// How long until the tenant's open requests are to be listed again.
    pub(super) fn due_in(&self, model: &Model) -> Option<Duration> {
        let due = self.open.due.filter(|_| can_ask(model) && self.open.asking.is_none())?;
        Some(due.saturating_sub(model.elapsed))
    }
}

/// Whether a list that comes by itself has any chance.
const fn can_ask(model: &Model) -> bool {
    matches!(model.service, ServiceState::Ready)
        && !matches!(model.sign_in, Some(SignIn::SigningIn | SignIn::SignedOut(_)))
}

impl Model {
    /// Whether the list is older than it should be by now.
    #[must_use]
    pub fn is_stale(&self, listing: &Listing) -> bool {
        let interval = self.preferences.refresh.and_then(|refresh| SignedDuration::try_from(refresh).ok());
        let limit = interval.map_or(STALE, |interval| (interval * 3).max(STALE));
        listing.as_of.is_some_and(|at| self.now.duration_since(at) > limit)
    }

    /// What is new in the tab that is shown and not in its list yet.
    #[must_use]
    pub fn news(&self) -> Option<String> {
        let listing = self.listings.get(self.requests.tab()).filter(|listing| listing.has_news())?;
        let opened = listing
            .opened
            .iter()
            .map(|request| format!("{} opened by {}", short(&request.ticket.visible()), agent(&request.requested_by)));
        let gone = listing.gone.iter().filter_map(|row| {
            let row = self.requests.get(*row)?;
            Some(format!("{} is no longer open", short(&row.text(mmd_elevate_core::Field::Ticket))))
        });
        let all: Vec<_> = opened.chain(gone).collect();
        let mut text = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if all.len() > NAMED {
            text.push_str(&format!(" and {} more", all.len() - NAMED));
        }
        Some(text)
    }
}

fn short(text: &str) -> String {
    text.chars().take(16).collect()
}

/// Asks for the list of this tab, where the service has one and it is not being read already.
fn ask(model: &mut Model, tab: Tab, by_hand: bool) -> Option<Effect> {
    let (query, label) = match tab {
        Tab::Tenant => (Query::Open, "listing the open requests of the tenant"),
        Tab::Closed => (Query::Closed, "listing the closed requests of the tenant"),
        Tab::Mine | Tab::Attention => return None,
    };
    if model.listings.get(tab)?.asking.is_some() {
        if let Some(listing) = model.listings.get_mut(tab) {
            listing.by_hand |= by_hand;
        }
        return None;
    }
    let left = model.listings.get(tab)?.rests_until.saturating_sub(model.elapsed);
    if !left.is_zero() {
        if by_hand {
            let text = format!("The list is long: it can be read again in {} s", left.as_secs() + 1);
            model.notice = Some(super::Notice::info(text));
        }
        return None;
    }
    let call = model.begin_call(Subject::Listing(tab), label.to_owned());
    let (began, at) = (model.elapsed, model.now);
    let listing = model.listings.get_mut(tab)?;
    (listing.asking, listing.read, listing.by_hand) = (Some((call, began, at)), 0, by_hand);
    listing.due = None;
    listing.seen.clear();
    Some(Effect::Call(call, Call::List(query)))
}

/// Asks for the tenant's open requests where they are due.
pub(super) fn tick(model: &mut Model) -> Option<Effect> {
    let due = model.listings.due_in(model)?;
    due.is_zero().then(|| ask(model, Tab::Tenant, false)).flatten()
}

/// The service can be called: from here on the tenant's open requests are listed by themselves, where that is wanted.
pub(super) fn begin(model: &mut Model) {
    if model.preferences.refresh.is_some() {
        model.listings.open.due = Some(model.elapsed);
    }
}

/// Asks again for what the tab shows.
pub(super) fn refresh(model: &mut Model) -> Option<Effect> {
    let tab = model.requests.tab();
    show_news(model, tab);
    // What the other tabs show of one's own is asked for by name; the tenant's list may hold more of it.
    let tab = if tab == Tab::Closed { Tab::Closed } else { Tab::Tenant };
    ask(model, tab, true)
}

/// Shows another tab. A list that was never asked for is asked for now.
pub(super) fn show_tab(model: &mut Model, tab: Tab) -> Option<Effect> {
    show_news(model, model.requests.tab());
    model.requests.show(tab);
    let zone = model.time_zone.clone();
    // What a filter lets through may have changed with time.
    model.requests.change_filter(&zone, |_| ());
    model.details_scroll = 0;
    show_news(model, tab);
    let is_unasked = model.listings.get(tab).is_some_and(|listing| listing.as_of.is_none() && listing.asking.is_none());
    if is_unasked && matches!(model.service, ServiceState::Ready) { ask(model, tab, true) } else { None }
}

/// Puts what is new into the lists.
fn show_news(model: &mut Model, tab: Tab) {
    let now = model.now;
    let Some(listing) = model.listings.get_mut(tab) else { return };
    let (opened, gone) = (std::mem::take(&mut listing.opened), std::mem::take(&mut listing.gone));
    let (at, since) = (listing.as_of.unwrap_or(now), listing.gone_since);
    super::refresh::take_listed(model, opened, at);
    for row in gone {
        // What was learnt since then is newer, and of the agent's own a check alone says what became of them.
        let is_gone = |row: &super::Row<'_>| !row.mine && row.state == RowState::Open && row.as_of < since;
        if !model.requests.get(row).is_some_and(|row| is_gone(&row)) {
            continue;
        }
        model.requests.change_request(row, |request| {
            request.closure.get_or_insert(Closure::Elsewhere);
            request.as_of = at;
        });
    }
}

/// A page has come.
pub(super) fn apply_page(model: &mut Model, tab: Tab, page: Vec<ElevationRequest>) {
    // Before the agent looks at it, or asks for it, all of it is shown at once.
    let is_watched = model.requests.tab() == tab;
    let now = model.now;
    let Some(listing) = model.listings.get_mut(tab) else { return };
    let began = listing.asking.map_or(now, |(_, _, at)| at);
    listing.read += page.len();
    listing.seen.extend(page.iter().map(|request| request.id.clone()));
    model.devices.note_names(&page);
    let waits = is_watched && !listing.by_hand && listing.as_of.is_some();
    let (known, new): (Vec<_>, Vec<_>) =
        page.into_iter().partition(|request| !waits || model.requests.store().find(&request.id).is_some());
    super::refresh::take_listed(model, known, began);
    if let Some(listing) = model.listings.get_mut(tab) {
        for request in new {
            if !listing.opened.iter().any(|other| other.id == request.id) {
                listing.opened.push(request);
            }
        }
    }
}

/// The list was read, or could not be read. Own requests that it no longer has are asked for by their devices; those whose
/// device is not known are looked for among the closed ones.
pub(super) fn apply(model: &mut Model, tab: Tab, result: Result<(Gaps, Timestamp), CallError>) -> Vec<Effect> {
    let (elapsed, refresh) = (model.elapsed, model.preferences.refresh);
    let Some(listing) = model.listings.get_mut(tab) else { return Vec::new() };
    let Some((_, began, began_at)) = listing.asking.take() else { return Vec::new() };
    let took = elapsed.saturating_sub(began);
    listing.rests_until = elapsed + took * REST;
    let seen = std::mem::take(&mut listing.seen);
    let mut rest = refresh.map(|refresh| refresh.max(took * REST));
    let mut missing = Vec::new();
    match result {
        Ok((gaps, at)) => {
            let is_complete = gaps.is_empty();
            (listing.as_of, listing.gaps, listing.error, listing.failures) = (Some(at), gaps, None, 0);
            match tab {
                Tab::Tenant if is_complete => missing = note_gone(model, &seen, began_at),
                Tab::Closed if is_complete => note_unlisted(model, &seen, at),
                Tab::Mine | Tab::Tenant | Tab::Attention | Tab::Closed => {}
            }
        }
        Err(error) => {
            listing.failures += 1;
            let is_throttled = error.code == Some(ErrorCode::Throttled);
            rest = rest.map(|rest| {
                let longer = rest.saturating_mul(1 << listing.failures.min(8)).min(LONGEST_REST.max(rest));
                if is_throttled { longer.max(THROTTLED_REST) } else { longer }
            });
            listing.error = Some(error);
        }
    }
    let Some(listing) = model.listings.get_mut(tab) else { return Vec::new() };
    let by_hand = std::mem::take(&mut listing.by_hand);
    listing.due = rest.filter(|_| tab == Tab::Tenant).map(|rest| elapsed + rest);
    if model.requests.tab() != tab || by_hand {
        show_news(model, tab);
    }
    let failed = model.listings.get(tab).and_then(|listing| listing.error.clone()).filter(|_| by_hand);
    if let Some(error) = failed {
        let key = model.keymap.name(Scope::Panes, Action::Refresh);
        let what = if tab == Tab::Closed { "closed" } else { "open" };
        let about = format!("The tenant's {what} requests could not be listed");
        let hint = format!("what was seen last is shown; {key} asks again; {}", error.hint());
        model.notice = Some(super::Notice::from_error(&about, &error).hint(hint));
    }
    let (nameless, named): (Vec<_>, Vec<_>) = missing.into_iter().partition(|(_, device)| device.is_blank());
    let closed = if nameless.is_empty() { None } else { ask(model, Tab::Closed, false) };
    super::refresh::check(model, named).into_iter().chain(closed).collect()
}

/// Notes which of the agent's own requests no list has at all: of these only the id is known, and they were not among the
/// open ones either.
fn note_unlisted(model: &mut Model, seen: &HashSet<RequestId>, at: Timestamp) {
    let is_nameless = |row: &super::Row<'_>| row.state.is_open() && row.device().is_blank();
    let is_unlisted = |row: &super::Row<'_>| row.request_id().is_some_and(|id| !seen.contains(id));
    let rows: Vec<_> =
        model.requests.mine().filter(|row| is_nameless(row) && is_unlisted(row)).map(|row| row.id).collect();
    for row in rows {
        model.requests.change_request(row, |request| request.unlisted = Some(at));
    }
}

/// Notes what a complete list no longer has: rows of others wait to go, one's own are returned with their devices, as far as
/// these are known.
fn note_gone(model: &mut Model, seen: &HashSet<RequestId>, began: Timestamp) -> Vec<(RequestId, Untrusted)> {
    let (mut gone, mut missing) = (Vec::new(), Vec::new());
    let rows = model.requests.list_of(Tab::Tenant);
    for row in rows.all().filter_map(|id| model.requests.get(id)) {
        let Some(request) = row.request.filter(|request| !seen.contains(&request.id)) else { continue };
        // What was learnt while the list was being read may be newer than its page.
        if row.as_of >= began || !matches!(row.state, RowState::Open) {
            continue;
        }
        if row.mine {
            // Without a device, and not among the closed ones either: there is nothing by which to ask.
            if !request.device.is_blank() || row.unlisted.is_none() {
                missing.push((request.id.clone(), request.device.clone()));
            }
        } else {
            gone.push(row.id);
        }
    }
    (model.listings.open.gone, model.listings.open.gone_since) = (gone, began);
    model.listings.open.opened.retain(|request| seen.contains(&request.id));
    missing
}
