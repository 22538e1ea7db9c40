//! What the tenant knows: plain data, as it is kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::wire::{Device, ElevationRequest};

/// A device, and since when its local administrator has the password that follows from the two.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Managed {
    pub(super) device: Device,
    pub(super) password_since: String,
}

impl Managed {
    /// A device with a password that is made now.
    pub(super) fn new(device: Device, now: Timestamp) -> Self {
        Self { device, password_since: time(now) }
    }

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

/// For how many seconds it is known how a request was before a change.
pub(super) const REMEMBERED: u64 = 60 * 60;

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

impl TenantData {
    pub(super) fn new(devices: Vec<Managed>, mut requests: Vec<ElevationRequest>) -> Self {
        requests.sort_by(|a, b| a.request_creation_time.cmp(&b.request_creation_time));
        Self { devices, requests, late: Vec::new() }
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

/// One step of `SplitMix64`: numbers that look random and are always the same.
pub(super) const fn splitmix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
