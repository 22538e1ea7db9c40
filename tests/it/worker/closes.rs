//! The table of answers for a close, row by row.

use std::time::Duration;

use mmd_elevate_core::{Progress, WriteState};
use mmd_elevate_engine::mmd::Timeouts;
use rstest::rstest;
use serde_json::json;

use super::{
    PATIENT,
    held::{Act, commits_then, entity_of, plays, says, slams},
    memory::On,
    scene::{QUICK, Scene, close_of},
};
use crate::support::server::{Play, http};

const VERIFIED: &str = "verified agent@example.org";

async fn scene_with(on: On, acts: impl IntoIterator<Item = Act>) -> Scene {
    let timeouts = Timeouts { write: Duration::from_millis(700), ..PATIENT };
    let scene = Scene::with(on, acts, timeouts, QUICK).await;
    scene.held.lock().unwrap().requests.push(entity_of("r1", "x"));
    scene
}

fn names(progress: &[Progress]) -> Vec<String> {
    let name = |progress: &Progress| format!("{progress:?}").split([' ', '(']).next().unwrap().to_owned();
    progress.iter().map(name).collect()
}

#[rstest]
#[tokio::test]
async fn done_and_read_back(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = scene_with(on, []).await;
    assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED);
    assert_eq!(names(&scene.progress), ["Recorded", "ReadingBack"]);
    assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Done, (0, 1)));
}

#[rstest]
#[tokio::test]
async fn done_and_visible_late_or_not_yet(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = scene_with(on, []).await;
    scene.held.lock().unwrap().stale_lists = 3;
    assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED);
    assert_eq!(scene.held.lock().unwrap().listed, 4);
    for lists in [Play::Slam, says("401 Unauthorized"), says("500 Oops")] {
        let mut scene = scene_with(on, []).await;
        scene.held.lock().unwrap().lists.extend(vec![lists; 99]);
        assert_eq!(scene.does(close_of("r1", "Done.")).await, "not yet visible");
        assert_eq!(scene.stage(1).await, WriteState::Done);
    }
}

#[rstest]
#[tokio::test]
async fn refused(#[values(On::Wire, On::Memory)] on: On) {
    for (head, reply) in [
        ("403 Forbidden", "failed: NotAllowed"),
        ("404 Not Found", "failed: NotAccepted"),
        ("410 Gone", "failed: NotAccepted"),
        ("307 Moved\nlocation: https://elsewhere.example/", "failed: Redirected"),
        ("429 ?\nretry-after: 3", "failed: Throttled"),
    ] {
        let mut scene = scene_with(on, [plays(says(head))]).await;
        assert_eq!(scene.does(close_of("r1", "Done.")).await, reply);
        assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::NotDone, (0, 1)), "{head}");
    }
}

const NO_REQUEST: &str = r#"{"error":{"code":"404","message":"This elevation request does not exist."}}"#;
const CLOSED: &str = r#"{"error":{"code":"400","message":"This elevation request was already closed."}}"#;

fn says_with(head: &str, body: &str) -> Play {
    Play::Answer(http(head, body))
}

#[tokio::test]
async fn close_answered_with_routing_404_stays_open() {
    for (head, body) in [
        (
            "404 Not Found",
            r#"{"error":{"code":"404","message":"Resource not found for the segment 'elevationRequests'."}}"#,
        ),
        ("404 Not Found", r#"{"Message":"No HTTP resource was found."}"#),
        ("404 Not Found", "<html><title>404</title></html>"),
        ("409 Conflict", r#"{"error":"Conflict"}"#),
        ("410 Gone", ""),
        ("412 Precondition Failed", ""),
        ("400 Bad Request", r#"{"error":{"message":"The ticket was already closed."}}"#),
    ] {
        let mut scene = scene_with(On::Wire, [plays(says_with(head, body))]).await;
        assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: NotAccepted", "{head} {body}");
        assert_eq!((scene.stage(1).await, scene.counts().1), (WriteState::NotDone, 1), "{head} {body}");
    }
}

#[rstest]
#[tokio::test]
async fn close_answered_with_does_not_exist_settles_with_a_complete_list_alone(#[values(On::Wire, On::Memory)] on: On) {
    // Nothing is listed: it is gone. An entry that nobody can read may be it.
    for (listed, reply) in [
        (r#"{"value": []}"#, "failed: NoSuchRequest"),
        (r#"{"value": [{"id": "r7"}]}"#, "failed: NoSuchRequest"),
        (r#"{"value": [{"id": "r1"}]}"#, "failed: AbsenceUnproven"),
        (r#"{"value": [{"id": null}]}"#, "failed: AbsenceUnproven"),
        (r#"{"value": [7]}"#, "failed: AbsenceUnproven"),
    ] {
        let mut scene = scene_with(on, [plays(says_with("404 Not Found", NO_REQUEST))]).await;
        let play = says_with("200 OK", listed);
        scene.held.lock().unwrap().lists.extend([play, says_with("200 OK", r#"{"value": []}"#)]);
        assert_eq!(scene.does(close_of("r1", "Done.")).await, reply, "{listed}");
        assert_eq!(scene.stage(1).await, WriteState::NotDone);
    }
    for lists in [Play::Slam, says("401 Unauthorized"), says("500 Oops")] {
        let mut scene = scene_with(on, [plays(says_with("404 Not Found", NO_REQUEST))]).await;
        scene.held.lock().unwrap().lists.extend(vec![lists; 99]);
        assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: AbsenceUnproven");
    }
}

#[rstest]
#[tokio::test]
async fn close_refused_in_any_words_is_settled_where_the_list_shows_it_closed(#[values(On::Wire, On::Memory)] on: On) {
    for head in ["404 Not Found", "409 Conflict", "400 Bad Request", "410 Gone"] {
        let mut scene = scene_with(on, [plays(says(head))]).await;
        closed_by_another(&scene, "2024-01-01T00:00:00Z", "Something else.");
        assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: AlreadyClosed", "{head}");
    }
}

#[tokio::test]
async fn close_answered_with_success_and_no_proof_is_read_back() {
    for body in [r#"{"error":"Forbidden"}"#, r#"{"success":false}"#, "null", "<html></html>", r#"{"value":[]}"#] {
        let mut scene = scene_with(On::Wire, [commits_then(says_with("200 OK", body))]).await;
        assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED, "{body}");
        let mut scene = scene_with(On::Wire, vec![plays(says_with("200 OK", body)); 9]).await;
        assert_eq!(scene.does(close_of("r1", "Done.")).await, "still open", "{body}");
        assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::NotDone, (0, 4)), "{body}");
        let told = format!("{:?}", scene.progress);
        assert!(!body.contains("Forbidden") || told.contains("Forbidden"), "its words are told: {told}");
    }
    let mut scene = scene_with(On::Wire, [commits_then(says("303 See Other\nlocation: /x"))]).await;
    assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED);
}

/// The service keeps the text of the close in this form.
fn stores(scene: &Scene, text: &str) {
    let mut held = scene.held.lock().unwrap();
    held.requests[0]["requestClosureTime"] = json!(jiff::Timestamp::now().to_string());
    held.requests[0]["closingAgentUpn"] = json!("agent@example.org");
    held.requests[0]["actionsTaken"] = json!(text);
}

fn closed_by_another(scene: &Scene, at: &str, text: &str) {
    let mut held = scene.held.lock().unwrap();
    held.requests[0]["requestClosureTime"] = json!(at);
    held.requests[0]["closingAgentUpn"] = json!("other@example.org");
    held.requests[0]["actionsTaken"] = json!(text);
}

#[rstest]
#[tokio::test]
async fn lost_close_found_with_another_form_of_its_text_is_never_called_somebody_elses(
    #[values(On::Wire, On::Memory)] on: On,
) {
    const SENT: &str = "Réparé l'imprimante & redémarré.\nDone";
    for (stored, reply, stage) in [
        (SENT, VERIFIED, WriteState::Done),
        (" Réparé l'imprimante & redémarré.\r\nDone ", VERIFIED, WriteState::Done),
        ("Réparé l&#39;imprimante &amp; redémarré. Done", VERIFIED, WriteState::Done),
        ("", VERIFIED, WriteState::Done),
        ("Réparé l'imprimante &…", "stored differently", WriteState::Done),
        ("R?par? l'imprimante & red?marr?. Done", "stored differently", WriteState::Done),
        ("Closed by the system", "perhaps ours", WriteState::NotDone),
    ] {
        let mut scene = scene_with(on, [plays(says("500 Oops"))]).await;
        stores(&scene, stored);
        assert_eq!(scene.does(close_of("r1", SENT)).await, reply, "{stored}");
        assert_eq!(scene.stage(1).await, stage, "{stored}");
        let told = format!("{:?}", scene.progress);
        assert!(!told.contains("ClosedBy"), "{stored}: {told}");
    }
}

#[rstest]
#[tokio::test]
async fn close_repeated_after_one_was_lost_is_not_called_somebody_elses(#[values(On::Wire, On::Memory)] on: On) {
    // Both are calls of their own, as an agent makes them who closes again what is unknown.
    let mut scene = scene_with(on, [commits_then(says("500 Oops"))]).await;
    scene.held.lock().unwrap().lists.extend(vec![says("401 Unauthorized"); 1]);
    assert_eq!(scene.does(close_of("r1", "First text.")).await, "failed: ServerFailed { status: 500 }");
    assert_eq!(scene.does(close_of("r1", "Another text.")).await, "perhaps ours");
    // Closed, and no list shows it: by the one that was lost, perhaps.
    let mut scene = scene_with(on, [plays(says("500 Oops")), plays(says_with("400 Bad Request", CLOSED))]).await;
    scene.held.lock().unwrap().lists.extend(vec![says("401 Unauthorized"); 1]);
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: ServerFailed { status: 500 }");
    scene.held.lock().unwrap().lists.extend(vec![says("401 Unauthorized"); 1]);
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "not yet visible");
}

#[rstest]
#[tokio::test]
async fn accepted_close_that_no_list_shows_stays_open_in_the_record(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::with(on, [], Timeouts { write: Duration::from_millis(700), ..PATIENT }, QUICK).await;
    assert_eq!(scene.create("x").await, "created r1");
    scene.held.lock().unwrap().acts.push_back(plays(says("204 No Content")));
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "not yet visible");
    assert_eq!(scene.stage(2).await, WriteState::Done);
    let Scene { record, words, mut heard, .. } = scene;
    drop(words);
    while heard.recv().await.is_some() {}
    let recovered = record.recovered().await;
    assert_eq!((recovered.open.len(), recovered.unresolved.len(), recovered.accepted.len()), (1, 0, 1));
}

#[rstest]
#[tokio::test]
async fn lost_after_it_was_done_it_is_read_back_and_not_repeated(#[values(On::Wire, On::Memory)] on: On) {
    for act in [
        commits_then(Play::Answer(Vec::new())),
        commits_then(says("500 Oops")),
        commits_then(says("503 Busy")),
        commits_then(Play::Hang(Vec::new())),
    ] {
        let row = format!("{act:?}");
        let mut scene = scene_with(on, [act]).await;
        assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED, "{row}");
        assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Done, (0, 1)), "{row}");
    }
}

#[rstest]
#[tokio::test]
async fn lost_before_it_was_done_it_is_repeated(#[values(On::Wire, On::Memory)] on: On) {
    let acts = [slams(), plays(says("500 Oops")), plays(Play::Answer(Vec::new()))];
    let mut scene = scene_with(on, acts).await;
    assert_eq!(scene.does(close_of("r1", "Done.")).await, VERIFIED);
    assert_eq!(names(&scene.progress), ["Recorded", "Looking", "Looking", "Looking", "ReadingBack"]);
    assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Done, (0, 3)));
}

#[rstest]
#[tokio::test]
async fn repeated_three_times_it_is_not_done_where_the_request_is_still_open(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = scene_with(on, vec![plays(says("500 Oops")); 9]).await;
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "still open");
    assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::NotDone, (0, 4)));
}

#[rstest]
#[tokio::test]
async fn where_nothing_can_be_read_back_it_stays_unknown(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = scene_with(on, [commits_then(says("500 Oops"))]).await;
    scene.held.lock().unwrap().lists.extend(vec![says("401 Unauthorized"); 9]);
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: ServerFailed { status: 500 }");
    assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Unknown, (0, 1)));
}

#[rstest]
#[tokio::test]
async fn a_repeat_that_meets_its_own_work_is_done(#[values(On::Wire, On::Memory)] on: On) {
    // It is done, and the list is behind: so it is repeated, and refused.
    let mut scene = scene_with(on, [commits_then(says("500 Oops"))]).await;
    scene.held.lock().unwrap().stale_lists = 9;
    let reply = scene.does(close_of("r1", " Done.\r\n")).await;
    assert_eq!((reply.as_str(), scene.stage(1).await), (VERIFIED, WriteState::Done));
}

#[rstest]
#[tokio::test]
async fn closed_by_another_it_is_told_by_whom(#[values(On::Wire, On::Memory)] on: On) {
    for (acts, sent) in [(vec![], 1), (vec![plays(says("500 Oops"))], 1)] {
        let mut scene = scene_with(on, acts).await;
        closed_by_another(&scene, "2024-01-01T00:00:00Z", "Something else.");
        assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: AlreadyClosed");
        let Some(Progress::ClosedBy(request)) = scene.progress.last() else { panic!("{:?}", scene.progress) };
        assert_eq!(request.closed_by.raw(), "other@example.org");
        assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::NotDone, (0, sent)));
    }
}
