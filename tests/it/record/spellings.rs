//! A tenant or a request is found in another spelling, also in a record that holds both spellings.

use jiff::Timestamp;
use mmd_elevate_core::{DraftTarget, Field, Outcome, Recovered, RequestId, WriteState};
use mmd_elevate_engine::record::{Place, Record, RecordError, TenantKey};

use super::{close, create, draft, folder, place, request};

const SMALL: &str = "3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b";
const SPELLINGS: [&str; 4] = [
    "3F2B0C5E-9A41-4D0E-8F77-00C0FFEE0A1B",
    "{3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b}",
    "(3F2B0C5E-9A41-4D0E-8F77-00C0FFEE0A1B)",
    "3f2b0c5e9a414d0e8f7700c0ffee0a1b",
];

async fn open(dir: &std::path::Path, base_url: &str, tenant_id: &str) -> (Record, Recovered) {
    let tenant = TenantKey { base_url: base_url.to_owned(), tenant_id: tenant_id.to_owned() };
    Record::open(Place { tenant, ..place(dir) }, Timestamp::now).await.unwrap()
}

fn done(id: &str) -> Outcome {
    Outcome { state: WriteState::Done, request: Some(request(id)), why: None, service_request_id: None }
}

#[tokio::test]
async fn tenant_in_another_spelling_is_the_same_tenant() {
    let host = "https://service.example/support";
    for (base_url, tenant_id, is_same) in [
        (host, SPELLINGS[0], true),
        (host, SPELLINGS[1], true),
        ("HTTPS://Service.Example:443/support/", SPELLINGS[3], true),
        ("https://service.example./support", SMALL, true),
        ("https://service.example:8443/support", SMALL, false),
        ("https://service.example/Support", SMALL, false),
        ("http://service.example/support", SMALL, false),
        (host, "3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1c", false),
    ] {
        let folder = folder();
        let (record, _) = open(folder.path(), host, SMALL).await;
        let opened = record.begin(&create("open")).await.unwrap();
        record.settle(opened.id, done("r1")).await.unwrap();
        record.begin(&create("lost")).await.unwrap();
        record.save(vec![(DraftTarget::Form, Some(draft("typed")))]).await.unwrap();
        record.close().await;
        let (record, recovered) = open(folder.path(), base_url, tenant_id).await;
        let found = (recovered.open.len(), recovered.unresolved.len(), recovered.drafts.len());
        assert_eq!(found, if is_same { (1, 1, 1) } else { (0, 0, 0) }, "{base_url} {tenant_id}");
        let owned = record.owned_requests(mmd_elevate_core::WriteId(0)).await.unwrap();
        assert_eq!(owned.len(), usize::from(is_same), "{base_url} {tenant_id}");
        if is_same {
            let again = record.begin(&create("again")).await.unwrap();
            let refused = record.settle(again.id, done("r1")).await.unwrap_err();
            assert!(matches!(refused, RecordError::RequestOwned { .. }), "{refused}");
        }
        record.close().await;
        // With the first spelling everything is still found.
        let (_, recovered) = open(folder.path(), host, SMALL).await;
        assert_eq!((recovered.open.len(), recovered.drafts.len()), (1, 1), "{base_url} {tenant_id}");
    }
    let contoso = |id: &str| TenantKey { base_url: "practice".to_owned(), tenant_id: id.to_owned() };
    assert_eq!(contoso("Contoso.OnMicrosoft.com"), contoso("contoso.onmicrosoft.com"));
    assert_ne!(contoso("contoso.example"), contoso("contoso.example.net"));
}

#[tokio::test]
async fn request_in_another_spelling_is_the_same_request() {
    for spelling in SPELLINGS {
        let folder = folder();
        let (record, _) = super::open(folder.path()).await;
        let first = record.begin(&create("first")).await.unwrap();
        record.settle(first.id, done(SMALL)).await.unwrap();
        let second = record.begin(&create("second")).await.unwrap();
        let refused = record.settle(second.id, done(spelling)).await.unwrap_err();
        assert!(
            matches!(refused, RecordError::RequestOwned { owner, .. } if owner == first.id),
            "{spelling}: {refused}"
        );
        let owned = record.owned_requests(second.id).await.unwrap();
        assert!(owned.contains(&RequestId::new(spelling).unwrap()), "{spelling}");
        let mut listed = request(spelling);
        listed.closed = listed.created.clone();
        assert_eq!(record.update_requests(vec![listed]).await.unwrap().len(), 1, "{spelling}");
        record.close().await;
        assert!(super::open(folder.path()).await.1.open.is_empty(), "{spelling}");
    }
}

#[tokio::test]
async fn what_a_list_does_not_tell_does_not_empty_what_is_recorded() {
    let folder = folder();
    let (record, _) = super::open(folder.path()).await;
    let write = record.begin(&create("first")).await.unwrap();
    record.settle(write.id, done(SMALL)).await.unwrap();
    let mut bare = request(SPELLINGS[0]);
    for text in [&mut bare.ticket, &mut bare.device, &mut bare.title] {
        *text = mmd_elevate_core::Untrusted::default();
    }
    record.update_requests(vec![bare]).await.unwrap();
    let known = record.request(&RequestId::new(SMALL).unwrap()).await.unwrap().unwrap();
    let told = request(SMALL);
    for field in [Field::Ticket, Field::Device, Field::Title] {
        assert_eq!(known.text(field), told.text(field));
    }
}

#[tokio::test]
async fn creates_that_nobody_has_claimed_are_known_of_all_processes() {
    let folder = folder();
    let (record, _) = super::open(folder.path()).await;
    let (other, _) = super::open(folder.path()).await;
    record.begin(&create("mine")).await.unwrap();
    let theirs = other.begin(&create("theirs")).await.unwrap();
    let aside = other.begin(&create("aside")).await.unwrap();
    let settled = other.begin(&create("done")).await.unwrap();
    other.settle(settled.id, done("r1")).await.unwrap();
    other.begin(&close("r1")).await.unwrap();
    for stage in [WriteState::Unknown, WriteState::SetAside] {
        let outcome = Outcome { state: stage, request: None, why: None, service_request_id: None };
        other.settle(aside.id, outcome).await.unwrap();
    }
    let found: Vec<_> =
        record.unclaimed_creates().await.unwrap().into_iter().map(|it| (it.state, it.is_ours)).collect();
    let expected = [(WriteState::Intended, true), (WriteState::Intended, false), (WriteState::SetAside, false)];
    assert_eq!(found, expected, "{theirs:?}");
}
