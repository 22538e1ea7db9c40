//! A hostile server can make the client wait, for as long as a call may take, and cannot exhaust the machine: what a
//! call takes of it is measured in a process that does nothing else.

use std::{env, fs, time::Duration};

use mmd_elevate_core::CallError;
use mmd_elevate_engine::mmd::Timeouts;
use serde_json::json;

use super::{answer, client_at, list::entities, new_request, request_id};
use crate::support::{
    gist, list_device,
    server::{Play, Server, http},
    shown_in_a_process_of_its_own, within,
};

/// How much more memory a call may take at its worst, in KiB, whatever the answer: 64 MiB.
const MOST: u64 = 64 << 10;

/// Where the child finds its server.
const ADDRESS: &str = "MMD_ELEVATE_TEST_ADDRESS";

/// Short, because a server that never ends has all of it.
const TIMEOUTS: Timeouts =
    Timeouts { connect: Duration::from_secs(20), read: Duration::from_secs(4), write: Duration::from_secs(2) };

const OK: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
const GZIP: &[u8] = include_bytes!("../support/five_mib_of_blanks.json.gz");

/// A body of nearly 4 MiB: what comes first, what is repeated, and what comes last.
fn full(first: &str, repeated: &str, last: &str) -> Play {
    let times = ((4 << 20) - first.len() - last.len()) / repeated.len();
    answer("200 OK", format!("{first}{}{last}", repeated.repeat(times)))
}

fn endless(head: &str, more: impl Into<Vec<u8>>) -> Play {
    Play::Endless(head.as_bytes().to_vec(), more.into())
}

/// What a hostile server may answer.
fn plays() -> Vec<(&'static str, Play)> {
    let chunked = [b"10000\r\n".to_vec(), vec![b' '; 1 << 16], b"\r\n".to_vec()].concat();
    let gzip = format!("{OK}content-encoding: gzip\r\n\r\n");
    let keys: Vec<_> = (0..300_000).map(|n| format!("\"{n}\":0")).collect();
    let header = format!("x-filler: {}\r\n", "a".repeat(4_000));
    vec![
        ("a body without an end", endless(&format!("{OK}\r\n"), vec![b' '; 1 << 16])),
        ("chunks without an end", endless(&format!("{OK}transfer-encoding: chunked\r\n\r\n"), chunked)),
        (
            "a length that is no length",
            endless(&format!("{OK}content-length: {}\r\n\r\n", u64::MAX), vec![b'['; 1 << 16]),
        ),
        ("a body that unpacks without an end", endless(&gzip, GZIP)),
        ("headers without an end", endless(OK, header)),
        ("a hundred thousand headers", Play::Answer(format!("{OK}{}\r\n", "x-filler: a\r\n".repeat(100_000)).into())),
        ("a header without an end", endless(&format!("{OK}x-filler: "), vec![b'a'; 1 << 16])),
        ("interim answers without an end", endless("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000))),
        (
            "a chunk extension without an end",
            endless(&format!("{OK}transfer-encoding: chunked\r\n\r\n1;"), vec![b'a'; 1 << 16]),
        ),
        ("trailers without an end", endless(&format!("{OK}transfer-encoding: chunked\r\n\r\n0\r\n"), header_lines())),
        ("lists in lists", full("", "[", "")),
        ("maps in maps", full("", r#"{"value":"#, "")),
        ("tiny lists", full(r#"{"value":[[]"#, ",[]", "]}")),
        ("tiny maps", full(r#"{"value":[{}"#, r#",{"a":0}"#, "]}")),
        ("tiny entities", full(r#"{"value":[{}"#, r#",{"id":"1"}"#, "]}")),
        ("tiny numbers", full(r#"{"value":[0"#, ",0", "]}")),
        ("many keys", answer("200 OK", format!("{{{}}}", keys.join(",")))),
        ("many viewers", full(r#"{"id":"1","viewerUpns":["""#, r#","""#, "]}")),
        ("one long text", full(r#"{"id":"1","title":""#, "ab", r#""}"#)),
        ("one long message", full(r#"{"error":{"message":""#, "ab", r#""}}"#)),
        ("one long id", full(r#"{"id":[""#, "ab", r#""]}"#)),
        ("control characters", full(r#"{"id":"1","title":""#, "\u{1}", r#""}"#)),
        ("half emojis", full(r#"{"id":"1","title":""#, r"\ud83d", r#""}"#)),
        ("words that are no JSON", full(r#"{"id":"1","title":[0"#, ",NaN", "]}")),
        ("one word without an end", full("", "a", "")),
        (
            "entries that cannot be read",
            full(r#"{"value":[0"#, r#",{"title":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#, "]}"),
        ),
        ("escapes", full(r#"{"id":"1","title":""#, r"\u001b", r#""}"#)),
    ]
}

fn header_lines() -> Vec<u8> {
    "x-trailer: a\r\n".repeat(1_000).into()
}

/// A line of `/proc/self/status`, in KiB.
fn memory(line: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|found| found.strip_prefix(line))?.split_whitespace().nth(1)?.parse().ok()
}

/// Whether this system does not tell what a process has used at most, so that there is nothing to measure. Says so.
#[expect(clippy::print_stdout, reason = "a test that is skipped says why")]
fn cannot_be_measured() -> bool {
    let cannot = memory("VmHWM").is_none();
    if cannot {
        println!("skipped: the system does not tell how much memory a process has used at most");
    }
    cannot
}

/// In the child: calls that server in each way there is, and sees how much memory that took at most.
async fn call_and_measure() {
    let address = env::var(ADDRESS).unwrap();
    let client = client_at(&format!("http://{address}/support/odata/v1"), TIMEOUTS);
    // What every call needs is not the answer's.
    let nobody = client_at("http://127.0.0.1:9", TIMEOUTS);
    let _ = within(list_device(&nobody, "x")).await;
    let before = memory("VmRSS").unwrap();
    let _ = within(list_device(&client, "x")).await;
    let _ = within(client.create(&new_request("x"))).await;
    let _ = within(client.close(&request_id("1"), "x")).await;
    let more = memory("VmHWM").unwrap().saturating_sub(before);
    assert!(more < MOST, "{more} KiB more");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_exhausts_the_memory() {
    const NAME: &str = "worker::bounded::no_answer_exhausts_the_memory";
    if cannot_be_measured() {
        return;
    }
    if env::var_os(ADDRESS).is_some() {
        return call_and_measure().await;
    }
    for (name, play) in plays() {
        let server = Server::start(play).await;
        let address = server.address.to_string();
        let shown =
            tokio::task::spawn_blocking(move || shown_in_a_process_of_its_own(NAME, &[(ADDRESS, address.as_str())]));
        assert!(shown.await.is_ok_and(|shown| shown), "{name}");
        assert_eq!(server.connections(), 3, "{name}: each call is made once");
    }
}

/// Each page is within its bounds, and full.
#[tokio::test(flavor = "multi_thread")]
async fn no_list_exhausts_the_memory() {
    const NAME: &str = "worker::bounded::no_list_exhausts_the_memory";
    if cannot_be_measured() {
        return;
    }
    if env::var_os(ADDRESS).is_some() {
        return call_and_measure().await;
    }
    let server = Server::start_with(|request| {
        let line = request?.line();
        let skip = line.split_once("$skip=").map_or(0, |(_, rest)| rest.split('&').next().unwrap().parse().unwrap());
        let mut page = entities(skip..skip + 100);
        for entity in &mut page {
            entity["title"] = json!("a".repeat(40_000));
        }
        Some(Play::Answer(http("200 OK", json!({ "value": page, "@odata.nextLink": "x" }).to_string())))
    })
    .await;
    let address = server.address.to_string();
    let shown =
        tokio::task::spawn_blocking(move || shown_in_a_process_of_its_own(NAME, &[(ADDRESS, address.as_str())]));
    assert!(shown.await.unwrap());
    assert!(server.connections() < 10, "{} pages were asked for", server.connections());
}

#[tokio::test]
async fn what_is_too_much_is_a_fault_that_says_so() {
    for (name, reason) in [
        ("a body without an end", "it is longer than 4 MiB (HTTP 200)"),
        ("a body that unpacks without an end", "it is longer than 4 MiB (HTTP 200)"),
        ("headers without an end", "it is not HTTP"),
        ("a hundred thousand headers", "it is not HTTP"),
        ("lists in lists", "it holds too many values (HTTP 200)"),
        ("tiny entities", "it holds too many values (HTTP 200)"),
        ("tiny numbers", "it holds too many values (HTTP 200)"),
    ] {
        let play = plays().into_iter().find(|(known, _)| *known == name).unwrap().1;
        let server = Server::start(play).await;
        let client = client_at(&format!("http://{}", server.address), super::PATIENT);
        let kind = CallError::broken_answer(reason);
        assert_eq!(gist(&within(list_device(&client, "x")).await.unwrap_err()), gist(&kind), "{name}");
        assert_eq!(gist(&within(client.create(&new_request("x"))).await.unwrap_err()), gist(&kind), "{name}");
    }
}

#[tokio::test]
async fn nesting_is_bounded_and_what_is_usual_is_not() {
    let nested = |depth: usize| answer("200 OK", format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    for (depth, reason) in [(100, "it is JSON without keys"), (200, "it is not JSON (HTTP 200)")] {
        let fault = super::create(nested(depth)).await.unwrap_err();
        assert_eq!(gist(&fault), gist(&CallError::broken_answer(reason)), "{depth}");
    }
    // As many whole entities as fit into 4 MiB.
    let text = "What the agent means to do; with commas, [brackets] and {braces}: none of them a value. ".repeat(2);
    let entity = json!({ "id": "x", "partnerTicketId": "INC-1", "deviceName": "MMD-1", "title": text, "category": "Office",
        "subcategory": "Excel", "planOfAction": text, "actionsTaken": text, "requestingAgentUpn": "a@b.example",
        "closingAgentUpn": "a@b.example", "requestCreationTime": "2024-01-01T00:00:00Z",
        "requestClosureTime": "2024-01-01T00:00:00Z", "viewerUpns": ["a@b.example"], "@odata.etag": "x" });
    let length = entity.to_string().len() + 6;
    let all: Vec<_> = (0..(4 << 20) / length)
        .map(|n| {
            let mut entity = entity.clone();
            entity["id"] = json!(n.to_string());
            entity
        })
        .collect();
    let server = Server::start(answer("200 OK", json!({ "value": all }).to_string())).await;
    let client = client_at(&format!("http://{}", server.address), super::PATIENT);
    let listed = within(list_device(&client, "x")).await.unwrap();
    assert_eq!(listed.requests.len(), all.len());
    assert!(all.len() > 3_000, "{}", all.len());
}

#[tokio::test]
async fn a_text_that_no_form_holds_is_cut_with_a_sign() {
    let body = json!({ "id": "1", "title": "é".repeat(100_000), "viewerUpns": vec!["a"; 1_000] }).to_string();
    let request = super::create(answer("201 Created", body)).await.unwrap();
    assert_eq!(request.title.raw(), format!("{}…", "é".repeat(65_536)));
    assert_eq!(request.viewers.len(), 256);
}
