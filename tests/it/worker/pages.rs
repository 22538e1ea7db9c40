//! What a list proves: pages of any size to the last, entries that cannot be read, and lists that were not seen whole.

use std::sync::atomic::{AtomicUsize, Ordering};

use mmd_elevate_core::Disposition;
use mmd_elevate_engine::{backend::Listed, mmd::Client};
use serde_json::{Value, json};

use super::{PATIENT, TENANT, client_of, list::entities};
use crate::support::{
    list_device,
    server::{Play, Request, Server, http},
    within,
};

async fn list(client: &Client) -> Listed {
    within(list_device(client, "MMD-1")).await.unwrap()
}

fn ids(listed: &Listed) -> Vec<usize> {
    let mut ids: Vec<_> = listed.requests.iter().map(|request| request.id.raw().parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

/// A query's value, where the request has it.
fn asked(request: &Request, key: &str) -> Option<usize> {
    let rest = request.line().split_once(key)?.1;
    rest.split(['&', ' ']).next().unwrap().parse().ok()
}

fn ok(page: &Value) -> Play {
    Play::Answer(http("200 OK", page.to_string()))
}

#[tokio::test]
async fn list_of_any_page_size_is_seen_to_its_end() {
    // The cap of the service, how much each page repeats of the one before, and whether it turns each page round.
    for (cap, overlap, turned) in
        [(50, 0, false), (1, 0, false), (7, 0, true), (100, 0, false), (30, 5, false), (1_000, 0, true)]
    {
        let server = Server::start_with(move |request| {
            let skip = asked(request?, "$skip=").unwrap();
            let mut page = entities((skip.saturating_sub(overlap)..61.max(skip)).take(cap.min(100)));
            if skip >= 61 {
                page.clear();
            }
            if turned {
                page.reverse();
            }
            Some(ok(&json!({ "value": page })))
        })
        .await;
        let listed = list(&client_of(&server, PATIENT)).await;
        assert_eq!(ids(&listed), (0..61).collect::<Vec<_>>(), "{cap} {overlap} {turned}");
        assert!(listed.is_complete(), "{cap} {overlap} {turned}");
    }
}

#[tokio::test]
async fn next_link_at_the_same_place_is_followed_where_skip_is_ignored() {
    let place = format!("/support/odata/v1/tenants/{TENANT}/elevationRequests");
    for link in [
        "http://@{place}?$skiptoken=".to_owned(),
        "HTTP://@{place}/?$skiptoken=".to_owned(),
        "{place}?$skiptoken=".to_owned(),
        "//@{place}?$skiptoken=".to_owned(),
        "elevationRequests?$skiptoken=".to_owned(),
        "?$skiptoken=".to_owned(),
        format!("tenants/{TENANT}/elevationRequests?$skiptoken="),
        "http://@{place}?$filter=deviceName%20eq%20%27MMD-1%27&$skiptoken=".to_owned(),
    ] {
        let link = link.replace("{place}", &place);
        let shown = link.clone();
        let server = Server::start_with(move |request| {
            let request = request?;
            let at = asked(request, "$skiptoken=").unwrap_or(0);
            let host = request.header("host")[0].to_owned();
            let mut page = json!({ "value": entities((at * 20)..(at * 20 + 20).min(61)) });
            if at < 3 {
                page["@odata.nextLink"] = json!(format!("{}{}", link.replace('@', &host), at + 1));
            }
            Some(ok(&page))
        })
        .await;
        let listed = list(&client_of(&server, PATIENT)).await;
        assert_eq!((ids(&listed).len(), listed.is_complete()), (61, true), "{shown}");
        for request in server.requests() {
            assert!(request.line().starts_with(&format!("GET {place}")), "{}", request.line());
        }
    }
}

#[tokio::test]
async fn list_that_was_not_seen_whole_says_so() {
    let elsewhere = Server::start(ok(&json!({ "value": [] }))).await;
    let far = format!("http://{}/next", elsewhere.address);
    let first = |link: &str| json!({ "value": entities(0..20), "@odata.nextLink": link });
    for (name, page) in [
        ("another origin", first(&far)),
        ("another path", first("/support/odata/v1/other")),
        ("another scheme", first(&format!("https://{}/x", elsewhere.address))),
        ("a user name", first(&format!("http://agent@{}/x", elsewhere.address))),
        ("itself again and again", first("?$skiptoken=1")),
    ] {
        let server = Server::start(ok(&page)).await;
        let listed = list(&client_of(&server, PATIENT)).await;
        assert_eq!((listed.requests.len(), listed.to_end), (20, false), "{name}");
        assert_eq!(listed.gaps().describe(), "the list was not seen to its end: 20 entries were read", "{name}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn empty_page_that_has_a_next_is_not_the_end() {
    let server = Server::start_with(|request| {
        let page = match asked(request?, "$skiptoken=") {
            None => json!({ "value": [], "@odata.nextLink": "?$skiptoken=1" }),
            Some(1) => json!({ "value": [], "@odata.nextLink": "?$skiptoken=2" }),
            Some(_) => json!({ "value": entities(7..8) }),
        };
        Some(ok(&page))
    })
    .await;
    let listed = list(&client_of(&server, PATIENT)).await;
    assert_eq!((ids(&listed), listed.is_complete(), server.connections()), (vec![7], true, 3));
}

#[tokio::test]
async fn list_whose_second_page_fails_keeps_the_first_and_says_why() {
    for (head, why) in [
        ("400 Bad Request", "The service did not accept the call (HTTP 400)"),
        ("500 Oops", "The service failed (HTTP 500)"),
        ("404 Not Found", "The service did not accept the call (HTTP 404)"),
    ] {
        let server = Server::start_with(move |request| {
            Some(match asked(request?, "$skip=") {
                Some(0) => ok(&json!({ "value": entities(0..20) })),
                _ => Play::Answer(http(head, "")),
            })
        })
        .await;
        let listed = list(&client_of(&server, PATIENT)).await;
        assert_eq!((listed.requests.len(), listed.to_end), (20, false), "{head}");
        assert_eq!(listed.gaps().describe(), format!("the list was not seen to its end: {why}"));
        assert!(listed.gaps().hint().is_some(), "{head}");
    }
    let server = Server::start_with(move |request| {
        Some(match asked(request?, "$skip=") {
            Some(0) => ok(&json!({ "value": entities(0..20) })),
            _ => Play::Answer(http("429 Slow\nretry-after: 2", "")),
        })
    })
    .await;
    let fault = within(list_device(&client_of(&server, PATIENT), "x")).await.unwrap_err();
    assert!(matches!(fault.disposition, Disposition::Repeat(Some(_))), "a service is not asked sooner");
}

#[tokio::test]
async fn page_size_that_is_refused_is_left_out_from_then_on() {
    for head in ["400 Bad Request", "404 Not Found", "422 Unprocessable", "501 Not Implemented"] {
        let server = Server::start_with(move |request| {
            let request = request?;
            let skip = asked(request, "$skip=").unwrap();
            let words =
                json!({ "error": { "code": "", "message": "The limit of '50' for Top query has been exceeded." } });
            Some(match asked(request, "$top=") {
                Some(_) => Play::Answer(http(head, words.to_string())),
                None => ok(&json!({ "value": entities((skip..61.max(skip)).take(50)) })),
            })
        })
        .await;
        let client = client_of(&server, PATIENT);
        assert!(list(&client).await.is_complete() && ids(&list(&client).await).len() == 61, "{head}");
        assert!(list(&client.clone()).await.is_complete(), "{head}");
        let with_top = server.requests().iter().filter(|request| asked(request, "$top=").is_some()).count();
        assert_eq!(with_top, 1, "{head}: it is asked once");
    }
}

#[tokio::test]
async fn page_size_is_asked_for_again_where_it_was_not_the_reason() {
    let words = json!({ "error": { "code": "", "message": "The filter is not supported." } });
    let server = Server::start(Play::Answer(http("400 Bad Request", words.to_string()))).await;
    let client = client_of(&server, PATIENT);
    for _ in 0..2 {
        let fault = within(list_device(&client, "x")).await.unwrap_err();
        assert_eq!(fault.what(), "The filter is not supported.", "the reason is told");
    }
    let with_top = server.requests().iter().filter(|request| asked(request, "$top=").is_some()).count();
    assert_eq!((with_top, server.connections()), (2, 4));
}

#[tokio::test]
async fn one_bad_text_or_entry_spoils_itself_alone() {
    let good = r#"{"id":"1","title":"Fine"}"#;
    for (bad, unreadable) in [
        (&br#"{"id":"2","title":"half \ud83d"}"#[..], 0),
        (b"{\"id\":\"2\",\"title\":\"caf\xe9 au\"}", 0),
        (b"{\"id\":\"2\",\"title\":\"a\x00b\x1b[2J\"}", 0),
        (br#"{"Id":"2","PartnerTicketId":4711,"Ttl":NaN}"#, 0),
        (br#"{"ID":2,"title":null}"#, 0),
        (br#"{"id":"2\ud83d"}"#, 1),
        (br#"{"id":{"value":"2"}}"#, 1),
        (br#"{"title":"no id"}"#, 1),
        (br"[null]", 1),
        (br"null", 1),
    ] {
        let body = [br#"{"value":["#, good.as_bytes(), b",", bad, b"]}"].concat();
        // It knows no `$skip`, so that each page brings the same entries.
        let server = Server::start(Play::Answer(http("200 OK", body))).await;
        let listed = list(&client_of(&server, PATIENT)).await;
        let name = String::from_utf8_lossy(bad);
        assert_eq!(
            (listed.requests.len(), listed.unreadable, listed.to_end),
            (2 - unreadable, unreadable, true),
            "{name}"
        );
        assert_eq!(listed.requests[0].title.raw(), "Fine", "{name}");
    }
}

#[tokio::test]
async fn list_of_texts_holds_entries_that_cannot_be_read_and_no_error() {
    let server = Server::start(ok(&json!({ "value": ["text", "more"] }))).await;
    let listed = list(&client_of(&server, PATIENT)).await;
    assert_eq!((listed.requests.len(), listed.unreadable, listed.to_end), (0, 2, true));
    // An error beside a list still makes the list worthless.
    for (key, error) in [("error", json!("broken")), ("errors", json!(["broken"])), ("message", json!("broken"))] {
        let server = Server::start(ok(&json!({ "value": ["text"], key: error }))).await;
        let fault = within(list_device(&client_of(&server, PATIENT), "x")).await.unwrap_err();
        assert!(fault.what().contains("it says success and holds an error"), "{key}: {}", fault.what());
    }
}

#[tokio::test]
async fn unreadable_entries_of_all_pages_are_counted_and_do_not_end_the_list() {
    let pages = AtomicUsize::new(0);
    let server = Server::start_with(move |request| {
        request?;
        Some(ok(&match pages.fetch_add(1, Ordering::SeqCst) {
            0 => json!({ "value": [{ "title": "a" }, { "title": "b" }] }),
            1 => json!({ "value": [{ "title": "b" }, { "title": "c" }] }),
            2 => json!({ "value": [{ "id": "1" }] }),
            _ => json!({ "value": [] }),
        }))
    })
    .await;
    let listed = list(&client_of(&server, PATIENT)).await;
    assert_eq!((ids(&listed), listed.unreadable, listed.to_end, listed.is_complete()), (vec![1], 3, true, false));
}

#[tokio::test]
async fn ids_in_another_case_are_one_request() {
    let (small, capital) = ("3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b", "3F2B0C5E-9A41-4D0E-8F77-00C0FFEE0A1B");
    let server =
        Server::start(ok(&json!({ "value": [{ "id": small }, { "id": capital }, { "id": "{3f2b0c5e9a41}" }] }))).await;
    let listed = list(&client_of(&server, PATIENT)).await;
    let raw: Vec<_> = listed.requests.iter().map(|request| request.id.raw()).collect();
    assert_eq!(raw, [small, "{3f2b0c5e9a41}"]);
}
