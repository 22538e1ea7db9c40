//! The rules of the service: how it answers calls on the data of the tenant.

use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    colleagues::Colleagues,
    filter::Filter,
    identity::{AGENT_UPN, TENANT_ID},
    rules::{ChangeFaults, FaultPlan, ListFault},
    settings::{Order, Settings},
    tenant::{DelayedChange, HISTORY_SECONDS, ManagedDevice, NewRequest, TenantData, same_name, splitmix, time},
    wire::{Device, ElevationRequest, Refusal},
};

/// The update ring to whose devices elevation is not offered.
pub(super) const TEST_RING: &str = "Test";

/// The part of a list that a call requests.
#[derive(Default)]
pub(super) struct PageRange {
    pub(super) skip: usize,
    pub(super) top: Option<usize>,
    /// The start of the page according to the link of the page before.
    pub(super) token: Option<usize>,
}

/// A page, and where the next one begins if the answer links to it.
pub(super) struct ListPage<T> {
    pub(super) entries: Vec<T>,
    pub(super) next: Option<usize>,
}

/// The data of the tenant, and the settings of the service.
pub(super) struct TenantStore {
    pub(super) settings: Settings,
    pub(super) colleagues: Option<Colleagues>,
    data: TenantData,
}

impl TenantStore {
    pub(super) const fn new(settings: Settings, colleagues: Option<Colleagues>, data: TenantData) -> Self {
        Self { settings, colleagues, data }
    }

    /// Adds what colleagues bring to the tenant, unless it has it. Returns whether that changed the tenant.
    pub(super) fn add_colleagues(&mut self, now: Timestamp) -> bool {
        self.colleagues.as_ref().is_some_and(|colleagues| colleagues.join(&mut self.data, now))
    }

    pub(super) const fn data(&self) -> &TenantData {
        &self.data
    }

    /// Replaces the data by those of another process.
    pub(super) fn replace(&mut self, data: TenantData) {
        self.data = data;
    }

    /// Returns all requests, whether or not lists show them already.
    pub(super) fn all(&self) -> &[ElevationRequest] {
        &self.data.requests
    }

    /// Returns a request by its id.
    pub(super) fn find(&self, id: &str) -> Option<&ElevationRequest> {
        self.data.requests.iter().find(|request| request.id.eq_ignore_ascii_case(id))
    }

    /// Opens a request. There is no idempotency key: the same call twice opens two requests.
    pub(super) fn create(
        &mut self,
        new: NewRequest,
        agent: &str,
        now: Timestamp,
        faults: ChangeFaults,
    ) -> Result<ElevationRequest, Refusal> {
        let managed = self.managed(&new.device)?;
        let properties = &managed.device.properties;
        if let Some(message) = &self.settings.test_ring_refusal
            && properties.primary_update_ring == TEST_RING
        {
            return Err(Refusal::new(StatusCode::FORBIDDEN, message));
        }
        if self.open_for(&properties.name).count() >= self.settings.open_requests_per_device {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "This device has too many open elevation requests."));
        }
        let (device, password_since) = (properties.name.clone(), managed.password_since.clone());
        let id = Uuid::new_v4().to_string();
        let request = NewRequest { device, ..new }.into_open_request(id, agent, time(now), password_since);
        self.open(request.clone(), faults);
        if faults.twice {
            // A fault of the service, to which the limit of the device does not apply.
            self.open(ElevationRequest { id: Uuid::new_v4().to_string(), ..request.clone() }, faults);
        }
        Ok(request)
    }

    fn open(&mut self, request: ElevationRequest, faults: ChangeFaults) {
        self.show_late(&request.id, None, faults);
        self.data.requests.push(request);
    }

    /// Makes lists show `before` in place of the request until the change is visible, by this machine's clock.
    fn show_late(&mut self, id: &str, before: Option<ElevationRequest>, faults: ChangeFaults) {
        let now = Timestamp::now();
        let oldest = time_before(now, Duration::from_secs(HISTORY_SECONDS));
        self.data.late.retain(|late| late.until > oldest);
        let until = now.checked_add(faults.late.unwrap_or_default()).unwrap_or(now);
        self.data.late.push(DelayedChange { id: id.to_owned(), until: time(until), before });
    }

    /// Closes a request.
    pub(super) fn close(
        &mut self,
        id: &str,
        actions_taken: String,
        agent: &str,
        now: Timestamp,
        faults: ChangeFaults,
    ) -> Result<(), Refusal> {
        let before = self.find(id).cloned();
        let request = self.data.requests.iter_mut().find(|request| request.id.eq_ignore_ascii_case(id));
        let request = request.ok_or_else(|| not_found("This elevation request does not exist."))?;
        if !request.is_open() {
            return Err(Refusal::bad_request("This elevation request was already closed."));
        }
        request.actions_taken = actions_taken;
        agent.clone_into(&mut request.closing_agent_upn);
        request.request_closure_time = Some(time(now));
        request.password_last_updated_time = time(now);
        let (id, device) = (request.id.clone(), request.device_name.clone());
        // That a close gives the device a new password is an assumption.
        self.rotate(&device, now);
        self.show_late(&id, before, faults);
        Ok(())
    }

    /// Returns a page of the requests, open and closed, that match the filter.
    pub(super) fn requests(&self, filter: &Filter, range: &PageRange, plan: &FaultPlan) -> ListPage<ElevationRequest> {
        let stale =
            plan.list.iter().find_map(|fault| if let ListFault::Stale(ago) = fault { Some(*ago) } else { None });
        let as_of = time_before(Timestamp::now(), stale.unwrap_or_default());
        let late = |id: &str| self.data.late.iter().find(|late| late.until > as_of && late.id == id);
        let shown = self.data.requests.iter().filter_map(|request| match late(&request.id) {
            Some(late) => late.before.as_ref(),
            None => Some(request),
        });
        let mut matching: Vec<_> = shown.filter(|request| filter.matches(request)).collect();
        if self.settings.order == Order::NewestFirst {
            matching.reverse();
        }
        page(matching, range, self.settings.page_size, plan)
    }

    /// Returns a page of the devices that contain the text, in any letter case.
    pub(super) fn devices(&self, text: &str, range: &PageRange) -> Vec<Device> {
        let text = text.to_lowercase();
        let devices = self.data.devices.iter().map(|managed| &managed.device);
        let found = devices
            .filter(|device| device.properties.searched().iter().any(|part| part.to_lowercase().contains(&text)));
        page(found.collect(), range, self.settings.page_size, &FaultPlan::default()).entries
    }

    /// Returns one device.
    pub(super) fn device(&self, name: &str) -> Result<Device, Refusal> {
        Ok(self.managed(name)?.device.clone())
    }

    /// Returns the credential of a device with an open request; the newest request counts.
    pub(super) fn details(&mut self, name: &str, now: Timestamp) -> Result<Value, Refusal> {
        let name = self.managed(name)?.device.properties.name.clone();
        let since = self.managed(&name)?.password_since.parse::<Timestamp>();
        if since.is_ok_and(|since| now.duration_since(since).unsigned_abs() >= self.settings.password_lifetime) {
            self.rotate(&name, now);
        }
        let request = self.data.requests.iter_mut().rev().find(|r| r.is_open() && same_name(&r.device_name, &name));
        // The status, the message, and that the caller becomes a viewer are assumptions.
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
            "aadDeviceId": managed.device.properties.aad_device_id,
            "deviceName": name,
            "tenantId": TENANT_ID,
        }))
    }

    fn managed(&self, name: &str) -> Result<&ManagedDevice, Refusal> {
        let found = self.data.devices.iter().find(|managed| managed.is_named(name));
        found.ok_or_else(|| not_found("This device does not exist."))
    }

    pub(super) fn open_for(&self, device: &str) -> impl Iterator<Item = &ElevationRequest> {
        self.data.requests.iter().filter(move |request| request.is_open() && same_name(&request.device_name, device))
    }

    fn rotate(&mut self, device: &str, now: Timestamp) {
        for managed in self.data.devices.iter_mut().filter(|managed| managed.is_named(device)) {
            managed.password_since = time(now);
        }
        for request in self.data.requests.iter_mut().filter(|r| r.is_open() && same_name(&r.device_name, device)) {
            request.password_last_updated_time = time(now);
        }
    }
}

/// Returns an earlier time as a text.
pub(super) fn time_before(now: Timestamp, by: Duration) -> String {
    time(now.checked_sub(by).unwrap_or(now))
}

fn not_found(message: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, message)
}

/// Returns a page of a list, of at most `most` entries, with the list faults of the plan.
fn page<T: Clone>(mut all: Vec<&T>, range: &PageRange, most: Option<usize>, plan: &FaultPlan) -> ListPage<T> {
    let (mut most, mut has_links, mut overlap) = (most.unwrap_or(usize::MAX), false, 0);
    let mut random = plan.list_seed;
    let mut random_below = |bound: usize| {
        random = splitmix(random);
        usize::try_from(random % bound.max(1) as u64).unwrap_or_default()
    };
    for fault in &plan.list {
        match *fault {
            ListFault::Cap(entries) => most = most.min(entries),
            ListFault::NextLink(entries) => (most, has_links) = (most.min(entries), true),
            ListFault::Overlap(entries) => overlap = entries,
            ListFault::Vanish(entries) => {
                for _ in 0..entries.min(all.len()) {
                    all.remove(random_below(all.len()));
                }
            }
            ListFault::Shuffle => (1..all.len()).for_each(|at| all.swap(at, random_below(at + 1))),
            // These are applied before the page is cut.
            ListFault::Unfiltered | ListFault::RefuseTop(_) | ListFault::Stale(_) => {}
        }
    }
    let length = range.top.unwrap_or(most).min(most);
    let start = if has_links { range.token.unwrap_or_default() } else { range.skip };
    // A page must hold a new entry, or the list would never end.
    let start = start.saturating_sub(overlap.min(length.saturating_sub(1)));
    let entries: Vec<T> = all.iter().skip(start).take(length).copied().cloned().collect();
    let end = start + entries.len();
    ListPage { next: (has_links && end < all.len()).then_some(end), entries }
}
