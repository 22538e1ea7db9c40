//! The session: one fetch at a time, in time, and never without end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use mmd_elevate_core::{CallError, ErrorCode, SignIn};
use mmd_elevate_engine::auth::{Renewal, Token, TokenSession};
use mmd_elevate_practice::{Endpoint, Misdeed, Rule, Settings};
use rstest::rstest;
use secrecy::ExposeSecret;
use tokio::task::JoinSet;

use super::{SECRET, source_at, tenant};
use crate::support::{
    gist,
    server::{Play, Server, http},
    session as session_of, within,
};

/// A session with a clock that goes as far ahead as it is told to.
macro_rules! clock {
    ($ahead:ident, $now:ident) => {
        static $ahead: AtomicI64 = AtomicI64::new(0);
        fn $now() -> Timestamp {
            Timestamp::now() + SignedDuration::from_secs($ahead.load(Ordering::SeqCst))
        }
    };
}

const AT_ONCE: Renewal = Renewal {
    now: Timestamp::now,
    early: Duration::from_secs(300),
    least: Duration::ZERO,
    again: [Duration::from_millis(5), Duration::from_millis(5)],
};

fn text(token: &Token) -> String {
    token.secret().expose_secret().to_owned()
}

async fn until(session: &TokenSession, like: impl FnMut(&SignIn) -> bool) -> SignIn {
    within(session.changes().wait_for(like)).await.unwrap().clone()
}

#[tokio::test]
async fn fifty_calls_wait_for_one_token_and_one_renewal() {
    let slow = Rule::new(Endpoint::Token, Misdeed::Delay(Duration::from_millis(100)));
    let tenant = tenant(Settings { rules: [slow].into(), ..Settings::default() }).await;
    let session = TokenSession::start(tenant.source(), Renewal::default());
    let mut first = JoinSet::new();
    for _ in 0..50 {
        let session = session.clone();
        first.spawn(async move { session.token().await.unwrap() });
    }
    let first = within(first.join_all()).await;
    assert!(first.iter().all(|token| text(token) == text(&first[0])));
    assert_eq!(tenant.observer.received(Endpoint::Token), 1);
    let mut second = JoinSet::new();
    for rejected in first {
        let session = session.clone();
        second.spawn(async move { session.renew(&rejected).await.unwrap() });
    }
    let second = within(second.join_all()).await;
    assert!(second.iter().all(|token| text(token) == text(&second[0])));
    assert_eq!(tenant.observer.received(Endpoint::Token), 2);
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_the_token_to_the_next() {
    let tenant = tenant(Settings::default()).await;
    let session = TokenSession::start(tenant.source(), Renewal::default());
    let rejected = within(session.token()).await.unwrap();
    tenant.observer.set_rules([Rule::new(Endpoint::Token, Misdeed::Delay(Duration::from_millis(100)))]);
    let call = tokio::spawn({
        let session = session.clone();
        async move { session.renew(&rejected).await }
    });
    until(&session, |told| matches!(told, SignIn::SigningIn)).await;
    call.abort();
    within(session.token()).await.unwrap();
    assert_eq!(tenant.observer.received(Endpoint::Token), 2);
}

#[tokio::test]
async fn a_token_is_renewed_five_minutes_before_its_end_while_calls_go_on_with_it() {
    clock!(AHEAD, now);
    let tenant = tenant(Settings::default()).await;
    let session = TokenSession::start(tenant.source(), Renewal { now, ..Renewal::default() });
    let first = within(session.token()).await.unwrap();
    assert_eq!(session.changes().borrow().clone(), SignIn::SignedIn { until: first.ends() });
    AHEAD.store(3599 - 305, Ordering::SeqCst);
    assert_eq!(text(&within(session.token()).await.unwrap()), text(&first));
    let changes = session.changes();
    assert!(!changes.has_changed().unwrap());
    AHEAD.store(3599 - 299, Ordering::SeqCst);
    assert_eq!(text(&within(session.token()).await.unwrap()), text(&first), "nobody waits for a renewal");
    until(&session, |told| matches!(told, SignIn::SignedIn { until } if *until > first.ends())).await;
    assert_ne!(text(&within(session.token()).await.unwrap()), text(&first));
    assert_eq!(tenant.observer.received(Endpoint::Token), 2);
}

#[tokio::test]
async fn a_short_token_is_renewed_by_itself_at_half_of_its_life() {
    let tenant = tenant(Settings { token_lifetime: Duration::from_secs(2), ..Settings::default() }).await;
    let _session = TokenSession::start(tenant.source(), AT_ONCE);
    within(async {
        while tenant.observer.received(Endpoint::Token) < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// A token endpoint that gives one token, and fails in this way from then on.
async fn gives_one_token(head: &'static str, body: &'static str) -> (Server, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = Server::start_with(move |request| {
        request?;
        Some(Play::Answer(if count.fetch_add(1, Ordering::SeqCst) == 0 {
            http("200 OK", r#"{"token_type": "Bearer", "expires_in": "3600", "access_token": "one"}"#)
        } else {
            http(head, body)
        }))
    })
    .await;
    (server, asked)
}

const REFUSED: &str = r#"{"error": "invalid_client", "error_codes": [7000222]}"#;

fn is_not_renewed(told: &SignIn) -> bool {
    matches!(told, SignIn::NotRenewed { until: Some(_), .. })
}

#[track_caller]
fn assert_sign_in_failed(result: &Result<Token, CallError>, words: &str) {
    let fault = result.as_ref().unwrap_err();
    assert_eq!(fault.code, Some(ErrorCode::SignInFailed), "{fault:?}");
    assert!(fault.what().contains(words) && !fault.hint().is_empty(), "{fault:?}");
    assert!(!fault.may_have_happened());
}

#[tokio::test]
async fn a_renewal_that_fails_is_tried_twice_more_and_then_left_until_somebody_needs_it() {
    clock!(AHEAD, now);
    let (server, asked) = gives_one_token("503 Service Unavailable", "").await;
    let session =
        TokenSession::start(source_at(&format!("http://{}/t", server.address), SECRET), Renewal { now, ..AT_ONCE });
    within(session.token()).await.unwrap();
    AHEAD.store(3600 - 290, Ordering::SeqCst);
    within(session.token()).await.unwrap();
    until(&session, is_not_renewed).await;
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    AHEAD.store(3600 - 10, Ordering::SeqCst);
    assert_eq!(text(&within(session.token()).await.unwrap()), "one", "it is used to its end");
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    AHEAD.store(3600 + 1, Ordering::SeqCst);
    // What may pass is tried once for each call.
    for tries in [5, 6] {
        assert_sign_in_failed(&within(session.token()).await, "HTTP 503");
        assert_eq!(asked.load(Ordering::SeqCst), tries);
    }
    assert!(matches!(*session.changes().borrow(), SignIn::SignedOut(_)));
}

#[tokio::test]
async fn what_does_not_pass_by_itself_is_tried_again_only_where_the_agent_asks() {
    clock!(AHEAD, now);
    let (server, asked) = gives_one_token("401 Unauthorized", REFUSED).await;
    let session =
        TokenSession::start(source_at(&format!("http://{}/t", server.address), SECRET), Renewal { now, ..AT_ONCE });
    within(session.token()).await.unwrap();
    AHEAD.store(3600 - 290, Ordering::SeqCst);
    within(session.token()).await.unwrap();
    until(&session, is_not_renewed).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    AHEAD.store(3600 + 1, Ordering::SeqCst);
    for _ in 0..3 {
        assert_sign_in_failed(&within(session.token()).await, "AADSTS7000222");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    session.sign_in();
    until(&session, |told| matches!(told, SignIn::SigningIn)).await;
    until(&session, |told| matches!(told, SignIn::SignedOut(_))).await;
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn signing_in_by_hand_brings_a_new_token_and_a_failure_of_it_spoils_nothing() {
    let tenant = tenant(Settings::default()).await;
    let session = TokenSession::start(tenant.source(), Renewal::default());
    let first = within(session.token()).await.unwrap();
    session.sign_in();
    until(&session, |told| matches!(told, SignIn::Renewing { .. })).await;
    until(&session, |told| matches!(told, SignIn::SignedIn { .. })).await;
    let second = within(session.token()).await.unwrap();
    assert_ne!(text(&first), text(&second));
    tenant.observer.set_rules([Rule::new(Endpoint::Token, Misdeed::Fail)]);
    session.sign_in();
    until(&session, is_not_renewed).await;
    assert_eq!(text(&within(session.token()).await.unwrap()), text(&second));
    assert_eq!(tenant.observer.received(Endpoint::Token), 3);
}

#[rstest]
#[case::asked_to_wait("429 Too Many Requests\nretry-after: 1")]
#[case::asked_to_wait_by_a_gateway("503 Service Unavailable\nretry-after: 1")]
#[tokio::test]
async fn a_token_endpoint_is_not_asked_sooner_than_it_wants(#[case] head: &'static str) {
    clock!(AHEAD, now);
    AHEAD.store(0, Ordering::SeqCst);
    let (server, asked) = gives_one_token(head, "").await;
    let renewal = Renewal { now, early: Duration::from_secs(3000), ..AT_ONCE };
    let session = TokenSession::start(source_at(&format!("http://{}/t", server.address), SECRET), renewal);
    within(session.token()).await.unwrap();
    AHEAD.store(1900, Ordering::SeqCst);
    let before = std::time::Instant::now();
    within(session.token()).await.unwrap();
    until(&session, is_not_renewed).await;
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    assert!(before.elapsed() >= Duration::from_secs(2), "two waits of a second each");
}

#[tokio::test]
async fn token_with_a_clock_that_is_set_is_renewed_all_the_same() {
    clock!(AHEAD, now);
    for set in [-3_600, -31_536_000, 31_536_000] {
        AHEAD.store(0, Ordering::SeqCst);
        // It is renewed at half of its life.
        let tenant = tenant(Settings { token_lifetime: Duration::from_secs(4), ..Settings::default() }).await;
        let session = TokenSession::start(tenant.source(), Renewal { now, ..AT_ONCE });
        let first = within(session.token()).await.unwrap();
        AHEAD.store(set, Ordering::SeqCst);
        until(&session, |told| matches!(told, SignIn::Renewing { .. } | SignIn::SigningIn)).await;
        let second = until(&session, |told| matches!(told, SignIn::SignedIn { .. })).await;
        assert!(matches!(second, SignIn::SignedIn { .. }), "{set}");
        assert_ne!(text(&within(session.token()).await.unwrap()), text(&first), "{set}");
    }
}

#[tokio::test]
async fn a_token_of_the_environment_cannot_be_renewed_and_is_tried_as_long_as_it_is_wanted() {
    let session = session_of("given");
    let token = within(session.token()).await.unwrap();
    assert_eq!(gist(&within(session.renew(&token)).await.unwrap_err()), gist(&CallError::not_signed_in()));
    until(&session, |told| matches!(told, SignIn::SignedOut(fault) if fault.code == Some(ErrorCode::NotSignedIn)))
        .await;
    assert_eq!(text(&within(session.token()).await.unwrap()), "given");
    session.mark_accepted(&token);
    until(&session, |told| *told == SignIn::SignedIn { until: None }).await;
}

#[tokio::test]
async fn with_the_last_clone_the_session_ends_and_nothing_of_it_shows_a_token() {
    let tenant = tenant(Settings::default()).await;
    let session = TokenSession::start(tenant.source(), Renewal::default());
    let token = within(session.token()).await.unwrap();
    let shown = format!("{session:?} {token:?} {:?}", tenant.source());
    assert!(!shown.contains(&text(&token)) && !shown.contains(&tenant.secret), "{shown}");
}
