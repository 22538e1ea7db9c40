//! Calls to the service: a token before each, another where the first is not accepted, and nothing twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mmd_elevate_core::{CallError, Draft, ErrorCode, Field, NewElevationRequest, SignIn};
use mmd_elevate_engine::{
    auth::{Renewal, TokenSession},
    http::BaseUrl,
    mmd::{Client, Timeouts},
};
use mmd_elevate_practice::{self as practice, Endpoint, Misdeed, Rule, Settings};

use super::{SECRET, Tenant, source_at, tenant};
use crate::support::{
    gist, list_device,
    server::{Play, Server, http},
    within,
};

fn client(base_url: &str, session: TokenSession) -> Client {
    Client::new(&BaseUrl::parse(base_url).unwrap(), practice::TENANT_ID, session, Timeouts::default()).unwrap()
}

fn signed_in(tenant: &Tenant) -> Client {
    client(&tenant.base_url, TokenSession::start(tenant.source(), Renewal::default()))
}

fn request(title: &str) -> NewElevationRequest {
    let mut draft = Draft::default();
    for field in Field::ALL {
        draft.set(field, field.label());
    }
    draft.set(Field::Title, title);
    draft.set(Field::Device, "MMD-03690457680");
    draft.validate().unwrap()
}

fn opened(tenant: &Tenant, title: &str) -> usize {
    tenant.observer.requests().unwrap().iter().filter(|held| held.title == title).count()
}

#[tokio::test]
async fn a_token_that_has_ended_is_renewed_and_the_request_is_opened_once() {
    let tenant = tenant(Settings::default()).await;
    let client = signed_in(&tenant);
    within(client.create(&request("first"))).await.unwrap();
    assert_eq!(tenant.observer.received(Endpoint::Token), 1);
    tenant.observer.end_tokens();
    within(client.create(&request("second"))).await.unwrap();
    assert_eq!((opened(&tenant, "first"), opened(&tenant, "second")), (1, 1));
    assert_eq!((tenant.observer.received(Endpoint::Token), tenant.observer.creates_received()), (2, 2));
}

#[tokio::test]
async fn calls_whose_token_ended_at_once_share_one_renewal() {
    let tenant = tenant(Settings::default()).await;
    let client = signed_in(&tenant);
    within(list_device(&client, "MMD-03690457680")).await.unwrap();
    tenant.observer.end_tokens();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        calls.spawn(async move { list_device(&client, "MMD-03690457680").await.unwrap() });
    }
    within(calls.join_all()).await;
    assert_eq!(tenant.observer.received(Endpoint::Token), 2);
}

/// A service that answers every call with 401, and a token endpoint that gives another token each time.
async fn never_accepts() -> (Server, Server) {
    let service = Server::start(Play::Answer(http("401 Unauthorized", ""))).await;
    let given = Arc::new(AtomicUsize::new(0));
    let authority = Server::start_with(move |request| {
        request?;
        let token = format!("canary-token-{}", given.fetch_add(1, Ordering::SeqCst));
        let body = format!(r#"{{"token_type": "Bearer", "expires_in": 3599, "access_token": "{token}"}}"#);
        Some(Play::Answer(http("200 OK", body)))
    })
    .await;
    (service, authority)
}

#[tokio::test]
async fn a_service_that_accepts_no_token_is_asked_twice_and_no_more() {
    let (service, authority) = never_accepts().await;
    let session =
        TokenSession::start(source_at(&format!("http://{}/t", authority.address), SECRET), Renewal::default());
    let client = client(&format!("http://{}", service.address), session.clone());
    let fault = within(client.create(&request("x"))).await.unwrap_err();
    assert_eq!(gist(&fault), gist(&CallError::not_signed_in()));
    assert!(!fault.may_have_happened());
    let tokens: Vec<_> = service.requests().iter().map(|it| it.header("authorization")[0].to_owned()).collect();
    assert_eq!(tokens, ["Bearer canary-token-0", "Bearer canary-token-1"]);
    assert_eq!(service.requests()[0].body, service.requests()[1].body);
    assert_eq!(authority.requests().len(), 2);
    within(session.changes().wait_for(|told| matches!(told, SignIn::SignedOut(_)))).await.unwrap();
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_a_failure_that_passes_is_forgotten() {
    let fails = Rule::new(Endpoint::Token, Misdeed::Fail).times(2);
    let tenant = tenant(Settings { rules: [fails].into(), ..Settings::default() }).await;
    let client = signed_in(&tenant);
    let changes = client.session().changes();
    within(changes.clone().wait_for(|told| matches!(told, SignIn::SignedOut(_)))).await.unwrap();
    let fault = within(client.create(&request("x"))).await.unwrap_err();
    assert!(fault.code == Some(ErrorCode::SignInFailed) && fault.what().contains("HTTP 500"), "{fault:?}");
    assert_eq!(tenant.observer.creates_received(), 0);
    within(client.create(&request("x"))).await.unwrap();
    assert_eq!((opened(&tenant, "x"), tenant.observer.received(Endpoint::Token)), (1, 3));
}

#[tokio::test]
async fn every_token_that_there_ever_was_is_taken_out_of_what_the_service_says() {
    let (_, authority) = never_accepts().await;
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let service = Server::start_with(move |request| {
        request?;
        let body = r#"{"error": {"message": "neither canary-token-0 nor canary-token-1"}}"#;
        let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
        Some(Play::Answer(if is_first { http("401 Unauthorized", "") } else { http("403 Forbidden", body) }))
    })
    .await;
    let session =
        TokenSession::start(source_at(&format!("http://{}/t", authority.address), SECRET), Renewal::default());
    let client = client(&format!("http://{}", service.address), session);
    let fault = within(client.create(&request("x"))).await.unwrap_err();
    assert_eq!(fault.what(), "neither [token] nor [token]");
    assert!(!format!("{fault:?} {client:?}").contains("canary"));
}

#[tokio::test]
async fn tokens_of_the_practice_tenant_end() {
    let tenant = tenant(Settings { token_lifetime: Duration::from_secs(1), ..Settings::default() }).await;
    let never = Renewal { least: Duration::from_secs(600), ..Renewal::default() };
    let session = TokenSession::start(tenant.source(), never);
    let first = within(session.token()).await.unwrap();
    let client = client(&tenant.base_url, session);
    within(async {
        while tenant.observer.received(Endpoint::Token) < 2 {
            list_device(&client, "MMD-03690457680").await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(first.ends().is_some_and(|ends| ends <= jiff::Timestamp::now()));
}
