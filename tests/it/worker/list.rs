//! The list operation on the wire, page by page.

use mmd_elevate_core::CallError;
use mmd_elevate_engine::{backend::Listed, mmd::Timeouts};
use serde_json::{Value, json};

use super::{PATIENT, TENANT, TOKEN, answer, client_of};
use crate::support::{
    gist, list_device,
    server::{Play, Server, http},
    within,
};

async fn list_of(server: &Server, device: &str) -> Result<Listed, CallError> {
    within(list_device(&client_of(server, PATIENT), device)).await
}

async fn list(play: Play) -> Result<Listed, CallError> {
    list_of(&Server::start(play).await, "MMD-1").await
}

/// Answers with the page that is asked for, as this counts it.
async fn pages(page: impl Fn(usize, usize) -> Value + Send + Sync + 'static) -> Server {
    Server::start_with(move |request| {
        let line = request?.line().to_owned();
        let number = |key: &str| {
            let rest = line.split_once(key).unwrap().1;
            rest.split(['&', ' ']).next().unwrap().parse::<usize>().unwrap()
        };
        Some(Play::Answer(http("200 OK", page(number("$skip="), number("$top=")).to_string())))
    })
    .await
}

pub(super) fn entities(ids: impl Iterator<Item = usize>) -> Vec<Value> {
    ids.map(|id| json!({ "id": id.to_string() })).collect()
}

fn count(listed: &Listed) -> usize {
    listed.requests.len()
}

#[tokio::test]
async fn the_filter_is_quoted_and_encoded_to_the_letter() {
    let server = Server::start(answer("200 OK", r#"{"value": []}"#)).await;
    list_of(&server, "MMD-03690457680").await.unwrap();
    list_of(&server, "O'Neil's & \"ü\" +%20#$x=1").await.unwrap();
    let requests = server.requests();
    let line = |filter: &str| {
        format!("GET /support/odata/v1/tenants/{TENANT}/elevationRequests?$filter={filter}&$skip=0&$top=100 HTTP/1.1")
    };
    assert_eq!(requests[0].line(), line("deviceName%20eq%20%27MMD-03690457680%27"));
    assert_eq!(
        requests[1].line(),
        line("deviceName%20eq%20%27O%27%27Neil%27%27s%20%26%20%22%C3%BC%22%20%2B%2520%23%24x%3D1%27")
    );
    assert_eq!(requests[0].header("authorization"), [format!("Bearer {TOKEN}")]);
    assert_eq!(requests[0].header("accept"), ["application/json"]);
    assert_eq!(requests[0].header("client-request-id")[0].len(), 36);
    assert!(requests[0].header("content-type").is_empty() && requests[0].body.is_empty());
}

#[tokio::test]
async fn pages_are_asked_for_until_one_brings_nothing_new() {
    for (all, asked) in [(0, 1), (99, 2), (100, 2), (250, 4)] {
        let server = pages(move |skip, top| json!({ "value": entities((skip..all).take(top)) })).await;
        assert_eq!((count(&list_of(&server, "x").await.unwrap()), server.connections()), (all, asked));
    }
}

#[tokio::test]
async fn a_next_link_says_that_there_is_more_and_is_not_followed() {
    let elsewhere = Server::start(answer("200 OK", r#"{"value": []}"#)).await;
    let link = format!("http://{}/next", elsewhere.address);
    // A service that has a page size of its own.
    let server = pages(move |skip, _| {
        let next = if skip < 20 { json!(link) } else { Value::Null };
        json!({ "value": entities((skip..25).take(10)), "@odata.nextLink": next })
    })
    .await;
    let listed = list_of(&server, "x").await.unwrap();
    assert_eq!((count(&listed), listed.is_complete(), server.connections()), (25, true, 4));
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_server_that_does_not_count_does_not_keep_the_client_for_ever() {
    let seen = |listed: &Listed| (count(listed), listed.is_complete());
    // It knows no `$skip`: there may be more behind a page that is as full as it was asked to be.
    let server = pages(|_, top| json!({ "value": entities(0..top) })).await;
    assert_eq!((seen(&list_of(&server, "x").await.unwrap()), server.connections()), ((100, false), 2));
    let server = pages(|_, _| json!({ "value": entities(0..7) })).await;
    assert_eq!((seen(&list_of(&server, "x").await.unwrap()), server.connections()), ((7, true), 2));
    // It knows no `$top`.
    let server = pages(|skip, _| json!({ "value": entities(skip..700) })).await;
    assert_eq!((seen(&list_of(&server, "x").await.unwrap()), server.connections()), ((700, true), 2));
    // It always has another.
    let server = pages(|skip, top| json!({ "value": entities((skip..).take(top)) })).await;
    assert_eq!((seen(&list_of(&server, "x").await.unwrap()), server.connections()), ((5000, false), 50));
    // It says that there is more, and has nothing.
    let server = pages(|_, _| json!({ "value": [], "@odata.nextLink": "x" })).await;
    assert_eq!((seen(&list_of(&server, "x").await.unwrap()), server.connections()), ((0, false), 1));
}

#[tokio::test]
async fn entries_without_a_usable_id_are_counted() {
    let body = r#"{"value": [{"id": "1"}, {"id": ".."}, {"title": "x"}, 7, null, {"ID": "2"}, {"id": "1"}]}"#;
    let listed = list(answer("200 OK", body)).await.unwrap();
    assert_eq!((listed.unreadable, listed.to_end, listed.is_complete()), (4, true, false));
    assert_eq!(listed.gaps().describe(), "4 entries could not be read");
    assert_eq!(listed.requests.iter().map(|request| request.id.raw()).collect::<Vec<_>>(), ["1", "2"]);
}

#[tokio::test]
async fn the_date_of_the_answer_tells_the_skew_of_the_clocks() {
    let at = |play: Play, now: fn() -> jiff::Timestamp| async move {
        let server = Server::start(play).await;
        within(list_device(&client_of(&server, PATIENT).with_clock(now), "x")).await.unwrap().skew
    };
    let now = || "2024-01-01T12:00:30Z".parse().unwrap();
    let dated = |date: &str| answer(&format!("200 OK\ndate: {date}"), r#"{"value": []}"#);
    assert_eq!(at(dated("Mon, 01 Jan 2024 12:00:00 GMT"), now).await, Some(jiff::SignedDuration::from_secs(30)));
    assert_eq!(at(dated("Mon, 01 Jan 2024 12:01:00 GMT"), now).await, Some(jiff::SignedDuration::from_secs(-30)));
    assert_eq!(at(dated("yesterday"), now).await, None);
}

#[tokio::test]
async fn what_is_no_list_is_a_fault() {
    for (head, body, kind) in [
        ("200 OK", r#"{"id": "1"}"#, CallError::broken_answer("it has no list")),
        ("200 OK", r#"{"value": {}}"#, CallError::broken_answer("it has no list")),
        (
            "200 OK",
            r#"{"value": [], "error": {"code": "500", "message": "In part."}}"#,
            CallError::broken_answer("it says success and holds an error"),
        ),
        ("200 OK", "<html>", CallError::broken_answer("it is not JSON (HTTP 200)")),
        ("404 Not Found", "", CallError::not_accepted(404, None)),
        ("401 Unauthorized", "", CallError::not_signed_in()),
        ("503 Busy", "", CallError::server_failed(503)),
        ("503 Busy\nretry-after: 0", "", CallError::throttled(Some(std::time::Duration::ZERO))),
        ("302 Found\nlocation: https://elsewhere.example/", "", CallError::redirected(302)),
    ] {
        assert_eq!(gist(&list(answer(head, body)).await.unwrap_err()), gist(&kind), "{head} {body}");
    }
}

#[tokio::test]
async fn all_pages_together_have_the_time_of_one_call() {
    let server = Server::start(Play::Hang(Vec::new())).await;
    let timeouts = Timeouts { read: std::time::Duration::from_millis(300), ..PATIENT };
    let fault = within(list_device(&client_of(&server, timeouts), "x")).await.unwrap_err();
    assert_eq!(gist(&fault), gist(&CallError::timed_out()));
    let endless = vec![b' '; 5 << 20];
    let fault = list(answer("200 OK", endless)).await.unwrap_err();
    assert_eq!(gist(&fault), gist(&CallError::broken_answer("it is longer than 4 MiB (HTTP 200)")));
}
