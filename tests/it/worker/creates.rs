//! The table of answers for a create, row by row: what the service was sent, what the agent is told, and what the record
//! holds agree.

use std::time::Duration;

use mmd_elevate_core::{Call, ErrorCode, Event, Operation, Progress, WriteState};
use mmd_elevate_engine::mmd::Timeouts;
use rstest::rstest;

use super::{
    PATIENT, client_at,
    held::{Act, commits_and_cuts_the_answer, commits_then, does_as_asked, plays, says, slams},
    memory::On,
    new_request,
    scene::{QUICK, Scene, summary},
};
use crate::support::server::{Play, Server};

async fn assert_row(on: On, row: &str, acts: Vec<Act>, reply: &str, state: WriteState, sent: usize) {
    let timeouts = Timeouts { write: Duration::from_millis(700), ..PATIENT };
    let mut scene = Scene::with(on, acts, timeouts, QUICK).await;
    assert_eq!(scene.create("x").await, reply, "{row}");
    assert_eq!(scene.stage(1).await, state, "{row}");
    assert_eq!(scene.counts(), (sent, 0), "{row}");
    let held = scene.held.lock().unwrap().requests.len();
    assert!(held <= 1, "{row}: never twice");
    assert!(held == 0 || state == WriteState::Done, "{row}: what is there is known");
}

#[rstest]
#[tokio::test]
async fn done(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, []).await;
    assert_eq!(scene.create("x").await, "created r1");
    assert!(matches!(scene.progress[..], [Progress::Recorded(_)]), "{:?}", scene.progress);
    assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Done, (1, 0)));
}

#[rstest]
#[tokio::test]
async fn refused(#[values(On::Wire, On::Memory)] on: On) {
    for (head, reply) in [
        ("302 Found\nlocation: https://elsewhere.example/", "failed: Redirected"),
        ("400 Bad Request", "failed: NotAccepted"),
        ("401 Unauthorized", "failed: NotSignedIn"),
        ("403 Forbidden", "failed: NotAllowed"),
        ("404 Not Found", "failed: NotAccepted"),
    ] {
        assert_row(on, head, vec![plays(says(head))], reply, WriteState::NotDone, 1).await;
    }
}

#[rstest]
#[tokio::test]
async fn lost_after_it_was_done(#[values(On::Wire, On::Memory)] on: On) {
    for (row, act) in [
        ("dropped", commits_then(Play::Answer(Vec::new()))),
        ("cut", commits_and_cuts_the_answer()),
        ("408", commits_then(says("408 Request Timeout"))),
        ("500", commits_then(says("500 Oops"))),
        ("503", commits_then(says("503 Service Unavailable\nretry-after: 0"))),
        ("no id", commits_then(says("201 Created"))),
        ("303", commits_then(says("303 See Other\nlocation: /elsewhere"))),
        ("hangs", commits_then(Play::Hang(Vec::new()))),
        ("hangs half way", commits_then(Play::Hang(b"HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\n{".to_vec()))),
    ] {
        assert_row(on, row, vec![act], "created r1", WriteState::Done, 1).await;
    }
}

#[rstest]
#[tokio::test]
async fn lost_before_it_was_done(#[values(On::Wire, On::Memory)] on: On) {
    for (row, act, reply, sent) in [
        ("slammed", slams(), "not seen, Cut", 0),
        ("dropped after reading", plays(Play::Answer(Vec::new())), "not seen, Cut", 1),
        ("500", plays(says("500 Oops")), "not seen, ServerFailed { status: 500 }", 1),
        ("503", plays(says("503 Busy")), "not seen, ServerFailed { status: 503 }", 1),
        ("hangs", plays(Play::Hang(Vec::new())), "not seen, TimedOut", 1),
        ("not HTTP", plays(Play::Answer(b"what\r\n\r\n".to_vec())), "not seen, BrokenAnswer", 1),
    ] {
        assert_row(on, row, vec![act], reply, WriteState::Unknown, sent).await;
    }
}

#[rstest]
#[tokio::test]
async fn throttled_it_waits_as_long_as_it_is_asked_to_and_goes_out_again(#[values(On::Wire, On::Memory)] on: On) {
    let now = jiff::Timestamp::now();
    let date = |at: jiff::Timestamp| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let later = now + Duration::from_secs(1);
    let dated = format!("429 ?\ndate: {}\nretry-after: {}", date(now), date(later));
    for (head, least) in [("429 ?\nretry-after: 1", 1000), (&dated, 1000), ("429 ?\nretry-after: 0", 5), ("429 ?", 5)] {
        if on == On::Memory && head.contains("date: ") {
            continue; // A header of the wire.
        }
        let mut scene = Scene::start(on, [plays(says(head)), does_as_asked()]).await;
        let started = std::time::Instant::now();
        assert_eq!(scene.create("x").await, "created r1", "{head}");
        assert!(started.elapsed() >= Duration::from_millis(least), "{head}");
        let [Progress::Recorded(_), Progress::Waiting { attempt, error: fault, .. }, Progress::LookingFirst] =
            &scene.progress[..]
        else {
            panic!("{:?}", scene.progress)
        };
        assert!(*attempt == 2 && fault.code == Some(ErrorCode::Throttled));
        assert_eq!((scene.stage(1).await, scene.counts()), (WriteState::Done, (2, 0)));
    }
}

#[rstest]
#[tokio::test]
async fn throttled_without_end_it_is_given_up_and_not_done(#[values(On::Wire, On::Memory)] on: On) {
    let always = vec![plays(says("429 ?\nretry-after: 0")); 9];
    assert_row(on, "always", always, "failed: Throttled", WriteState::NotDone, 5).await;
    // 2 s is the cap here.
    assert_row(on, "too long", vec![plays(says("429 ?\nretry-after: 3"))], "failed: Throttled", WriteState::NotDone, 1)
        .await;
}

#[rstest]
#[tokio::test]
async fn throttled_then_lost_it_is_looked_for(#[values(On::Wire, On::Memory)] on: On) {
    let acts = vec![plays(says("429 ?\nretry-after: 0")), commits_then(says("500 Oops"))];
    assert_row(on, "throttled, then lost", acts, "created r1", WriteState::Done, 2).await;
}

#[tokio::test]
async fn where_no_connection_can_be_made_it_is_tried_three_times() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start(Play::Slam).await;
    let client = client_at(&format!("http://{free}"), PATIENT);
    let mut scene = Scene::between(std::sync::Arc::default(), server, client, QUICK).await;
    assert_eq!(scene.create("x").await, "failed: NotReached");
    let attempts: Vec<_> = scene
        .progress
        .iter()
        .filter_map(|progress| match progress {
            Progress::Waiting { attempt, .. } => Some(*attempt),
            _ => None,
        })
        .collect();
    assert_eq!(attempts, [2, 3]);
    assert_eq!(scene.stage(1).await, WriteState::NotDone);
}

#[rstest]
#[tokio::test]
async fn two_equal_requests_made_on_purpose_stay_two(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, []).await;
    assert_eq!(scene.create("x").await, "created r1");
    assert_eq!(scene.create("x").await, "created r2");
    // Also where both answers are lost, and both are looked for at once.
    let lost = [commits_then(says("500 Oops")), commits_then(says("500 Oops"))];
    scene.held.lock().unwrap().acts.extend(lost);
    scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    let mut replies = [summary(&scene.reply().await), summary(&scene.reply().await)];
    replies.sort();
    assert_eq!(replies, ["created r3", "created r4"]);
    assert_eq!(
        (scene.stage(3).await, scene.stage(4).await, scene.counts()),
        (WriteState::Done, WriteState::Done, (4, 0))
    );
}

#[rstest]
#[tokio::test]
async fn what_an_equal_create_in_flight_may_have_made_is_not_claimed(#[values(On::Wire, On::Memory)] on: On) {
    // The first is lost and made nothing; the second is made, and its answer does not come yet.
    let acts = [plays(says("500 Oops")), commits_then(Play::Hang(Vec::new()))];
    let mut scene = Scene::start(on, acts).await;
    scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    scene.until(|progress| matches!(progress, Progress::Looking(_))).await;
    scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    assert_eq!(summary(&scene.reply().await), "1 possible, ServerFailed { status: 500 }");
    assert_eq!((scene.stage(1).await, scene.stage(2).await), (WriteState::Unknown, WriteState::Intended));
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_recorded_is_not_sent(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, []).await;
    scene.record.break_it();
    scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    let fault = scene.reply().await.result.unwrap_err();
    assert!(!fault.may_have_happened() && !fault.hint().is_empty());
    assert!(fault.what().starts_with("Nothing was sent: "), "{}", fault.what());
    assert!(!scene.was_called());
}

#[rstest]
#[tokio::test]
async fn an_outcome_that_cannot_be_recorded_is_told_and_stands(#[values(On::Wire, On::Memory)] on: On) {
    let mut scene = Scene::start(on, [plays(says("429 ?\nretry-after: 1"))]).await;
    scene.ask(Call::Send(Operation::Create(new_request("x")))).await;
    scene.until(|progress| matches!(progress, Progress::Recorded(_))).await;
    scene.record.break_it();
    let Event::Progress(_, Progress::Waiting { .. }) = scene.next().await else { panic!() };
    let Event::Progress(_, Progress::LookingFirst) = scene.next().await else { panic!() };
    let Event::NotSaved(_) = scene.next().await else { panic!() };
    assert_eq!(summary(&scene.reply().await), "created r1");
}
