//! A process that dies right after sending leaves both the write and its draft: the text is recovered only once.

use mmd_elevate_core::{Draft, DraftTarget, ElevationRequest, Field, RequestId, Untrusted, WriteState};

use super::{close, closed, create, done, draft, folder, open, outcome, request};

#[tokio::test]
async fn the_draft_of_a_write_is_the_write_s_unless_that_was_refused() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let form = |text| vec![(DraftTarget::Form, Some(draft(text)))];
    record.save(form("sent")).await.unwrap();
    record.begin(&create("sent")).await.unwrap();
    let refused = record.begin(&create("refused")).await.unwrap();
    record.settle(refused.id, outcome(WriteState::NotDone)).await.unwrap();
    record.begin(&create("sending")).await.unwrap();
    let mut closes = Draft::default();
    closes.set(Field::PlanOfAction, "closed id");
    let drafts = [
        (DraftTarget::Refused(1), draft("refused")),
        (DraftTarget::Refused(2), draft("sending")),
        (DraftTarget::Close(RequestId::new("id").unwrap()), closes),
    ];
    record.save(drafts.map(|(target, draft)| (target, Some(draft))).into()).await.unwrap();
    record.begin(&close("id")).await.unwrap();
    record.close().await;
    let (_record, recovered) = open(dir.path()).await;
    assert_eq!(recovered.unresolved.len(), 3);
    let left: Vec<_> = recovered.drafts.into_iter().map(|left| left.draft).collect();
    assert_eq!(left, [draft("refused")]);
}

#[tokio::test]
async fn what_is_typed_after_a_write_is_another_be_it_the_same() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    record.begin(&create("again")).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("again")))]).await.unwrap();
    record.close().await;
    let recovered = open(dir.path()).await.1;
    assert_eq!((recovered.unresolved.len(), recovered.drafts.len()), (1, 1));
}

#[tokio::test]
async fn draft_of_a_refused_write_that_was_sent_in_place_of_one_set_aside_comes_back() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let first = record.begin(&create("sent twice")).await.unwrap();
    record.settle(first.id, outcome(WriteState::Unknown)).await.unwrap();
    record.settle(first.id, outcome(WriteState::SetAside)).await.unwrap();
    let second = record.begin(&create("sent twice")).await.unwrap();
    record.settle(second.id, outcome(WriteState::NotDone)).await.unwrap();
    record.save(vec![(DraftTarget::Refused(1), Some(draft("sent twice")))]).await.unwrap();
    record.close().await;
    let left: Vec<_> = open(dir.path()).await.1.drafts.into_iter().map(|left| left.draft).collect();
    assert_eq!(left, [draft("sent twice")]);
}

#[tokio::test]
async fn draft_of_a_close_that_is_stored_in_another_form_comes_back() {
    for (stored, drafts) in [("closed id\r\n", 0), ("", 0), ("clo", 1), ("By the system", 1)] {
        let dir = folder();
        let (record, _) = open(dir.path()).await;
        let opened = record.begin(&create("a")).await.unwrap();
        record.settle(opened.id, done(request("id"))).await.unwrap();
        let mut typed = Draft::default();
        typed.set(Field::PlanOfAction, "closed id");
        record.save(vec![(DraftTarget::Close(RequestId::new("id").unwrap()), Some(typed))]).await.unwrap();
        let closing = record.begin(&close("id")).await.unwrap();
        let listed = ElevationRequest { actions_taken: Untrusted::new(stored), ..closed("id") };
        record.settle(closing.id, done(listed)).await.unwrap();
        record.close().await;
        let recovered = open(dir.path()).await.1;
        assert_eq!(
            (recovered.drafts.len(), recovered.open.len(), recovered.accepted.len()),
            (drafts, 0, 0),
            "{stored}"
        );
    }
}
