//! A create that the service asks to wait with is looked for before it goes out again.

use mmd_elevate_core::{Call, Operation, Progress, WriteState};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    held::{Act, commits_then, does_as_asked, entity_of, plays, says},
    memory::On,
    new_request,
    scene::{Scene, close_of, summary},
};

const WAIT: &str = "429 Too Many\nretry-after: 0";

async fn assert_create(
    on: On,
    name: &str,
    acts: Vec<Act>,
    listed: Vec<Value>,
    told: &str,
    state: WriteState,
    sent: usize,
) {
    let mut scene = Scene::start(on, acts).await;
    scene.held.lock().unwrap().requests.extend(listed);
    assert_eq!(scene.create("x").await, told, "{name}");
    assert_eq!((scene.stage(1).await, scene.counts()), (state, (sent, 0)), "{name}");
    assert!(scene.progress.contains(&Progress::LookingFirst), "{name}: {:?}", scene.progress);
}

#[rstest]
#[tokio::test]
async fn create_that_was_done_and_throttled_is_not_sent_again(#[values(On::Wire, On::Memory)] on: On) {
    let done = || vec![commits_then(says(WAIT))];
    assert_create(on, "done", done(), vec![], "created r1", WriteState::Done, 1).await;
    let twice = vec![plays(says(WAIT)), commits_then(says(WAIT))];
    assert_create(on, "done at the second", twice, vec![], "created r1", WriteState::Done, 2).await;
    let mut other = entity_of("r9", "x");
    other["title"] = json!("Other");
    assert_create(
        on,
        "possible",
        vec![plays(says(WAIT))],
        vec![other],
        "1 possible, Throttled",
        WriteState::Unknown,
        1,
    )
    .await;
    let unreadable = vec![json!({ "title": "x" })];
    let told = "unclear (1 entry could not be read), Throttled";
    assert_create(on, "unreadable", done(), unreadable, "created r2", WriteState::Done, 1).await;
    let unreadable = vec![json!({ "title": "x" })];
    assert_create(on, "not whole", vec![plays(says(WAIT))], unreadable, told, WriteState::Unknown, 1).await;
    let acts = vec![plays(says(WAIT)), does_as_asked()];
    let mut elsewhere = entity_of("r9", "y");
    elsewhere["deviceName"] = json!("Device x");
    assert_create(on, "another matter", acts, vec![elsewhere], "created r2", WriteState::Done, 2).await;
}

#[rstest]
#[tokio::test]
async fn create_is_not_repeated_where_the_device_cannot_be_listed(#[values(On::Wire, On::Memory)] on: On) {
    for (head, why) in [
        ("500 Oops", "The service failed (HTTP 500)"),
        ("401 Unauthorized", "The service does not accept the token"),
        ("200 OK", "The answer cannot be used: HTTP 200 was not expected"),
    ] {
        let mut scene = Scene::start(on, [commits_then(says(WAIT))]).await;
        scene.held.lock().unwrap().lists.extend(vec![says(head); 99]);
        assert_eq!(scene.create("x").await, format!("unclear (the list could not be read: {why}), Throttled"));
        assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Unknown, (1, 0)), "{head}");
        scene.held.lock().unwrap().lists.clear();
        assert_eq!(scene.does(Call::Look(mmd_elevate_core::WriteId(1))).await, "created r1", "{head}");
    }
}

#[rstest]
#[tokio::test]
async fn looking_before_a_repeat_can_be_abandoned(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [plays(says(WAIT))]).await;
    scene.held.lock().unwrap().lists.push_back(crate::support::server::Play::Hang(Vec::new()));
    let call_id = scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    scene.until(|progress| *progress == Progress::LookingFirst).await;
    scene.abandon(call_id).await;
    assert_eq!(summary(&scene.reply().await), "failed: Abandoned { sent: false }");
    assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::NotDone, (1, 0)));
}

#[rstest]
#[tokio::test]
async fn close_is_repeated_without_a_list(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [plays(says(WAIT))]).await;
    scene.held.lock().unwrap().requests.push(entity_of("r1", "x"));
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "verified agent@example.org");
    assert_eq!(scene.counts(), (0, 2));
    assert!(!scene.progress.contains(&Progress::LookingFirst), "{:?}", scene.progress);
}
