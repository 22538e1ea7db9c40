//! Requests that the agent takes as closed: what is recorded of that, and that nothing is sent.

use mmd_elevate_core::{Call, Recovered, Untrusted, WriteState};
use rstest::rstest;

use super::{
    held::{entity_of, plays, says},
    memory::On,
    request_id,
    scene::{Scene, close_of},
};
use crate::support::server::Play;

/// The service accepted a close of this request, and cannot be asked about it.
async fn accepted(scene: &mut Scene) {
    scene.held.lock().unwrap().lists.extend(vec![Play::Slam; 99]);
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "not yet visible");
    scene.held.lock().unwrap().lists.clear();
}

fn take() -> Call {
    Call::TakeAsClosed(request_id("r1"))
}

/// What is recovered of the request: whether it is open, how many accepted closes it has, and whether it is closed on the agent's
/// word.
fn state(recovered: &Recovered) -> (usize, usize, Vec<bool>) {
    let on_word = recovered.closed.iter().map(|ended| ended.on_word).collect();
    (recovered.open.len(), recovered.accepted.len(), on_word)
}

#[rstest]
#[tokio::test]
async fn request_whose_close_was_accepted_is_taken_as_closed_and_nothing_is_sent(
    #[values(On::Wire, On::Memory)] on: On,
) {
    let mut scene = Scene::start(on, []).await;
    assert_eq!(scene.create("x").await, "created r1");
    accepted(&mut scene).await;
    let listed = scene.held.lock().unwrap().listed;
    for turn in ["first", "second"] {
        assert_eq!(scene.does(take()).await, "taken as closed", "{turn}");
    }
    assert_eq!((scene.counts(), scene.held.lock().unwrap().listed), ((1, 1), listed), "nothing is sent");
    assert_eq!(scene.stage(2).await, WriteState::Done);
    let recovered = scene.record.recovered().await;
    assert_eq!(state(&recovered), (0, 0, vec![true]));
    assert!(!recovered.closed[0].request.title.is_blank(), "as it was opened");
}

#[tokio::test]
async fn request_that_was_opened_elsewhere_is_taken_as_closed_with_what_the_close_tells() {
    let mut scene = Scene::start(On::Wire, []).await;
    scene.held.lock().unwrap().requests.push(entity_of("r1", "x"));
    accepted(&mut scene).await;
    assert_eq!(scene.does(take()).await, "taken as closed");
    let recovered = scene.record.recovered().await;
    assert_eq!(state(&recovered), (0, 0, vec![true]));
    let request = &recovered.closed[0].request;
    assert_eq!((request.device.raw(), &request.actions_taken), ("Device x", &Untrusted::default()));
}

#[tokio::test]
async fn list_that_shows_it_as_closed_later_replaces_the_word() {
    let mut scene = Scene::start(On::Wire, []).await;
    assert_eq!(scene.create("x").await, "created r1");
    accepted(&mut scene).await;
    assert_eq!(scene.does(take()).await, "taken as closed");
    let asked = vec![(request_id("r1"), Untrusted::new("Device x"))];
    assert_eq!(scene.does(Call::Check(asked)).await, "checked 1");
    let recovered = scene.record.recovered().await;
    assert_eq!(state(&recovered), (0, 0, vec![false]));
    assert_eq!(recovered.closed[0].request.actions_taken.raw(), "Done.");
}

#[tokio::test]
async fn request_without_an_accepted_close_is_not_taken_as_closed() {
    let mut scene = Scene::start(On::Wire, []).await;
    assert_eq!(scene.does(take()).await, "failed: NotSent", "it is unknown");
    assert_eq!(scene.create("x").await, "created r1");
    assert_eq!(scene.does(take()).await, "failed: NotSent", "nothing was closed");
    scene.held.lock().unwrap().acts.push_back(plays(says("403 Forbidden")));
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: NotAllowed");
    assert_eq!(scene.does(take()).await, "failed: NotSent", "the close was refused");
    assert_eq!(state(&scene.record.recovered().await), (1, 0, vec![]));
}

#[tokio::test]
async fn request_is_not_taken_as_closed_while_the_record_cannot_be_written() {
    let mut scene = Scene::start(On::Wire, []).await;
    assert_eq!(scene.create("x").await, "created r1");
    accepted(&mut scene).await;
    scene.record.break_it();
    assert_eq!(scene.does(take()).await, "failed: NotRecorded");
    scene.record.mend_it();
    assert_eq!(scene.does(take()).await, "taken as closed");
}
