//! The record that cannot be opened yet, and the one that is lost under the worker.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;
use mmd_elevate_core::{Call, CallId, Command, Draft, DraftTarget, Event, Field, Operation, Problem, Recovered, Reply};
use mmd_elevate_engine::{
    backend::Backend,
    record::{Place, Record, RecordError, TenantKey},
    worker,
};
use rstest::rstest;
use tokio::sync::mpsc;

use super::{
    PATIENT, TENANT, client_of,
    held::Held,
    memory::On,
    new_request, request_id,
    scene::{QUICK, Scene, close_of, next, summary},
};
use crate::support::{server::Server, within};

fn place(folder: &std::path::Path) -> Place {
    let tenant = TenantKey { base_url: "http://127.0.0.1".to_owned(), tenant_id: TENANT.to_owned() };
    Place { state_dir: folder.to_owned(), tenant, operator: "agent".to_owned(), keep_days: 90 }
}

fn path() -> std::path::PathBuf {
    "/state/record.db".into()
}

fn drafts(text: &str) -> Command {
    let mut draft = Draft::default();
    draft.set(Field::Title, text);
    Command::Save(vec![(DraftTarget::Form, Some(draft))])
}

/// A worker whose record does not open before it is told to.
struct Closed {
    words: mpsc::Sender<Command>,
    heard: mpsc::Receiver<Event>,
    server: Server,
    free: Arc<AtomicBool>,
    tries: Arc<AtomicUsize>,
    running: tokio::task::JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Closed {
    async fn by(error: RecordError) -> Self {
        let held: Arc<std::sync::Mutex<Held>> = Arc::default();
        let server = Server::start_with(move |request| held.lock().unwrap().decide(request)).await;
        let (client, folder) = (client_of(&server, PATIENT), tempfile::tempdir().unwrap());
        let (free, tries): (Arc<AtomicBool>, Arc<AtomicUsize>) = Default::default();
        let (is_free, counted, place) = (Arc::clone(&free), Arc::clone(&tries), place(folder.path()));
        let opening = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let (is_free, error, place) = (is_free.load(Ordering::SeqCst), error.clone(), place.clone());
            async move { if is_free { Record::open(place, Timestamp::now).await } else { Err(error) } }
        };
        let (words, to_worker) = mpsc::channel(64);
        let (to_loop, heard) = mpsc::channel(4);
        let running = tokio::spawn(worker::run(
            future::ready(Ok(Arc::new(client) as Arc<dyn Backend>)),
            opening,
            QUICK,
            to_worker,
            to_loop,
        ));
        Self { words, heard, server, free, tries, running, folder }
    }

    /// The next word that is not about the service.
    async fn next(&mut self) -> Event {
        loop {
            match next(&mut self.heard).await {
                Event::Ready | Event::Progress(..) => {}
                word => return word,
            }
        }
    }

    async fn recovered(&mut self) -> Recovered {
        match self.next().await {
            Event::Recovered(recovered) => *recovered,
            other => panic!("{other:?}"),
        }
    }

    async fn does(&mut self, id: u64, call: Call) -> Reply {
        self.words.send(Command::Do(CallId(id), call)).await.unwrap();
        match self.next().await {
            Event::Reply(reply) => reply,
            other => panic!("{other:?}"),
        }
    }
}

#[rstest]
#[case::locked(RecordError::Busy { path: path() })]
#[case::a_full_disk(RecordError::FullDisk { path: path() })]
#[case::read_only(RecordError::ReadOnly { path: path() })]
#[case::no_folder(RecordError::CannotOpen { path: path(), why: "No such file or directory".to_owned() })]
#[case::lost_under_another(RecordError::NotDurable { path: path(), why: "was removed".to_owned() })]
#[case::an_error_of_the_disk(RecordError::Failed { path: path(), why: "disk I/O error".to_owned() })]
#[tokio::test]
async fn record_that_may_open_later_is_opened_as_soon_as_it_can_be(#[case] error: RecordError) {
    let mut closed = Closed::by(error.clone()).await;
    let told = closed.recovered().await;
    assert!(told.unusable, "{told:?}");
    let [Problem { what, hint }] = &told.warnings[..] else { panic!("{told:?}") };
    assert_eq!(*what, format!("failed to {error}"));
    assert!(hint.contains("open"), "it says that it is tried again: {hint}");
    for (id, call) in [
        (1, Call::Send(Operation::Create(new_request("x")))),
        (2, close_of("r1", "Done.")),
        (4, Call::TakeAsClosed(request_id("r1"))),
        (5, Call::History { request: Some(request_id("r1")), write: None }),
    ] {
        let reply = closed.does(id, call).await;
        let Err(fault) = &reply.result else { panic!("{reply:?}") };
        assert_eq!(fault.what(), format!("Nothing was sent: {what}."), "the true reason");
    }
    closed.words.send(drafts("typed meanwhile")).await.unwrap();
    assert!(matches!(closed.next().await, Event::NotSaved(_)));
    // It is tried again and again, and nothing more is said of that.
    within(async {
        while closed.tries.load(Ordering::SeqCst) < 6 {
            tokio::time::sleep(QUICK.save_again).await;
        }
    })
    .await;
    assert_eq!(closed.server.connections(), 0, "nothing was sent");
    closed.free.store(true, Ordering::SeqCst);
    assert_eq!(closed.recovered().await, Recovered::default(), "as at any start");
    assert_eq!(closed.next().await, Event::Saved, "what was typed is saved by itself");
    let tries = closed.tries.load(Ordering::SeqCst);
    assert_eq!(summary(&closed.does(3, Call::Send(Operation::Create(new_request("x")))).await), "created r1");
    assert_eq!(closed.tries.load(Ordering::SeqCst), tries, "once it is open");
    drop(closed.words);
    while within(closed.heard.recv()).await.is_some() {}
    within(closed.running).await.unwrap();
    let (_, left) = Record::open(place(closed.folder.path()), Timestamp::now).await.unwrap();
    assert_eq!(left.drafts[0].draft.get(Field::Title), "typed meanwhile");
    assert_eq!(left.open.len(), 1);
}

#[rstest]
#[case::newer(RecordError::Newer { path: path(), version: 7 })]
#[case::damaged(RecordError::Damaged { path: path(), why: "it is cut".to_owned() })]
#[case::no_place_for_it(RecordError::Unsuitable { path: path(), why: "no locks".to_owned() })]
#[tokio::test]
async fn record_that_will_not_open_is_told_and_not_tried_again(#[case] error: RecordError) {
    let mut closed = Closed::by(error.clone()).await;
    let told = closed.recovered().await;
    assert!(told.unusable && told.warnings[0].hint == error.hint(), "{told:?}");
    closed.free.store(true, Ordering::SeqCst);
    for id in 1..50 {
        let reply = closed.does(id, Call::Send(Operation::Create(new_request("x")))).await;
        assert_eq!(summary(&reply), "failed: NotRecorded");
    }
    assert_eq!((closed.tries.load(Ordering::SeqCst), closed.server.connections()), (1, 0));
}

#[tokio::test]
async fn reason_that_changes_is_told_anew() {
    let reasons = Arc::new(AtomicUsize::new(0));
    let (folder, counted) = (tempfile::tempdir().unwrap(), Arc::clone(&reasons));
    let place = place(folder.path());
    let opening = move || {
        let (number, place) = (counted.fetch_add(1, Ordering::SeqCst), place.clone());
        async move {
            match number {
                0..3 => Err(RecordError::Busy { path: path() }),
                3..6 => Err(RecordError::FullDisk { path: path() }),
                _ => Record::open(place, Timestamp::now).await,
            }
        }
    };
    let (_words, to_worker) = mpsc::channel(64);
    let (to_loop, mut heard) = mpsc::channel(4);
    let service = future::pending::<Result<Arc<dyn Backend>, _>>();
    tokio::spawn(worker::run(service, opening, QUICK, to_worker, to_loop));
    let mut told = Vec::new();
    while told.last() != Some(&None) {
        let Event::Recovered(recovered) = next(&mut heard).await else { panic!() };
        told.push(recovered.warnings.first().map(|warning| warning.what.clone()));
    }
    assert_eq!(told.len(), 3, "{told:?}");
}

#[tokio::test]
async fn record_that_another_keeps_busy_takes_drafts_once_it_is_free_and_nothing_is_sent_before() {
    let mut scene = Scene::start(On::Wire, []).await;
    let other = scene.record.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    scene.words.send(drafts("typed meanwhile")).await.unwrap();
    let Event::NotSaved(Problem { what, hint }) = scene.next().await else { panic!() };
    assert!(what.contains("busy") && !hint.is_empty(), "{what}");
    assert_eq!(scene.create("x").await, "failed: NotRecorded");
    assert_eq!(scene.counts(), (0, 0));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(scene.next().await, Event::Saved);
    assert_eq!(scene.create("x").await, "created r1");
    let Scene { words, mut heard, record, .. } = scene;
    drop(words);
    while within(heard.recv()).await.is_some() {}
    assert_eq!(record.recovered().await.drafts.len(), 1);
}

#[rstest]
#[tokio::test]
async fn create_after_a_file_of_the_record_is_removed_is_not_sent(
    #[values("record.db", "record.db-wal", "record.db-shm")] name: &str,
) {
    let mut scene = Scene::start(On::Wire, []).await;
    assert_eq!(scene.create("before").await, "created r1");
    scene.record.remove(name);
    scene.ask(Call::Send(Operation::Create(new_request("refused")))).await;
    let reply = scene.reply().await;
    let Err(fault) = &reply.result else { panic!("{reply:?}") };
    let Problem { what, hint } = &*fault.problem;
    assert!(what.starts_with("Nothing was sent: "), "{what}");
    assert!(what.contains(name) && what.contains("removed") && !hint.is_empty(), "{what}");
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "failed: NotRecorded");
    assert_eq!(scene.counts(), (1, 0), "{name}: nothing was sent");
    within(async {
        while scene.create("after").await != "created r2" {
            tokio::time::sleep(QUICK.save_again).await;
        }
    })
    .await;
    let recovered = scene.record.recovered().await;
    assert_eq!((recovered.open.len(), recovered.unresolved.len()), (2, 0), "{name}");
}
