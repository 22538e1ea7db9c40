//! The rules: what the tenant knows, and what the service would say to a call.

use axum::http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    TENANT_ID,
    filter::Filter,
    settings::{Order, Settings},
    tenant::TTL,
    wire::{Details, Device, ElevationRequest, Refusal},
};

/// The ring to whose devices elevation is not offered.
const TEST_RING: &str = "Test";

/// What a create asks for. All texts are as they came.
pub(super) struct NewRequest {
    pub(super) ticket: String,
    pub(super) device: String,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) subcategory: String,
    pub(super) plan_of_action: String,
}

/// Which part of a list is asked for.
#[derive(Default)]
pub(super) struct Page {
    pub(super) skip: usize,
    pub(super) top: Option<usize>,
}

/// A device, with the password of its local administrator. Not `Debug`, so that no log can hold it.
pub(super) struct Managed {
    device: Device,
    password: String,
    password_since: Timestamp,
}

impl Managed {
    /// A device with a password that is made now.
    pub(super) fn new(device: Device, now: Timestamp) -> Self {
        Self { device, password: new_password(), password_since: now }
    }

    /// A device whose name is empty is listed and can be asked for by nobody.
    fn is_named(&self, name: &str) -> bool {
        !name.is_empty() && same_name(&self.device.facts.name, name)
    }
}

/// Everything the tenant knows.
pub(super) struct Store {
    settings: Settings,
    devices: Vec<Managed>,
    /// In the order of their creation.
    requests: Vec<ElevationRequest>,
}

impl Store {
    pub(super) fn new(settings: Settings, devices: Vec<Managed>, mut requests: Vec<ElevationRequest>) -> Self {
        // Times are written with a fixed number of digits, so that their texts are in their order.
        requests.sort_by(|a, b| a.request_creation_time.cmp(&b.request_creation_time));
        Self { settings, devices, requests }
    }

    /// Opens a request. Nothing is compared with what is open already: the same call twice opens two, as there is no
    /// idempotency key.
    pub(super) fn create(&mut self, new: NewRequest, now: Timestamp) -> Result<ElevationRequest, Refusal> {
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
        let request = ElevationRequest {
            id: Uuid::new_v4().to_string(),
            tenant_id: TENANT_ID.to_owned(),
            // The sample has the tenant's id here too.
            partner_id: TENANT_ID.to_owned(),
            requesting_agent_upn: self.settings.agent_upn.clone(),
            partner_ticket_id: new.ticket,
            device_name: facts.name.clone(),
            title: new.title,
            category: new.category,
            subcategory: new.subcategory,
            plan_of_action: new.plan_of_action,
            actions_taken: String::new(),
            closing_agent_upn: String::new(),
            request_creation_time: time(now),
            request_closure_time: None,
            request_renew_time: None,
            is_successful_request: true,
            viewer_upns: Vec::new(),
            password_last_updated_time: time(managed.password_since),
            is_deleted: false,
            ttl: TTL,
            e_tag: None,
        };
        self.requests.push(request.clone());
        Ok(request)
    }

    /// Closes a request.
    pub(super) fn close(&mut self, id: &str, actions_taken: String, now: Timestamp) -> Result<(), Refusal> {
        let request = self.requests.iter_mut().find(|request| request.id.eq_ignore_ascii_case(id));
        let request = request.ok_or_else(|| not_found("This elevation request does not exist."))?;
        if !request.is_open() {
            return Err(Refusal::bad("This elevation request was already closed."));
        }
        request.actions_taken = actions_taken;
        request.closing_agent_upn.clone_from(&self.settings.agent_upn);
        request.request_closure_time = Some(time(now));
        if self.settings.close_rotates_password {
            request.password_last_updated_time = time(now);
            let device = request.device_name.clone();
            self.rotate(&device, now);
        }
        Ok(())
    }

    /// A page of the requests, open and closed, that meet the filter.
    pub(super) fn requests(&self, filter: &Filter, page: &Page) -> Vec<ElevationRequest> {
        let matching = self.requests.iter().filter(|request| filter.holds(request));
        match self.settings.order {
            Order::NewestFirst => self.cut(matching.rev(), page).cloned().collect(),
            Order::OldestFirst => self.cut(matching, page).cloned().collect(),
        }
    }

    /// A page of the devices in which the text is found, in any letter case.
    pub(super) fn devices(&self, text: &str, page: &Page) -> Vec<Device> {
        let text = text.to_lowercase();
        let devices = self.devices.iter().map(|managed| &managed.device);
        let found =
            devices.filter(|device| device.facts.searched().iter().any(|part| part.to_lowercase().contains(&text)));
        self.cut(found, page).cloned().collect()
    }

    /// One device.
    pub(super) fn device(&self, name: &str) -> Result<Device, Refusal> {
        Ok(self.managed(name)?.device.clone())
    }

    /// The credential of a device with an open request; the newest where there are several.
    pub(super) fn details(&mut self, name: &str, now: Timestamp) -> Result<Details, Refusal> {
        let name = self.managed(name)?.device.facts.name.clone();
        let age = now.duration_since(self.managed(&name)?.password_since);
        if age.unsigned_abs() >= self.settings.password_lasts {
            self.rotate(&name, now);
        }
        let agent = &self.settings.agent_upn;
        let request = self.requests.iter_mut().rev().find(|r| r.is_open() && same_name(&r.device_name, &name));
        let request = request.ok_or_else(|| not_found(&self.settings.no_open_request_refusal))?;
        if self.settings.details_record_viewer && !request.viewer_upns.contains(agent) {
            request.viewer_upns.push(agent.clone());
        }
        let (id, viewed_by) = (request.id.clone(), request.viewer_upns.clone());
        let managed = self.managed(&name)?;
        Ok(Details {
            opened_elevation_request_id: id,
            account_upn: format!("{name}\\MMDLocalAdmin"),
            password: managed.password.clone(),
            password_last_updated: time(managed.password_since),
            status: "PasswordSucceeded",
            is_password_changed: false,
            viewed_by,
            aad_device_id: managed.device.facts.aad_device_id.clone(),
            device_name: name,
            tenant_id: TENANT_ID.to_owned(),
        })
    }

    fn managed(&self, name: &str) -> Result<&Managed, Refusal> {
        let found = self.devices.iter().find(|managed| managed.is_named(name));
        found.ok_or_else(|| not_found("This device does not exist."))
    }

    fn open_for(&self, device: &str) -> impl Iterator<Item = &ElevationRequest> {
        self.requests.iter().filter(move |request| request.is_open() && same_name(&request.device_name, device))
    }

    fn rotate(&mut self, device: &str, now: Timestamp) {
        for managed in self.devices.iter_mut().filter(|managed| managed.is_named(device)) {
            (managed.password, managed.password_since) = (new_password(), now);
        }
        for request in self.requests.iter_mut().filter(|r| r.is_open() && same_name(&r.device_name, device)) {
            request.password_last_updated_time = time(now);
        }
    }

    fn cut<'a, T: 'a>(&self, all: impl Iterator<Item = &'a T>, page: &Page) -> impl Iterator<Item = &'a T> {
        let most = self.settings.page_size.unwrap_or(usize::MAX);
        all.skip(page.skip).take(page.top.unwrap_or(most).min(most))
    }
}

/// Whether two names are of one device: letter case does not tell devices apart.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// A time as the service writes it: UTC, with seven fractional digits.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.7}")
}

fn not_found(words: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, words)
}

fn new_password() -> String {
    Uuid::new_v4().simple().to_string()
}
