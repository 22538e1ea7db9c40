//! The requests that were closed lately, as the next start finds them.

use jiff::SignedDuration;
use mmd_elevate_core::{EndedRequest, RequestId, WriteState};
use rusqlite::Connection;

use super::*;

pub(super) fn id(id: &str) -> RequestId {
    RequestId::new(id).unwrap()
}

/// The ids of closed requests, in their order.
pub(super) fn names(recovered: &Recovered) -> Vec<&str> {
    recovered.closed.iter().map(|ended| ended.request.id.raw()).collect()
}

/// Opens a request by a create.
pub(super) async fn opened(record: &Record, name: &str) {
    let write = record.begin(&create(name)).await.unwrap();
    record.settle(write.id, done(request(name))).await.unwrap();
}

type Clock = fn() -> Timestamp;

fn days_ago(days: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(24 * days)
}

#[tokio::test]
async fn closed_requests_come_back_newest_first_also_for_a_command() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    for name in ["listed", "ended", "open"] {
        opened(&record, name).await;
    }
    let started = Timestamp::now();
    record.update_requests(vec![closed("listed")]).await.unwrap();
    record.end_request(&id("ended")).await.unwrap();
    record.close().await;
    let (dashboard, recovered) = open(dir.path()).await;
    assert_eq!(names(&recovered), ["ended", "listed"]);
    let [EndedRequest { request: ended, .. }, EndedRequest { request: listed, at, on_word }] = &recovered.closed[..]
    else {
        panic!("{:?}", recovered.closed)
    };
    assert_eq!((ended, listed), (&request("ended"), &closed("listed")));
    assert!(!on_word && (started..=Timestamp::now()).contains(at), "{at}");
    assert_eq!(recovered.open, [request("open")]);
    let (_command, joined) = Record::join(place(dir.path()), Timestamp::now).await.unwrap();
    assert_eq!(joined.closed, recovered.closed);
    dashboard.close().await;
    let mut elsewhere = place(dir.path());
    elsewhere.tenant.tenant_id = "another".to_owned();
    assert_eq!(names(&Record::open(elsewhere, Timestamp::now).await.unwrap().1), [""; 0], "another tenant's");
}

#[tokio::test]
async fn request_that_was_opened_elsewhere_comes_back_once_a_list_shows_our_close() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let all = || ["ours", "refused", "theirs"].map(closed).to_vec();
    assert_eq!(record.update_requests(all()).await.unwrap(), []);
    for (name, state) in [("ours", WriteState::Done), ("refused", WriteState::NotDone)] {
        let write = record.begin(&close(name)).await.unwrap();
        record.settle(write.id, outcome(state)).await.unwrap();
    }
    assert_eq!(record.update_requests(["ours", "refused", "theirs"].map(request).to_vec()).await.unwrap(), []);
    assert_eq!(record.request(&id("ours")).await.unwrap(), None, "it is not known to be closed yet");
    assert_eq!(record.update_requests(all()).await.unwrap(), [], "it was not open from here");
    record.close().await;
    let recovered = open(dir.path()).await.1;
    assert_eq!((names(&recovered), recovered.open.len()), (vec!["ours"], 0));
}

#[tokio::test]
async fn requests_closed_long_ago_do_not_come_back() {
    let long_kept = |dir: &Path, keep_days| Place { keep_days, ..place(dir) };
    let clocks: [(Clock, u32, &[&str]); 4] = [
        (|| days_ago(89), 400, &["one"]),
        (|| days_ago(91), 400, &[]),
        (|| days_ago(31), 30, &[]),
        (|| days_ago(-1), 30, &["one"]),
    ];
    for (clock, keep_days, expected) in clocks {
        let dir = folder();
        let (record, _) = Record::open(long_kept(dir.path(), keep_days), clock).await.unwrap();
        opened(&record, "one").await;
        record.update_requests(vec![closed("one")]).await.unwrap();
        record.close().await;
        let (_, recovered) = Record::open(long_kept(dir.path(), keep_days), Timestamp::now).await.unwrap();
        assert_eq!(names(&recovered), expected, "{keep_days} days from {}", clock());
    }
}

#[tokio::test]
async fn no_more_closed_requests_come_back_than_the_bound() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    opened(&record, "one").await;
    record.update_requests(vec![closed("one")]).await.unwrap();
    record.close().await;
    let db = Connection::open(dir.path().join("record.db")).unwrap();
    db.execute_batch("BEGIN; CREATE TEMP TABLE copy AS SELECT * FROM request").unwrap();
    // Each is closed a second later than the one before.
    for number in 1..=i64::try_from(Recovered::MOST_CLOSED).unwrap() {
        let ended = format!("{:.9}", Timestamp::now() + SignedDuration::from_secs(number));
        db.prepare_cached("UPDATE copy SET id = ?1, request_id = 'c' || ?1, ended_at = ?2")
            .unwrap()
            .execute((number + 1, ended))
            .unwrap();
        db.prepare_cached("INSERT INTO request SELECT * FROM copy").unwrap().execute([]).unwrap();
    }
    db.execute_batch("COMMIT").unwrap();
    drop(db);
    let recovered = open(dir.path()).await.1;
    let last = format!("c{}", Recovered::MOST_CLOSED + 1);
    assert_eq!((recovered.closed.len(), names(&recovered)[0]), (Recovered::MOST_CLOSED, last.as_str()));
    assert!(!names(&recovered).contains(&"one"), "the oldest is left out");
}

/// Types the text of a close and sends it; the service accepts it.
async fn close_accepted(record: &Record, name: &str) {
    let mut typed = Draft::default();
    typed.set(Field::PlanOfAction, format!("closed {name}"));
    record.save(vec![(DraftTarget::Close(id(name)), Some(typed))]).await.unwrap();
    let closing = record.begin(&close(name)).await.unwrap();
    record.settle(closing.id, outcome(WriteState::Done)).await.unwrap();
}

fn listed(name: &str, text: &str) -> ElevationRequest {
    ElevationRequest { actions_taken: Untrusted::new(text), ..closed(name) }
}

#[tokio::test]
async fn text_of_a_close_stays_while_the_service_does_not_hold_it_and_the_agent_took_it_as_done() {
    // What a list shows after the agent's word, whether the draft is left then, and whether it is closed on the word alone.
    let cases: [(Option<ElevationRequest>, usize, bool); 4] = [
        (None, 1, true),
        (Some(request("one")), 1, true),
        (Some(listed("one", "By the system")), 1, false),
        (Some(listed("one", "closed one\n")), 0, false),
    ];
    for (seen, drafts, on_word) in cases {
        let dir = folder();
        let (record, _) = open(dir.path()).await;
        opened(&record, "one").await;
        close_accepted(&record, "one").await;
        assert!(record.take_as_closed(&id("one")).await.unwrap());
        record.update_requests(seen.clone().into_iter().collect()).await.unwrap();
        record.close().await;
        let recovered = open(dir.path()).await.1;
        assert_eq!((recovered.open.len(), recovered.accepted.len()), (0, 0), "{seen:?}");
        assert_eq!((recovered.drafts.len(), recovered.closed[0].on_word), (drafts, on_word), "{seen:?}");
    }
}

#[tokio::test]
async fn text_that_the_agent_took_as_done_elsewhere_stays() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    close_accepted(&record, "theirs").await;
    let (other, _) = open(dir.path()).await;
    assert!(other.take_as_closed(&id("theirs")).await.unwrap(), "whichever process has sent the close");
    other.close().await;
    record.close().await;
    let recovered = open(dir.path()).await.1;
    assert_eq!((recovered.drafts.len(), names(&recovered)), (1, vec!["theirs"]));
}

#[tokio::test]
async fn request_that_a_list_shows_as_closed_is_not_closed_on_a_word() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    opened(&record, "one").await;
    close_accepted(&record, "one").await;
    record.update_requests(vec![closed("one")]).await.unwrap();
    assert!(record.take_as_closed(&id("one")).await.unwrap(), "it is closed");
    assert!(!record.take_as_closed(&id("two")).await.unwrap());
    record.close().await;
    let recovered = open(dir.path()).await.1;
    assert_eq!(recovered.closed.iter().map(|ended| ended.on_word).collect::<Vec<_>>(), [false]);
}

#[tokio::test]
async fn word_of_the_agent_survives_the_loss_of_the_file() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    opened(&record, "one").await;
    close_accepted(&record, "one").await;
    record.take_as_closed(&id("one")).await.unwrap();
    std::fs::remove_file(dir.path().join("record.db")).unwrap();
    record.restore().await.unwrap();
    record.close().await;
    let recovered = open(dir.path()).await.1;
    assert_eq!(recovered.closed.iter().map(|ended| ended.on_word).collect::<Vec<_>>(), [true]);
}
