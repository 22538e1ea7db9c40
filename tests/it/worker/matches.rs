//! What looking makes of what the service lists: found, possible, not seen, or not all of it seen.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use mmd_elevate_core::{Call, CallResult, ElevationRequest, MatchResult, Operation, WriteId, WriteState};
use mmd_elevate_engine::worker::Timing;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    PATIENT, client_at,
    held::{entity_of, plays, says},
    memory::On,
    new_request,
    scene::{QUICK, Scene},
};
use crate::support::server::{Play, Server, http};

const LOST: &str = "500 Oops";

fn in_seconds(seconds: i64) -> Value {
    json!((Timestamp::now() + SignedDuration::from_secs(seconds)).to_string())
}

/// An entity with other values, or without a key where the value is `undefined`.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut entity = entity_of("r7", "x");
    for (key, value) in changes {
        entity[*key] = value.clone();
    }
    entity
}

/// What a create comes to that is lost without an answer, where this is listed then.
async fn looked(on: On, entities: Vec<Value>) -> (String, Scene) {
    let mut scene = Scene::start(on, [plays(says(LOST))]).await;
    scene.held.lock().unwrap().requests = entities;
    let told = scene.create("x").await;
    (told.split(", ServerFailed").next().unwrap().to_owned(), scene)
}

#[rstest]
#[tokio::test]
async fn equal_request_is_never_absent_because_of_a_clock(#[values(On::Wire, On::Memory)] on: On) {
    let now = json!(Timestamp::now().to_string());
    for (created, told) in [
        (now, "created r7"),
        (in_seconds(30), "created r7"),
        (in_seconds(-5), "1 possible"),
        (in_seconds(-300), "1 possible"),
        (in_seconds(-800), "1 possible"),
        (in_seconds(3_600), "1 possible"),
        (json!("soon"), "1 possible"),
        (Value::Null, "1 possible"),
        (in_seconds(-1_000), "not seen"),
    ] {
        assert_eq!(looked(on, vec![with(&[("requestCreationTime", created.clone())])]).await.0, told, "{created}");
    }
}

#[tokio::test]
async fn date_header_that_a_proxy_rewrites_makes_no_equal_request_absent() {
    for (stamped, dated) in [(-5, 0), (0, 0), (-120, 0), (-2, 600), (-2, -600), (120, -86_400)] {
        let mut scene = Scene::start(On::Wire, [plays(says(LOST))]).await;
        let date = (Timestamp::now() + SignedDuration::from_secs(dated)).strftime("%a, %d %b %Y %H:%M:%S GMT");
        let body = json!({ "value": [with(&[("requestCreationTime", in_seconds(stamped))])] }).to_string();
        let play = Play::Answer(http(&format!("200 OK\ndate: {date}"), body));
        scene.held.lock().unwrap().lists.extend(vec![play; 99]);
        let told = scene.create("x").await;
        assert!(told.starts_with("created r7") || told.starts_with("1 possible"), "{stamped} {dated}: {told}");
    }
}

#[rstest]
#[tokio::test]
async fn clock_that_is_set_back_during_the_call_makes_no_request_absent(#[values(On::Wire, On::Memory)] on: On) {
    // The service's clock is right; the local clock was ahead by this much when the write was recorded.
    for (ahead, told) in [(3, "created r7"), (1_200, "created r7")] {
        let now: fn() -> Timestamp = match ahead {
            3 => || Timestamp::now() - SignedDuration::from_secs(3),
            _ => || Timestamp::now() - SignedDuration::from_secs(1_200),
        };
        let timing = Timing { now, ..QUICK };
        let mut scene = Scene::with(on, [plays(says(LOST))], PATIENT, timing).await;
        scene.held.lock().unwrap().requests = vec![with(&[("requestCreationTime", in_seconds(1 - ahead))])];
        let answer = scene.create("x").await;
        assert!(answer.starts_with(told), "{ahead}: {answer}");
    }
}

#[rstest]
#[tokio::test]
async fn request_that_agrees_in_part_is_possible(#[values(On::Wire, On::Memory)] on: On) {
    let device = |name: &str| ("deviceName", json!(name));
    for (changes, told) in [
        (vec![("partnerTicketId", Value::Null)], "1 possible"),
        (vec![("partnerTicketId", json!(""))], "1 possible"),
        (vec![("partnerTicketId", json!("Other"))], "1 possible"),
        (vec![("title", json!("Other"))], "1 possible"),
        (vec![("title", Value::Null), ("planOfAction", Value::Null)], "1 possible"),
        (vec![device("Device x.contoso.local")], "1 possible"),
        (vec![device("DEVICE X")], "created r7"),
        (vec![device("Device x1")], "not seen"),
        (vec![("title", json!(" Title x\r\n"))], "created r7"),
        (vec![("partnerTicketId", json!("Other")), ("title", json!("Other"))], "not seen"),
    ] {
        assert_eq!(looked(on, vec![with(&changes)]).await.0, told, "{changes:?}");
    }
}

#[tokio::test]
async fn keys_in_another_case_are_read_and_what_cannot_be_read_is_told() {
    let capital = |entity: Value| {
        let Value::Object(object) = entity else { panic!() };
        let key = |key: String| format!("{}{}", key[..1].to_uppercase(), &key[1..]);
        Value::Object(object.into_iter().map(|(name, value)| (key(name), value)).collect())
    };
    assert_eq!(looked(On::Wire, vec![capital(with(&[]))]).await.0, "created r7");
    let unreadable = || vec![json!({ "title": "x" }), json!({ "id": ".." })];
    assert_eq!(looked(On::Wire, unreadable()).await.0, "unclear (2 entries could not be read)");
    let (told, scene) = looked(On::Wire, unreadable().into_iter().chain([with(&[])]).collect()).await;
    assert_eq!((told.as_str(), scene.stage(1).await), ("created r7", WriteState::Done), "what is there is there");
}

#[tokio::test]
async fn half_an_emoji_in_another_title_hides_nothing() {
    let mut scene = Scene::start(On::Wire, [plays(says(LOST))]).await;
    let other = r#"{"id":"r9","deviceName":"Device x","title":"half \ud83d"}"#;
    let body = format!(r#"{{"value":[{other},{}]}}"#, with(&[]));
    scene.held.lock().unwrap().lists.extend(vec![Play::Answer(http("200 OK", body)); 9]);
    assert_eq!(scene.create("x").await, "created r7");
}

#[rstest]
#[tokio::test]
async fn request_that_one_list_shows_and_the_next_leaves_out_is_still_possible(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [plays(says(LOST))]).await;
    let once = json!({ "value": [with(&[("title", json!("Other"))])] }).to_string();
    scene.held.lock().unwrap().lists.push_back(Play::Answer(http("200 OK", once)));
    assert!(scene.create("x").await.starts_with("1 possible"));
    assert!(scene.held.lock().unwrap().listed > 2);
}

#[tokio::test]
async fn list_without_an_end_is_never_called_without_it() {
    // The filter is ignored, and `$skip` is too; the next link leads elsewhere.
    let others: Vec<_> = (0..20).map(|n| json!({ "id": n.to_string(), "deviceName": "Other" })).collect();
    let page = json!({ "value": others, "@odata.nextLink": "https://elsewhere.example/next" }).to_string();
    let server = Server::start_with(move |request| {
        let is_list = request?.line().starts_with("GET ");
        Some(if is_list { Play::Answer(http("200 OK", page.clone())) } else { says(LOST) })
    })
    .await;
    let client = client_at(&format!("http://{}", server.address), PATIENT);
    let mut scene = Scene::between(Arc::default(), server, client, QUICK).await;
    let told = scene.create("x").await;
    assert!(told.starts_with("unclear (the list was not seen to its end: 20 entries were read"), "{told}");
    assert_eq!(scene.stage(1).await, WriteState::Unknown);
}

#[rstest]
#[tokio::test]
async fn adopted_request_keeps_the_texts_that_the_service_does_not_tell(#[values(On::Wire, On::Memory)] on: On) {
    let bare = json!({ "id": "r7", "deviceName": "Device x", "requestCreationTime": in_seconds(0) });
    let mut scene = Scene::start(on, [plays(says(LOST))]).await;
    scene.held.lock().unwrap().requests = vec![bare];
    scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    let Ok(CallResult::Looked { seen: MatchResult::Possible(mut seen), .. }) = scene.reply().await.result else {
        panic!()
    };
    let adopted: Box<ElevationRequest> = Box::new(seen.remove(0));
    assert_eq!(scene.does(Call::Adopt(WriteId(1), adopted.clone())).await, "created r7");
    let recorded = scene.record.handle.request(&adopted.id).await.unwrap().unwrap();
    assert_eq!((recorded.ticket.raw(), recorded.title.raw()), ("Ticket x", "Title x"));
}
