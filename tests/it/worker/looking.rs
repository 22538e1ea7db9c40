//! What is unknown is looked for, and what the agent decides about what was seen.

use mmd_elevate_core::{
    Call, CallResult, ElevationRequest, MatchResult, Operation, RequestId, Untrusted, WriteId, WriteState,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    held::{commits_then, entity_of, plays, says},
    memory::On,
    scene::{Scene, close_of},
};

const LOST: &str = "500 Oops";

/// A create is lost without a trace, and these are found instead.
async fn lost_and_found(on: On, entities: impl IntoIterator<Item = Value>) -> Scene {
    let scene = Scene::start(on, [plays(says(LOST))]).await;
    scene.held.lock().unwrap().requests.extend(entities);
    scene
}

fn changed(mut entity: Value, key: &str, value: &str) -> Value {
    entity[key] = json!(value);
    entity
}

fn in_minutes(minutes: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes)).to_string()
}

#[rstest]
#[tokio::test]
async fn what_becomes_visible_late_is_found(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [commits_then(says(LOST))]).await;
    scene.held.lock().unwrap().stale_lists = 3;
    assert_eq!(scene.create("x").await, "created r1");
    assert!(scene.held.lock().unwrap().listed >= 4);
    assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Done, (1, 0)));
}

#[rstest]
#[tokio::test]
async fn lists_that_fail_are_read_again(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [commits_then(says(LOST))]).await;
    let fails = [says("500 Oops"), says("429 ?\nretry-after: 0"), says("503 ?\nretry-after: 0"), says("200 OK")];
    scene.held.lock().unwrap().lists.extend(fails);
    assert_eq!(scene.create("x").await, "created r1");
}

#[rstest]
#[tokio::test]
async fn where_nothing_can_be_listed_it_stays_unknown_and_is_not_called_unseen(#[values(On::Wire, On::Memory)] on: On) {
    for (head, why) in [
        ("401 Unauthorized", "The service does not accept the token"),
        ("500 Oops", "The service failed (HTTP 500)"),
        ("200 OK", "The answer cannot be used: HTTP 200 was not expected"),
    ] {
        let mut scene = Scene::start(on, [commits_then(says("503 Busy"))]).await;
        scene.held.lock().unwrap().lists.extend(vec![says(head); 999]);
        let told = format!("unclear (the list could not be read: {why}), ServerFailed {{ status: 503 }}");
        assert_eq!(scene.create("x").await, told, "{head}");
        assert_eq!(scene.stage(1).await, WriteState::Unknown);
    }
}

#[rstest]
#[tokio::test]
async fn another_that_equals_it_is_surplus(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [commits_then(says(LOST))]).await;
    let later = changed(entity_of("r0", "x"), "requestCreationTime", &in_minutes(1));
    scene.held.lock().unwrap().requests.push(later);
    assert_eq!(scene.create("x").await, "created r2, surplus r0");
}

#[rstest]
#[tokio::test]
async fn what_may_be_it_is_possible_and_can_be_adopted(#[values(On::Wire, On::Memory)] on: On) {
    for (key, value) in [("title", "Another"), ("requestCreationTime", &in_minutes(60)), ("planOfAction", "")] {
        let mut scene = lost_and_found(on, [changed(entity_of("r7", "x"), key, value)]).await;
        scene.ask(Call::Send(Operation::Create(super::new_request("x")))).await;
        let Ok(CallResult::Looked { seen: MatchResult::Possible(mut seen), .. }) = scene.reply().await.result else {
            panic!("{key}")
        };
        assert_eq!(scene.stage(1).await, WriteState::Unknown);
        let adopted: Box<ElevationRequest> = Box::new(seen.remove(0));
        assert_eq!(scene.does(Call::Adopt(WriteId(1), adopted.clone())).await, "created r7");
        assert_eq!(scene.stage(1).await, WriteState::Done);
        assert_eq!(scene.does(Call::Adopt(WriteId(1), adopted)).await, "failed: NotSent");
    }
}

#[rstest]
#[tokio::test]
async fn what_belongs_to_another_cannot_be_adopted(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, []).await;
    scene.ask(Call::Send(Operation::Create(super::new_request("x")))).await;
    let Ok(CallResult::Created { request, .. }) = scene.reply().await.result else { panic!() };
    scene.held.lock().unwrap().acts.push_back(plays(says(LOST)));
    assert_eq!(scene.create("x").await, "not seen, ServerFailed { status: 500 }");
    assert_eq!(scene.does(Call::Adopt(WriteId(2), request)).await, "failed: NotSent");
    assert_eq!(scene.stage(2).await, WriteState::Unknown);
}

#[rstest]
#[tokio::test]
async fn what_is_another_matter_is_not_it(#[values(On::Wire, On::Memory)] on: On) {
    let before = changed(entity_of("r1", "x"), "requestCreationTime", &in_minutes(-16));
    let ticket = changed(changed(entity_of("r2", "x"), "partnerTicketId", "Other"), "title", "Other");
    let mut scene = lost_and_found(on, [before, ticket]).await;
    assert_eq!(scene.create("x").await, "not seen, ServerFailed { status: 500 }");
}

#[rstest]
#[tokio::test]
async fn looking_again_finds_what_came_since_and_settles_it(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = lost_and_found(on, []).await;
    assert_eq!(scene.create("x").await, "not seen, ServerFailed { status: 500 }");
    assert_eq!(scene.does(Call::Look(WriteId(1))).await, "not seen, Crashed");
    scene.held.lock().unwrap().requests.push(entity_of("r9", "x"));
    assert_eq!(scene.does(Call::Look(WriteId(1))).await, "created r9");
    assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Done, (1, 0)));
    assert_eq!(scene.does(Call::Look(WriteId(1))).await, "failed: NotSent");
    assert_eq!(scene.does(Call::Look(WriteId(99))).await, "failed: NotSent");
}

#[rstest]
#[tokio::test]
async fn a_close_that_nobody_knows_of_is_read_back(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [commits_then(says(LOST)), plays(says(LOST))]).await;
    {
        let mut held = scene.held.lock().unwrap();
        held.requests.extend([entity_of("r1", "x"), entity_of("r2", "x")]);
        held.lists.extend(vec![says("401 Unauthorized"); 2]);
    }
    for id in ["r1", "r2"] {
        let reply = scene.does(close_of(id, "Done.")).await;
        assert_eq!(reply, "failed: ServerFailed { status: 500 }");
    }
    assert_eq!(scene.does(Call::Look(WriteId(1))).await, "verified agent@example.org");
    assert_eq!(scene.does(Call::Look(WriteId(2))).await, "still open");
    assert_eq!(
        (scene.stage(1).await, scene.stage(2).await, scene.counts()),
        (WriteState::Done, WriteState::NotDone, (0, 2))
    );
}

#[rstest]
#[tokio::test]
async fn set_aside_it_is_asked_for_no_more(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = lost_and_found(on, []).await;
    assert_eq!(scene.create("x").await, "not seen, ServerFailed { status: 500 }");
    assert_eq!(scene.does(Call::SetAside(WriteId(1))).await, "set aside");
    assert_eq!(scene.stage(1).await, WriteState::SetAside);
    assert_eq!(scene.does(Call::SetAside(WriteId(1))).await, "failed: NotSent");
}

#[rstest]
#[tokio::test]
async fn a_check_lists_each_device_once_and_tells_what_was_asked_for(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, []).await;
    scene.held.lock().unwrap().requests.extend(["r1", "r2", "r3"].map(|id| entity_of(id, "x")));
    let asked = |device: &str, id: &str| (RequestId::new(id).unwrap(), Untrusted::new(device));
    let of_one = vec![asked("Device x", "r1"), asked("Device x", "r2"), asked("Device x", "gone")];
    assert_eq!(scene.does(Call::Check(of_one)).await, "checked 2, 1 missing");
    assert_eq!(scene.held.lock().unwrap().listed, 1);
    let of_many = (0..9).map(|n| asked(&format!("Device {n}"), "r3")).collect();
    assert_eq!(scene.does(Call::Check(of_many)).await, "checked 9");
    assert_eq!(scene.does(Call::Check(Vec::new())).await, "checked 0");
    scene.held.lock().unwrap().lists.push_back(says("401 Unauthorized"));
    let of_two = vec![asked("Device 1", "r1"), asked("Device 2", "r2")];
    let told = "checked 1, a list could not be read: The service does not accept the token";
    assert_eq!(scene.does(Call::Check(of_two)).await, told, "of what could not be listed nothing is said");
    scene.held.lock().unwrap().lists.push_back(says("401 Unauthorized"));
    assert_eq!(scene.does(Call::Check(vec![asked("Device 1", "r1")])).await, "failed: NotSignedIn");
}
