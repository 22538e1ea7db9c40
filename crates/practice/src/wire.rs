//! The wire format of the documents, without any rules.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The start of the service's contexts, with another host than the called one, as in the documents' samples.
const CONTEXT: &str = "https://mmd-support-prod-nam.trafficmanager.net/odata/v1/$metadata#";

/// The response of the create document, without its context.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ElevationRequest {
    pub(super) id: String,
    pub(super) tenant_id: String,
    pub(super) partner_id: String,
    pub(super) requesting_agent_upn: String,
    pub(super) partner_ticket_id: String,
    pub(super) device_name: String,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) subcategory: String,
    pub(super) plan_of_action: String,
    pub(super) actions_taken: String,
    pub(super) closing_agent_upn: String,
    pub(super) request_creation_time: String,
    pub(super) request_closure_time: Option<String>,
    pub(super) request_renew_time: Option<String>,
    pub(super) is_successful_request: bool,
    pub(super) viewer_upns: Vec<String>,
    pub(super) password_last_updated_time: String,
    pub(super) is_deleted: bool,
    pub(super) ttl: u32,
    pub(super) e_tag: Option<String>,
}

impl ElevationRequest {
    /// Returns whether the request is open: the wire format has no status, and an open request has no closure time.
    pub(super) const fn is_open(&self) -> bool {
        self.request_closure_time.is_none()
    }
}

/// The properties of a device, except for times, which the embedded data hold as ages.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceProperties {
    pub(super) name: String,
    serial_number: String,
    manufacturer: String,
    model: String,
    assigned_user: String,
    user_upn: String,
    compliance_state: String,
    pub(super) primary_update_ring: String,
    persona: String,
    pub(super) aad_device_id: String,
}

impl DeviceProperties {
    /// Returns the properties that `$searchText` searches: the documented ones that the practice tenant has, and the user's
    /// name (assumption).
    pub(super) fn searched(&self) -> [&str; 4] {
        [&self.name, &self.serial_number, &self.user_upn, &self.assigned_user]
    }
}

/// A device of the devices operation.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    #[serde(flatten)]
    pub(super) properties: DeviceProperties,
    pub(super) last_intune_sync_date_time_utc: String,
}

/// Returns an entity with its context.
pub(super) fn entity(set: &str, entity: &impl Serialize) -> Response {
    #[derive(Serialize)]
    struct Entity<'a, T> {
        #[serde(rename = "@odata.context")]
        context: String,
        #[serde(flatten)]
        entity: &'a T,
    }
    Json(Entity { context: format!("{CONTEXT}{set}/$entity"), entity }).into_response()
}

/// Returns a page of entities with its context, and with a link to the next page if there is one.
pub(super) fn page<T: Serialize>(set: &str, value: &[T], next: Option<String>) -> Response {
    #[derive(Serialize)]
    struct Collection<'a, T> {
        #[serde(rename = "@odata.context")]
        context: String,
        value: &'a [T],
        #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    }
    Json(Collection { context: format!("{CONTEXT}{set}"), value, next }).into_response()
}

/// An error in the documented envelope, in which the code is a string.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let envelope = json!({ "error": { "code": self.status.as_str(), "message": self.message } });
        (self.status, Json(envelope)).into_response()
    }
}

/// The fields of a JSON body.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Refusal::bad_request("The request body must be a JSON object.")),
            Err(_) => Err(Refusal::bad_request("The request body is not valid JSON.")),
        }
    }

    /// Returns the texts of these fields, in any letter case: the document's table has `partnerTicketId`, its sample
    /// `PartnerTicketId`. The error names all blank fields.
    pub(super) fn texts<const N: usize>(&self, keys: [&str; N], blank_refused: bool) -> Result<[String; N], Refusal> {
        if let Some(key) = keys.iter().find(|key| !matches!(self.get(key), None | Some(Value::Null | Value::String(_))))
        {
            return Err(Refusal::bad_request(format!("{key} must be a string.")));
        }
        let texts = keys.map(|key| self.get(key).and_then(Value::as_str).unwrap_or_default().to_owned());
        let blank: Vec<_> =
            keys.iter().zip(&texts).filter(|(_, text)| text.trim().is_empty()).map(|(k, _)| *k).collect();
        if blank_refused && !blank.is_empty() {
            return Err(Refusal::bad_request(format!("These fields must not be empty: {}.", blank.join(", "))));
        }
        Ok(texts)
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find_map(|(name, value)| name.eq_ignore_ascii_case(key).then_some(value))
    }
}
