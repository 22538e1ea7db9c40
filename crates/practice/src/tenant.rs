//! The data of the tenant as they are stored, and the initial data.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    identity::TENANT_ID,
    wire::{Device, DeviceProperties, ElevationRequest},
};

/// For how many seconds the state of a request before a change is stored.
pub(super) const HISTORY_SECONDS: u64 = 60 * 60;
/// The time to live of a request, in seconds: 90 days, as in the document's sample. It is not enforced.
const TTL: u32 = 7_776_000;
/// The service's time for "never".
const NEVER: &str = "0001-01-01T00:00:00Z";

/// All data of the tenant.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TenantData {
    pub(super) devices: Vec<ManagedDevice>,
    /// In the order of their creation.
    pub(super) requests: Vec<ElevationRequest>,
    #[serde(default)]
    pub(super) late: Vec<DelayedChange>,
}

/// A device, and since when its local administrator has the current password.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ManagedDevice {
    pub(super) device: Device,
    pub(super) password_since: String,
}

impl ManagedDevice {
    /// Returns whether this is the name of the device. A device without a name is listed only.
    pub(super) fn is_named(&self, name: &str) -> bool {
        !name.is_empty() && same_name(&self.device.properties.name, name)
    }

    /// Computes the password, which opens nothing. It is not stored, so that no file holds a password and all processes
    /// return the same one.
    pub(super) fn password(&self) -> String {
        let seed = format!("{}\n{}", self.device.properties.aad_device_id, self.password_since);
        let half = |start: u64| seed.bytes().fold(start, |mixed, byte| splitmix(mixed ^ u64::from(byte)));
        format!("{:016x}{:016x}", half(1), half(2))
    }
}

/// A change that lists do not show yet, or that stale lists do not show.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DelayedChange {
    pub(super) id: String,
    /// A text with a fixed number of digits, like all times here, so that texts compare like times.
    pub(super) until: String,
    /// The request before the change, if it existed.
    pub(super) before: Option<ElevationRequest>,
}

/// The fields of a create, unchanged.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewRequest {
    #[serde(default)]
    pub(super) ticket: String,
    #[serde(default)]
    pub(super) device: String,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) subcategory: String,
    pub(super) plan_of_action: String,
}

impl NewRequest {
    /// Converts it to the request that the service opens.
    pub(super) fn into_open_request(
        self,
        id: String,
        agent: &str,
        at: String,
        password_since: String,
    ) -> ElevationRequest {
        ElevationRequest {
            id,
            tenant_id: TENANT_ID.to_owned(),
            // The document's sample has the tenant's id here too.
            partner_id: TENANT_ID.to_owned(),
            requesting_agent_upn: agent.to_owned(),
            partner_ticket_id: self.ticket,
            device_name: self.device,
            title: self.title,
            category: self.category,
            subcategory: self.subcategory,
            plan_of_action: self.plan_of_action,
            actions_taken: String::new(),
            closing_agent_upn: String::new(),
            request_creation_time: at,
            request_closure_time: None,
            request_renew_time: None,
            is_successful_request: true,
            viewer_upns: Vec::new(),
            password_last_updated_time: password_since,
            is_deleted: false,
            ttl: TTL,
            e_tag: None,
        }
    }
}

/// The embedded data, with ages in place of times, so that a new tenant looks recent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    devices: Vec<AgedDevice>,
    requests: Vec<AgedRequest>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AgedDevice {
    #[serde(flatten)]
    pub(super) properties: DeviceProperties,
    synced_minutes_ago: Option<i64>,
}

impl AgedDevice {
    /// Returns the device in a tenant to which it is added at `start`.
    pub(super) fn into_managed(self, start: Timestamp) -> ManagedDevice {
        let synced = self.synced_minutes_ago.map_or_else(|| NEVER.to_owned(), |minutes| minutes_before(start, minutes));
        let device = Device { properties: self.properties, last_intune_sync_date_time_utc: synced };
        ManagedDevice { device, password_since: time(start) }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgedRequest {
    id: String,
    minutes_ago: i64,
    closed_minutes_ago: Option<i64>,
    requested_by: String,
    closed_by: String,
    #[serde(flatten)]
    new: NewRequest,
    actions_taken: String,
    viewers: Vec<String>,
}

/// Returns the data of a tenant that is created at `start`.
pub(super) fn seed(start: Timestamp) -> serde_json::Result<TenantData> {
    let seed: Seed = serde_json::from_str(include_str!("../assets/tenant.json"))?;
    let ago = |minutes| minutes_before(start, minutes);
    let devices = seed.devices.into_iter().map(|aged| aged.into_managed(start));
    let requests = seed.requests.into_iter().map(|aged| {
        let closed = aged.closed_minutes_ago.map(ago);
        // A close changes the password; open requests have the initial one.
        let password_since = closed.clone().unwrap_or_else(|| time(start));
        ElevationRequest {
            actions_taken: aged.actions_taken,
            closing_agent_upn: aged.closed_by,
            request_closure_time: closed,
            viewer_upns: aged.viewers,
            ..aged.new.into_open_request(aged.id, &aged.requested_by, ago(aged.minutes_ago), password_since)
        }
    });
    let (devices, mut requests) = (devices.collect(), requests.collect::<Vec<_>>());
    requests.sort_by(|a, b| a.request_creation_time.cmp(&b.request_creation_time));
    Ok(TenantData { devices, requests, late: Vec::new() })
}

fn minutes_before(start: Timestamp, minutes: i64) -> String {
    time(start.checked_sub(SignedDuration::from_mins(minutes)).unwrap_or(start))
}

/// Returns whether two names are the same except for letter case.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Formats a time as the service does: UTC, with seven fractional digits.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.7}")
}

/// Computes one step of `SplitMix64`, a reproducible pseudo-random number.
pub(super) const fn splitmix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
