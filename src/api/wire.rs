//! What goes over the wire: bodies as the create and close documents write them, and what is read of the answers.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::{ElevationRequest, Field, NewElevationRequest, RequestId, ServiceTime, Untrusted};

/// How .NET writes a time that never was; zone and fraction may follow (contract).
const NEVER: &str = "0001-01-01T00:00:00";

/// The longest text of a field that is kept, in characters, and how many viewers of a request are. All of it stays in
/// memory and in the record, and is wrapped anew for the screen. Both bounds are assumptions, far above what a form holds.
const LONGEST_TEXT: usize = 64 << 10;
const MOST_VIEWERS: usize = 256;

/// How many keys of an unusable answer are named.
const KEYS_NAMED: usize = 8;

/// The create document's request body. Its sample writes the keys in this case and order, and `OData` bodies have been
/// sensitive to case.
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
    pub(super) fn of(request: &'a NewElevationRequest) -> Self {
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

/// JSON, with or without the byte order mark that .NET likes to begin with.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok()
}

/// How much memory [`json`] takes for the values of this body, in bytes and never too low by much: a map takes a node
/// with places for eleven members at once, a list four places, and each comma may begin another member. Texts are left
/// out: they take what they take in the body.
pub(super) fn memory_of(body: &[u8]) -> usize {
    let (mut bytes, mut quoted, mut escaped) = (0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' => bytes += 640,
            b'[' | b',' => bytes += 128,
            _ => {}
        }
    }
    bytes
}

/// The service's words in an answer that has one of the two documented shapes of an error: `{"error": {"code",
/// "message"}}` (create and close documents) or `{"errorCode", "message"}` (another endpoint of the same service). The
/// code says nothing that the HTTP status does not. `None`: it has neither shape. Blank: it has no words.
pub(super) fn error_words(answer: &Value) -> Option<Untrusted> {
    let holder = match answer.get("error") {
        Some(error) => error.as_object()?,
        None => answer.as_object().filter(|object| object.contains_key("errorCode"))?,
    };
    Some(text(holder, "message"))
}

/// Reads the entity of the create document's sample response.
///
/// Only the id is insisted on. A key that is missing, null or of another type reads as empty: the request is open
/// whatever else the answer holds, and that is what the agent has to know.
///
/// # Errors
/// What came instead of a usable id, in a few words.
pub(super) fn entity(answer: &Value) -> Result<ElevationRequest, String> {
    let Some(object) = answer.as_object() else {
        return Err("it is JSON without keys".to_owned());
    };
    // `ID` is seen on another page of the service.
    let ids = || ["id", "ID"].into_iter().filter_map(|key| object.get(key));
    let Some(id) = ids().filter_map(Value::as_str).find_map(|id| RequestId::new(id).ok()) else {
        return Err(match ids().next() {
            Some(id) => format!("its id is {id}"),
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
        closed: time(object, "requestClosureTime"),
        viewers: texts(object, "viewerUpns"),
    })
}

/// Reads the list of a page: what of it can be used, and how many entries it has. `None`: it is no list.
pub(super) fn page(answer: &Value) -> Option<(Vec<ElevationRequest>, usize)> {
    let entries = answer.get("value")?.as_array()?;
    let requests: Vec<_> = entries.iter().filter_map(|entry| entity(entry).ok()).collect();
    if requests.len() < entries.len() {
        // Without their texts, which are nobody's but the agent's.
        tracing::warn!(left_out = entries.len() - requests.len(), "the service lists requests without a usable id");
    }
    Some((requests, entries.len()))
}

fn text(object: &Map<String, Value>, key: &str) -> Untrusted {
    kept(object.get(key).and_then(Value::as_str).unwrap_or_default())
}

fn kept(text: &str) -> Untrusted {
    match text.char_indices().nth(LONGEST_TEXT) {
        // With the sign it is equal to nothing that was sent.
        Some((end, _)) => Untrusted::new(format!("{}…", &text[..end])),
        None => Untrusted::new(text),
    }
}

fn texts(object: &Map<String, Value>, key: &str) -> Vec<Untrusted> {
    let list = object.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).take(MOST_VIEWERS).map(kept).collect()
}

fn time(object: &Map<String, Value>, key: &str) -> Option<ServiceTime> {
    let text = text(object, key);
    if text.is_blank() || text.raw().starts_with(NEVER) {
        return None;
    }
    let at = text.raw().parse::<Timestamp>().ok();
    Some(ServiceTime { text, at })
}

fn key_names(object: &Map<String, Value>) -> String {
    let mut names: Vec<_> = object.keys().take(KEYS_NAMED).map(String::as_str).collect();
    match object.len() {
        0 => return "(none)".to_owned(),
        more if more > KEYS_NAMED => names.push("…"),
        _ => {}
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_to_the_tick_and_never_is_no_time() {
        let read = |text: &str| time(json!({ "t": text }).as_object().unwrap(), "t");
        let created = read("2021-12-14T14:06:25.0338102Z").unwrap();
        assert_eq!(created.text.raw(), "2021-12-14T14:06:25.0338102Z");
        assert_eq!(created.at.unwrap().as_nanosecond(), 1_639_490_785_033_810_200);
        let far = read("9999-12-31T23:59:59.9999999Z").unwrap();
        assert_eq!((far.text.raw(), far.at), ("9999-12-31T23:59:59.9999999Z", None));
        assert_eq!(read("soon").unwrap().at, None);
        for never in ["", " ", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000+00:00"] {
            assert_eq!(read(never), None);
        }
    }

    #[test]
    fn an_entity_needs_its_id_and_nothing_else() {
        for answer in [json!({"id": "7"}), json!({"ID": "7"}), json!({"id": null, "ID": "7", "title": 5, "new": []})] {
            let entity = entity(&answer).unwrap();
            assert_eq!((entity.id.raw(), entity.title.raw(), entity.closed), ("7", "", None));
        }
        let viewers = entity(&json!({"id": "7", "viewerUpns": ["a@x", null, 3, "b@x"]})).unwrap().viewers;
        assert_eq!(viewers, [Untrusted::new("a@x"), Untrusted::new("b@x")]);
    }

    #[test]
    fn without_a_usable_id_it_says_what_came() {
        for (answer, words) in [
            (json!([{"id": "7"}]), "it is JSON without keys"),
            (json!({"id": ".."}), r#"its id is "..""#),
            (json!({"ID": 7}), "its id is 7"),
            (json!({"value": [], "title": "x"}), "it has no id among its keys title, value"),
            (json!({}), "it has no id among its keys (none)"),
        ] {
            assert_eq!(entity(&answer).unwrap_err(), words);
        }
    }

    #[test]
    fn words_are_taken_from_the_documented_shapes_alone() {
        for (answer, words) in [
            (json!({"error": {"code": "403", "message": "No."}}), Some("No.")),
            (json!({"errorCode": "400", "message": "No.", "instanceAnnotations": []}), Some("No.")),
            (json!({"error": {"code": ""}}), Some("")),
            (json!({"error": {"message": null}}), Some("")),
            (json!({"error": "invalid_token", "message": "No."}), None),
            (json!({"statusCode": 404, "message": "Resource not found"}), None),
            (json!("No."), None),
        ] {
            assert_eq!(error_words(&answer), words.map(Untrusted::new), "{answer}");
        }
    }
}
