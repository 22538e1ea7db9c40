//! The worker between a loop that listens and a service that misbehaves as it is told.

use std::{
    fs,
    future::{self, Ready},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use mmd_elevate_core::{
    Call, CallError, CallId, CallResult, CloseElevationRequest, Command, Disposition, ErrorCode, Event, MatchResult,
    Operation, Progress, ReadBack, Recovered, Reply, SignIn, Untrusted, WriteId, WriteState,
};
use mmd_elevate_engine::{
    backend::Backend,
    mmd::Timeouts,
    record::{Place, Record, RecordError, TenantKey},
    worker::{self, Backoff, Timing},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{
    PATIENT, TENANT, client_at,
    held::{Act, Held},
    memory::{Memory, On},
    new_request, request_id,
};
use crate::support::{
    server::{Play, Server},
    within,
};

/// The worker's patience in tests. Windows are wide enough for a machine that is busy with other tests.
pub(crate) const QUICK: Timing = Timing {
    now: Timestamp::now,
    seed: || 7,
    resend: millis(5, 10),
    resends: 3,
    throttle: millis(5, 10),
    throttles: 5,
    longest_wait: Duration::from_secs(2),
    reread: millis(5, 10),
    reads: 3,
    look: Duration::from_millis(1500),
    read_back: Duration::from_millis(500),
    look_again: millis(20, 100),
    closes_again: 3,
    devices_at_once: 2,
    save_again: Duration::from_millis(5),
};

const fn millis(first: u64, most: u64) -> Backoff {
    Backoff { first: Duration::from_millis(first), most: Duration::from_millis(most) }
}

pub(super) struct Scene {
    pub(super) held: Arc<Mutex<Held>>,
    pub(super) server: Server,
    pub(super) words: mpsc::Sender<Command>,
    pub(super) heard: mpsc::Receiver<Event>,
    pub(super) record: OpenRecord,
    /// What came before what was waited for.
    pub(super) progress: Vec<Progress>,
    /// Where signing in stood when something else was waited for.
    pub(super) sign_in: Option<SignIn>,
    calls: u64,
}

impl Scene {
    pub(super) async fn start(on: On, acts: impl IntoIterator<Item = Act>) -> Self {
        Self::with(on, acts, PATIENT, QUICK).await
    }

    pub(super) async fn with(on: On, acts: impl IntoIterator<Item = Act>, timeouts: Timeouts, timing: Timing) -> Self {
        let held = Arc::new(Mutex::new(Held { acts: acts.into_iter().collect(), ..Held::default() }));
        if on == On::Memory {
            // No network is waited for.
            let (look, read_back) = (Duration::from_millis(750), Duration::from_millis(300));
            let timing = Timing { look, read_back, look_again: millis(5, 25), ..timing };
            let unused = Server::start(Play::Slam).await;
            return Self::between(Arc::clone(&held), unused, Memory::new(held, timeouts), timing).await;
        }
        let decide = Arc::clone(&held);
        let server = Server::start_with(move |request| decide.lock().unwrap().decide(request)).await;
        let client = client_at(&format!("http://{}", server.address), timeouts);
        Self::between(held, server, client, timing).await
    }

    pub(super) async fn between(held: Arc<Mutex<Held>>, server: Server, service: impl Backend, timing: Timing) -> Self {
        let record = OpenRecord::open().await;
        let (words, to_worker) = mpsc::channel(64);
        let (to_loop, heard) = mpsc::channel(4);
        let opening = record.opening();
        tokio::spawn(worker::run(
            async { Ok(Arc::new(service) as Arc<dyn Backend>) },
            opening,
            timing,
            to_worker,
            to_loop,
        ));
        let mut scene = Self { held, server, words, heard, record, progress: Vec::new(), sign_in: None, calls: 0 };
        let ready = [scene.next().await, scene.next().await];
        assert!(ready.contains(&Event::Ready), "{ready:?}");
        scene
    }

    pub(super) async fn next(&mut self) -> Event {
        loop {
            match within(self.heard.recv()).await.unwrap() {
                Event::SignIn(sign_in) => self.sign_in = Some(sign_in),
                word => return word,
            }
        }
    }

    pub(super) async fn ask(&mut self, call: Call) -> CallId {
        self.calls += 1;
        let call_id = CallId(self.calls);
        self.words.send(Command::Do(call_id, call)).await.unwrap();
        call_id
    }

    pub(super) async fn abandon(&mut self, call_id: CallId) {
        self.words.send(Command::Abandon(call_id)).await.unwrap();
    }

    /// Waits for a progress that is like this.
    pub(super) async fn until(&mut self, like: impl Fn(&Progress) -> bool) -> Progress {
        loop {
            match self.next().await {
                Event::Progress(_, progress) => {
                    self.progress.push(progress.clone());
                    if like(&progress) {
                        return progress;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) async fn reply(&mut self) -> Reply {
        loop {
            match self.next().await {
                Event::Progress(_, progress) => self.progress.push(progress),
                Event::Reply(reply) => return reply,
                // The record was lost and is written anew.
                Event::Recovered(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) async fn does(&mut self, call: Call) -> String {
        self.ask(call).await;
        summary(&self.reply().await)
    }

    pub(super) async fn create(&mut self, text: &str) -> String {
        self.does(Call::Send(Operation::Create(new_request(text)))).await
    }

    /// Waits until the service has seen so many writes.
    pub(super) async fn writes(&self, most: usize) {
        let count = || {
            let held = self.held.lock().unwrap();
            held.creates + held.closes
        };
        within(async {
            while count() < most {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    }

    pub(super) async fn stage(&self, write: i64) -> WriteState {
        self.record.handle.write(WriteId(write)).await.unwrap().unwrap().state
    }

    /// Whether the service was asked for anything.
    pub(super) fn was_called(&self) -> bool {
        self.server.connections() > 0 || self.counts() != (0, 0) || self.held.lock().unwrap().listed > 0
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        let held = self.held.lock().unwrap();
        (held.creates, held.closes)
    }
}

/// The next word but for those about signing in.
pub(super) async fn next(heard: &mut mpsc::Receiver<Event>) -> Event {
    loop {
        match within(heard.recv()).await.unwrap() {
            Event::SignIn(_) => {}
            word => return word,
        }
    }
}

/// What opening a record comes to.
pub(super) type Opened = Result<(Record, Recovered), RecordError>;

/// A record of its own for one test.
pub(super) struct OpenRecord {
    folder: TempDir,
    pub(super) handle: Record,
}

impl OpenRecord {
    pub(super) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (handle, _) = open(folder.path()).await;
        Self { folder, handle }
    }

    /// What the worker is given.
    pub(super) fn opening(&self) -> impl FnMut() -> Ready<Opened> + Send + use<> {
        let record = self.handle.clone();
        move || future::ready(Ok((record.clone(), Recovered::default())))
    }

    /// From here on nothing can be written to it: its file is not where it was.
    pub(super) fn break_it(&self) {
        fs::rename(self.folder.path().join("record.db"), self.folder.path().join("moved")).unwrap();
    }

    /// Another program has it open.
    pub(super) fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("record.db")).unwrap()
    }

    /// Somebody removes a file of it.
    pub(super) fn remove(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    pub(super) fn mend_it(&self) {
        fs::rename(self.folder.path().join("moved"), self.folder.path().join("record.db")).unwrap();
    }

    /// The record as another process that lives has it.
    pub(super) async fn another(&self) -> Record {
        open(self.folder.path()).await.0
    }

    /// What the next process finds in it.
    pub(super) async fn recovered(self) -> Recovered {
        drop(self.handle);
        open(self.folder.path()).await.1
    }
}

async fn open(folder: &Path) -> (Record, Recovered) {
    let tenant = TenantKey { base_url: "http://127.0.0.1".to_owned(), tenant_id: TENANT.to_owned() };
    let place = Place { state_dir: folder.to_owned(), tenant, operator: "agent".to_owned(), keep_days: 90 };
    Record::open(place, Timestamp::now).await.unwrap()
}

pub(super) fn close_of(id: &str, text: &str) -> Call {
    Call::Send(Operation::Close(CloseElevationRequest {
        id: request_id(id),
        device: Untrusted::new("Device x"),
        actions_taken: text.to_owned(),
    }))
}

/// A reply in few words.
pub(super) fn summary(reply: &Reply) -> String {
    match &reply.result {
        Ok(CallResult::Created { request, surplus }) if surplus.is_empty() => format!("created {}", request.id.raw()),
        Ok(CallResult::Created { request, surplus }) => {
            let surplus: Vec<_> = surplus.iter().map(|request| request.id.raw()).collect();
            format!("created {}, surplus {}", request.id.raw(), surplus.join(" "))
        }
        Ok(CallResult::Closed(ReadBack::Verified(request))) => format!("verified {}", request.closed_by.raw()),
        Ok(CallResult::Closed(ReadBack::StoredDifferently(_))) => "stored differently".to_owned(),
        Ok(CallResult::Closed(ReadBack::PerhapsOurs(_))) => "perhaps ours".to_owned(),
        Ok(CallResult::Closed(ReadBack::NotYetVisible)) => "not yet visible".to_owned(),
        Ok(CallResult::Looked { seen: MatchResult::Possible(possible), error: fault, .. }) => {
            format!("{} possible, {}", possible.len(), name(fault))
        }
        Ok(CallResult::Looked { seen: MatchResult::Unclear(gaps), error: fault, .. }) => {
            format!("unclear ({}), {}", gaps.describe(), name(fault))
        }
        Ok(CallResult::Looked { error: fault, .. }) => format!("not seen, {}", name(fault)),
        Ok(CallResult::StillOpen(_)) => "still open".to_owned(),
        Ok(CallResult::SetAside) => "set aside".to_owned(),
        Ok(CallResult::Listed { gaps, .. }) => format!("listed {}", gaps.describe()),
        Ok(CallResult::History(histories)) => format!("{} writes", histories.len()),
        Ok(CallResult::TakenAsClosed) => "taken as closed".to_owned(),
        Ok(CallResult::Devices(devices)) => format!("{} devices", devices.len()),
        Ok(CallResult::Checked { listed, missing, gaps, surplus, .. }) => {
            let count = |what: &str, count: usize| if count > 0 { format!(", {count} {what}") } else { String::new() };
            let gaps = if gaps.is_empty() { String::new() } else { format!(", {}", gaps.describe()) };
            let (missing, surplus) = (count("missing", missing.len()), count("surplus", surplus.len()));
            format!("checked {}{missing}{surplus}{gaps}", listed.len())
        }
        Err(fault) => format!("failed: {}", name(fault)),
    }
}

/// An error in one word or two.
fn name(error: &CallError) -> String {
    let what = &error.problem.what;
    let status = || what.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 3).unwrap_or_default();
    match (error.code, error.disposition) {
        (Some(ErrorCode::Abandoned), disposition) => {
            format!("Abandoned {{ sent: {} }}", disposition == Disposition::Unknown)
        }
        (Some(ErrorCode::NotConnected), Disposition::Repeat(_)) => "NotReached".to_owned(),
        (Some(ErrorCode::NotAccepted), _)
            if *error
                == CallError {
                    ids: error.ids.clone(),
                    service_message: error.service_message.clone(),
                    ..CallError::absence_unproven()
                } =>
        {
            "AbsenceUnproven".to_owned()
        }
        (Some(code), _) => format!("{code:?}"),
        (None, _) if what.starts_with("The service failed") => format!("ServerFailed {{ status: {} }}", status()),
        (None, _) if what.starts_with("The service points") => "Redirected".to_owned(),
        (None, _) if *what == CallError::connection_broken().problem.what => "Cut".to_owned(),
        (None, _) if error.hint() == CallError::not_sent("").hint() => "NotSent".to_owned(),
        (None, _) if what.starts_with("Nothing was sent: ") => "NotRecorded".to_owned(),
        (None, _) => panic!("{error:?}"),
    }
}
