//! The colleagues of the agent: the devices and requests that they add to a tenant, and what they open and close while it is
//! served. They never change a request that the agent opened, nor the password of a device on which the agent has an open one.

use std::{cmp::Reverse, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use uuid::{Builder, Uuid};

use super::{
    identity::AGENT_UPN,
    rules::ChangeFaults,
    state::ServerState,
    store::{TEST_RING, TenantStore, time_before},
    tenant::{AgedDevice, ManagedDevice, NewRequest, TenantData, splitmix},
    wire::{DeviceProperties, ElevationRequest},
};

/// The number of closed requests that are added.
const CLOSED: usize = 300;
/// The ages of the open requests that are added, in minutes.
const OPEN_MINUTES: [usize; 9] = [4, 11, 27, 52, 95, 190, 385, 720, 1380];
/// The fewest requests that colleagues keep open, and the most.
const FEWEST_OPEN: usize = 5;
const MOST_OPEN: usize = 14;
/// The number of their first ticket, which is above those of the embedded data.
const FIRST_TICKET: usize = 20_001;
const HOUR: usize = 60 * 60;

/// The embedded data of the colleagues.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Colleagues {
    /// Their addresses.
    agents: Vec<String>,
    /// The devices on which they open requests.
    devices: Vec<AgedDevice>,
    tasks: Vec<Task>,
}

/// What a request is about, and what closes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    #[serde(flatten)]
    new: NewRequest,
    actions_taken: String,
}

/// Reproducible pseudo-random numbers.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = splitmix(self.0);
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, values: &'a [T]) -> Option<&'a T> {
        values.get(self.below(values.len()))
    }

    fn uuid(&mut self) -> String {
        Builder::from_random_bytes(Uuid::from_u64_pair(self.next(), self.next()).into_bytes()).into_uuid().to_string()
    }
}

impl Colleagues {
    pub(super) fn load() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../assets/colleagues.json"))
    }

    /// Adds devices and requests to a tenant, unless it has them. Returns whether it had none.
    pub(super) fn join(&self, data: &mut TenantData, now: Timestamp) -> bool {
        if data.devices.iter().any(|managed| self.has(&managed.device.properties)) {
            return false;
        }
        let mut random = Random(0);
        data.devices.extend(self.devices.iter().map(|aged| aged.clone().into_managed(now)));
        let mut random_closed = |_| {
            let age = 6 * HOUR + random.below(89 * 24 * HOUR);
            (age, Some(age - HOUR / 12 - random.below(3 * HOUR)))
        };
        let mut ages: Vec<_> = (0..CLOSED).map(&mut random_closed).collect();
        ages.extend(OPEN_MINUTES.map(|minutes| (minutes * 60 + random.below(60), None)));
        ages.sort_unstable_by_key(|(age, _)| Reverse(*age));
        let ago = |seconds: usize| time_before(now, Duration::from_secs(seconds as u64));
        let usable: Vec<_> = data.devices.iter().filter(|managed| is_usable(managed)).collect();
        // Open requests are on the added devices only, so that the others have the free requests that documents speak of.
        let mut free = usable.iter().filter(|managed| self.has(&managed.device.properties)).step_by(2);
        let added = ages.into_iter().enumerate().filter_map(|(n, (opened, closed))| {
            let managed = if closed.is_some() { random.pick(&usable)? } else { free.next()? };
            let (task, agent) = (random.pick(&self.tasks)?, random.pick(&self.agents)?);
            let other = random.pick(&self.agents).filter(|_| random.below(5) == 0);
            let new = task.request(&managed.device.properties.name, n);
            let mut request = new.into_open_request(random.uuid(), agent, ago(opened), managed.password_since.clone());
            if closed.is_some() || random.below(3) > 0 {
                request.viewer_upns.push(agent.clone());
            }
            if let Some(closed) = closed {
                request.actions_taken.clone_from(&task.actions_taken);
                request.closing_agent_upn.clone_from(other.unwrap_or(agent));
                request.password_last_updated_time = ago(closed);
                request.request_closure_time = Some(ago(closed));
            }
            Some(request)
        });
        let added: Vec<_> = added.collect();
        data.requests.extend(added);
        data.requests.sort_by(|a, b| a.request_creation_time.cmp(&b.request_creation_time));
        true
    }

    /// Returns whether a device is one of those that are added.
    fn has(&self, device: &DeviceProperties) -> bool {
        self.devices.iter().any(|aged| aged.properties.name == device.name)
    }
}

impl Task {
    /// Returns the n-th request, for a device.
    fn request(&self, device: &str, n: usize) -> NewRequest {
        NewRequest { ticket: format!("INC-{}", FIRST_TICKET + n), device: device.to_owned(), ..self.new.clone() }
    }
}

fn is_usable(managed: &ManagedDevice) -> bool {
    let properties = &managed.device.properties;
    !properties.name.is_empty() && properties.primary_update_ring != TEST_RING
}

/// Lets the colleagues act until the future is dropped.
pub(super) async fn act(shared: &Arc<ServerState>) {
    if !shared.settings.colleagues {
        return;
    }
    let interval = shared.settings.colleague_interval;
    let mut wait = interval / 3;
    loop {
        tokio::time::sleep(wait).await;
        // If the tenant cannot be stored, the answers to the agent's calls say so.
        wait = shared.with(move |store| store.act(Timestamp::now())).await.unwrap_or(interval);
    }
}

/// What happened last is in the data, and the rest follows from it. So the processes that serve one tenant agree on what
/// happens next, and when, and only one of them does it.
impl TenantStore {
    /// Opens or closes a request of a colleague if the time has come. Returns how long to wait for the next time.
    fn act(&mut self, now: Timestamp) -> Duration {
        if self.time_to_act(now).is_zero() {
            self.open_or_close(now);
        }
        let wait = self.time_to_act(now);
        // It is zero if nothing could be done.
        if wait.is_zero() { self.settings.colleague_interval } else { wait }
    }

    /// Returns the requests of the colleagues, and a number that is different after each of their acts.
    fn theirs(&self) -> (Vec<&ElevationRequest>, Random) {
        let agents = self.colleagues.as_ref().map(|colleagues| &colleagues.agents[..]).unwrap_or_default();
        let theirs: Vec<_> =
            self.all().iter().filter(|request| agents.contains(&request.requesting_agent_upn)).collect();
        let closed = theirs.iter().filter(|request| !request.is_open()).count();
        let seed = (theirs.len() + closed) as u64;
        (theirs, Random(seed))
    }

    /// Returns the time until the next act: half the interval to one and a half after the last one.
    fn time_to_act(&self, now: Timestamp) -> Duration {
        let (theirs, mut random) = self.theirs();
        let times = theirs.iter().flat_map(|it| [Some(&it.request_creation_time), it.request_closure_time.as_ref()]);
        let last = times.flatten().max().and_then(|last| last.parse::<Timestamp>().ok());
        let since = last.map_or(SignedDuration::MAX, |last| now.duration_since(last));
        let interval = self.settings.colleague_interval;
        let gap = interval / 2 + interval / 64 * u32::try_from(random.below(65)).unwrap_or_default();
        // A last act in the future means that the clock was set back.
        Duration::try_from(since).map_or(Duration::ZERO, |since| gap.saturating_sub(since))
    }

    fn open_or_close(&mut self, now: Timestamp) {
        let (theirs, mut random) = self.theirs();
        let Some(colleagues) = &self.colleagues else { return };
        let is_agents = |device: &str| self.open_for(device).any(|request| request.requesting_agent_upn == AGENT_UPN);
        let open: Vec<_> = theirs.iter().filter(|request| request.is_open()).collect();
        let opens = open.len() <= FEWEST_OPEN || (open.len() < MOST_OPEN && random.below(2) == 0);
        if opens {
            let most = self.settings.open_requests_per_device;
            let devices = self.data().devices.iter().filter(|managed| is_usable(managed));
            let devices: Vec<_> = devices
                .filter(|managed| colleagues.has(&managed.device.properties))
                .map(|managed| managed.device.properties.name.as_str())
                // The agent finds room on every device.
                .filter(|name| self.open_for(name).count() + 1 < most && !is_agents(name))
                .collect();
            let picked = (random.pick(&devices), random.pick(&colleagues.tasks), random.pick(&colleagues.agents));
            let (Some(device), Some(task), Some(agent)) = picked else { return };
            let (new, agent) = (task.request(device, theirs.len()), agent.clone());
            // None of the refusals applies to a device that was chosen so.
            drop(self.create(new, &agent, now, ChangeFaults::default()));
        } else {
            // Work takes a while: the two newest are not closed yet.
            let open = &open[..open.len().saturating_sub(2)];
            let open: Vec<_> = open.iter().filter(|request| !is_agents(&request.device_name)).collect();
            let Some(request) = random.pick(&open) else { return };
            let task = colleagues.tasks.iter().find(|task| task.new.title == request.title);
            let actions = task.map_or_else(|| "Done.".to_owned(), |task| task.actions_taken.clone());
            let (id, agent) = (request.id.clone(), request.requesting_agent_upn.clone());
            drop(self.close(&id, actions, &agent, now, ChangeFaults::default()));
        }
    }
}
