//! What is known of devices: names seen in lists, and what the service's search says. The newest answer wins, and typing never
//! waits for one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Effect, Model, Pane, ServiceState, Subject, names::agent};
use mmd_elevate_core::{
    Call, CallError, CallId, Device, ElevationRequest, ErrorCode, Field, normal_device_name, visible,
};

/// How long after the last letter the service is asked.
const PAUSE: Duration = Duration::from_millis(200);

/// From how many letters on the service is asked.
const SHORTEST: usize = 3;

/// How many names are kept: more than an agent's tenant has, as a rule.
const KEPT: usize = 20_000;

/// The update ring for which elevation is not offered (contract).
const TEST_RING: &str = "Test";

/// A device as it is suggested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Its name.
    pub name: String,
    /// Who uses it and what it is, as far as that is known; harmless to a terminal.
    pub about: String,
    /// Whether it is in the update ring for which elevation is not offered.
    pub is_in_test_ring: bool,
}

/// What is known of devices.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    /// Names seen in lists.
    names: BTreeSet<Box<str>>,
    /// Devices that searches have found, by their names in small letters.
    found: BTreeMap<String, KnownDevice>,
    /// The search under way.
    asking: Option<CallId>,
    /// The text that was searched for last.
    searched: String,
    /// The text that is to be searched for.
    typed: String,
    /// When the text in the form is to be searched for, as [`Model::elapsed`] stands then.
    due: Option<Duration>,
    /// Whether the service has no search.
    has_no_search: bool,
    /// How often something new was learnt.
    pub(super) version: u64,
}

impl Devices {
    /// How long until the service is to be asked.
    pub(super) fn due_in(&self, elapsed: Duration) -> Option<Duration> {
        Some(self.due?.saturating_sub(elapsed))
    }

    /// The device of this name, where a search has found it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&KnownDevice> {
        self.found.get(&normal_device_name(name))
    }

    /// Notes the names of devices that a list has.
    pub(super) fn note_names(&mut self, listed: &[ElevationRequest]) {
        for request in listed {
            let name = request.device.raw().trim();
            if !name.is_empty() && self.names.len() < KEPT && !self.names.contains(name) {
                self.names.insert(name.into());
                self.version += 1;
            }
        }
    }

    /// The device that this word names, as it is spelled where it is known; `None` where it is not.
    pub(super) fn spelling(&self, word: &str) -> Option<&str> {
        let found = self.found.get(&normal_device_name(word)).map(|device| device.name.as_str());
        found.or_else(|| self.names.get(word).map(|name| &**name))
    }

    /// All devices, those that a search has found first.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let found = self.found.values().map(|device| (device.name.as_str(), device.about.as_str()));
        let seen = self.names.iter().filter(|name| !self.found.contains_key(&normal_device_name(name)));
        found.chain(seen.map(|name| (&**name, "")))
    }

    /// The known names that look most like this one.
    pub(super) fn nearest(&self, name: &str, count: usize) -> Vec<String> {
        let wanted = normal_device_name(name);
        let likeness = |other: &str| strsim::jaro_winkler(&wanted, &normal_device_name(other));
        let mut near: Vec<_> =
            self.all().map(|(name, _)| (likeness(name), name)).filter(|(like, _)| *like > 0.8).collect();
        near.sort_by(|one, other| other.0.total_cmp(&one.0));
        near.into_iter().take(count).map(|(_, name)| name.to_owned()).collect()
    }
}

impl Model {
    /// What is known of the device in the form.
    #[must_use]
    pub fn form_known_device(&self) -> Option<&KnownDevice> {
        self.devices.find(self.form.field(Field::Device).first_line())
    }
}

/// The text in the form may have changed: the service is asked for it once the agent pauses.
pub(super) fn note_typing(model: &mut Model) {
    let text = model.form.field(Field::Device).first_line().trim();
    let is_wanted = model.pane == Pane::Form
        && matches!(model.service, ServiceState::Ready)
        && model.form.sending().is_none()
        && model.form.focused == Field::Device
        && !model.devices.has_no_search
        && text.chars().count() >= SHORTEST
        && text != model.devices.searched;
    if !is_wanted {
        model.devices.due = None;
    } else if model.devices.due.is_none() || text != model.devices.typed {
        model.devices.typed = text.to_owned();
        model.devices.due = Some(model.elapsed + PAUSE);
    }
}

/// Asks the service for the text in the form where that is due.
pub(super) fn tick(model: &mut Model) -> Vec<Effect> {
    if model.devices.due.is_none_or(|due| due > model.elapsed) {
        return Vec::new();
    }
    model.devices.due = None;
    let text = model.form.field(Field::Device).first_line().trim().to_owned();
    model.devices.searched.clone_from(&text);
    // An answer to what was typed before is of no use.
    let mut effects: Vec<_> = model.devices.asking.take().map(Effect::Abandon).into_iter().collect();
    let call = model.begin_call(Subject::Search, "searching devices".to_owned());
    model.devices.asking = Some(call);
    effects.push(Effect::Call(call, Call::SearchDevices(text)));
    effects
}

/// A search has ended. One that failed leaves what is known.
pub(super) fn apply(model: &mut Model, call: CallId, result: Result<Vec<Device>, CallError>) {
    if model.devices.asking == Some(call) {
        model.devices.asking = None;
    }
    match result {
        Ok(devices) => {
            for device in devices.iter().filter(|device| !device.name.is_blank()) {
                let (user, kind) = (agent(&device.user), device.model.visible().trim().to_owned());
                let about: Vec<_> = [user, kind].into_iter().filter(|text| !text.trim().is_empty()).collect();
                let known = KnownDevice {
                    name: device.name.raw().trim().to_owned(),
                    about: about.join(" · "),
                    is_in_test_ring: device.update_ring.raw().eq_ignore_ascii_case(TEST_RING),
                };
                model.devices.found.insert(normal_device_name(&known.name), known);
            }
            model.devices.version += 1;
        }
        Err(error) => {
            // A service without a search says so each time.
            model.devices.has_no_search |= error.code == Some(ErrorCode::NotAccepted);
        }
    }
}

/// A name as it is shown.
pub(super) fn shown(name: &str) -> String {
    visible(name).into_owned()
}
