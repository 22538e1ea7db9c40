//! Keys are applied and drawn at once, whatever the disk and the service do: the real loop on a surface that keeps what
//! was drawn, the real worker, a record whose database another has locked, and a service that hangs.

use std::{
    future::{self, Future},
    net::Ipv4Addr,
    path::Path,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};
use mmd_elevate::{
    app::{App, Channels, ExitReason},
    dashboard::{Model, Setup, Tenant, view::Theme},
    keys::Keymap,
    platform::SystemEvent,
    terminal::{Input, InputBatch},
};
use mmd_elevate_core::{CALLS_WAITING, Recovered};
use mmd_elevate_engine::{
    backend::Backend,
    http::BaseUrl,
    mmd::{Client, Timeouts},
    record::{Place, Record, RecordError, TenantKey},
    session::Session,
    worker::Timing,
};
use mmd_elevate_practice::{self as practice, Endpoint, Misdeed, Observer, Practice, Rule};
use rusqlite::Connection;
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

use crate::support::{
    keys::events,
    session,
    stage::{Drawn, Stage},
    within,
};

/// A frame takes a few milliseconds; the rest is for a machine that is busy with other tests. What is slow here is slow
/// for five seconds and more.
const AT_ONCE: Duration = Duration::from_millis(1_500);

const REQUEST: &str = "n INC-10442 tab MMD-03690457680 tab 'Excel crashes' tab Office tab Excel tab 'Start Excel as administrator.' ctrl-s";

/// What the test holds of a dashboard that runs.
struct Agent {
    inputs: mpsc::Sender<InputBatch>,
    _system: mpsc::Sender<SystemEvent>,
    drawn: watch::Receiver<Drawn>,
}

impl Agent {
    async fn press(&self, keys: &str) {
        self.inputs
            .send(InputBatch { at: Instant::now(), inputs: events(keys).into_iter().map(Input::Key).collect() })
            .await
            .unwrap();
    }

    async fn sees(&mut self, text: &str) {
        let seen =
            tokio::time::timeout(Duration::from_secs(30), self.drawn.wait_for(|d| d.screen.contains(text))).await;
        let seen = seen.map(drop);
        assert!(seen.is_ok(), "\"{text}\" does not come:\n{}", self.drawn.borrow().screen);
    }

    /// Types this one key after the other, and sees each in time.
    async fn types(&mut self, text: &str) {
        for end in 1..=text.len() {
            let began = Instant::now();
            self.press(&text[end - 1..end]).await;
            self.sees(&text[..end]).await;
            let took = began.elapsed();
            assert!(took < AT_ONCE, "{:?} was drawn after {took:?}", &text[..end]);
        }
    }
}

async fn practice() -> (Client, Observer) {
    let practice = Practice::bind((Ipv4Addr::LOCALHOST, 0).into(), practice::Settings::default()).await.unwrap();
    let base_url = BaseUrl::parse(&practice.base_url()).unwrap();
    let token = session(&practice.token());
    let client = Client::new(&base_url, practice::TENANT_ID, token, Timeouts::default()).unwrap();
    let observer = practice.observer();
    tokio::spawn(practice.serve());
    (client, observer)
}

fn record(folder: &Path) -> impl FnMut() -> Opening + Send + use<> {
    let tenant = TenantKey { base_url: "practice".to_owned(), tenant_id: practice::TENANT_ID.to_owned() };
    let place = Place { state_dir: folder.to_owned(), tenant, operator: "agent".to_owned(), keep_days: 90 };
    move || Box::pin(Record::open(place.clone(), Timestamp::now)) as Opening
}

type Opening = Pin<Box<dyn Future<Output = Result<(Record, Recovered), RecordError>> + Send>>;

/// Runs the loop while the agent does this.
async fn run(client: Client, record: impl FnMut() -> Opening + Send + 'static, script: impl AsyncFnOnce(&mut Agent)) {
    let (mut stage, drawn) = Stage::new();
    let model = Model::new(Setup {
        tenant: Tenant { name: None, id: practice::TENANT_ID.to_owned(), practice: true },
        categories: Vec::new(),
        keymap: Keymap::default(),
        time_zone: TimeZone::UTC,
        now: Timestamp::now(),
    });
    let mut app = App::new(&mut stage, model, Theme::default(), Timestamp::now);
    let (to_loop, inputs) = mpsc::channel(64);
    let (to_system, system) = mpsc::channel(8);
    let (session_events, events) = mpsc::channel(CALLS_WAITING);
    let backend = async { Ok(Arc::new(client) as Arc<dyn Backend>) };
    let session = Session::open(&Handle::current(), backend, record, Timing::default(), session_events);
    let mut agent = Agent { inputs: to_loop, _system: to_system, drawn };
    let channels = Channels { inputs, system, events };
    let (ended, ()) = within(async { tokio::join!(app.run(channels, &session), script(&mut agent)) }).await;
    assert_eq!(ended.unwrap(), ExitReason::Quit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_drawn_while_another_has_the_database() {
    let (folder, (client, observer)) = (tempfile::tempdir().unwrap(), practice().await);
    run(client, record(folder.path()), async |agent| {
        agent.sees("token set").await;
        // The record is open once it has saved something.
        agent.press("n x").await;
        let db = loop {
            let db = Connection::open(folder.path().join("record.db")).unwrap();
            let saved = db.query_one("SELECT count(*) FROM draft", [], |row| row.get::<_, i64>(0));
            if saved.is_ok_and(|count| count > 0) {
                break db;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        agent.press("ctrl-u esc").await;
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        let locked = Instant::now();
        agent.press(REQUEST).await;
        agent.sees("… sending").await;
        agent.press("n").await;
        // Longer than the half second after which the draft is to be saved.
        while locked.elapsed() < Duration::from_millis(1_200) {
            agent.types("INC-3").await;
            agent.press("ctrl-u").await;
        }
        assert_eq!(observer.creates_received(), 0, "what is not durable is not sent");
        agent.press("esc").await;
        db.execute_batch("ROLLBACK").unwrap();
        agent.sees("● open").await;
        agent.press("ctrl-c ctrl-c").await;
    })
    .await;
    assert_eq!(observer.creates_received(), 1);
}

#[tokio::test]
async fn keys_are_drawn_while_the_record_does_not_open() {
    let (client, observer) = practice().await;
    run(
        client,
        || Box::pin(future::pending()),
        async |agent| {
            agent.press(REQUEST).await;
            agent.sees("… sending").await;
            agent.press("n").await;
            agent.types("INC-3").await;
            agent.press("ctrl-c ctrl-c").await;
        },
    )
    .await;
    assert_eq!(observer.creates_received(), 0);
}

#[tokio::test]
async fn keys_are_drawn_while_the_service_hangs() {
    let (folder, (client, observer)) = (tempfile::tempdir().unwrap(), practice().await);
    observer.set_rules([Rule::new(Endpoint::Any, Misdeed::Hang(Duration::from_secs(60)))]);
    run(client, record(folder.path()), async |agent| {
        agent.press(REQUEST).await;
        while observer.creates_received() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        agent.press("n").await;
        agent.types("INC-3").await;
        agent.press("ctrl-c ctrl-c").await;
    })
    .await;
}
