//! The worker and signing in: what the loop is told, and that a wait for a token is a wait before anything is sent.

use std::time::Duration;

use mmd_elevate_core::{Call, Command, Event, Operation, Progress, SignIn, WriteState};
use mmd_elevate_engine::{
    auth::{Application, ClientSecretSource, Method, Renewal, Source, TokenSession},
    http::BaseUrl,
    mmd::Client,
};
use mmd_elevate_practice::{self as practice, Endpoint, Misdeed, Observer, Practice, Rule, Rules, Settings};

use super::{
    PATIENT, new_request,
    scene::{QUICK, Scene, summary},
};
use crate::support::{
    server::{Play, Server},
    within,
};

async fn scene(rules: impl Into<Rules>) -> (Scene, Observer) {
    let settings = Settings { rules: rules.into(), ..Settings::default() };
    let practice = Practice::bind(([127, 0, 0, 1], 0).into(), settings).await.unwrap();
    let application = Application {
        authority: BaseUrl::parse(&practice.authority()).unwrap(),
        client_id: practice::CLIENT_ID.to_owned(),
        scope: practice::SCOPE.to_owned(),
    };
    let secret = ClientSecretSource::Memory(practice.client_secret().into());
    let source = Source::new(Method::ClientSecret(application, secret)).unwrap();
    let (base_url, observer) = (BaseUrl::parse(&practice.base_url()).unwrap(), practice.observer());
    tokio::spawn(practice.serve());
    let session = TokenSession::start(source, Renewal::default());
    let client = Client::new(&base_url, practice::TENANT_ID, session, PATIENT).unwrap();
    let unused = Server::start(Play::Slam).await;
    (Scene::between(std::sync::Arc::default(), unused, client, QUICK).await, observer)
}

fn on_a_device(title: &str) -> Call {
    use mmd_elevate_core::{Draft, Field};
    let mut draft: Draft = new_request(title).draft().clone();
    draft.set(Field::Device, "MMD-03690457680");
    Call::Send(Operation::Create(draft.validate().unwrap()))
}

async fn told(scene: &mut Scene, like: impl Fn(&SignIn) -> bool) -> SignIn {
    if let Some(sign_in) = scene.sign_in.take()
        && like(&sign_in)
    {
        return sign_in;
    }
    loop {
        if let Event::SignIn(sign_in) = within(scene.heard.recv()).await.unwrap()
            && like(&sign_in)
        {
            return sign_in;
        }
    }
}

#[tokio::test]
async fn a_create_whose_token_has_ended_is_one_write_and_one_request() {
    let (mut scene, observer) = scene([]).await;
    assert!(scene.does(on_a_device("first")).await.starts_with("created "));
    observer.end_tokens();
    assert!(scene.does(on_a_device("second")).await.starts_with("created "));
    let titled = |title: &str| observer.requests().unwrap().iter().filter(|held| held.title.ends_with(title)).count();
    assert_eq!((titled("first"), titled("second")), (1, 1));
    assert_eq!((observer.received(Endpoint::Token), observer.creates_received()), (2, 2));
    assert_eq!((scene.stage(1).await, scene.stage(2).await), (WriteState::Done, WriteState::Done));
    assert!(scene.record.handle.write(mmd_elevate_core::WriteId(3)).await.unwrap().is_none());
}

#[tokio::test]
async fn the_loop_is_told_each_change_and_signs_in_again_by_hand() {
    let (mut scene, observer) = scene([Rule::new(Endpoint::Token, Misdeed::Fail).times(1)]).await;
    let SignIn::SignedOut(fault) = told(&mut scene, |told| matches!(told, SignIn::SignedOut(_))).await else {
        panic!("another state");
    };
    assert!(fault.what().starts_with("Not signed in: ") && !fault.hint().is_empty());
    scene.words.send(Command::SignIn).await.unwrap();
    let SignIn::SignedIn { until } = told(&mut scene, |told| matches!(told, SignIn::SignedIn { .. })).await else {
        panic!("another state");
    };
    assert!(until.is_some());
    assert_eq!(observer.received(Endpoint::Token), 2);
}

#[tokio::test]
async fn a_write_that_waits_for_a_token_is_abandoned_before_anything_is_sent() {
    let slow = Rule::new(Endpoint::Token, Misdeed::Delay(Duration::from_secs(60)));
    let (mut scene, observer) = scene([slow]).await;
    let call_id = scene.ask(on_a_device("x")).await;
    scene.until(|progress| matches!(progress, Progress::Recorded(_))).await;
    scene.abandon(call_id).await;
    assert_eq!(summary(&scene.reply().await), "failed: Abandoned { sent: false }");
    assert_eq!((observer.creates_received(), scene.stage(1).await), (0, WriteState::NotDone));
}

#[tokio::test]
async fn a_write_without_a_token_is_not_done() {
    let (mut scene, observer) = scene([Rule::new(Endpoint::Token, Misdeed::Html)]).await;
    assert_eq!(scene.does(on_a_device("x")).await, "failed: SignInFailed");
    assert_eq!((observer.creates_received(), scene.stage(1).await), (0, WriteState::NotDone));
    assert_eq!(observer.received(Endpoint::Token), 1, "what does not pass is not tried for each call");
}
