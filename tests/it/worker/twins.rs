//! Equal requests: of one process, of two, and of one that was set aside. Each write has its own request, and all are shown.

use mmd_elevate_core::{Call, Operation, Outcome, Progress, RequestId, Untrusted, WriteId, WriteState};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    held::{commits_then, entity_of, plays, says},
    memory::On,
    new_request, request_id,
    scene::{Scene, summary},
};
use crate::support::server::{Play, http};

const LOST: &str = "500 Oops";
const SMALL: &str = "3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b";
const CAPITAL: &str = "3F2B0C5E-9A41-4D0E-8F77-00C0FFEE0A1B";

fn created(entity: &Value) -> Play {
    Play::Answer(http("201 Created", entity.to_string()))
}

fn check(id: &str) -> Call {
    Call::Check(vec![(request_id(id), Untrusted::new("Device x"))])
}

#[rstest]
#[tokio::test]
async fn id_that_is_listed_in_another_case_is_the_same_request(#[values(On::Wire, On::Memory)] on: On) {
    for (told, listed) in [(CAPITAL, SMALL), (SMALL, CAPITAL), (SMALL, "{3F2B0C5E-9A41-4D0E-8F77-00C0FFEE0A1B}")] {
        let mut scene = Scene::start(on, [plays(created(&entity_of(told, "x"))), plays(says(LOST))]).await;
        scene.held.lock().unwrap().requests.push(entity_of(listed, "x"));
        assert_eq!(scene.create("x").await, format!("created {told}"));
        assert_eq!(scene.does(check(told)).await, "checked 1", "{told} {listed}");
        // The second is lost, and the first one's request is not taken for it.
        assert_eq!(scene.create("x").await, "not seen, ServerFailed { status: 500 }", "{told} {listed}");
        let listed = scene.record.handle.request(&request_id(listed)).await.unwrap();
        assert!(listed.is_some(), "the record knows it by either");
    }
}

#[rstest]
#[tokio::test]
async fn answer_with_the_id_of_another_request_settles_nothing_and_the_own_is_looked_for(
    #[values(On::Wire, On::Memory)] on: On,
) {
    for again in [SMALL, CAPITAL] {
        let first = entity_of(SMALL, "x");
        let mut scene = Scene::start(on, [plays(created(&first)), plays(created(&entity_of(again, "y")))]).await;
        scene.held.lock().unwrap().requests.push(first);
        assert_eq!(scene.create("x").await, format!("created {SMALL}"));
        assert_eq!(scene.create("y").await, "not seen, BrokenAnswer");
        assert_eq!((scene.stage(1).await, scene.stage(2).await), (WriteState::Done, WriteState::Unknown));
        assert!(scene.progress.iter().any(|progress| matches!(progress, Progress::Looking(_))));
        scene.held.lock().unwrap().requests.push(entity_of("r9", "y"));
        assert_eq!(scene.does(Call::Look(WriteId(2))).await, "created r9");
    }
    // It was opened all the same: it is found at once.
    let mut scene = Scene::start(on, []).await;
    assert_eq!(scene.create("x").await, "created r1");
    let lie = created(&entity_of("r1", "x"));
    scene.held.lock().unwrap().acts.push_back(commits_then(lie));
    assert_eq!(scene.create("x").await, "created r2");
}

#[rstest]
#[tokio::test]
async fn what_another_process_may_be_opening_is_not_claimed(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [plays(says(LOST))]).await;
    let other = scene.record.another().await;
    let theirs = other.begin(&Operation::Create(new_request("x"))).await.unwrap();
    let entity = entity_of("r1", "x");
    scene.held.lock().unwrap().requests.push(entity);
    assert_eq!(scene.create("x").await, "1 possible, ServerFailed { status: 500 }");
    // Its answer comes: the request is its own.
    let seen = scene.does(Call::Look(WriteId(theirs.id.0 + 1))).await;
    assert_eq!(seen, "1 possible, Crashed");
    let request = super::create(created(&entity_of("r1", "x"))).await.unwrap();
    let done = Outcome { state: WriteState::Done, request: Some(request), why: None, service_request_id: None };
    other.settle(theirs.id, done).await.unwrap();
    assert_eq!(scene.does(Call::Look(WriteId(theirs.id.0 + 1))).await, "not seen, Crashed");
    scene.held.lock().unwrap().requests.push(entity_of("r2", "x"));
    assert_eq!(scene.does(Call::Look(WriteId(theirs.id.0 + 1))).await, "created r2");
}

#[rstest]
#[tokio::test]
async fn answer_that_comes_after_another_process_took_the_request_is_unknown_and_looked_for(
    #[values(On::Wire, On::Memory)] on: On,
) {
    let mut scene = Scene::start(on, [plays(created(&entity_of("r1", "x")))]).await;
    let other = scene.record.another().await;
    let theirs = other.begin(&Operation::Create(new_request("x"))).await.unwrap();
    let request = super::create(created(&entity_of("r1", "x"))).await.unwrap();
    let done = Outcome { state: WriteState::Done, request: Some(request), why: None, service_request_id: None };
    other.settle(theirs.id, done).await.unwrap();
    scene.held.lock().unwrap().requests.extend([entity_of("r1", "x"), entity_of("r2", "x")]);
    assert_eq!(scene.create("x").await, "created r2", "each has one of the two");
}

#[rstest]
#[tokio::test]
async fn what_a_create_that_was_set_aside_has_made_is_surplus_at_the_next_check(
    #[values(On::Wire, On::Memory)] on: On,
) {
    let mut scene = Scene::start(on, [plays(says(LOST))]).await;
    assert_eq!(scene.create("x").await, "not seen, ServerFailed { status: 500 }");
    assert_eq!(scene.does(Call::SetAside(WriteId(1))).await, "set aside");
    assert_eq!(scene.create("x").await, "created r1");
    let late = |id: &str, text: &str, change: &[(&str, Value)]| {
        let mut entity = entity_of(id, text);
        entity["deviceName"] = json!("Device x");
        for (key, value) in change {
            entity[*key] = value.clone();
        }
        entity
    };
    let before = (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(20)).to_string();
    scene.held.lock().unwrap().requests.extend([
        late("late", "x", &[]),
        late("other", "y", &[]),
        late("old", "x", &[("requestCreationTime", json!(before))]),
        late("closed", "x", &[("requestClosureTime", json!(jiff::Timestamp::now().to_string()))]),
    ]);
    assert_eq!(scene.does(check("r1")).await, "checked 1, 1 surplus");
    assert_eq!(scene.does(check("late")).await, "checked 1", "what is asked for has a row already");
}

#[rstest]
#[tokio::test]
async fn check_of_a_list_that_was_not_seen_whole_calls_nothing_missing(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, []).await;
    scene.held.lock().unwrap().requests.extend([entity_of("r1", "x"), json!({ "title": "x" })]);
    let both = || {
        let asked = ["r1", "gone"].map(|id| (RequestId::new(id).unwrap(), Untrusted::new("Device x")));
        Call::Check(asked.to_vec())
    };
    scene.ask(both()).await;
    assert_eq!(summary(&scene.reply().await), "checked 1, 1 entry could not be read");
    scene.held.lock().unwrap().requests.pop();
    assert_eq!(scene.does(both()).await, "checked 1, 1 missing");
}
