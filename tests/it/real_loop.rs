//! The real loop and the real worker, on a surface that keeps what was drawn and with inputs that are scripted.

use std::{
    fs, future,
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use mmd_elevate::{
    app::{App, Channels, ExitReason, OpenedTenant, TenantOpener},
    dashboard::{
        Model, Preferences, Setup, Tenant, TenantEntry, TenantNumber, TenantState, TenantSummary, Tenants, view::Theme,
    },
    platform::{SystemEvent, Termination},
    terminal::{Background, Input, InputBatch, TerminalReply},
};
use mmd_elevate_core::CALLS_WAITING;
use mmd_elevate_engine::{
    backend::Backend,
    http::BaseUrl,
    mmd::{Client, Timeouts},
    record::{Place, Record, TenantKey},
    session::Session,
    worker::{Backoff, Timing},
};
use mmd_elevate_practice::{self as practice, Practice};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

use crate::support::{
    dashboard::{DRAFT, setup, start},
    keys::events,
    server::{Play, Server, http},
    session,
    stage::{Drawn, Stage},
    within,
};

const TENANT: &str = "8c0ffee5-0000-4000-8000-00000000000a";

/// What the test holds of a dashboard that runs.
struct Agent {
    inputs: mpsc::Sender<InputBatch>,
    system: mpsc::Sender<SystemEvent>,
    drawn: watch::Receiver<Drawn>,
}

impl Agent {
    /// One batch of keys.
    async fn press(&self, keys: &str) {
        self.send(events(keys).into_iter().map(Input::Key).collect()).await;
    }

    async fn send(&self, inputs: Vec<Input>) {
        self.send_at(Instant::now(), inputs).await;
    }

    /// One batch that was read at this time.
    async fn send_at(&self, at: Instant, inputs: Vec<Input>) {
        self.inputs.send(InputBatch { at, inputs }).await.unwrap();
    }

    /// Waits until the screen shows this, and says how often it has been drawn by then.
    async fn sees(&mut self, text: &str) -> usize {
        let seen =
            tokio::time::timeout(Duration::from_secs(20), self.drawn.wait_for(|d| d.screen.contains(text))).await;
        let times = seen.map(|drawn| drawn.unwrap().times);
        times.unwrap_or_else(|_| panic!("\"{text}\" does not come:\n{}", self.drawn.borrow().screen))
    }
}

/// Short waits, so that no test takes long, and long enough for a machine that is busy with others.
fn timing() -> Timing {
    let backoff = |first, most| Backoff { first: Duration::from_millis(first), most: Duration::from_millis(most) };
    Timing {
        resend: backoff(5, 10),
        throttle: backoff(5, 10),
        reread: backoff(5, 10),
        look: Duration::from_millis(1500),
        read_back: Duration::from_millis(500),
        look_again: backoff(20, 100),
        ..Timing::default()
    }
}

/// Runs the loop against a service, with a record of its own, while the agent does this.
async fn run(client: Client, script: impl AsyncFnOnce(&mut Agent)) -> ExitReason {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), client, script).await
}

/// The same with the record in this folder. When it returns, the worker has ended and let go of the record.
async fn run_in(folder: &Path, client: Client, script: impl AsyncFnOnce(&mut Agent)) -> ExitReason {
    run_by(start, None, folder, client, script).await
}

/// The same by this clock, with the lists refreshed this often.
async fn run_by(
    clock: fn() -> Timestamp,
    refresh: Option<Duration>,
    folder: &Path,
    client: Client,
    script: impl AsyncFnOnce(&mut Agent),
) -> ExitReason {
    let (mut stage, drawn) = Stage::new();
    let preferences = Preferences { refresh, ..Preferences::default() };
    let model = Model::new(setup()).with_preferences(preferences);
    let mut app = App::new(&mut stage, model, Theme::default(), clock).with_report_folder(folder.join("reports"));
    let (to_loop, inputs) = mpsc::channel(64);
    let (to_system, system) = mpsc::channel(8);
    let (session_events, events) = mpsc::channel(CALLS_WAITING);
    let tenant = TenantKey { base_url: "http://127.0.0.1".to_owned(), tenant_id: TENANT.to_owned() };
    let place = Place { state_dir: folder.to_owned(), tenant, operator: "agent".to_owned(), keep_days: 90 };
    let record = move || Record::open(place.clone(), clock);
    let backend = async { Ok(Arc::new(client) as Arc<dyn Backend>) };
    let session = Session::open(&Handle::current(), backend, record, timing(), session_events);
    let mut agent = Agent { inputs: to_loop, system: to_system, drawn };
    let (ended, ()) =
        within(async { tokio::join!(app.run(Channels { inputs, system, events }, &session), script(&mut agent)) })
            .await;
    within(session.end()).await;
    ended.unwrap()
}

async fn practice() -> Client {
    let practice = Practice::bind((Ipv4Addr::LOCALHOST, 0).into(), practice::Settings::default()).await.unwrap();
    let base_url = BaseUrl::parse(&practice.base_url()).unwrap();
    let client = Client::new(&base_url, practice::TENANT_ID, session(&practice.token()), Timeouts::default()).unwrap();
    tokio::spawn(practice.serve());
    client
}

fn client_of(server: &Server) -> Client {
    let base_url = BaseUrl::parse(&format!("http://{}/support/odata/v1", server.address)).unwrap();
    Client::new(&base_url, TENANT, session("token"), Timeouts::default()).unwrap()
}

#[tokio::test]
async fn a_request_is_opened_and_closed_at_the_practice_tenant_and_the_agent_leaves() {
    let ended = run(practice().await, async |agent| {
        agent.sees("token set").await;
        agent.press(DRAFT).await;
        agent.press("ctrl-s").await;
        agent.sees("Opened for MMD-03690457680 (INC-10442)").await;
        agent.sees("● open").await;
        agent.press("q").await;
        agent.sees("1 request is open").await;
        agent.press("esc c 'Reset the add-in.'").await;
        agent.sees("Reset the add-in.").await;
        agent.press("ctrl-s").await;
        agent.sees("Request closed: MMD-03690457680 (INC-10442)").await;
        agent.sees("No open requests.").await;
        agent.press("q").await;
    });
    assert_eq!(ended.await, ExitReason::Quit);
}

#[tokio::test]
async fn reports_are_written_to_private_files_and_none_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let report = |end: &str| folder.path().join(format!("reports/mmd-elevate-2026-11-22-shift{end}"));
    run_in(folder.path(), practice().await, async |agent| {
        agent.sees("token set").await;
        agent.press(DRAFT).await;
        agent.press("ctrl-s").await;
        agent.sees("● open").await;
        agent.press("R enter").await;
        agent.sees("Report written: ").await;
        agent.press("n INC-2 esc esc R enter").await;
        // Leaving waits for what is being written.
        agent.press("q R f enter").await;
        agent.sees("1 request is open").await;
        agent.press("l").await;
    })
    .await;
    let [first, second, third] = [report(".md"), report("-2.md"), report(".csv")].map(|path| {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::read_to_string(path).unwrap()
    });
    assert!(first.contains("- INC-10442 · MMD-03690457680 · Excel add-in crashes\n"), "{first}");
    assert!(!first.contains("INC-2") && second.contains("- INC-2 · – · –\n"), "{second}");
    assert!(third.starts_with("\"state\",\"ticket\",") && third.contains("\"INC-10442\""), "{third}");
}

#[tokio::test]
async fn the_practice_tenant_s_refusals_come_back_to_the_form() {
    let ended = run(practice().await, async |agent| {
        agent.press("n INC-1 tab INC-1 tab Title tab Office tab Excel tab Plan ctrl-s").await;
        agent.sees("? Not sent yet, look at the device's name: it is the same as the ticket").await;
        // Another key between the two: who answers at once holds the key down.
        agent.press("end ctrl-s").await;
        agent.sees("✗ Not opened for INC-1 (INC-1)").await;
        agent.sees("hint: check the device's name").await;
        agent.press("ctrl-u MMD-03690457680 ctrl-s").await;
        agent.sees("● open").await;
        agent.press("ctrl-c ctrl-c").await;
    });
    assert_eq!(ended.await, ExitReason::Quit);
}

#[tokio::test]
async fn ten_thousand_characters_arrive_whole_whether_typed_or_pasted_and_are_drawn_once() {
    let server =
        Server::start(Play::Answer(http("201 Created\ncontent-type: application/json", r#"{"id": "3f2b"}"#))).await;
    let typed = "äb 東\"\\".repeat(1_700);
    let pasted = "line of a paste\n".repeat(640);
    run(client_of(&server), async |agent| {
        agent.sees("token set").await;
        let before = agent.drawn.borrow().times;
        agent.press("n INC-1 tab MMD-1 tab Title tab Office tab Excel tab").await;
        agent.sees("Plan of action").await;
        agent.press(&format!("'{typed}' enter 'The end.'")).await;
        let after = agent.sees("The end.").await;
        // And the list of the device, which is asked for and fails, with its notice.
        assert!(after <= before + 6, "{} draws for two batches and the record that opens", after - before);
        agent.send(vec![Input::Paste(pasted.clone())]).await;
        agent.press("ctrl-s").await;
        agent.sees("● open").await;
        agent.press("ctrl-c ctrl-c").await;
    })
    .await;
    let requests: Vec<_> = server.requests().into_iter().filter(|request| request.line().starts_with("POST")).collect();
    assert_eq!(requests.len(), 1);
    let body: serde_json::Value = serde_json::from_slice(&requests[0].body).unwrap();
    let plan = body.as_object().unwrap().iter().find(|(key, _)| key.eq_ignore_ascii_case("planOfAction")).unwrap().1;
    assert_eq!(plan.as_str().unwrap(), format!("{typed}\nThe end.{pasted}"));
}

#[tokio::test]
async fn keys_answer_while_the_service_does_not() {
    let server = Server::start(Play::Hang(Vec::new())).await;
    let ended = run(client_of(&server), async |agent| {
        agent.press(DRAFT).await;
        agent.press("ctrl-s").await;
        agent.sees("… sending").await;
        agent.press("f1").await;
        agent.sees("Help").await;
        agent.press("esc n INC-2").await;
        agent.sees("INC-2").await;
        agent.press("tab MMD-2 tab Title tab Office tab Word tab Plan ctrl-s").await;
        agent.sees("2 in flight").await;
        agent.press("q").await;
        agent.sees("2 calls are under way").await;
        agent.press("l").await;
    });
    assert_eq!(ended.await, ExitReason::Quit);
}

#[tokio::test]
async fn the_system_ends_it_whatever_is_under_way() {
    let server = Server::start(Play::Hang(Vec::new())).await;
    let ended = run(client_of(&server), async |agent| {
        agent.press(&format!("{DRAFT} ctrl-s c")).await;
        agent.sees("… sending").await;
        agent.system.send(SystemEvent::Terminate(Termination::Signal(15))).await.unwrap();
    });
    assert_eq!(ended.await, ExitReason::Terminated(Termination::Signal(15)));
}

#[tokio::test]
async fn a_terminal_that_is_gone_ends_the_loop_with_an_error() {
    let (mut stage, _drawn) = Stage::new();
    let mut app = App::new(&mut stage, Model::new(setup()), Theme::default(), start);
    let ((_, inputs), (_system, system)) = (mpsc::channel(1), mpsc::channel(1));
    let (session_events, events) = mpsc::channel(1);
    let session = Session::open_read_only(&Handle::current(), future::pending(), timing(), session_events);
    let error = within(app.run(Channels { inputs, system, events }, &session)).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to read the terminal");
}

/// Runs the loop without a service while the agent does this. Returns the background and how often it was asked for.
async fn background_after(is_asked: bool, script: impl AsyncFnOnce(&mut Agent)) -> (Background, usize) {
    let (mut stage, drawn) = Stage::new();
    let mut app = App::new(&mut stage, Model::new(setup()), Theme::default(), start).with_background_question(is_asked);
    let ((to_loop, inputs), (to_system, system)) = (mpsc::channel(64), mpsc::channel(8));
    let (session_events, events) = mpsc::channel(CALLS_WAITING);
    let session = Session::open_read_only(&Handle::current(), future::pending(), timing(), session_events);
    let mut agent = Agent { inputs: to_loop, system: to_system, drawn };
    let channels = Channels { inputs, system, events };
    within(async { tokio::join!(app.run(channels, &session), script(&mut agent)) }).await.0.unwrap();
    let questions = agent.drawn.borrow().questions;
    (app.background(), questions)
}

const WHITE: Input = Input::Reply(TerminalReply::Background(255, 255, 255));
const BLACK: Input = Input::Reply(TerminalReply::Background(0, 0, 0));

#[tokio::test]
async fn background_is_asked_once_and_the_first_answer_in_time_counts() {
    // A busy machine must not make the answer late.
    let asked = Instant::now();
    let answered = background_after(true, async |agent| {
        agent.drawn.wait_for(|drawn| drawn.questions == 1).await.unwrap();
        agent.send_at(asked, vec![WHITE]).await;
        agent.send_at(asked, vec![BLACK]).await;
        agent.press("n 'half a ticket'").await;
        agent.sees("half a ticket").await;
        agent.press("ctrl-c ctrl-c").await;
    });
    assert_eq!(answered.await, (Background::Light, 1));
}

#[tokio::test]
async fn background_that_is_told_late_or_was_not_asked_for_stays_unknown() {
    let answered = background_after(true, async |agent| {
        agent.drawn.wait_for(|drawn| drawn.questions == 1).await.unwrap();
        agent.send_at(Instant::now() + Duration::from_millis(201), vec![WHITE]).await;
        agent.press("ctrl-c ctrl-c").await;
    });
    assert_eq!(answered.await, (Background::Unknown, 1));
    let unasked = background_after(false, async |agent| {
        agent.send(vec![WHITE]).await;
        agent.press("ctrl-c ctrl-c").await;
    });
    assert_eq!(unasked.await, (Background::Unknown, 0));
}

#[tokio::test]
async fn answer_that_comes_with_the_last_keys_is_awaited() {
    let answered = background_after(true, async |agent| {
        let at = Instant::now();
        agent.press("ctrl-c ctrl-c").await;
        agent.send_at(at, vec![BLACK]).await;
    });
    assert_eq!(answered.await, (Background::Dark, 1));
}

#[tokio::test]
async fn what_was_left_and_typed_is_there_at_the_next_start_in_the_same_folder() {
    let (folder, client) = (tempfile::tempdir().unwrap(), practice().await);
    run_in(folder.path(), client.clone(), async |agent| {
        agent.press(DRAFT).await;
        agent.press("ctrl-s").await;
        agent.sees("● open").await;
        agent.press("n 'half a ticket' esc q").await;
        agent.sees("1 request is open").await;
        agent.press("l").await;
    })
    .await;
    let ended = run_in(folder.path(), client, async |agent| {
        agent.sees("1 request is open, 1 draft waits").await;
        agent.sees("half a ticket").await;
        agent.press("c 'Reset the add-in.' ctrl-s").await;
        agent.sees("Request closed: MMD-03690457680 (INC-10442), verified").await;
        agent.press("q").await;
    });
    assert_eq!(ended.await, ExitReason::Quit, "a draft that is kept is not asked about");
}

/// The drafts' tickets that are in the record at this moment, whatever becomes of the program.
fn tickets(folder: &Path) -> Vec<String> {
    let Ok(db) = rusqlite::Connection::open(folder.join("record.db")) else { return Vec::new() };
    let Ok(mut rows) = db.prepare("SELECT ticket FROM draft") else { return Vec::new() };
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn draft_typed_while_the_clock_is_set_is_in_the_record_within_a_second() {
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    let clock = || start() + SignedDuration::from_secs(AHEAD.load(Ordering::SeqCst));
    for set in [-3_600, 3_600, -31_536_000, 31_536_000] {
        AHEAD.store(0, Ordering::SeqCst);
        let folder = tempfile::tempdir().unwrap();
        let is_saved = async |text: &str| {
            let began = Instant::now();
            while tickets(folder.path()) != [text] {
                assert!(began.elapsed() < Duration::from_secs(30), "{set}: {text} is not saved");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        run_by(clock, None, folder.path(), practice().await, async |agent| {
            agent.sees("No open requests.").await;
            agent.press("n INC-1").await;
            agent.sees("INC-1").await;
            AHEAD.store(set, Ordering::SeqCst);
            is_saved("INC-1").await;
            agent.press("2").await;
            AHEAD.store(-set, Ordering::SeqCst);
            is_saved("INC-12").await;
            agent.press("ctrl-c ctrl-c").await;
        })
        .await;
    }
}

#[tokio::test]
async fn two_dashboards_on_one_record_see_each_others_requests_and_keep_their_own_drafts() {
    let (folder, client) = (tempfile::tempdir().unwrap(), practice().await);
    let often = Some(Duration::from_millis(50));
    let (seen, other_has_seen) = watch::channel(0);
    let step = async |number: usize| {
        within(other_has_seen.clone().wait_for(|seen| *seen >= number)).await.unwrap();
    };
    let first = run_by(Timestamp::now, often, folder.path(), client.clone(), async |agent| {
        agent.press("n 'first has this'").await;
        agent.sees("first has this").await;
        // Its record is open: what the other one opens now is no recovery.
        agent.sees("draft saved").await;
        seen.send_replace(1);
        // What the other one opens stands in the list here, as the agent's own.
        agent.sees("INC-10442").await;
        agent.sees("first has this").await;
        step(2).await;
        agent.press("esc c 'Reset the add-in.' ctrl-s").await;
        agent.sees("4 Closed 1").await;
        step(3).await;
        agent.press("ctrl-c ctrl-c").await;
    });
    let second = run_by(Timestamp::now, often, folder.path(), client.clone(), async |agent| {
        step(1).await;
        agent.press(DRAFT).await;
        agent.press("ctrl-s").await;
        agent.sees("● open").await;
        assert!(!agent.drawn.borrow().screen.contains("first has this"), "that is the other's draft");
        seen.send_replace(2);
        agent.sees("No open requests.").await;
        seen.send_replace(3);
        agent.press("q").await;
    });
    let ended = tokio::join!(first, second);
    assert_eq!(ended, (ExitReason::Quit, ExitReason::Quit));
}

/// A service that lists nothing and never answers a create.
async fn mute() -> Server {
    Server::start_with(|request| {
        let is_create = request?.line().starts_with("POST");
        let listed = http("200 OK\ncontent-type: application/json", r#"{"value": []}"#);
        Some(if is_create { Play::Hang(Vec::new()) } else { Play::Answer(listed) })
    })
    .await
}

/// Two tenants. The second is opened with this client; without one, neither its service nor its record comes up.
fn two_tenants(folder: &Path, client: Option<Client>) -> (Tenants, TenantOpener) {
    let entry = |name: &str, state: TenantState| {
        let (name, id) = (name.to_owned(), String::new());
        TenantEntry { name, id, colour: None, state }
    };
    let entries = vec![
        entry("Contoso", TenantState::Opened(TenantSummary::default())),
        entry("Fabrikam", TenantState::NotOpened),
    ];
    let folder = folder.to_owned();
    let opener = TenantOpener::new(move |number| {
        assert_eq!(number, TenantNumber(1), "the first one is open");
        let client = client.clone();
        let tenant = TenantKey { base_url: "http://127.0.0.2".to_owned(), tenant_id: TENANT.to_owned() };
        let place = Place { state_dir: folder.clone(), tenant, operator: "agent".to_owned(), keep_days: 90 };
        let is_up = client.is_some();
        let record = move || {
            let place = place.clone();
            async move {
                if !is_up {
                    future::pending::<()>().await;
                }
                Record::open(place, Timestamp::now).await
            }
        };
        let backend = async {
            match client {
                Some(client) => Ok(Arc::new(client) as Arc<dyn Backend>),
                None => future::pending().await,
            }
        };
        let (session_events, events) = mpsc::channel(CALLS_WAITING);
        let session = Session::open(&Handle::current(), backend, record, timing(), session_events);
        let tenant = Tenant { name: Some("Fabrikam".to_owned()), id: TENANT.to_owned(), practice: false };
        Some(OpenedTenant { model: Model::new(Setup { tenant, ..setup() }), session, events })
    });
    (Tenants { entries, ..Tenants::default() }, opener)
}

/// Runs the loop with two tenants while the agent does this. Returns the drafts that are left in the record.
async fn run_two(client: Option<Client>, script: impl AsyncFnOnce(&mut Agent)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (tenants, opener) = two_tenants(folder.path(), client);
    let (mut stage, drawn) = Stage::new();
    let mut app = App::new(&mut stage, Model::new(setup()), Theme::default(), Timestamp::now);
    app.set_tenants(tenants, opener);
    let ((to_loop, inputs), (to_system, system)) = (mpsc::channel(64), mpsc::channel(8));
    let (session_events, events) = mpsc::channel(CALLS_WAITING);
    let practice = practice().await;
    let tenant = TenantKey { base_url: "http://127.0.0.1".to_owned(), tenant_id: TENANT.to_owned() };
    let place = Place { state_dir: folder.path().to_owned(), tenant, operator: "agent".to_owned(), keep_days: 90 };
    let record = move || Record::open(place.clone(), Timestamp::now);
    let backend = async { Ok(Arc::new(practice) as Arc<dyn Backend>) };
    let session = Session::open(&Handle::current(), backend, record, timing(), session_events);
    let mut agent = Agent { inputs: to_loop, system: to_system, drawn };
    let channels = Channels { inputs, system, events };
    let (ended, ()) = within(async { tokio::join!(app.run(channels, &session), script(&mut agent)) }).await;
    assert_eq!(ended.unwrap(), ExitReason::Quit);
    let sessions = app.take_sessions();
    assert_eq!(sessions.len(), 1, "the loop has opened one");
    // What never comes up is not waited for.
    within(session.end()).await;
    for session in sessions {
        let _ = tokio::time::timeout(Duration::from_millis(500), session.end()).await;
    }
    tickets(folder.path())
}

#[tokio::test]
async fn call_of_a_tenant_that_is_not_shown_goes_on_and_its_unknown_outcome_is_told() {
    let server = mute().await;
    let base_url = BaseUrl::parse(&format!("http://{}/v1", server.address)).unwrap();
    let second = Duration::from_secs(1);
    let timeouts = Timeouts { connect: second, read: second, write: second };
    let client = Client::new(&base_url, TENANT, session("token"), timeouts).unwrap();
    let left = run_two(Some(client), async |agent| {
        agent.sees("Contoso").await;
        // In one batch: what is typed after the key that switches is for the other tenant.
        agent.press(&format!("T 2 {DRAFT}")).await;
        agent.sees("Start Excel as administrator.").await;
        agent.sees(" Fabrikam 8c0f").await;
        agent.press("ctrl-s").await;
        agent.sees("… sending").await;
        agent.press("T 1 n 'of contoso'").await;
        agent.sees("of contoso").await;
        agent.sees("Fabrikam: 1 unknown").await;
        agent.press("esc q").await;
        agent.sees("Fabrikam: 1 request may or may not be open.").await;
        agent.press("esc T enter").await;
        agent.sees("? unknown").await;
        agent.press("ctrl-c ctrl-c").await;
    });
    assert_eq!(left.await, ["of contoso"]);
}

#[tokio::test]
async fn tenant_that_does_not_come_up_keeps_no_key_and_no_other_tenant_waiting() {
    let left = run_two(None, async |agent| {
        agent.sees("token set").await;
        agent.press("n 'of contoso' esc T 2").await;
        agent.sees(" Fabrikam 8c0f").await;
        agent.sees("starting").await;
        agent.press("n 'of fabrikam'").await;
        agent.sees("of fabrikam").await;
        agent.press("esc T enter").await;
        agent.sees("Draft in the form: of contoso").await;
        agent.press("q").await;
        agent.sees("Fabrikam: 1 draft would be lost.").await;
        agent.press("l").await;
    });
    assert_eq!(left.await, ["of contoso"]);
}
