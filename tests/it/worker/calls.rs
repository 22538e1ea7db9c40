//! One reply for each call, whatever happens to it, and drafts that are saved to the last.

use std::{
    collections::BTreeSet,
    future::{self, Future},
    sync::{Arc, Mutex},
};

use mmd_elevate_core::{
    Call, CallError, CallId, CallResult, CloseElevationRequest, Command, Device, Draft, DraftTarget, Event, Field,
    Operation, Problem, Progress, Query, Recovered, Reply, RequestIds, WriteState,
};
use mmd_elevate_engine::{
    backend::{Backend, BackendFuture, Capabilities, Continuation, Listed, Page, Response},
    record::RecordError,
    worker,
};
use tokio::{
    sync::{Barrier, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    new_request, request_id,
    scene::{OpenRecord, Opened, QUICK, Scene, close_of, summary},
};
use crate::support::{
    server::{Play, Server},
    within,
};

/// A service without a network: each write does what its text says.
#[derive(Clone)]
struct Fake {
    all: Arc<Barrier>,
    /// Held by every call that never ends.
    alive: mpsc::Sender<()>,
}

impl Fake {
    fn new(calls: usize) -> (Self, mpsc::Receiver<()>) {
        let (alive, seen) = mpsc::channel(1);
        (Self { all: Arc::new(Barrier::new(calls)), alive }, seen)
    }
}

impl Fake {
    async fn write(&self, operation: &Operation) -> Result<Response, CallError> {
        let actions_taken = match operation {
            Operation::Create(request) => {
                assert!(!request.get(Field::Title).contains("panic"), "as it was asked to");
                return Err(CallError::declined());
            }
            Operation::Close(CloseElevationRequest { actions_taken, .. }) => actions_taken,
        };
        // Nobody passes before all have come: one that had to wait for another would wait for ever.
        self.all.wait().await;
        match actions_taken.as_str() {
            "panic" => panic!("as it was asked to"),
            "fail" => Err(CallError::declined()),
            "hang" => {
                self.alive.send(()).await.unwrap();
                future::pending().await
            }
            _ => Ok(Response { request: None, ids: RequestIds::default(), skew: None }),
        }
    }
}

impl Backend for Fake {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn send<'a>(&'a self, operation: &'a Operation) -> BackendFuture<'a, Response> {
        Box::pin(self.write(operation))
    }

    fn look_up<'a>(&'a self, _: &'a Operation) -> BackendFuture<'a, Listed> {
        Box::pin(async { Err(CallError::not_signed_in()) })
    }

    fn list<'a>(&'a self, _: &'a Query, _: Option<Continuation>) -> BackendFuture<'a, Page> {
        Box::pin(async { Err(CallError::not_signed_in()) })
    }

    fn search_devices<'a>(&'a self, _: &'a str) -> BackendFuture<'a, Vec<Device>> {
        Box::pin(async { Err(CallError::not_signed_in()) })
    }
}

fn backend(fake: Fake) -> Arc<dyn Backend> {
    Arc::new(fake)
}

struct Worker {
    words: mpsc::Sender<Command>,
    heard: mpsc::Receiver<Event>,
    running: JoinHandle<()>,
}

impl Worker {
    /// Few places in the channel to the loop, so that replies have to wait for one.
    fn start<Opening>(
        service: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
        record: impl FnMut() -> Opening + Send + 'static,
    ) -> Self
    where
        Opening: Future<Output = Opened> + Send + 'static,
    {
        let (words, to_worker) = mpsc::channel(512);
        let (to_loop, heard) = mpsc::channel(1);
        let running = tokio::spawn(worker::run(service, record, QUICK, to_worker, to_loop));
        Self { words, heard, running }
    }

    async fn ask(&self, id: u64, text: &str) {
        within(self.words.send(Command::Do(CallId(id), close_of("1", text)))).await.unwrap();
    }

    async fn next(&mut self) -> Option<Event> {
        within(self.heard.recv()).await
    }

    async fn reply(&mut self) -> Reply {
        loop {
            match self.next().await {
                Some(Event::Reply(reply)) => return reply,
                Some(Event::Progress(..) | Event::Recovered(_) | Event::Ready) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn end(self) {
        drop(self.words);
        let mut heard = self.heard;
        while within(heard.recv()).await.is_some() {}
        within(self.running).await.unwrap();
    }
}

fn no_record() -> future::Ready<Opened> {
    future::ready(Err(RecordError::FullDisk { path: "record.db".into() }))
}

fn drafts(text: &str) -> Command {
    let mut draft = Draft::default();
    draft.set(Field::Title, text);
    Command::Save(vec![(DraftTarget::Form, Some(draft))])
}

#[tokio::test]
async fn many_calls_run_at_once_and_each_has_one_reply_panics_too() {
    const CALLS: usize = 300;
    let record = OpenRecord::open().await;
    let (fake, _seen) = Fake::new(CALLS);
    let mut worker = Worker::start(future::ready(Ok(backend(fake))), record.opening());
    for id in 0..CALLS {
        worker.ask(id as u64, ["close", "panic", "fail"][id % 3]).await;
    }
    let mut answered = BTreeSet::new();
    for _ in 0..CALLS {
        let reply = worker.reply().await;
        let expected = ["not yet visible", "failed: Crashed", "failed: Declined"][(reply.call_id.0 % 3) as usize];
        assert_eq!(summary(&reply), expected);
        assert!(answered.insert(reply.call_id), "{} twice", reply.call_id);
    }
    worker.end().await;
}

#[tokio::test]
async fn a_panic_after_recording_leaves_the_write_unknown() {
    let (fake, _seen) = Fake::new(1);
    let server = Server::start(Play::Slam).await;
    let mut scene = Scene::between(Arc::default(), server, fake, QUICK).await;
    assert_eq!(scene.create("panic").await, "failed: Crashed");
    assert_eq!(scene.does(close_of("1", "panic")).await, "failed: Crashed");
    assert_eq!((scene.stage(1).await, scene.stage(2).await), (WriteState::Unknown, WriteState::Unknown));
    assert!(matches!(scene.progress[..], [Progress::Recorded(_), Progress::Recorded(_)]));
}

#[tokio::test]
async fn calls_that_come_before_the_service_is_ready_wait_for_it() {
    let record = OpenRecord::open().await;
    let (ready, wait) = oneshot::channel();
    let (fake, _seen) = Fake::new(2);
    let mut worker = Worker::start(
        async move {
            wait.await.unwrap();
            Ok(backend(fake))
        },
        record.opening(),
    );
    worker.ask(1, "early").await;
    worker.ask(2, "early").await;
    assert!(matches!(worker.next().await, Some(Event::Recovered(_))), "the record does not wait for the service");
    ready.send(()).unwrap();
    assert_eq!(worker.next().await, Some(Event::Ready));
    let ids = BTreeSet::from([worker.reply().await.call_id, worker.reply().await.call_id]);
    assert_eq!(ids, BTreeSet::from([CallId(1), CallId(2)]));
}

#[tokio::test]
async fn a_call_that_waits_for_the_service_can_be_abandoned() {
    let record = OpenRecord::open().await;
    let mut worker = Worker::start(future::pending(), record.opening());
    worker.ask(1, "x").await;
    worker.words.send(Command::Abandon(CallId(1))).await.unwrap();
    assert_eq!(summary(&worker.reply().await), "failed: Abandoned { sent: false }");
}

#[tokio::test]
async fn a_service_that_cannot_be_made_ready_fails_every_call() {
    let record = OpenRecord::open().await;
    let fault = CallError::not_sent("no client");
    let mut worker = Worker::start(future::ready(Err(fault.clone())), future::pending::<Opened>);
    assert_eq!(worker.next().await, Some(Event::NotReady(fault.clone())));
    let mut worker = Worker::start(future::ready(Err(fault.clone())), record.opening());
    worker.ask(1, "x").await;
    loop {
        match worker.next().await.unwrap() {
            Event::Recovered(_) => {}
            Event::NotReady(told) => assert_eq!(told, fault),
            Event::Reply(reply) => {
                assert_eq!(reply, Reply { call_id: CallId(1), result: Err(fault) });
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    worker.end().await;
}

#[tokio::test]
async fn a_panic_before_the_service_is_ready_is_told_and_nothing_was_sent() {
    let panics = async { if true { panic!("as it was asked to") } else { Ok(backend(Fake::new(1).0)) } };
    let mut worker = Worker::start(panics, future::pending::<Opened>);
    let Some(Event::NotReady(fault)) = worker.next().await else { panic!() };
    assert!(!fault.may_have_happened(), "{fault:?}");
}

#[tokio::test]
async fn without_a_record_nothing_is_written_and_reads_work() {
    let held: Arc<Mutex<super::held::Held>> = Arc::default();
    let answers = Arc::clone(&held);
    let server = Server::start_with(move |request| answers.lock().unwrap().decide(request)).await;
    let client = super::client_of(&server, super::PATIENT);
    let (words, to_worker) = mpsc::channel(64);
    let (to_loop, heard) = mpsc::channel(4);
    let running = tokio::spawn(worker::run(
        future::ready(Ok(Arc::new(client) as Arc<dyn Backend>)),
        no_record,
        QUICK,
        to_worker,
        to_loop,
    ));
    let mut worker = Worker { words, heard, running };
    let mut warnings = 0;
    for _ in 0..2 {
        if let Event::Recovered(recovered) = super::scene::next(&mut worker.heard).await {
            warnings += recovered.warnings.len();
        }
    }
    assert_eq!(warnings, 1, "it is told at once");
    for (id, call) in [(1, Call::Send(Operation::Create(new_request("x")))), (2, close_of("r1", "Done."))] {
        worker.words.send(Command::Do(CallId(id), call)).await.unwrap();
        assert_eq!(summary(&worker.reply().await), "failed: NotRecorded");
    }
    assert_eq!(server.connections(), 0);
    let asked = vec![(request_id("r1"), mmd_elevate_core::Untrusted::new("x"))];
    worker.words.send(Command::Do(CallId(3), Call::Check(asked))).await.unwrap();
    assert_eq!(summary(&worker.reply().await), "checked 0, 1 missing");
    worker.words.send(drafts("x")).await.unwrap();
    assert!(matches!(super::scene::next(&mut worker.heard).await, Event::NotSaved(_)));
    worker.end().await;
}

#[tokio::test]
async fn calls_under_way_are_finished_when_no_more_can_come() {
    let record = OpenRecord::open().await;
    let (fake, _seen) = Fake::new(2);
    let worker = Worker::start(future::ready(Ok(backend(fake.clone()))), record.opening());
    worker.ask(1, "x").await;
    let Worker { words, mut heard, running } = worker;
    drop(words);
    while !matches!(within(heard.recv()).await, Some(Event::Progress(..))) {}
    within(fake.all.wait()).await;
    loop {
        if let Event::Reply(reply) = within(heard.recv()).await.unwrap() {
            assert!(matches!(reply.result, Ok(CallResult::Closed(_))), "{reply:?}");
            break;
        }
    }
    assert_eq!(within(heard.recv()).await, None);
    within(running).await.unwrap();
}

#[tokio::test]
async fn when_nobody_listens_any_more_calls_are_dropped_and_the_last_drafts_are_saved() {
    let (fake, mut seen) = Fake::new(1);
    let record = OpenRecord::open().await;
    let mut worker = Worker::start(future::ready(Ok(backend(fake))), record.opening());
    worker.ask(1, "hang").await;
    while !matches!(worker.next().await, Some(Event::Progress(..))) {}
    within(seen.recv()).await.unwrap();
    worker.words.send(drafts("last")).await.unwrap();
    drop(worker.heard);
    within(worker.running).await.unwrap();
    assert_eq!(within(seen.recv()).await, None, "the call is gone too");
    let recovered = record.recovered().await;
    assert_eq!(titles(&recovered), ["last"]);
    assert_eq!(recovered.unresolved.len(), 1, "the call is not forgotten");
}

#[tokio::test]
async fn drafts_that_cannot_be_saved_are_told_and_go_with_the_next() {
    let record = OpenRecord::open().await;
    let mut worker = Worker::start(future::pending(), record.opening());
    assert!(matches!(worker.next().await, Some(Event::Recovered(_))));
    record.break_it();
    worker.words.send(drafts("first")).await.unwrap();
    let Some(Event::NotSaved(Problem { what, hint })) = worker.next().await else { panic!() };
    assert!(!what.is_empty() && !hint.is_empty());
    record.mend_it();
    let mut second = Draft::default();
    second.set(Field::Title, "second");
    worker.words.send(Command::Save(vec![(DraftTarget::Refused(1), Some(second))])).await.unwrap();
    worker.end().await;
    assert_eq!(titles(&record.recovered().await), ["first", "second"]);
}

#[tokio::test]
async fn drafts_that_could_not_be_saved_are_saved_as_soon_as_they_can_be_and_that_is_told_once() {
    let record = OpenRecord::open().await;
    let mut worker = Worker::start(future::pending(), record.opening());
    assert!(matches!(worker.next().await, Some(Event::Recovered(_))));
    record.break_it();
    worker.words.send(drafts("first")).await.unwrap();
    assert!(matches!(worker.next().await, Some(Event::NotSaved(_))));
    record.mend_it();
    assert_eq!(worker.next().await, Some(Event::Saved));
    worker.words.send(drafts("second")).await.unwrap();
    drop(worker.words);
    assert_eq!(within(worker.heard.recv()).await, None, "and no more is said of it");
    within(worker.running).await.unwrap();
    assert_eq!(titles(&record.recovered().await), ["second"]);
}

fn titles(recovered: &Recovered) -> Vec<&str> {
    let mut titles: Vec<_> = recovered.drafts.iter().map(|saved| saved.draft.get(Field::Title)).collect();
    titles.sort_unstable();
    titles
}
