//! What the tenant knows: plain data, as it is kept, and as it stands at its beginning.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    TENANT_ID,
    wire::{Device, ElevationRequest, Facts},
};

/// For how many seconds it is known how a request was before a change.
pub(super) const REMEMBERED: u64 = 60 * 60;
/// How long a record is kept, in seconds: 90 days, as in the document's sample. It is not enforced.
const TTL: u32 = 7_776_000;
/// What the service writes for "never".
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Everything that the tenant knows, and that is kept.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TenantData {
    pub(super) devices: Vec<Managed>,
    /// In the order of their creation.
    pub(super) requests: Vec<ElevationRequest>,
    #[serde(default)]
    pub(super) late: Vec<Late>,
}

/// A device, and since when its local administrator has the password that follows from the two.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Managed {
    pub(super) device: Device,
    pub(super) password_since: String,
}

impl Managed {
    /// A device whose name is empty is listed and can be asked for by nobody.
    pub(super) fn is_named(&self, name: &str) -> bool {
        !name.is_empty() && same_name(&self.device.facts.name, name)
    }

    /// It opens nothing, so it is computed instead of kept: what practice writes to disk holds no password, and every
    /// process that serves the tenant still tells the same one.
    pub(super) fn password(&self) -> String {
        let made_of = format!("{}\n{}", self.device.facts.aad_device_id, self.password_since);
        let half = |start: u64| made_of.bytes().fold(start, |mixed, byte| splitmix(mixed ^ u64::from(byte)));
        format!("{:016x}{:016x}", half(1), half(2))
    }
}

/// What lists show of a request until a change of it is visible everywhere, and what stale ones go on showing.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Late {
    pub(super) id: String,
    /// Like all times here: a text with a fixed number of digits, so that texts are in the order of their times.
    pub(super) until: String,
    /// The request as it was; nothing where it was not there.
    pub(super) before: Option<ElevationRequest>,
}

/// What a create asks for. All texts are as they came.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewRequest {
    pub(super) ticket: String,
    pub(super) device: String,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) subcategory: String,
    pub(super) plan_of_action: String,
}

impl NewRequest {
    /// The request as the service writes it when it is opened.
    pub(super) fn opened(self, id: String, agent: &str, at: String, password_since: String) -> ElevationRequest {
        ElevationRequest {
            id,
            tenant_id: TENANT_ID.to_owned(),
            // The sample has the tenant's id here too.
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

/// The embedded data: ages in place of times, so that the tenant looks fresh whenever it begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    devices: Vec<AgedDevice>,
    requests: Vec<AgedRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgedDevice {
    #[serde(flatten)]
    facts: Facts,
    synced_minutes_ago: Option<i64>,
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
    asked: NewRequest,
    actions_taken: String,
    viewers: Vec<String>,
}

/// What is known of a tenant that begins at `start`. Once it is kept, the ages have become times and stay.
pub(super) fn seed(start: Timestamp) -> serde_json::Result<TenantData> {
    let seed: Seed = serde_json::from_str(include_str!("../../../assets/practice-tenant.json"))?;
    let ago = |minutes| time(start.checked_sub(SignedDuration::from_mins(minutes)).unwrap_or(start));
    let devices = seed.devices.into_iter().map(|aged| {
        let synced = aged.synced_minutes_ago.map_or_else(|| NEVER.to_owned(), ago);
        let device = Device { facts: aged.facts, last_intune_sync_date_time_utc: synced };
        Managed { device, password_since: time(start) }
    });
    let requests = seed.requests.into_iter().map(|aged| {
        let closed = aged.closed_minutes_ago.map(ago);
        // A close changed the password; what is open has the one that was made at the start.
        let password_since = closed.clone().unwrap_or_else(|| time(start));
        ElevationRequest {
            actions_taken: aged.actions_taken,
            closing_agent_upn: aged.closed_by,
            request_closure_time: closed,
            viewer_upns: aged.viewers,
            ..aged.asked.opened(aged.id, &aged.requested_by, ago(aged.minutes_ago), password_since)
        }
    });
    let (devices, mut requests) = (devices.collect(), requests.collect::<Vec<_>>());
    requests.sort_by(|a, b| a.request_creation_time.cmp(&b.request_creation_time));
    Ok(TenantData { devices, requests, late: Vec::new() })
}

/// Whether two names are of one device: letter case does not tell devices apart.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// A time as the service writes it: UTC, with seven fractional digits.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.7}")
}

/// One step of `SplitMix64`: numbers that look random and are always the same.
pub(super) const fn splitmix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
