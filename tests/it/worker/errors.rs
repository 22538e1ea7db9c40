//! Every row of the contract's table of errors, and what each means for a write.

use std::time::Duration;

use mmd_elevate_core::{CallError, Untrusted};
use proptest::prelude::*;

use super::{CREATED, PATIENT, TOKEN, answer, client_of, close, create, new_request, request_id};
use crate::support::{
    gist,
    server::{Play, Server},
    within,
};

const TOO_MANY: &str = r#"{"error": {"code": "403", "message": "This device has too many open elevation requests."}}"#;
const NO_DEVICE: &str = r#"{"error": {"code": "404", "message": "This device does not exist."}}"#;
const NO_REQUEST: &str = r#"{"error": {"code": "404", "message": "This elevation request does not exist."}}"#;
const CLOSED: &str = r#"{"error": {"code": "400", "message": "This elevation request was already closed."}}"#;
const OTHER: &str = r#"{"errorCode": "400", "message": "Title is too long.", "instanceAnnotations": []}"#;
const GATEWAY: &str = r#"{"statusCode": 404, "message": "Resource not found"}"#;
const HTML: &str = "<html><h1>already closed, does not exist</h1></html>";

fn broken(reason: &str) -> CallError {
    CallError::broken_answer(reason)
}

fn not_accepted(status: u16) -> CallError {
    CallError::not_accepted(status, None)
}

fn failed(status: u16) -> CallError {
    CallError::server_failed(status)
}

fn throttled(seconds: Option<u64>) -> CallError {
    CallError::throttled(seconds.map(Duration::from_secs))
}

fn assert_fault(fault: &CallError, row: &str, kind: &CallError, words: Option<&str>) {
    assert_eq!(gist(fault), gist(kind), "{row}");
    assert_eq!(fault.service_message.as_ref().map(Untrusted::raw), words, "{row}");
    assert!(fault.ids.client.is_some(), "{row}");
    let shown = format!("{fault:?} {} {}", fault.what(), fault.hint());
    assert!(!shown.contains(TOKEN) && !shown.contains("<html"), "{row}: {shown}");
}

#[tokio::test]
async fn what_a_create_is_answered() {
    for (head, body, kind, words) in [
        (
            "403 Forbidden",
            TOO_MANY,
            CallError::too_many_open(),
            Some("This device has too many open elevation requests."),
        ),
        ("403 Forbidden", "", CallError::not_allowed(), None),
        ("403 Forbidden", r#"{"error": {"code": "403", "message": ""}}"#, CallError::not_allowed(), None),
        ("403 Forbidden", HTML, not_accepted(403), None),
        ("404 Not Found", NO_DEVICE, CallError::no_such_device(), Some("This device does not exist.")),
        ("404 Not Found", "", not_accepted(404), None),
        ("404 Not Found", HTML, not_accepted(404), None),
        ("404 Not Found", GATEWAY, not_accepted(404), Some("Resource not found")),
        ("400 Bad Request", OTHER, not_accepted(400), Some("Title is too long.")),
        ("400 Bad Request", CLOSED, not_accepted(400), Some("This elevation request was already closed.")),
        ("400 Bad Request", r#"{"error": {"mess"#, not_accepted(400), None),
        ("401 Unauthorized", "", CallError::not_signed_in(), None),
        ("401 Unauthorized\nwww-authenticate: Bearer error=\"invalid_token\"", "", CallError::not_signed_in(), None),
        ("405 Method Not Allowed", "", not_accepted(405), None),
        ("408 Request Timeout", "", failed(408), None),
        ("409 Conflict", OTHER, not_accepted(409), Some("Title is too long.")),
        ("429 Too Many Requests", "", throttled(None), None),
        ("429 Too Many Requests\nretry-after: 17", "", throttled(Some(17)), None),
        ("429 Too Many Requests\nretry-after: 999999", HTML, throttled(Some(999_999)), None),
        (
            "429 Too Many Requests\ndate: Sun, 06 Nov 1994 08:49:37 GMT\nretry-after: Sun, 06 Nov 1994 08:49:40 GMT",
            "",
            throttled(Some(3)),
            None,
        ),
        ("500 Internal Server Error", "", failed(500), None),
        ("500 Internal Server Error", OTHER, failed(500), Some("Title is too long.")),
        ("502 Bad Gateway", HTML, failed(502), None),
        ("503 Service Unavailable\nretry-after: 5", HTML, failed(503), None),
        ("504 Gateway Timeout", HTML, failed(504), None),
        ("201 Created", "", broken("it is empty"), None),
        ("201 Created", HTML, broken("it is not JSON (HTTP 201)"), None),
        ("201 Created", r#"{"id": "3f"#, broken("it is not JSON (HTTP 201)"), None),
        ("201 Created", r#"{"id": "\u0007.."}"#, broken(r#"its id is "\u0007..""#), None),
        ("200 OK", r#"{"value": []}"#, broken("it has no id among its keys value"), None),
        ("200 OK", NO_DEVICE, broken("it has no id among its keys error"), Some("This device does not exist.")),
        ("202 Accepted", CREATED, broken("HTTP 202 was not expected"), None),
        ("204 No Content", "", broken("HTTP 204 was not expected"), None),
    ] {
        let fault = create(answer(head, body)).await.unwrap_err();
        assert_fault(&fault, &format!("{head} {body}"), &kind, words);
    }
}

#[tokio::test]
async fn what_a_close_is_answered() {
    for (head, body, kind, words) in [
        ("400 Bad Request", CLOSED, CallError::already_closed(), Some("This elevation request was already closed.")),
        ("400 Bad Request", OTHER, not_accepted(400), Some("Title is too long.")),
        ("400 Bad Request", HTML, not_accepted(400), None),
        ("404 Not Found", NO_REQUEST, CallError::no_such_request(), Some("This elevation request does not exist.")),
        ("404 Not Found", "", not_accepted(404), None),
        ("404 Not Found", HTML, not_accepted(404), None),
        ("404 Not Found", GATEWAY, not_accepted(404), Some("Resource not found")),
        ("403 Forbidden", OTHER, CallError::declined(), Some("Title is too long.")),
        ("403 Forbidden", "", CallError::not_allowed(), None),
        ("200 OK", HTML, broken("it is not JSON (HTTP 200)"), None),
        (
            "200 OK",
            CLOSED,
            broken("it says success and holds an error"),
            Some("This elevation request was already closed."),
        ),
        ("202 Accepted", "", broken("HTTP 202 was not expected"), None),
    ] {
        let fault = close(answer(head, body)).await.unwrap_err();
        assert_fault(&fault, &format!("{head} {body}"), &kind, words);
    }
}

#[tokio::test]
async fn what_counts_as_success() {
    for head in ["201 Created", "200 OK"] {
        assert_eq!(create(answer(head, CREATED)).await.unwrap().id, request_id("3f2b"));
    }
    let odd = "\u{feff}{\"ID\": \"7\", \"id\": null, \"title\": null, \"viewerUpns\": null, \"new\": {}}";
    assert_eq!(create(answer("201 Created", odd)).await.unwrap().id, request_id("7"));
    for (head, body) in [
        ("204 No Content", ""),
        ("200 OK", ""),
        ("200 OK", " \r\n"),
        ("200 OK", r#"{"id": "3f2b", "requestClosureTime": "2024-01-01T00:00:00Z"}"#),
        ("200 OK", r#"{"Id": "3F2B", "RequestClosureTime": "2024-01-01T00:00:00.1234567"}"#),
    ] {
        close(answer(head, body)).await.unwrap();
    }
}

#[tokio::test]
async fn the_services_id_of_a_call_comes_with_the_fault_and_is_harmless() {
    for name in ["x-ms-request-id", "request-id"] {
        let server = Server::start(answer(&format!("500 Oops\n{name}: abc\u{9b}31m"), "")).await;
        let fault = within(client_of(&server, PATIENT).create(&new_request("x"))).await.unwrap_err();
        assert_eq!(fault.ids.service.unwrap().visible(), "abc‹U+009B›31m");
        assert_eq!(fault.ids.client.as_deref(), server.requests()[0].header("client-request-id").first().copied());
    }
}

#[tokio::test]
async fn words_without_end_are_cut() {
    let body = format!(r#"{{"error": {{"message": "{}"}}}}"#, "ü".repeat(100_000));
    let fault = create(answer("403 Forbidden", body)).await.unwrap_err();
    assert_eq!(fault.service_message.unwrap().raw(), format!("{}…", "ü".repeat(500)));
}

/// Bytes of any kind, and bytes that look like an answer of the service for a while.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let json = "(\\{|\\[|\"(id|ID|error|errorCode|message|title)\"|:|,|\"[^\"]{0,9}\"|null|7|\\}|\\]| ){0,24}";
    prop_oneof![prop::collection::vec(any::<u8>(), 0..400), json.prop_map(String::into_bytes)]
}

#[test]
fn any_answer_at_all_is_an_entity_or_a_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() };
    let statuses = prop::sample::select(vec![200, 201, 204, 299, 302, 400, 401, 403, 404, 408, 429, 500, 503, 999]);
    proptest!(config, |(body in bodies(), status in statuses, raw in any::<bool>())| {
        let play = if raw { Play::Answer(body) } else { answer(&format!("{status} ?"), body) };
        runtime.block_on(async {
            let server = Server::start(play).await;
            let client = client_of(&server, PATIENT);
            let _ = within(client.create(&new_request("x"))).await;
            let _ = within(client.close(&request_id("1"), "x")).await;
            assert_eq!(server.connections(), 2, "each call is sent once");
        });
    });
}
