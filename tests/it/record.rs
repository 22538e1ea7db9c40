//! Tests of the record on disk through its public API.

mod changes;
mod closed;
mod damage;
mod history;
mod left_twice;
mod lost;
mod model;
mod places;
mod processes;
mod spellings;
mod together;

use std::path::Path;

use jiff::Timestamp;
use mmd_elevate_core::{
    CloseElevationRequest, Draft, DraftTarget, ElevationRequest, EndedRequest, Field, NewElevationRequest, Operation,
    Outcome, Recovered, RequestId, ServiceTime, Untrusted, WriteState,
};
use mmd_elevate_engine::record::{Place, Purged, Record, RecordError, TenantKey};
use tempfile::TempDir;

pub(crate) fn place(dir: &Path) -> Place {
    let tenant = TenantKey { base_url: "https://service.example/".to_owned(), tenant_id: "tenant".to_owned() };
    Place { state_dir: dir.to_owned(), tenant, operator: "sam".to_owned(), keep_days: 90 }
}

pub(crate) async fn open(dir: &Path) -> (Record, Recovered) {
    Record::open(place(dir), Timestamp::now).await.unwrap()
}

/// Makes a folder in memory if possible: these tests are about what is written, not about the disk.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn draft(text: &str) -> Draft {
    let mut draft = Draft::default();
    for field in Field::ALL {
        draft.set(field, format!(" {text}\r\n\u{202e}\0'; {} ", field.label()));
    }
    draft
}

fn new(text: &str) -> NewElevationRequest {
    draft(text).validate().unwrap()
}

pub(crate) fn create(text: &str) -> Operation {
    Operation::Create(new(text))
}

pub(crate) fn close(id: &str) -> Operation {
    let actions_taken = format!("closed {id}\n");
    Operation::Close(CloseElevationRequest {
        id: RequestId::new(id).unwrap(),
        device: Untrusted::new("MMD-1"),
        actions_taken,
    })
}

pub(crate) fn request(id: &str) -> ElevationRequest {
    let text = |name: &str| Untrusted::new(format!("\u{1b}[2J {name} of {id}"));
    ElevationRequest {
        id: RequestId::new(id).unwrap(),
        ticket: text("ticket"),
        device: text("device"),
        title: text("title"),
        category: text("category"),
        subcategory: text("subcategory"),
        plan_of_action: text("plan"),
        actions_taken: Untrusted::default(),
        requested_by: text("agent"),
        closed_by: Untrusted::default(),
        created: Some(service_time("2026-01-02T03:04:05.1234500Z")),
        closed: None,
        viewers: vec![text("viewer"), Untrusted::new("\"")],
    }
}

pub(crate) fn closed(id: &str) -> ElevationRequest {
    let closed = Some(service_time("9999-12-31T23:59:59.9999999Z"));
    ElevationRequest { closed, closed_by: Untrusted::new("other@example"), ..request(id) }
}

fn service_time(text: &str) -> ServiceTime {
    ServiceTime { text: Untrusted::new(text), at: text.parse().ok() }
}

pub(crate) fn outcome(state: WriteState) -> Outcome {
    Outcome { state, request: None, why: None, service_request_id: None }
}

pub(crate) fn done(request: ElevationRequest) -> Outcome {
    Outcome {
        request: Some(request),
        service_request_id: Some(Untrusted::new("answer-1")),
        ..outcome(WriteState::Done)
    }
}

#[tokio::test]
async fn a_write_and_what_it_made_come_back_as_they_were() {
    let dir = folder();
    let (record, recovered) = open(dir.path()).await;
    assert_eq!(recovered, Recovered::default());
    let left = record.begin(&create("left")).await.unwrap();
    let made = record.begin(&create("made")).await.unwrap();
    assert_eq!((left.state, &left.operation), (WriteState::Intended, &create("left")));
    assert_eq!(record.write(left.id).await.unwrap(), Some(left.clone()));
    record.settle(made.id, done(request("one"))).await.unwrap();
    assert_eq!(record.owned_requests(left.id).await.unwrap(), [RequestId::new("one").unwrap()]);
    assert_eq!(record.owned_requests(made.id).await.unwrap(), []);
    assert_eq!(record.request(&RequestId::new("one").unwrap()).await.unwrap(), Some(request("one")));
    let closing = record.begin(&close("one")).await.unwrap();
    record.close().await;

    let (record, recovered) = open(dir.path()).await;
    let unresolved: Vec<_> =
        recovered.unresolved.iter().map(|it| (it.id, it.operation.clone(), it.at, it.state)).collect();
    assert_eq!(
        unresolved,
        [
            (left.id, create("left"), left.at, WriteState::Unknown),
            (closing.id, close("one"), closing.at, WriteState::Unknown)
        ]
    );
    assert_eq!(recovered.open, [request("one")]);
    assert_eq!((recovered.others, recovered.warnings), (0, vec![]));
    // An accepted close ends the request only when a list shows it as closed.
    record.settle(closing.id, outcome(WriteState::Unknown)).await.unwrap();
    record.settle(closing.id, outcome(WriteState::Done)).await.unwrap();
    record.settle(left.id, outcome(WriteState::SetAside)).await.unwrap();
    assert_eq!(record.update_requests(vec![request("one"), request("unknown here")]).await.unwrap(), []);
    record.close().await;
    let (record, recovered) = open(dir.path()).await;
    assert_eq!(recovered.open, [request("one")]);
    let accepted: Vec<_> = recovered.accepted.iter().map(|it| (it.id, it.operation.clone(), it.state)).collect();
    assert_eq!(accepted, [(closing.id, close("one"), WriteState::Done)]);
    assert_eq!(record.update_requests(vec![closed("one")]).await.unwrap(), [RequestId::new("one").unwrap()]);
    record.close().await;
    let (_, recovered) = open(dir.path()).await;
    let was_closed = |ended: &EndedRequest| (ended.request.clone(), ended.on_word);
    assert_eq!(recovered.closed.iter().map(was_closed).collect::<Vec<_>>(), [(closed("one"), false)]);
    assert_eq!(Recovered { closed: Vec::new(), ..recovered }, Recovered::default());
}

#[tokio::test]
async fn a_step_that_is_none_or_not_ours_is_refused_and_changes_nothing() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let write = record.begin(&create("a")).await.unwrap();
    let id = write.id;
    let refused = record.settle(id, outcome(WriteState::SetAside)).await.unwrap_err();
    assert_eq!(refused, RecordError::InvalidTransition { id, from: WriteState::Intended, to: WriteState::SetAside });
    assert_eq!(record.settle(id, outcome(WriteState::Done)).await.unwrap_err(), RecordError::MissingRequest(id));
    let (other, recovered) = open(dir.path()).await;
    assert_eq!((recovered.others, recovered.unresolved), (1, vec![]), "a living process keeps its writes");
    assert_eq!(other.settle(id, outcome(WriteState::NotDone)).await.unwrap_err(), RecordError::NotOwner(id));
    assert_eq!(record.write(id).await.unwrap(), Some(write));
    record.settle(id, done(request("one"))).await.unwrap();
    assert!(matches!(record.settle(id, done(request("one"))).await, Err(RecordError::InvalidTransition { .. })));
    // A request cannot settle two writes.
    let equal = other.begin(&create("a")).await.unwrap();
    let refused = other.settle(equal.id, done(request("one"))).await.unwrap_err();
    assert_eq!(refused, RecordError::RequestOwned { id: equal.id, owner: id });
    other.settle(equal.id, done(request("two"))).await.unwrap();
}

#[tokio::test]
async fn what_is_closed_elsewhere_is_told_once() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    for name in ["one", "two", "three"] {
        let write = record.begin(&create(name)).await.unwrap();
        record.settle(write.id, done(request(name))).await.unwrap();
    }
    let ended = record.update_requests(vec![closed("one"), request("two")]).await.unwrap();
    assert_eq!(ended, [RequestId::new("one").unwrap()]);
    assert_eq!(record.update_requests(vec![closed("one")]).await.unwrap(), []);
    record.end_request(&RequestId::new("three").unwrap()).await.unwrap();
    assert_eq!(record.request(&RequestId::new("one").unwrap()).await.unwrap(), Some(closed("one")));
    record.close().await;
    assert_eq!(open(dir.path()).await.1.open, [request("two")]);
}

#[tokio::test]
async fn a_recovered_draft_stays_until_it_is_saved_again_or_let_go() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let target = DraftTarget::Close(RequestId::new("one").unwrap());
    let all = vec![
        (DraftTarget::Form, Some(draft("form"))),
        (DraftTarget::Refused(7), Some(draft("refused"))),
        (DraftTarget::Refused(8), Some(draft("ended"))),
        (target.clone(), Some(draft("close"))),
    ];
    record.save(all).await.unwrap();
    record.save(vec![(DraftTarget::Refused(8), None), (target.clone(), Some(draft("closing")))]).await.unwrap();
    record.close().await;

    let (record, recovered) = open(dir.path()).await;
    let found: Vec<_> = recovered.drafts.iter().map(|it| (it.target.clone(), it.draft.clone())).collect();
    let expected =
        [(DraftTarget::Form, draft("form")), (DraftTarget::Refused(7), draft("refused")), (target, draft("closing"))];
    assert_eq!(found, expected);
    // What is typed meanwhile neither replaces nor deletes a recovered draft.
    record.save(vec![(DraftTarget::Form, Some(draft("typed")))]).await.unwrap();
    record.save(vec![(DraftTarget::Form, None)]).await.unwrap();
    // One is saved again for another target, and one is discarded.
    record.save(vec![(DraftTarget::Refused(1), Some(draft("form")))]).await.unwrap();
    record.discard(recovered.drafts[1].clone()).await.unwrap();
    record.close().await;
    let found: Vec<_> = open(dir.path()).await.1.drafts.into_iter().map(|it| it.draft).collect();
    assert_eq!(found, [draft("closing"), draft("form")]);
}

#[tokio::test]
async fn a_draft_that_was_sent_ends_when_it_is_done() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    record.save(vec![(DraftTarget::Form, Some(draft("sent")))]).await.unwrap();
    record.close().await;

    // A quick agent sends it before it is saved again, and no answer comes.
    let (record, _) = open(dir.path()).await;
    let write = record.begin(&create("sent")).await.unwrap();
    record.close().await;

    let (record, recovered) = open(dir.path()).await;
    assert_eq!((recovered.unresolved.len(), recovered.drafts.len()), (1, 0), "the write has the text");
    record.save(vec![(DraftTarget::Refused(3), Some(draft("sent once more, on purpose")))]).await.unwrap();
    record.settle(write.id, done(request("one"))).await.unwrap();
    record.close().await;
    let (record, recovered) = open(dir.path()).await;
    assert_eq!(recovered.drafts.len(), 1, "only what was typed after it: {:?}", recovered.drafts);

    let again = record.begin(&create("again")).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("again")))]).await.unwrap();
    record.settle(again.id, done(request("two"))).await.unwrap();
    record.close().await;
    assert_eq!(open(dir.path()).await.1.drafts.len(), 2, "what was saved after the sending is a draft of its own");
}

#[tokio::test]
async fn tenants_are_apart() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let write = record.begin(&create("a")).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("a")))]).await.unwrap();
    record.close().await;
    let mut elsewhere = place(dir.path());
    elsewhere.tenant.tenant_id = "another".to_owned();
    let (record, recovered) = Record::open(elsewhere, Timestamp::now).await.unwrap();
    assert_eq!(recovered, Recovered::default());
    assert_eq!(record.write(write.id).await.unwrap(), None);
    let unknown = record.settle(write.id, outcome(WriteState::NotDone)).await.unwrap_err();
    assert_eq!(unknown, RecordError::UnknownWrite(write.id));
    record.close().await;
    let recovered = open(dir.path()).await.1;
    assert_eq!((recovered.unresolved.len(), recovered.drafts.len()), (1, 1));
}

fn long_ago() -> Timestamp {
    "2020-01-01T00:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn only_what_is_settled_and_old_goes() {
    let dir = folder();
    let (record, _) = Record::open(place(dir.path()), long_ago).await.unwrap();
    let mut ids = Vec::new();
    for name in ["open", "closed", "refused", "unknown"] {
        ids.push(record.begin(&create(name)).await.unwrap().id);
    }
    record.settle(ids[0], done(request("open"))).await.unwrap();
    record.settle(ids[1], done(request("closed"))).await.unwrap();
    record.end_request(&RequestId::new("closed").unwrap()).await.unwrap();
    record.settle(ids[2], outcome(WriteState::NotDone)).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("old")))]).await.unwrap();
    assert_eq!(mmd_elevate_engine::record::purge(dir.path(), long_ago()).unwrap(), Purged::default());
    record.close().await;

    assert_eq!(mmd_elevate_engine::record::purge(dir.path(), long_ago()).unwrap(), Purged::default());
    let (record, recovered) = open(dir.path()).await; // The limit of 90 days is over.
    assert_eq!(recovered.unresolved.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[3]]);
    assert_eq!((recovered.open.len(), recovered.drafts.len()), (1, 1));
    assert!(record.write(ids[0]).await.unwrap().is_some(), "its request is open");
    assert_eq!(record.write(ids[1]).await.unwrap(), None);
    assert_eq!(record.write(ids[2]).await.unwrap(), None);
    record.settle(ids[3], outcome(WriteState::SetAside)).await.unwrap();
    // The command, beside a dashboard.
    let purged = mmd_elevate_engine::record::purge(dir.path(), Timestamp::now()).unwrap();
    assert_eq!(purged, Purged { writes: 1, requests: 0 });
    record.close().await;
    let text = std::fs::read(dir.path().join("record.db")).unwrap();
    assert!(!text.windows(9).any(|bytes| bytes == b" unknown\r"), "what is purged is gone from the file");
}
