//! The rules: what the tenant knows, and what the service would say to a call.

use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    AGENT_UPN, TENANT_ID,
    filter::Filter,
    rules::{Fate, ListFault},
    settings::{Order, Settings},
    tenant::{Late, Managed, NewRequest, REMEMBERED, TenantData, same_name, splitmix, time},
    wire::{Device, ElevationRequest, Refusal},
};

/// The ring to whose devices elevation is not offered.
const TEST_RING: &str = "Test";

/// Which part of a list is asked for.
#[derive(Default)]
pub(super) struct PageRange {
    pub(super) skip: usize,
    pub(super) top: Option<usize>,
    /// Where the link of the page before says that this one begins.
    pub(super) token: Option<usize>,
}

/// A page, and where the next begins, if the answer is to say so.
pub(super) struct Page<T> {
    pub(super) entries: Vec<T>,
    pub(super) next: Option<usize>,
}

/// How a change differs from one that is simply done: what the rules of misbehaviour add to it.
#[derive(Clone, Copy, Default)]
pub(super) struct Twist {
    /// How long lists go on showing what was before it.
    pub(super) late: Option<Duration>,
    /// Whether a create opens a second request that nobody is told of.
    pub(super) twice: bool,
}

/// The tenant, and the rules that it is kept by.
pub(super) struct TenantStore {
    settings: Settings,
    known: TenantData,
}

impl TenantStore {
    pub(super) const fn new(settings: Settings, known: TenantData) -> Self {
        Self { settings, known }
    }

    pub(super) const fn known(&self) -> &TenantData {
        &self.known
    }

    /// What another process has made of the tenant.
    pub(super) fn replace(&mut self, known: TenantData) {
        self.known = known;
    }

    /// All requests, late or not.
    pub(super) fn all(&self) -> &[ElevationRequest] {
        &self.known.requests
    }

    /// A request by its id.
    pub(super) fn find(&self, id: &str) -> Option<&ElevationRequest> {
        self.known.requests.iter().find(|request| request.id.eq_ignore_ascii_case(id))
    }

    /// Opens a request. Nothing is compared with what is open already: the same call twice opens two, as there is no
    /// idempotency key.
    pub(super) fn create(
        &mut self,
        new: NewRequest,
        now: Timestamp,
        twist: Twist,
    ) -> Result<ElevationRequest, Refusal> {
        let managed = self.managed(&new.device)?;
        let facts = &managed.device.facts;
        if let Some(words) = &self.settings.test_ring_refusal
            && facts.primary_update_ring == TEST_RING
        {
            return Err(Refusal::new(StatusCode::FORBIDDEN, words));
        }
        if self.open_for(&facts.name).count() >= self.settings.open_requests_per_device {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "This device has too many open elevation requests."));
        }
        let (device, password_since) = (facts.name.clone(), managed.password_since.clone());
        let id = Uuid::new_v4().to_string();
        let request = NewRequest { device, ..new }.opened(id, AGENT_UPN, time(now), password_since);
        self.open(request.clone(), twist);
        if twist.twice {
            // It is the service's own slip, so the device's limit does not stop it.
            self.open(ElevationRequest { id: Uuid::new_v4().to_string(), ..request.clone() }, twist);
        }
        Ok(request)
    }

    fn open(&mut self, request: ElevationRequest, twist: Twist) {
        self.show_late(&request.id, None, twist);
        self.known.requests.push(request);
    }

    /// Lists show `before` in place of the request for as long as the twist says. By the clock of this machine, whatever
    /// the service's own clock is made to say.
    fn show_late(&mut self, id: &str, before: Option<ElevationRequest>, twist: Twist) {
        let now = Timestamp::now();
        let remembered = earlier(now, Duration::from_secs(REMEMBERED));
        self.known.late.retain(|late| late.until > remembered);
        let until = now.checked_add(twist.late.unwrap_or_default()).unwrap_or(now);
        self.known.late.push(Late { id: id.to_owned(), until: time(until), before });
    }

    /// Closes a request.
    pub(super) fn close(
        &mut self,
        id: &str,
        actions_taken: String,
        now: Timestamp,
        twist: Twist,
    ) -> Result<(), Refusal> {
        let before = self.find(id).cloned();
        let request = self.known.requests.iter_mut().find(|request| request.id.eq_ignore_ascii_case(id));
        let request = request.ok_or_else(|| not_found("This elevation request does not exist."))?;
        if !request.is_open() {
            return Err(Refusal::bad("This elevation request was already closed."));
        }
        request.actions_taken = actions_taken;
        AGENT_UPN.clone_into(&mut request.closing_agent_upn);
        request.request_closure_time = Some(time(now));
        request.password_last_updated_time = time(now);
        let (id, device) = (request.id.clone(), request.device_name.clone());
        // That a close gives the device a new password is an assumption.
        self.rotate(&device, now);
        self.show_late(&id, before, twist);
        Ok(())
    }

    /// A page of the requests, open and closed, that meet the filter.
    pub(super) fn requests(&self, filter: &Filter, range: &PageRange, fate: &Fate) -> Page<ElevationRequest> {
        let stale =
            fate.list.iter().find_map(|fault| if let ListFault::Stale(ago) = fault { Some(*ago) } else { None });
        let as_of = earlier(Timestamp::now(), stale.unwrap_or_default());
        let late = |id: &str| self.known.late.iter().find(|late| late.until > as_of && late.id == id);
        let shown = self.known.requests.iter().filter_map(|request| match late(&request.id) {
            Some(late) => late.before.as_ref(),
            None => Some(request),
        });
        let mut matching: Vec<_> = shown.filter(|request| filter.holds(request)).collect();
        if self.settings.order == Order::NewestFirst {
            matching.reverse();
        }
        cut(matching, range, self.settings.page_size, fate)
    }

    /// A page of the devices in which the text is found, in any letter case.
    pub(super) fn devices(&self, text: &str, range: &PageRange) -> Vec<Device> {
        let text = text.to_lowercase();
        let devices = self.known.devices.iter().map(|managed| &managed.device);
        let found =
            devices.filter(|device| device.facts.searched().iter().any(|part| part.to_lowercase().contains(&text)));
        cut(found.collect(), range, self.settings.page_size, &Fate::default()).entries
    }

    /// One device.
    pub(super) fn device(&self, name: &str) -> Result<Device, Refusal> {
        Ok(self.managed(name)?.device.clone())
    }

    /// The credential of a device with an open request; the newest where there are several.
    pub(super) fn details(&mut self, name: &str, now: Timestamp) -> Result<Value, Refusal> {
        let name = self.managed(name)?.device.facts.name.clone();
        let since = self.managed(&name)?.password_since.parse::<Timestamp>();
        if since.is_ok_and(|since| now.duration_since(since).unsigned_abs() >= self.settings.password_lasts) {
            self.rotate(&name, now);
        }
        let request = self.known.requests.iter_mut().rev().find(|r| r.is_open() && same_name(&r.device_name, &name));
        // Status and words are an assumption, and so is that whoever asks becomes a viewer.
        let request = request.ok_or_else(|| not_found("This device has no open elevation request."))?;
        if !request.viewer_upns.iter().any(|viewer| viewer == AGENT_UPN) {
            request.viewer_upns.push(AGENT_UPN.to_owned());
        }
        let (id, viewed_by) = (request.id.clone(), request.viewer_upns.clone());
        let managed = self.managed(&name)?;
        Ok(json!({
            "openedElevationRequestId": id,
            "accountUpn": format!("{name}\\MMDLocalAdmin"),
            "password": managed.password(),
            "passwordLastUpdated": managed.password_since,
            "status": "PasswordSucceeded",
            "isPasswordChanged": false,
            "viewedBy": viewed_by,
            "aadDeviceId": managed.device.facts.aad_device_id,
            "deviceName": name,
            "tenantId": TENANT_ID,
        }))
    }

    fn managed(&self, name: &str) -> Result<&Managed, Refusal> {
        let found = self.known.devices.iter().find(|managed| managed.is_named(name));
        found.ok_or_else(|| not_found("This device does not exist."))
    }

    fn open_for(&self, device: &str) -> impl Iterator<Item = &ElevationRequest> {
        self.known.requests.iter().filter(move |request| request.is_open() && same_name(&request.device_name, device))
    }

    fn rotate(&mut self, device: &str, now: Timestamp) {
        for managed in self.known.devices.iter_mut().filter(|managed| managed.is_named(device)) {
            managed.password_since = time(now);
        }
        for request in self.known.requests.iter_mut().filter(|r| r.is_open() && same_name(&r.device_name, device)) {
            request.password_last_updated_time = time(now);
        }
    }
}

/// So long before, as texts have it here.
fn earlier(now: Timestamp, by: Duration) -> String {
    time(now.checked_sub(by).unwrap_or(now))
}

fn not_found(words: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, words)
}

/// Cuts a page of at most `most` out of the list, with the faults of the call's fate.
fn cut<T: Clone>(mut all: Vec<&T>, range: &PageRange, most: Option<usize>, fate: &Fate) -> Page<T> {
    let (mut most, mut has_links, mut overlap) = (most.unwrap_or(usize::MAX), false, 0);
    let mut drawn = fate.drawn;
    let mut below = |bound: usize| {
        drawn = splitmix(drawn);
        usize::try_from(drawn % bound.max(1) as u64).unwrap_or_default()
    };
    for fault in &fate.list {
        match *fault {
            ListFault::Cap(entries) => most = most.min(entries),
            ListFault::NextLink(entries) => (most, has_links) = (most.min(entries), true),
            ListFault::Overlap(entries) => overlap = entries,
            ListFault::Vanish(entries) => {
                for _ in 0..entries.min(all.len()) {
                    all.remove(below(all.len()));
                }
            }
            ListFault::Shuffle => (1..all.len()).for_each(|at| all.swap(at, below(at + 1))),
            // These are about what there is to cut, and what may be asked.
            ListFault::Unfiltered | ListFault::RefuseTop(_) | ListFault::Stale(_) => {}
        }
    }
    let length = range.top.unwrap_or(most).min(most);
    let start = if has_links { range.token.unwrap_or_default() } else { range.skip };
    // A page that brought nothing new would be an endless list.
    let start = start.saturating_sub(overlap.min(length.saturating_sub(1)));
    let entries: Vec<T> = all.iter().skip(start).take(length).copied().cloned().collect();
    let end = start + entries.len();
    Page { next: (has_links && end < all.len()).then_some(end), entries }
}
