//! A process that dies leaves the draft of what it has just sent beside the write: it is one text, and comes back once.

use mmd_elevate::{
    domain::{Draft, Field, RequestId},
    port::{DraftTarget, Stage},
};

use super::{close, create, draft, folder, open, outcome};

#[tokio::test]
async fn the_draft_of_a_write_is_the_write_s_unless_that_was_refused() {
    let dir = folder();
    let (journal, _) = open(dir.path()).await;
    let form = |text| vec![(DraftTarget::Form, Some(draft(text)))];
    journal.save(form("sent")).await.unwrap();
    journal.intend(&create("sent")).await.unwrap();
    let refused = journal.intend(&create("refused")).await.unwrap();
    journal.settle(refused.id, outcome(Stage::NotDone)).await.unwrap();
    journal.intend(&create("sending")).await.unwrap();
    let mut closes = Draft::default();
    closes.set(Field::PlanOfAction, "closed id");
    let drafts = [
        (DraftTarget::Refused(1), draft("refused")),
        (DraftTarget::Refused(2), draft("sending")),
        (DraftTarget::Close(RequestId::new("id").unwrap()), closes),
    ];
    journal.save(drafts.map(|(target, draft)| (target, Some(draft))).into()).await.unwrap();
    journal.intend(&close("id")).await.unwrap();
    journal.close().await;
    let (_journal, recovered) = open(dir.path()).await;
    assert_eq!(recovered.unresolved.len(), 3);
    let left: Vec<_> = recovered.drafts.into_iter().map(|left| left.draft).collect();
    assert_eq!(left, [draft("refused")]);
}

#[tokio::test]
async fn what_is_typed_after_a_write_is_another_be_it_the_same() {
    let dir = folder();
    let (journal, _) = open(dir.path()).await;
    journal.intend(&create("again")).await.unwrap();
    journal.save(vec![(DraftTarget::Form, Some(draft("again")))]).await.unwrap();
    journal.close().await;
    let recovered = open(dir.path()).await.1;
    assert_eq!((recovered.unresolved.len(), recovered.drafts.len()), (1, 1));
}
