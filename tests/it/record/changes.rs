//! What one process learns of another that uses the same record at the same time.

use mmd_elevate_core::{RecordChanges, WriteState};

use super::{
    closed::{id, opened},
    *,
};

/// Two processes of the same agent.
async fn two(dir: &Path) -> (Record, Record) {
    (open(dir).await.0, open(dir).await.0)
}

async fn changes(record: &Record) -> RecordChanges {
    record.changes().await.unwrap().unwrap_or_default()
}

fn open_ids(changes: &RecordChanges) -> Vec<&str> {
    changes.open.iter().map(|request| request.id.raw()).collect()
}

#[tokio::test]
async fn what_another_process_opens_and_closes_is_told_once() {
    let dir = folder();
    let (here, there) = two(dir.path()).await;
    assert_eq!(here.changes().await.unwrap(), None, "nobody has written");
    opened(&there, "one").await;
    opened(&there, "two").await;
    assert_eq!(open_ids(&changes(&here).await), ["one", "two"]);
    assert_eq!(here.changes().await.unwrap(), None);
    there.update_requests(vec![closed("two")]).await.unwrap();
    there.end_request(&id("one")).await.unwrap();
    let told = changes(&here).await;
    let ended: Vec<_> = told.closed.iter().map(|ended| (ended.request.id.raw(), ended.on_word)).collect();
    assert_eq!((ended, told.open), (vec![("one", false), ("two", false)], vec![]));
    assert_eq!(there.changes().await.unwrap(), None, "what a process writes itself is no change");
}

#[tokio::test]
async fn own_requests_are_told_only_when_others_have_closed_them() {
    let dir = folder();
    let (here, there) = two(dir.path()).await;
    opened(&here, "ours").await;
    opened(&there, "theirs").await;
    assert_eq!(open_ids(&changes(&here).await), ["theirs"]);
    there.update_requests(vec![closed("ours")]).await.unwrap();
    assert_eq!(changes(&here).await.closed[0].request, closed("ours"));
}

#[tokio::test]
async fn accepted_close_of_another_is_told_until_the_request_is_closed_or_taken_so() {
    let dir = folder();
    let (here, there) = two(dir.path()).await;
    opened(&here, "one").await;
    let write = there.begin(&close("one")).await.unwrap();
    assert_eq!(changes(&here).await, RecordChanges::default(), "its outcome is not known");
    there.settle(write.id, outcome(WriteState::Done)).await.unwrap();
    let told = changes(&here).await;
    assert_eq!((told.accepted.len(), told.closed.len()), (1, 0));
    assert_eq!(told.accepted[0].operation, close("one"));
    assert!(there.take_as_closed(&id("one")).await.unwrap());
    let told = changes(&here).await;
    assert_eq!(told.accepted, []);
    assert_eq!((told.closed[0].request.id.raw(), told.closed[0].on_word), ("one", true));
}

#[tokio::test]
async fn drafts_unknown_outcomes_and_other_tenants_are_not_told() {
    let dir = folder();
    let (here, there) = two(dir.path()).await;
    there.save(vec![(DraftTarget::Form, Some(draft("theirs")))]).await.unwrap();
    let unknown = there.begin(&create("unknown")).await.unwrap();
    there.settle(unknown.id, outcome(WriteState::Unknown)).await.unwrap();
    let mut elsewhere = place(dir.path());
    elsewhere.tenant.tenant_id = "another".to_owned();
    let (other_tenant, _) = Record::open(elsewhere, Timestamp::now).await.unwrap();
    opened(&other_tenant, "elsewhere").await;
    assert_eq!(changes(&here).await, RecordChanges::default());
    let refused = here.settle(unknown.id, done(request("x"))).await.unwrap_err();
    assert_eq!(refused, RecordError::NotOwner(unknown.id), "it is settled by its process alone");
}
