//! How writes went, as the record holds it.

use mmd_elevate_core::{Call, CallResult, Untrusted, WriteHistory, WriteId, WriteState};
use rstest::rstest;

use super::{
    held::{plays, says},
    memory::On,
    request_id,
    scene::{Scene, close_of},
};
use crate::support::server::Play;

async fn history(scene: &mut Scene, request: Option<&str>, write: Option<i64>) -> Vec<WriteHistory> {
    scene.ask(Call::History { request: request.map(request_id), write: write.map(WriteId) }).await;
    match scene.reply().await.result {
        Ok(CallResult::History(histories)) => histories,
        other => panic!("{other:?}"),
    }
}

/// The states of each write, after its kind.
fn states(histories: &[WriteHistory]) -> Vec<(&'static str, Vec<WriteState>)> {
    let states = |history: &WriteHistory| history.steps.iter().map(|step| step.state).collect();
    histories.iter().map(|history| (history.kind, states(history))).collect()
}

#[rstest]
#[tokio::test]
async fn writes_of_a_request_are_told_with_their_steps_and_nothing_is_sent(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, []).await;
    assert_eq!((scene.create("x").await, scene.create("y").await), ("created r1".to_owned(), "created r2".to_owned()));
    scene.held.lock().unwrap().acts.push_back(plays(says("403 Forbidden")));
    assert_eq!(scene.does(close_of("r1", "Refused.")).await, "failed: NotAllowed");
    scene.held.lock().unwrap().lists.extend(vec![Play::Slam; 99]);
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "not yet visible");
    assert_eq!(scene.does(Call::TakeAsClosed(request_id("r1"))).await, "taken as closed");
    let (counts, listed) = (scene.counts(), scene.held.lock().unwrap().listed);

    let of_request = history(&mut scene, Some("r1"), None).await;
    let (intended, done) = (WriteState::Intended, WriteState::Done);
    let told = [
        ("create", vec![intended, done]),
        ("close", vec![intended, WriteState::NotDone]),
        ("close", vec![intended, done, done]),
    ];
    assert_eq!(states(&of_request), told);
    assert_eq!(of_request.iter().map(|history| history.id.0).collect::<Vec<_>>(), [1, 3, 4]);
    assert!(of_request.iter().all(|history| history.operator == Untrusted::new("agent")));
    let steps: Vec<_> = of_request.iter().flat_map(|history| &history.steps).collect();
    assert!(steps.is_sorted_by_key(|step| step.at), "{steps:?}");
    let ids: Vec<_> = steps.iter().map(|step| step.service_request_id.is_some()).collect();
    assert_eq!(ids, [false, true, false, false, false, true, false]);
    let reasons: Vec<_> = steps.iter().filter_map(|step| Some(step.why.as_ref()?.raw())).collect();
    assert_eq!(reasons, ["The token does not allow this.", "taken as closed on the agent's word"]);

    assert_eq!(history(&mut scene, None, Some(3)).await, of_request[1..2]);
    assert_eq!(history(&mut scene, Some("r1"), Some(3)).await, of_request, "each write once");
    assert_eq!(states(&history(&mut scene, Some("r2"), Some(3)).await), [told[0].clone(), told[1].clone()]);
    assert_eq!(history(&mut scene, Some("r3"), Some(99)).await, []);
    assert_eq!(history(&mut scene, None, None).await, []);
    assert_eq!((scene.counts(), scene.held.lock().unwrap().listed), (counts, listed), "nothing is sent");
}

#[tokio::test]
async fn history_does_not_wait_for_a_call_or_for_a_record_that_another_keeps_busy() {
    let mut scene = Scene::start(On::Wire, []).await;
    assert_eq!(scene.create("x").await, "created r1");
    scene.held.lock().unwrap().acts.push_back(plays(Play::Hang(Vec::new())));
    scene.ask(close_of("r1", "Done.")).await;
    scene.writes(2).await;
    let other = scene.record.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = history(&mut scene, Some("r1"), None).await;
    assert_eq!(states(&told)[1], ("close", vec![WriteState::Intended]), "the close is on its way");
}
