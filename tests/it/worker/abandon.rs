//! A call abandoned at each of its stages.

use std::{sync::Arc, time::Duration};

use mmd_elevate_core::{Call, CallError, Operation, Progress, WriteState};
use rstest::rstest;

use super::{
    held::{Act, commits_then, entity_of, plays, says},
    memory::On,
    new_request,
    scene::{Scene, close_of, summary},
};
use crate::support::{gist, server::Play, within};

fn is_looking(progress: &Progress) -> bool {
    matches!(progress, Progress::Looking(_))
}

fn is_waiting(progress: &Progress) -> bool {
    matches!(progress, Progress::Waiting { .. })
}

#[rstest]
#[tokio::test]
async fn while_it_waits_to_go_out_again_it_is_not_done(#[values(On::Wire, On::Memory)] on: On) {
    for call in [Call::Send(Operation::Create(new_request("x"))), close_of("r1", "Done.")] {
        let mut scene = Scene::start(on, [plays(says("429 ?\nretry-after: 2"))]).await;
        let call_id = scene.ask(call).await;
        scene.until(is_waiting).await;
        scene.abandon(call_id).await;
        assert_eq!(summary(&scene.reply().await), "failed: Abandoned { sent: false }");
        let (creates, closes) = scene.counts();
        assert_eq!((scene.stage(1).await, creates + closes), (WriteState::NotDone, 1));
    }
}

async fn in_flight(on: On, act: Act) -> String {
    let mut scene = Scene::start(on, [act]).await;
    let call_id = scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    scene.writes(1).await;
    scene.abandon(call_id).await;
    let Progress::Looking(fault) = scene.until(is_looking).await else { panic!() };
    assert_eq!(gist(&fault), gist(&CallError::abandoned(true)));
    let reply = summary(&scene.reply().await);
    assert_eq!(scene.counts(), (1, 0));
    format!("{reply}, {:?}", scene.stage(1).await)
}

#[rstest]
#[tokio::test]
async fn in_flight_it_is_unknown_and_looked_for(#[values(On::Wire, On::Memory)] on: On) {
    assert_eq!(in_flight(on, commits_then(Play::Hang(Vec::new()))).await, "created r1, Done");
    assert_eq!(in_flight(on, plays(Play::Hang(Vec::new()))).await, "not seen, Abandoned { sent: true }, Unknown");
}

#[rstest]
#[tokio::test]
async fn a_close_in_flight_is_read_back_and_not_repeated(#[values(On::Wire, On::Memory)] on: On) {
    for (act, reply, stage) in [
        (commits_then(Play::Hang(Vec::new())), "verified agent@example.org", WriteState::Done),
        (plays(Play::Hang(Vec::new())), "still open", WriteState::NotDone),
    ] {
        let mut scene = Scene::start(on, [act]).await;
        scene.held.lock().unwrap().requests.push(entity_of("r1", "x"));
        let call_id = scene.ask(close_of("r1", "Done.")).await;
        scene.writes(1).await;
        scene.abandon(call_id).await;
        assert_eq!(summary(&scene.reply().await), reply);
        assert_eq!((scene.stage(1).await, scene.counts()), (stage, (0, 1)));
    }
}

/// Waits until so many lists were asked for.
async fn lists(scene: &Scene, least: usize) {
    let held = Arc::clone(&scene.held);
    within(async move {
        while held.lock().unwrap().listed < least {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn looking_that_is_abandoned_tells_what_was_seen(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [plays(says("500 Oops"))]).await;
    let call_id = scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    // A look lists the two spellings of the name: the first look is over by then.
    lists(&scene, 3).await;
    scene.abandon(call_id).await;
    assert_eq!(summary(&scene.reply().await), "not seen, ServerFailed { status: 500 }");
    assert_eq!(scene.stage(1).await, WriteState::Unknown);

    let mut scene = Scene::start(on, [plays(says("500 Oops"))]).await;
    scene.held.lock().unwrap().lists.push_back(Play::Hang(Vec::new()));
    let call_id = scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    lists(&scene, 1).await;
    scene.abandon(call_id).await;
    assert_eq!(summary(&scene.reply().await), "failed: ServerFailed { status: 500 }", "nothing was seen at all");
    assert_eq!(scene.stage(1).await, WriteState::Unknown);
}

#[rstest]
#[tokio::test]
async fn a_close_whose_reading_back_is_abandoned_is_not_repeated(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [plays(says("500 Oops"))]).await;
    scene.held.lock().unwrap().requests.push(entity_of("r1", "x"));
    let call_id = scene.ask(close_of("r1", "Done.")).await;
    lists(&scene, 2).await;
    scene.abandon(call_id).await;
    assert_eq!(summary(&scene.reply().await), "failed: ServerFailed { status: 500 }");
    assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Unknown, (0, 1)));

    let mut scene = Scene::start(on, []).await;
    {
        let mut held = scene.held.lock().unwrap();
        held.requests.push(entity_of("r1", "x"));
        held.lists.push_back(Play::Hang(Vec::new()));
    }
    let call_id = scene.ask(close_of("r1", "Done.")).await;
    lists(&scene, 1).await;
    scene.abandon(call_id).await;
    assert_eq!(summary(&scene.reply().await), "not yet visible");
    assert_eq!(scene.stage(1).await, WriteState::Done);
}

#[rstest]
#[tokio::test]
async fn a_check_can_be_abandoned_while_it_waits(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, []).await;
    scene.held.lock().unwrap().lists.push_back(says("429 ?\nretry-after: 2"));
    let asked = vec![(super::request_id("r1"), mmd_elevate_core::Untrusted::new("Device x"))];
    let call_id = scene.ask(Call::Check(asked)).await;
    scene.until(is_waiting).await;
    scene.abandon(call_id).await;
    assert_eq!(summary(&scene.reply().await), "failed: Abandoned { sent: false }");
}

#[rstest]
#[tokio::test]
async fn what_has_its_reply_cannot_be_abandoned_any_more(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, []).await;
    assert_eq!(scene.create("x").await, "created r1");
    scene.abandon(mmd_elevate_core::CallId(1)).await;
    scene.abandon(mmd_elevate_core::CallId(99)).await;
    assert_eq!(scene.create("y").await, "created r2");
}
