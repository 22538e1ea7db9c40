//! The lists of a tenant's open and of its closed requests on the wire: what is asked for, what is left out where it is refused,
//! and where the token goes.

use mmd_elevate_core::Query;
use mmd_elevate_engine::{
    backend::{Listed, list_all},
    mmd::Client,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{PATIENT, TENANT, TOKEN, answer, client_of, list::entities};
use crate::support::{
    server::{Play, Request, Server, http},
    within,
};

const FILTER: &str = "$filter=requestClosureTime%20eq%20null&";
const CLOSED_FILTER: &str = "$filter=requestClosureTime%20ne%20null&";

async fn list(client: &Client) -> Listed {
    list_of(client, &Query::Open).await
}

async fn list_of(client: &Client, query: &Query) -> Listed {
    within(list_all(client, query)).await.unwrap()
}

fn ids(listed: &Listed) -> Vec<&str> {
    listed.requests.iter().map(|request| request.id.raw()).collect()
}

/// The options of each request for a list.
fn options(server: &Server) -> Vec<String> {
    let line = format!("GET /support/odata/v1/tenants/{TENANT}/elevationRequests?");
    let options = |request: &Request| request.line().strip_prefix(&line)?.strip_suffix(" HTTP/1.1").map(str::to_owned);
    server.requests().iter().map(|request| options(request).unwrap()).collect()
}

/// Two open requests and two closed ones. `refuses` says which options are not taken.
async fn server_that_refuses(refuses: impl Fn(&str) -> bool + Send + Sync + 'static) -> Server {
    Server::start_with(move |request| {
        let line = request?.line().to_owned();
        if refuses(&line) {
            return Some(Play::Answer(http("400 Bad Request", r#"{"error": {"code": "", "message": "No."}}"#)));
        }
        let closed = |id: usize| json!({ "id": id.to_string(), "requestClosureTime": "2024-01-01T00:00:00Z" });
        let open = entities(0..2).into_iter().filter(|_| !line.contains(CLOSED_FILTER));
        let all = open.chain((10..12).filter(|_| !line.contains(FILTER)).map(closed));
        let page: Vec<Value> = all.filter(|_| line.contains("$skip=0")).collect();
        Some(Play::Answer(http("200 OK", json!({ "value": page }).to_string())))
    })
    .await
}

#[tokio::test]
async fn open_requests_are_asked_for_a_thousand_at_a_time() {
    let server = server_that_refuses(|_| false).await;
    let listed = list(&client_of(&server, PATIENT)).await;
    assert_eq!((listed.requests.len(), listed.is_complete()), (2, true));
    assert_eq!(options(&server), [0, 2].map(|skip| format!("{FILTER}$skip={skip}&$top=1000")));
    assert_eq!(server.requests()[0].header("authorization"), [format!("Bearer {TOKEN}")]);
    assert_eq!(server.requests()[0].header("accept"), ["application/json"]);
}

#[tokio::test]
async fn closed_requests_are_asked_for_a_thousand_at_a_time() {
    let server = server_that_refuses(|_| false).await;
    let listed = list_of(&client_of(&server, PATIENT), &Query::Closed).await;
    assert_eq!((ids(&listed), listed.is_complete()), (vec!["10", "11"], true));
    assert_eq!(options(&server), [0, 2].map(|skip| format!("{CLOSED_FILTER}$skip={skip}&$top=1000")));
}

#[rstest]
#[case::open(Query::Open, FILTER, ["0", "1"])]
#[case::closed(Query::Closed, CLOSED_FILTER, ["10", "11"])]
#[tokio::test]
async fn options_that_are_refused_are_left_out_one_after_the_other_and_from_then_on(
    #[case] query: Query,
    #[case] filter: &str,
    #[case] expected: [&str; 2],
) {
    type Refuses = fn(&str) -> bool;
    let refused: [(Refuses, &[&str]); 4] = [
        (|line| line.contains("$top=1000"), &["{F}$skip=0&$top=1000", "{F}$skip=0&$top=100"]),
        (|line| line.contains("$top="), &["{F}$skip=0&$top=1000", "{F}$skip=0&$top=100", "{F}$skip=0"]),
        (
            |line| line.contains("$filter="),
            &["{F}$skip=0&$top=1000", "{F}$skip=0&$top=100", "{F}$skip=0", "$skip=0&$top=1000"],
        ),
        (
            |line| line.contains("$filter=") || line.contains("$top="),
            &[
                "{F}$skip=0&$top=1000",
                "{F}$skip=0&$top=100",
                "{F}$skip=0",
                "$skip=0&$top=1000",
                "$skip=0&$top=100",
                "$skip=0",
            ],
        ),
    ];
    for (refuses, tried) in refused {
        let server = server_that_refuses(refuses).await;
        let client = client_of(&server, PATIENT);
        for turn in ["first", "second"] {
            let listed = list_of(&client, &query).await;
            assert_eq!(
                (ids(&listed), listed.is_complete()),
                (expected.to_vec(), true),
                "{turn}: the others are sorted out"
            );
        }
        let tried: Vec<_> = tried.iter().map(|options| options.replace("{F}", filter)).collect();
        let taken = tried.last().unwrap();
        let after = taken.replace("$skip=0", if taken.contains("$filter=") { "$skip=2" } else { "$skip=4" });
        let all: Vec<_> = tried.iter().chain([&after, taken, &after]).cloned().collect();
        assert_eq!(options(&server), all);
    }
}

#[tokio::test]
async fn filter_that_is_refused_is_left_out_of_its_own_query_only() {
    for (refused, other, kept) in [(CLOSED_FILTER, Query::Open, FILTER), (FILTER, Query::Closed, CLOSED_FILTER)] {
        let server = server_that_refuses(move |line| line.contains(refused)).await;
        let client = client_of(&server, PATIENT);
        for query in [Query::Open, Query::Closed] {
            list_of(&client, &query).await;
        }
        let asked = options(&server).len();
        list_of(&client, &other).await;
        assert_eq!(options(&server)[asked], format!("{kept}$skip=0&$top=1000"), "{refused}");
    }
}

#[tokio::test]
async fn closed_requests_are_sorted_out_of_a_list_whose_filter_is_ignored() {
    let all = json!({ "value": [{ "id": "1" }, { "id": "2", "requestClosureTime": "2024-01-01T00:00:00Z" }] });
    let server = Server::start(answer("200 OK", all.to_string())).await;
    let client = client_of(&server, PATIENT);
    assert_eq!(ids(&list_of(&client, &Query::Closed).await), ["2"]);
    assert_eq!(ids(&list_of(&client, &Query::Open).await), ["1"]);
}

#[tokio::test]
async fn refusal_that_no_option_causes_is_told_and_changes_nothing() {
    let server = server_that_refuses(|_| true).await;
    let client = client_of(&server, PATIENT);
    for _ in 0..2 {
        let error = within(list_all(&client, &Query::Open)).await.unwrap_err();
        assert_eq!(error.what(), "No.");
    }
    assert_eq!(options(&server)[6], format!("{FILTER}$skip=0&$top=1000"), "{:?}", options(&server));
}

#[tokio::test]
async fn device_lists_keep_their_page_size_and_their_filter() {
    let server = server_that_refuses(|line| line.contains("$filter=requestClosureTime")).await;
    let client = client_of(&server, PATIENT);
    list(&client).await;
    let asked = options(&server).len();
    within(list_all(&client, &Query::Device("x".to_owned()))).await.unwrap();
    assert_eq!(options(&server)[asked], "$filter=deviceName%20eq%20%27x%27&$skip=0&$top=100");
}

#[tokio::test]
async fn next_link_to_another_origin_is_not_followed() {
    let elsewhere = Server::start(answer("200 OK", r#"{"value": []}"#)).await;
    for link in [
        format!("http://{}/support/odata/v1/tenants/{TENANT}/elevationRequests?$skiptoken=1", elsewhere.address),
        format!("//{}/next", elsewhere.address),
        format!("http://localhost:{}/", elsewhere.address.port()),
        "/outside/the/base".to_owned(),
    ] {
        let shown = link.clone();
        let server = Server::start_with(move |request| {
            let line = request?.line().to_owned();
            let page = if line.contains("$skip=0&") {
                json!({ "value": entities(0..20), "@odata.nextLink": link })
            } else {
                json!({ "value": [] })
            };
            Some(Play::Answer(http("200 OK", page.to_string())))
        })
        .await;
        let listed = list(&client_of(&server, PATIENT)).await;
        assert_eq!((listed.requests.len(), listed.is_complete()), (20, true), "{shown}");
        assert_eq!(options(&server), [0, 20].map(|skip| format!("{FILTER}$skip={skip}&$top=1000")), "{shown}");
    }
    assert_eq!((elsewhere.connections(), elsewhere.bytes().len()), (0, 0));
}

#[tokio::test]
async fn next_link_at_the_same_place_is_followed() {
    let server = Server::start_with(|request| {
        let line = request?.line().to_owned();
        let page = if line.contains("$skiptoken=1") {
            json!({ "value": entities(20..25) })
        } else {
            json!({ "value": entities(0..20), "@odata.nextLink": "?$skiptoken=1" })
        };
        Some(Play::Answer(http("200 OK", page.to_string())))
    })
    .await;
    let listed = list(&client_of(&server, PATIENT)).await;
    assert_eq!((listed.requests.len(), listed.is_complete(), server.connections()), (25, true, 2));
}
