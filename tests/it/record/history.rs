//! How writes went: what is read of it, in which bounds, and that nothing is written.

use mmd_elevate_core::{HistoryStep, RequestId, WriteHistory, WriteState};
use rusqlite::Connection;

use super::*;

fn one() -> RequestId {
    RequestId::new("one").unwrap()
}

/// Opens a request and closes it.
async fn closes(record: &Record) {
    let made = record.begin(&create("a")).await.unwrap();
    record.settle(made.id, done(request("one"))).await.unwrap();
    let closing = record.begin(&close("one")).await.unwrap();
    record.settle(closing.id, done(closed("one"))).await.unwrap();
}

fn count(histories: &[WriteHistory]) -> usize {
    histories.iter().map(|history| history.steps.len()).sum()
}

#[tokio::test]
async fn history_is_read_by_any_process_of_the_tenant_and_writes_nothing() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    closes(&record).await;
    let bytes = || ["record.db", "record.db-wal"].map(|name| std::fs::read(dir.path().join(name)).unwrap());
    let before = bytes();
    let told = record.history(Some(one()), None).await.unwrap();
    assert_eq!((told.len(), count(&told)), (2, 4));
    assert_eq!(bytes(), before);
    let [HistoryStep { state, why: None, service_request_id: Some(service), .. }] = &told[1].steps[1..] else {
        panic!()
    };
    assert_eq!((*state, service.raw()), (WriteState::Done, "answer-1"));
    record.close().await;
    let (record, _) = open(dir.path()).await;
    assert_eq!(record.history(Some(one()), None).await.unwrap(), told);
    let mut elsewhere = place(dir.path());
    elsewhere.tenant.tenant_id = "another".to_owned();
    let (elsewhere, _) = Record::join(elsewhere, Timestamp::now).await.unwrap();
    assert_eq!(elsewhere.history(Some(one()), Some(told[0].id)).await.unwrap(), []);
}

#[tokio::test]
async fn history_is_bounded_to_the_newest_steps() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    closes(&record).await;
    let add = |db: &Connection, steps: usize| {
        let sql =
            "INSERT INTO step (intent, at, stage, why) VALUES (2, '2026-01-02T03:04:05.000000000Z', 'unknown', ?1)";
        (0..steps).for_each(|number| _ = db.execute(sql, [number.to_string()]).unwrap());
    };
    let db = Connection::open(dir.path().join("record.db")).unwrap();
    add(&db, 197);
    let told = record.history(Some(one()), None).await.unwrap();
    assert_eq!((told.len(), count(&told)), (2, 200), "the first step is left out");
    assert_eq!(told[0].steps[0].state, WriteState::Done);
    add(&db, 300);
    let told = record.history(Some(one()), None).await.unwrap();
    assert_eq!((told.len(), count(&told), told[0].kind), (1, 200, "close"), "the create is older than all of them");
    let reasons: Vec<_> =
        told[0].steps.iter().filter_map(|step| step.why.as_ref()?.raw().parse::<usize>().ok()).collect();
    assert_eq!(reasons, (100..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn step_that_cannot_be_read_is_left_out() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    closes(&record).await;
    let db = Connection::open(dir.path().join("record.db")).unwrap();
    db.execute_batch(
        "UPDATE step SET stage = 'no such state' WHERE id = 1; UPDATE step SET at = CAST(x'ff' AS TEXT) WHERE id = 3",
    )
    .unwrap();
    let told = record.history(Some(one()), None).await.unwrap();
    assert_eq!((told.len(), count(&told)), (2, 2));
}
