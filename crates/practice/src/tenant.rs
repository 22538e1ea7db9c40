//! The invented tenant as it stands at its beginning: embedded data, with ages in place of times so that it looks fresh.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    TENANT_ID,
    known::{Managed, TenantData, time},
    wire::{Device, ElevationRequest, Facts},
};

/// How long a record is kept, in seconds: 90 days, as in the document's sample. It is not enforced.
pub(super) const TTL: u32 = 7_776_000;

/// What the service writes for "never".
const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Data {
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AgedRequest {
    id: String,
    minutes_ago: i64,
    closed_minutes_ago: Option<i64>,
    requested_by: String,
    closed_by: String,
    ticket: String,
    device: String,
    title: String,
    category: String,
    subcategory: String,
    plan_of_action: String,
    actions_taken: String,
    viewers: Vec<String>,
}

/// What is known of a tenant that begins at `start`. Once it is kept, the ages have become times and stay.
pub(super) fn seed(start: Timestamp) -> serde_json::Result<TenantData> {
    let data: Data = serde_json::from_str(include_str!("../../../assets/practice-tenant.json"))?;
    let ago = |minutes| start.checked_sub(SignedDuration::from_mins(minutes)).unwrap_or(start);
    let devices = data.devices.into_iter().map(|aged| {
        let synced = aged.synced_minutes_ago.map_or_else(|| NEVER.to_owned(), |minutes| time(ago(minutes)));
        Managed::new(Device { facts: aged.facts, last_intune_sync_date_time_utc: synced }, start)
    });
    let requests = data.requests.into_iter().map(|aged| {
        let closed = aged.closed_minutes_ago.map(|minutes| time(ago(minutes)));
        ElevationRequest {
            id: aged.id,
            tenant_id: TENANT_ID.to_owned(),
            partner_id: TENANT_ID.to_owned(),
            requesting_agent_upn: aged.requested_by,
            partner_ticket_id: aged.ticket,
            device_name: aged.device,
            title: aged.title,
            category: aged.category,
            subcategory: aged.subcategory,
            plan_of_action: aged.plan_of_action,
            actions_taken: aged.actions_taken,
            closing_agent_upn: aged.closed_by,
            request_creation_time: time(ago(aged.minutes_ago)),
            // A close changed the password; what is open has the one that was made at the start.
            password_last_updated_time: closed.clone().unwrap_or_else(|| time(start)),
            request_closure_time: closed,
            request_renew_time: None,
            is_successful_request: true,
            viewer_upns: aged.viewers,
            is_deleted: false,
            ttl: TTL,
            e_tag: None,
        }
    });
    Ok(TenantData::new(devices.collect(), requests.collect()))
}
