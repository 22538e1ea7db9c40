//! The table of answers for a close, row by row.

use std::time::Duration;

use mmd_elevate::{
    api::Timeouts,
    port::{Progress, Stage},
};
use serde_json::json;

use super::{
    PATIENT,
    held::{Act, commits_then, entity_of, plays, says, slams},
    scene::{QUICK, Scene, close_of},
};
use crate::support::server::Play;

const VERIFIED: &str = "verified agent@example.org";

async fn scene_with(acts: impl IntoIterator<Item = Act>) -> Scene {
    let timeouts = Timeouts { write: Duration::from_millis(700), ..PATIENT };
    let scene = Scene::with(acts, timeouts, QUICK).await;
    scene.held.lock().unwrap().requests.push(entity_of("r1", "x"));
    scene
}

fn names(progress: &[Progress]) -> Vec<String> {
    let name = |progress: &Progress| format!("{progress:?}").split([' ', '(']).next().unwrap().to_owned();
    progress.iter().map(name).collect()
}

#[tokio::test]
async fn done_and_read_back() {
    let mut scene = scene_with([]).await;
    assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED);
    assert_eq!(names(&scene.progress), ["Recorded", "ReadingBack"]);
    assert_eq!((scene.stage(1).await, scene.counts()), (Stage::Done, (0, 1)));
}

#[tokio::test]
async fn done_and_visible_late_or_not_yet() {
    let mut scene = scene_with([]).await;
    scene.held.lock().unwrap().stale_lists = 3;
    assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED);
    assert_eq!(scene.held.lock().unwrap().listed, 4);
    for lists in [Play::Slam, says("401 Unauthorized"), says("500 Oops")] {
        let mut scene = scene_with([]).await;
        scene.held.lock().unwrap().lists.extend(vec![lists; 99]);
        assert_eq!(scene.does(close_of("r1", "Done.")).await, "not yet visible");
        assert_eq!(scene.stage(1).await, Stage::Done);
    }
}

#[tokio::test]
async fn refused() {
    for (head, reply) in [
        ("403 Forbidden", "failed: NotAllowed"),
        ("404 Not Found", "failed: NotAccepted"),
        ("307 Moved\nlocation: https://elsewhere.example/", "failed: Redirected"),
        ("429 ?\nretry-after: 3", "failed: Throttled"),
    ] {
        let mut scene = scene_with([plays(says(head))]).await;
        assert_eq!(scene.does(close_of("r1", "Done.")).await, reply);
        assert_eq!((scene.stage(1).await, scene.counts()), (Stage::NotDone, (0, 1)), "{head}");
    }
    let mut scene = scene_with([]).await;
    assert_eq!(scene.does(close_of("r2", "Done.")).await, "failed: NoSuchRequest");
    assert_eq!(scene.stage(1).await, Stage::NotDone);
}

#[tokio::test]
async fn lost_after_it_was_done_it_is_read_back_and_not_repeated() {
    for act in [
        commits_then(Play::Answer(Vec::new())),
        commits_then(says("500 Oops")),
        commits_then(says("503 Busy")),
        commits_then(Play::Hang(Vec::new())),
    ] {
        let row = format!("{act:?}");
        let mut scene = scene_with([act]).await;
        assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED, "{row}");
        assert_eq!((scene.stage(1).await, scene.counts()), (Stage::Done, (0, 1)), "{row}");
    }
}

#[tokio::test]
async fn lost_before_it_was_done_it_is_repeated() {
    let acts = [slams(), plays(says("500 Oops")), plays(Play::Answer(Vec::new()))];
    let mut scene = scene_with(acts).await;
    assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED);
    assert_eq!(names(&scene.progress), ["Recorded", "Looking", "Looking", "Looking", "ReadingBack"]);
    assert_eq!((scene.stage(1).await, scene.counts()), (Stage::Done, (0, 3)));
}

#[tokio::test]
async fn repeated_three_times_it_is_not_done_where_the_request_is_still_open() {
    let mut scene = scene_with(vec![plays(says("500 Oops")); 9]).await;
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "still open");
    assert_eq!((scene.stage(1).await, scene.counts()), (Stage::NotDone, (0, 4)));
}

#[tokio::test]
async fn where_nothing_can_be_read_back_it_stays_unknown() {
    let mut scene = scene_with([commits_then(says("500 Oops"))]).await;
    scene.held.lock().unwrap().lists.extend(vec![says("401 Unauthorized"); 9]);
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: ServerFailed { status: 500 }");
    assert_eq!((scene.stage(1).await, scene.counts()), (Stage::Unknown, (0, 1)));
}

#[tokio::test]
async fn a_repeat_that_meets_its_own_work_is_done() {
    // It is done, and the list is behind: so it is repeated, and refused.
    let mut scene = scene_with([commits_then(says("500 Oops"))]).await;
    scene.held.lock().unwrap().stale_lists = 9;
    let reply = scene.does(close_of("r1", " Done.\r\n")).await;
    assert_eq!((reply.as_str(), scene.stage(1).await), (VERIFIED, Stage::Done));
}

#[tokio::test]
async fn closed_by_another_it_is_told_by_whom() {
    let closed = |scene: &Scene| {
        let mut held = scene.held.lock().unwrap();
        held.requests[0]["requestClosureTime"] = json!("2024-01-01T00:00:00Z");
        held.requests[0]["closingAgentUpn"] = json!("other@example.org");
        held.requests[0]["actionsTaken"] = json!("Something else.");
    };
    for (acts, sent) in [(vec![], 1), (vec![plays(says("500 Oops"))], 1)] {
        let mut scene = scene_with(acts).await;
        closed(&scene);
        assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: AlreadyClosed");
        let Some(Progress::ClosedBy(request)) = scene.progress.last() else { panic!("{:?}", scene.progress) };
        assert_eq!(request.closed_by.raw(), "other@example.org");
        assert_eq!((scene.stage(1).await, scene.counts()), (Stage::NotDone, (0, sent)));
    }
}
