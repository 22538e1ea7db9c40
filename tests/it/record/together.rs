//! Writes and outcomes that are asked for at once: they may be made durable together, and each has its own result.

use futures_util::future::join_all;
use mmd_elevate_core::{RequestId, WriteId, WriteState};
use mmd_elevate_engine::record::{IfUnknown, Record, RecordError};

use super::{create, done, folder, open, outcome, request};

#[tokio::test]
async fn all_that_is_asked_for_at_once_is_durable() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let names: Vec<_> = (0..200).map(|number| format!("request {number}")).collect();
    let operations: Vec<_> = names.iter().map(|name| create(name)).collect();
    let begun = join_all(operations.iter().map(|operation| record.begin(operation))).await;
    let ids: Vec<_> = begun.into_iter().map(|write| write.unwrap().id).collect();
    let settled = ids.iter().zip(&names).step_by(2).map(|(id, name)| record.settle(*id, done(request(name))));
    assert!(join_all(settled).await.iter().all(Result::is_ok));
    record.close().await;

    let (record, recovered) = open(dir.path()).await;
    assert_eq!(recovered.open.len(), 100);
    let unresolved: Vec<_> = recovered.unresolved.iter().map(|write| write.operation.clone()).collect();
    assert_eq!(unresolved, operations.into_iter().skip(1).step_by(2).collect::<Vec<_>>());
    for (id, name) in ids.iter().zip(&names).step_by(2) {
        let history = record.history(Some(RequestId::new(name.clone()).unwrap()), None).await.unwrap();
        assert_eq!(history.iter().map(|write| (write.id, write.steps.len())).collect::<Vec<_>>(), [(*id, 2)]);
    }
}

#[tokio::test]
async fn what_cannot_be_done_stops_nothing_that_was_asked_for_with_it() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    for round in 0..20 {
        let operations: Vec<_> = (0..4).map(|number| create(&format!("{round} {number}"))).collect();
        let begun = join_all(operations.iter().map(|operation| record.begin(operation))).await;
        let ids: Vec<_> = begun.into_iter().map(|write| write.unwrap().id).collect();
        let [one, two] = ["one", "two"].map(|name| format!("{round} {name}"));
        let results = join_all([
            record.settle(ids[0], done(request(&one))),
            record.settle(ids[1], done(request(&one))),
            record.settle(WriteId(0), outcome(WriteState::NotDone)),
            record.settle(ids[2], outcome(WriteState::SetAside)),
            record.settle(ids[3], done(request(&two))),
        ])
        .await;
        let from = WriteState::Intended;
        assert_eq!(
            results,
            [
                Ok(()),
                Err(RecordError::RequestOwned { id: ids[1], owner: ids[0] }),
                Err(RecordError::UnknownWrite(WriteId(0))),
                Err(RecordError::InvalidTransition { id: ids[2], from, to: WriteState::SetAside }),
                Ok(()),
            ]
        );
        for (id, state) in ids.iter().zip([WriteState::Done, from, from, WriteState::Done]) {
            assert_eq!(record.write(*id).await.unwrap().unwrap().state, state);
        }
    }
}

/// What becomes of a create that is to be refused if it equals one of unknown outcome.
async fn refused(record: &Record, name: &str) -> Option<RecordError> {
    record.begin_or_refuse(&create(name), IfUnknown::Refuse).await.err()
}

#[tokio::test]
async fn create_that_equals_one_of_unknown_outcome_is_refused() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let (other, _) = open(dir.path()).await;
    let (dying, _) = open(dir.path()).await;
    let ours = record.begin(&create("ours")).await.unwrap().id;
    let theirs = other.begin(&create("theirs")).await.unwrap().id;
    let left = dying.begin(&create("left")).await.unwrap().id;
    // What is in flight is not unknown, whoever has sent it.
    for name in ["ours", "theirs", "left"] {
        assert_eq!(refused(&record, name).await, None, "{name}");
    }
    record.settle(ours, outcome(WriteState::Unknown)).await.unwrap();
    other.settle(theirs, outcome(WriteState::Unknown)).await.unwrap();
    dying.close().await;
    for (name, id) in [("ours", ours), ("theirs", theirs), ("left", left)] {
        assert_eq!(refused(&record, name).await, Some(RecordError::EqualsUnknown(id)), "{name}");
        record.begin(&create(name)).await.unwrap();
    }
    // It is one of several that are asked for at once.
    let operations = ["new", "ours", "another"].map(create);
    let begun = operations.iter().map(|operation| record.begin_or_refuse(operation, IfUnknown::Refuse));
    let errors: Vec<_> = join_all(begun).await.into_iter().map(Result::err).collect();
    assert_eq!(errors, [None, Some(RecordError::EqualsUnknown(ours)), None]);
    record.settle(ours, outcome(WriteState::SetAside)).await.unwrap();
    assert_eq!(refused(&record, "ours").await, None);
}

#[tokio::test]
async fn nothing_that_was_asked_for_at_once_counts_where_the_files_are_lost() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let before = record.begin(&create("before")).await.unwrap().id;
    std::fs::remove_file(dir.path().join("record.db")).unwrap();
    let operations: Vec<_> = (0..8).map(|number| create(&format!("{number}"))).collect();
    let begun = join_all(operations.iter().map(|operation| record.begin(operation)));
    let (begun, settled) = tokio::join!(begun, record.settle(before, done(request("before"))));
    for result in begun.into_iter().map(Result::err).chain([settled.err()]) {
        assert!(matches!(result, Some(RecordError::NotDurable { .. })), "{result:?}");
    }
    record.restore().await.unwrap();
    record.close().await;
    let (_record, recovered) = open(dir.path()).await;
    assert_eq!(recovered.unresolved, [], "nothing of those was sent");
    assert_eq!(recovered.open, [request("before")], "the outcome is saved later");
}
