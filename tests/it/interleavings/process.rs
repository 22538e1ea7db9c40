//! A dashboard without its terminal: the model, and a runtime of its own for the worker, which can be killed.

use std::{
    collections::{BTreeSet, VecDeque},
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use mmd_elevate::{
    dashboard::{Effect, Message, Model, RecordState, ScrollLimits, Setup, Tenant, update},
    keys::Keymap,
};
use mmd_elevate_core::{CALLS_WAITING, Call, CallError, CallId, Command, Event, Problem, Recovered, Reply};
use mmd_elevate_engine::{
    backend::Backend,
    http::BaseUrl,
    mmd::{Client, Timeouts},
    record::{Place, Record, RecordError, TenantKey},
    worker::{self, Backoff, Timing},
};
use mmd_elevate_practice as practice;
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::support::{session, within};

/// By how many seconds this machine's clock is ahead, in each lane of runs.
static AHEAD: [AtomicI64; super::LANES] = [const { AtomicI64::new(0) }; super::LANES];
const CLOCKS: [fn() -> Timestamp; super::LANES] = [clock::<0>, clock::<1>, clock::<2>, clock::<3>, clock::<4>];

fn clock<const LANE: usize>() -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(AHEAD[LANE].load(Ordering::Relaxed))
}

/// Sets this machine's clock.
pub(super) fn set_clock(lane: usize, ahead: i64) {
    AHEAD[lane].store(ahead, Ordering::Relaxed);
}

/// The local user, of dashboards and commands.
pub(super) const AGENT: &str = "agent";

/// The files that this process has open, as links.
pub(super) const OPEN_FILES: &str = "/proc/self/fd";

/// Everything is quick, so that there is much of it.
pub(super) const QUICK: Timing = Timing {
    now: Timestamp::now,
    seed: || 7,
    resend: millis(2, 5),
    resends: 3,
    throttle: millis(2, 5),
    throttles: 3,
    longest_wait: Duration::from_secs(1),
    reread: millis(2, 5),
    reads: 2,
    look: Duration::from_millis(200),
    read_back: Duration::from_millis(80),
    look_again: millis(5, 20),
    closes_again: 2,
    devices_at_once: 2,
    save_again: Duration::from_millis(5),
};

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_millis(500),
    read: Duration::from_millis(200),
    write: Duration::from_millis(200),
};

const fn millis(first: u64, most: u64) -> Backoff {
    Backoff { first: Duration::from_millis(first), most: Duration::from_millis(most) }
}

/// Where dashboards are started: what those of one machine share.
pub(super) struct Machine {
    pub(super) base_url: String,
    pub(super) token: String,
    pub(super) state_dir: tempfile::TempDir,
    pub(super) lane: usize,
    /// Whether commands use the record too, in processes of their own.
    pub(super) has_commands: bool,
}

impl Machine {
    /// The locks of the dashboards that use the record: those that this process has open, where commands may have some too.
    fn owners(&self) -> BTreeSet<String> {
        let owners = self.state_dir.path().join("owners");
        let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(ToOwned::to_owned);
        let names: BTreeSet<_> = if self.has_commands {
            let open = fs::read_dir(OPEN_FILES).unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
            open.filter(|path| path.starts_with(&owners) && path.exists()).filter_map(|path| name(&path)).collect()
        } else {
            fs::read_dir(owners).into_iter().flatten().filter_map(|entry| name(&entry.unwrap().path())).collect()
        };
        names.into_iter().filter(|name| name.strip_suffix(".lock").is_some_and(|owner| owner != "gate")).collect()
    }

    /// As the record knows it.
    fn tenant(&self) -> TenantKey {
        let base_url = BaseUrl::parse(&self.base_url).unwrap().to_string();
        TenantKey { base_url, tenant_id: practice::TENANT_ID.to_owned() }
    }
}

pub(super) struct Process {
    /// Which of the agents uses it.
    pub(super) agent: usize,
    /// Its lock, once its record is open.
    owner: Option<String>,
    pub(super) model: Model,
    /// The clock of its machine, which may be set at any time.
    now: fn() -> Timestamp,
    /// By how much the model is ahead of it.
    clock: SignedDuration,
    started: Instant,
    words: mpsc::Sender<Command>,
    heard: mpsc::Receiver<Event>,
    worker: JoinHandle<()>,
    opening: JoinHandle<()>,
    runtime: Option<Runtime>,
    /// What was handed over.
    pub(super) calls: Vec<(CallId, Call)>,
    /// What came back: nothing of it is lost by the model that is not here.
    pub(super) told: Vec<Event>,
}

impl Process {
    /// Starts it. Whoever of this agent used the record before is dead.
    pub(super) fn start(machine: &Machine, agent: usize) -> Self {
        let now = CLOCKS[machine.lane];
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (words, to_worker) = mpsc::channel(CALLS_WAITING);
        let (to_loop, heard) = mpsc::channel(CALLS_WAITING);
        let client = {
            let _inside = runtime.enter();
            let base_url = BaseUrl::parse(&machine.base_url).unwrap();
            Client::new(&base_url, practice::TENANT_ID, session(&machine.token), TIMEOUTS).unwrap().with_clock(now)
        };
        let state_dir = machine.state_dir.path().to_owned();
        let place = Place { state_dir, tenant: machine.tenant(), operator: AGENT.to_owned(), keep_days: 90 };
        let (opened, record) = oneshot::channel::<Result<(Record, Recovered), RecordError>>();
        // Outside of what is killed: its thread ends with the process, and here it has to be known when that is.
        let opening = tokio::spawn(async move { drop(opened.send(Record::open(place, now).await)) });
        // It is opened once: a record that does not open fails the test.
        let mut record = Some(record);
        let record = move || {
            let record = record.take();
            async {
                match record {
                    Some(record) => record.await.unwrap_or(Err(RecordError::Ended)),
                    None => Err(RecordError::Ended),
                }
            }
        };
        let timing = Timing { now, ..QUICK };
        let worker = runtime.spawn(worker::run(
            async { Ok(Arc::new(client) as Arc<dyn Backend>) },
            record,
            timing,
            to_worker,
            to_loop,
        ));
        let model = Model::new(Setup {
            tenant: Tenant { name: None, id: practice::TENANT_ID.to_owned(), practice: true },
            categories: Vec::new(),
            keymap: Keymap::default(),
            time_zone: TimeZone::UTC,
            now: now(),
        });
        Self {
            agent,
            owner: None,
            model,
            now,
            clock: SignedDuration::ZERO,
            started: Instant::now(),
            words,
            heard,
            worker,
            opening,
            runtime: Some(runtime),
            calls: Vec::new(),
            told: Vec::new(),
        }
    }

    /// What the loop does with a message, but for the effects that need a terminal.
    pub(super) fn apply(&mut self, message: Message) {
        if let Message::Worker(word) = &message {
            self.told.push(word.clone());
        }
        let mut messages = VecDeque::from([message]);
        while let Some(message) = messages.pop_front() {
            for effect in update(&mut self.model, message, ScrollLimits::default()) {
                match effect {
                    Effect::Call(id, call) => {
                        self.calls.push((id, call.clone()));
                        if self.words.try_send(Command::Do(id, call)).is_err() {
                            let fault = CallError::not_sent("there is no room");
                            let reply = Reply { call_id: id, result: Err(fault) };
                            messages.push_back(Message::Worker(Event::Reply(reply)));
                        }
                    }
                    Effect::Abandon(id) => drop(self.words.try_send(Command::Abandon(id))),
                    Effect::Save(drafts) => {
                        if self.words.try_send(Command::Save(drafts)).is_err() {
                            let word = Event::NotSaved(Problem::new("no room", "try again"));
                            messages.push_back(Message::Worker(word));
                        }
                    }
                    Effect::ReadChanges => _ = self.words.try_send(Command::ReadChanges),
                    Effect::SignIn
                    | Effect::Copy(_)
                    | Effect::WriteReport(_)
                    | Effect::OpenAddress(_)
                    | Effect::OpenEditor(..)
                    | Effect::EditTaken
                    | Effect::Redraw
                    | Effect::Bell
                    | Effect::Suspend
                    | Effect::ShowTenant(_)
                    | Effect::LogUnawaited(_)
                    | Effect::ReadTemplates
                    | Effect::SaveTemplate(_)
                    | Effect::CountTemplate(_)
                    | Effect::CaptureMouse(_)
                    | Effect::Exit => {}
                }
            }
        }
    }

    /// Time goes by for the model; sockets and disks have the real one.
    pub(super) fn after(&mut self, millis: i64) {
        self.clock += SignedDuration::from_millis(millis);
        let (now, ahead) = ((self.now)() + self.clock, self.clock.unsigned_abs());
        self.apply(Message::Tick { now, elapsed: self.started.elapsed() + ahead });
    }

    /// Takes in what has come, and waits for one word at most that long.
    pub(super) async fn hears(&mut self, wait: Duration) -> bool {
        let mut any = false;
        if !wait.is_zero()
            && let Ok(Some(word)) = tokio::time::timeout(wait, self.heard.recv()).await
        {
            self.apply(Message::Worker(word));
            any = true;
        }
        while let Ok(word) = self.heard.try_recv() {
            self.apply(Message::Worker(word));
            any = true;
        }
        any
    }

    /// What it is called in the record, once that is open.
    pub(super) fn owner(&self) -> &str {
        self.owner.as_deref().and_then(|lock| lock.strip_suffix(".lock")).unwrap_or_default()
    }

    /// Waits until the record is open. One that is used beside it has to have it open already.
    pub(super) async fn is_open(&mut self, machine: &Machine, beside: Option<&Self>) {
        within(async {
            while self.model.record == RecordState::Opening {
                self.hears(Duration::from_millis(50)).await;
            }
        })
        .await;
        assert_eq!(self.model.record, RecordState::Keeping, "{:?}", self.model.notice);
        if self.owner.is_none() {
            let others = beside.and_then(|beside| beside.owner.clone());
            self.owner = machine.owners().into_iter().find(|name| Some(name) != others.as_ref());
        }
    }

    /// Nothing of it is left a moment later, and nothing was flushed. One that is used beside it has its record open.
    pub(super) async fn killed(&mut self, machine: &Machine, beside: Option<&Self>) {
        self.runtime.take().unwrap().shutdown_background();
        self.gone(machine, beside).await;
    }

    /// Leaves as the program does. One that is used beside it has its record open.
    pub(super) async fn leaves(&mut self, machine: &Machine, beside: Option<&Self>) {
        self.after(0);
        self.apply(Message::Ending);
        // Dropping the ends of the wires is what tells the worker.
        (self.words, self.heard) = (mpsc::channel(1).0, mpsc::channel(1).1);
        within(&mut self.worker).await.unwrap();
        self.runtime.take().unwrap().shutdown_background();
        self.gone(machine, beside).await;
    }

    /// Waits until the owner's lock is let go, as the kernel does for a dead process.
    async fn gone(&mut self, machine: &Machine, beside: Option<&Self>) {
        within(&mut self.opening).await.unwrap();
        let left = beside.and_then(|beside| beside.owner.clone());
        within(async {
            while machine.owners().into_iter().any(|name| Some(name) != left) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
