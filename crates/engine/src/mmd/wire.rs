//! The wire format: the bodies of the create and close documents, and reading entities.

use std::{
    fmt::Write as _,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::Serialize;
use serde_json::{Map, Value};

use mmd_elevate_core::{Device, ElevationRequest, Field, NewElevationRequest, RequestId, ServiceTime, Untrusted};

/// The longest text of a field, in characters, and the most viewers of a request: all of it is held in memory and in the record.
/// Both bounds are assumptions, far above what a form holds.
const LONGEST_TEXT: usize = 64 << 10;
const MAX_VIEWERS: usize = 256;

/// How many keys of an unusable answer an error names.
const MAX_KEYS: usize = 8;

/// The create document's request body. The keys have the case and order of the document's sample, because some `OData` services
/// are sensitive to case.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateBody<'a> {
    partner_ticket_id: &'a str,
    device_name: &'a str,
    title: &'a str,
    category: &'a str,
    subcategory: &'a str,
    plan_of_action: &'a str,
}

impl<'a> CreateBody<'a> {
    pub(super) fn new(request: &'a NewElevationRequest) -> Self {
        Self {
            partner_ticket_id: request.get(Field::Ticket),
            device_name: request.get(Field::Device),
            title: request.get(Field::Title),
            category: request.get(Field::Category),
            subcategory: request.get(Field::Subcategory),
            plan_of_action: request.get(Field::PlanOfAction),
        }
    }
}

/// The close document's request body.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CloseBody<'a> {
    pub(super) actions_taken: &'a str,
}

/// Returns all values of a key in any letter case; the exact key comes first.
pub(super) fn members<'a>(object: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    let others = object.iter().filter(move |(other, _)| other.as_str() != key && other.eq_ignore_ascii_case(key));
    object.get(key).into_iter().chain(others.map(|(_, value)| value)).filter(|value| !value.is_null())
}

/// Returns the first value of a key in any letter case.
pub(super) fn member<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    members(object, key).next()
}

/// Reads the entity of the create document's sample response.
///
/// Only the id is required. A key that is missing, null or of another type reads as empty, because the request exists whatever
/// else the answer holds. The letter case of keys does not matter.
///
/// # Errors
/// The reason why there is no usable id.
pub(super) fn entity(answer: &Value) -> Result<ElevationRequest, String> {
    let Some(object) = answer.as_object() else {
        return Err("it is JSON without keys".to_owned());
    };
    // `ID` is in another document of the service, and `Id` is the default of .NET.
    let Some(id) = members(object, "id").filter_map(as_text).find_map(RequestId::new) else {
        return Err(match members(object, "id").next() {
            Some(id) => format!("its id is {id}"),
            None if object.keys().any(|key| key.eq_ignore_ascii_case("id")) => "its id is null".to_owned(),
            None => format!("it has no id among its keys {}", key_names(object)),
        });
    };
    Ok(ElevationRequest {
        id,
        ticket: text(object, "partnerTicketId"),
        device: text(object, "deviceName"),
        title: text(object, "title"),
        category: text(object, "category"),
        subcategory: text(object, "subcategory"),
        plan_of_action: text(object, "planOfAction"),
        actions_taken: text(object, "actionsTaken"),
        requested_by: text(object, "requestingAgentUpn"),
        closed_by: text(object, "closingAgentUpn"),
        created: time(object, "requestCreationTime"),
        // A text that is no time, such as "pending", is no evidence that the request was closed.
        closed: time(object, "requestClosureTime").filter(|closed| closed.at.is_some()),
        viewers: texts(object, "viewerUpns"),
    })
}

/// The entries of a page.
pub(super) struct Entries {
    /// The readable entries.
    pub(super) requests: Vec<ElevationRequest>,
    /// A hash of each unreadable entry, by which a repeated one is recognized.
    pub(super) unreadable: Vec<u64>,
    /// The link to the next page.
    pub(super) next: Option<String>,
}

/// Reads a page of a list: an object with `value` (contract), or only the list. Returns `None` for anything else.
pub(super) fn page(answer: &Value) -> Option<Entries> {
    let object = answer.as_object();
    let list = match object {
        Some(object) => members(object, "value").find_map(Value::as_array)?,
        None => answer.as_array()?,
    };
    let mut entries = Entries { requests: Vec::new(), unreadable: Vec::new(), next: None };
    for entry in list {
        match entity(entry) {
            Ok(request) => entries.requests.push(request),
            Err(_) => entries.unreadable.push(entry_hash(entry)),
        }
    }
    // The second key is that of `OData` v3.
    let mut links = ["@odata.nextLink", "odata.nextLink"].into_iter();
    entries.next = object.and_then(|object| {
        let found = links.find_map(|key| members(object, key).find_map(Value::as_str));
        found.filter(|link| !link.trim().is_empty()).map(str::to_owned)
    });
    Some(entries)
}

fn entry_hash(entry: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    entry.hash(&mut hasher);
    hasher.finish()
}

/// Converts a value to text: a service may write a ticket as a number.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Reads the devices of a page. Entries that are not objects are left out, because a search proves nothing.
pub(super) fn devices(page: &Value) -> Option<Vec<Device>> {
    let list = match page.as_object() {
        Some(object) => members(object, "value").find_map(Value::as_array)?,
        None => page.as_array()?,
    };
    Some(list.iter().filter_map(Value::as_object).map(device).collect())
}

fn device(entry: &Map<String, Value>) -> Device {
    let text = |key| text(entry, key);
    let (user, assigned) = (text("userUpn"), text("assignedUser"));
    let (manufacturer, model) = (text("manufacturer"), text("model"));
    let model = match (manufacturer.is_blank(), model.is_blank()) {
        (_, true) => manufacturer,
        (true, false) => model,
        (false, false) => Untrusted::new(format!("{} {}", manufacturer.raw(), model.raw())),
    };
    Device {
        name: text("name"),
        serial_number: text("serialNumber"),
        user: if user.is_blank() { assigned } else { user },
        model,
        update_ring: text("primaryUpdateRing"),
    }
}

/// Encodes a value of a query: everything except unreserved characters. An encoder for forms would write blanks as `+`.
pub(super) fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 3), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string never fails.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn text(object: &Map<String, Value>, key: &str) -> Untrusted {
    bounded_text(&members(object, key).find_map(as_text).unwrap_or_default())
}

fn bounded_text(text: &str) -> Untrusted {
    match text.char_indices().nth(LONGEST_TEXT) {
        // The ellipsis makes it differ from every text that was sent.
        Some((end, _)) => Untrusted::new(format!("{}…", &text[..end])),
        None => Untrusted::new(text),
    }
}

fn texts(object: &Map<String, Value>, key: &str) -> Vec<Untrusted> {
    let list = members(object, key).find_map(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).take(MAX_VIEWERS).map(bounded_text).collect()
}

fn time(object: &Map<String, Value>, key: &str) -> Option<ServiceTime> {
    ServiceTime::read(text(object, key))
}

fn key_names(object: &Map<String, Value>) -> String {
    let mut names: Vec<_> = object.keys().take(MAX_KEYS).map(String::as_str).collect();
    match object.len() {
        0 => return "(none)".to_owned(),
        more if more > MAX_KEYS => names.push("…"),
        _ => {}
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn closure_that_is_no_moment_leaves_the_request_open() {
        let closed = |time: Value| entity(&json!({"id": "7", "requestClosureTime": time})).unwrap().closed.is_some();
        for time in [
            "2024-01-01T00:00:00Z",
            "2024-01-01 00:00:00",
            "2024-01-01T00:00:00.1234567+01:00",
            "/Date(1704067200000)/",
        ] {
            assert!(closed(json!(time)), "{time}");
        }
        for time in [
            json!(null),
            json!(""),
            json!("  "),
            json!("null"),
            json!("0001-01-01T00:00:00Z"),
            json!("0001-01-01T00:00:00.0000000+00:00"),
            json!("9999-12-31T23:59:59.9999999Z"),
            json!("/Date(-62135596800000)/"),
            json!("pending"),
            json!(false),
            json!(0),
        ] {
            assert!(!closed(time.clone()), "{time}");
        }
    }

    #[test]
    fn an_entity_needs_its_id_and_nothing_else() {
        for answer in [
            json!({"id": "7"}),
            json!({"ID": "7"}),
            json!({"Id": 7}),
            json!({"id": null, "ID": "7", "title": [5], "new": []}),
            json!({"id": "..", "ID": "7", "title": true}),
        ] {
            let entity = entity(&answer).unwrap();
            assert_eq!((entity.id.raw(), entity.title.raw(), entity.closed), ("7", "", None));
        }
        let viewers = entity(&json!({"id": "7", "viewerUpns": ["a@x", null, 3, "b@x"]})).unwrap().viewers;
        assert_eq!(viewers, [Untrusted::new("a@x"), Untrusted::new("b@x")]);
    }

    #[test]
    fn keys_are_read_in_either_case_and_numbers_as_texts() {
        for answer in [
            json!({"Id": "7", "PartnerTicketId": "4711", "DeviceName": "MMD-1", "RequestCreationTime": "2024-01-01T00:00:00Z", "ViewerUpns": ["a@x"]}),
            json!({"ID": "7", "partnerticketid": 4711, "DEVICENAME": "MMD-1", "requestcreationtime": "2024-01-01T00:00:00Z", "VIEWERUPNS": ["a@x"]}),
            json!({"id": "7", "partnerTicketId": null, "PartnerTicketID": 4711, "devicename": "MMD-1", "requestCreationTime": "2024-01-01T00:00:00Z", "viewerUpns": ["a@x"]}),
        ] {
            let entity = entity(&answer).unwrap();
            assert_eq!(
                (entity.ticket.raw(), entity.device.raw(), entity.viewers.len()),
                ("4711", "MMD-1", 1),
                "{answer}"
            );
            assert!(entity.created.is_some(), "{answer}");
        }
    }

    #[test]
    fn a_page_is_an_object_with_a_list_or_the_list_alone() {
        for (answer, read) in [
            (json!({"value": [{"id": "1"}]}), Some((1, 0, None))),
            (json!({"Value": [{"ID": "1"}], "@odata.nextLink": "x"}), Some((1, 0, Some("x")))),
            (json!({"VALUE": [], "odata.nextLink": "x"}), Some((0, 0, Some("x")))),
            (json!([{"id": "1"}, {"id": ".."}]), Some((1, 1, None))),
            (json!({"value": [{"title": "x"}, null, 7], "@odata.nextLink": null}), Some((0, 3, None))),
            (json!({"value": {"id": "1"}}), None),
            (json!({"id": "1"}), None),
            (json!("value"), None),
        ] {
            let page = page(&answer);
            let found = page.as_ref().map(|page| (page.requests.len(), page.unreadable.len(), page.next.as_deref()));
            assert_eq!(found, read, "{answer}");
        }
    }

    #[test]
    fn without_a_usable_id_it_says_what_came() {
        for (answer, words) in [
            (json!([{"id": "7"}]), "it is JSON without keys"),
            (json!({"id": ".."}), r#"its id is "..""#),
            (json!({"ID": true}), "its id is true"),
            (json!({"ID": null}), "its id is null"),
            (json!({"value": [], "title": "x"}), "it has no id among its keys title, value"),
            (json!({}), "it has no id among its keys (none)"),
        ] {
            assert_eq!(entity(&answer).unwrap_err(), words);
        }
    }
}
