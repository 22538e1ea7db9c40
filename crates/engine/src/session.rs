//! One tenant's service and record, as the dashboard and the commands use them: the facade of the engine.
//!
//! Several sessions can be open in one process, one per tenant. A session never sends a write that is not recorded, and a
//! read-only session sends none.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    task::JoinHandle,
};

pub use crate::worker::Drafts;
use crate::{
    backend::Backend,
    record::{Record, RecordError},
    worker::{self, Timing},
};
use mmd_elevate_core::{
    CALLS_WAITING, Call, CallError, CallId, CallResult, CloseElevationRequest, Command, Device, ElevationRequest,
    Event, Gaps, NewElevationRequest, Operation, Progress, Query, Recovered, Reply, WriteId,
};

/// The first id of the calls that the session itself awaits; the ids of the dashboard's calls are smaller.
const FIRST_AWAITED: u64 = 1 << 63;

/// An open session. When it is dropped, the worker replies to the calls in progress, saves the drafts and ends.
#[derive(Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
    pending: Arc<AwaitedCalls>,
    worker: JoinHandle<()>,
}

/// Why a command could not be sent to the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// Too many commands are queued.
    Full,
    /// The worker has ended.
    Ended,
}

#[derive(Debug)]
struct AwaitedCalls {
    next: AtomicU64,
    /// `None` after the last reply.
    calls: Mutex<Option<HashMap<CallId, AwaitedCall>>>,
}

/// How many steps of a call, such as pages of a list, wait for who takes them in. Whoever is slower than the service makes the
/// worker wait, not the list grow.
const STEPS_AHEAD: usize = 1;

#[derive(Debug)]
struct AwaitedCall {
    reply: oneshot::Sender<Result<CallResult, CallError>>,
    steps: mpsc::Sender<Progress>,
    /// The caller takes every step, and not only pages, if there is one.
    number: Option<WriteNumber>,
}

/// The number of a write, as soon as it is recorded. It can be read by other threads, and wakes nobody.
#[derive(Clone, Debug, Default)]
pub struct WriteNumber(Arc<AtomicI64>);

impl WriteNumber {
    /// Returns it, if the write is recorded.
    #[must_use]
    pub fn get(&self) -> Option<WriteId> {
        // No write has the number 0.
        Some(WriteId(self.0.load(Ordering::SeqCst))).filter(|write| write.0 != 0)
    }

    /// Sets it.
    pub fn set(&self, WriteId(number): WriteId) {
        self.0.store(number, Ordering::SeqCst);
    }
}

impl Session {
    /// Opens a session that records and sends writes. It accepts calls while `backend` is made ready and `record` is opened.
    /// Events that no method of the session awaits are sent to `events`; when its receiver is dropped, the session ends.
    ///
    /// `record` is called again after a transient error.
    pub fn open<Opening>(
        runtime: &Handle,
        backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
        record: impl FnMut() -> Opening + Send + 'static,
        timing: Timing,
        events: mpsc::Sender<Event>,
    ) -> Self
    where
        Opening: Future<Output = Result<(Record, Recovered), RecordError>> + Send + 'static,
    {
        Self::start(runtime, events, |commands, events| worker::run(backend, record, timing, commands, events))
    }

    /// Opens a session without a record. It lists and searches; every write is refused before anything is sent.
    pub fn open_read_only(
        runtime: &Handle,
        backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
        timing: Timing,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self::start(runtime, events, |commands, events| worker::run_read_only(backend, timing, commands, events))
    }

    /// Opens a session that reads a record and writes nothing: every create and close is refused before anything is sent, writes of
    /// unknown outcome are looked up, and what is found is not saved. `record` opens the record as [`Record::look`] does.
    pub fn open_to_look<Opening>(
        runtime: &Handle,
        backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
        record: impl FnMut() -> Opening + Send + 'static,
        timing: Timing,
        events: mpsc::Sender<Event>,
    ) -> Self
    where
        Opening: Future<Output = Result<(Record, Recovered), RecordError>> + Send + 'static,
    {
        Self::start(runtime, events, |commands, events| worker::run_to_look(backend, record, timing, commands, events))
    }

    fn start<Running>(
        runtime: &Handle,
        events: mpsc::Sender<Event>,
        run: impl FnOnce(mpsc::Receiver<Command>, mpsc::Sender<Event>) -> Running,
    ) -> Self
    where
        Running: Future<Output = ()> + Send + 'static,
    {
        let (commands, to_worker) = mpsc::channel(CALLS_WAITING);
        let (to_session, from_worker) = mpsc::channel(STEPS_AHEAD);
        let pending =
            Arc::new(AwaitedCalls { next: AtomicU64::new(FIRST_AWAITED), calls: Mutex::new(Some(HashMap::new())) });
        let running = Box::pin(run(to_worker, to_session));
        let worker = Arc::clone(&pending).spawn(runtime, running, from_worker, events);
        Self { commands, pending, worker }
    }

    /// Opens a request.
    ///
    /// # Errors
    /// A [`CallError`] that says whether the request may be open nevertheless.
    pub async fn create(&self, request: NewElevationRequest) -> Result<CallResult, CallError> {
        self.call(Call::Send(Operation::Create(request))).await
    }

    /// Closes a request, and reads it back.
    ///
    /// # Errors
    /// A [`CallError`] that says whether the request may be closed nevertheless.
    pub async fn close(&self, close: CloseElevationRequest) -> Result<CallResult, CallError> {
        self.call(Call::Send(Operation::Close(close))).await
    }

    /// Looks up a write of unknown outcome once more.
    ///
    /// # Errors
    /// A [`CallError`]: the outcome is still unknown.
    pub async fn look_up(&self, write: WriteId) -> Result<CallResult, CallError> {
        self.call(Call::Look(write)).await
    }

    /// Lists requests and passes each page to `page`. Returns what could not be read of the list.
    ///
    /// No more than a few pages are read ahead, so that a long list needs no memory: as long as this is not polled, the session
    /// may deliver nothing else. Drop it to end it.
    ///
    /// # Errors
    /// A [`CallError`]: nothing was listed.
    pub async fn list(
        &self,
        query: Query,
        page: &mut (dyn FnMut(Vec<ElevationRequest>) + Send),
    ) -> Result<Gaps, CallError> {
        let mut on_step = |step| {
            if let Progress::Page(requests) = step {
                page(requests);
            }
        };
        match self.wait_for(Call::List(query), None, &mut on_step).await? {
            CallResult::Listed { gaps, .. } => Ok(gaps),
            _ => Err(CallError::crashed()),
        }
    }

    /// Searches devices by a part of their name, serial number or user.
    ///
    /// # Errors
    /// A [`CallError`]: nothing was changed.
    pub async fn devices(&self, text: &str) -> Result<Vec<Device>, CallError> {
        match self.call(Call::SearchDevices(text.to_owned())).await? {
            CallResult::Devices(devices) => Ok(devices),
            _ => Err(CallError::crashed()),
        }
    }

    /// Sends a call and waits for its reply.
    ///
    /// # Errors
    /// A [`CallError`].
    pub async fn call(&self, call: Call) -> Result<CallResult, CallError> {
        self.wait_for(call, None, &mut drop).await
    }

    /// Sends a call and waits for its reply. `number` becomes that of its write. What happens else is passed to `on_step`, and sent to
    /// nobody else; as long as this is not polled, the session may deliver nothing else.
    ///
    /// # Errors
    /// A [`CallError`].
    pub async fn call_with_progress(
        &self,
        call: Call,
        number: &WriteNumber,
        on_step: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<CallResult, CallError> {
        self.wait_for(call, Some(number.clone()), on_step).await
    }

    async fn wait_for(
        &self,
        call: Call,
        number: Option<WriteNumber>,
        on_step: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<CallResult, CallError> {
        let id = CallId(self.pending.next.fetch_add(1, Ordering::Relaxed));
        let ((reply, mut result), (sender, mut steps)) = (oneshot::channel(), mpsc::channel(STEPS_AHEAD));
        let awaited = AwaitedCall { reply, steps: sender, number };
        // A worker that is about to end still takes commands.
        let is_ended = self.pending.calls().as_mut().map(|calls| calls.insert(id, awaited)).is_none();
        if is_ended || self.commands.send(Command::Do(id, call)).await.is_err() {
            self.pending.remove(id);
            return Err(not_submitted(CommandError::Ended));
        }
        loop {
            tokio::select! {
                biased;
                Some(step) = steps.recv() => on_step(step),
                result = &mut result => return result.unwrap_or_else(|_| Err(CallError::crashed())),
            }
        }
    }

    /// Submits a call without waiting. Its one reply is sent as an event.
    ///
    /// # Errors
    /// The call was not submitted, and no reply will be sent.
    pub fn submit(&self, id: CallId, call: Call) -> Result<(), CallError> {
        self.command(Command::Do(id, call)).map_err(not_submitted)
    }

    /// Abandons a call. Its reply still follows.
    ///
    /// # Errors
    /// The command was not sent.
    pub fn abandon(&self, id: CallId) -> Result<(), CommandError> {
        self.command(Command::Abandon(id))
    }

    /// Fetches a new token now.
    ///
    /// # Errors
    /// The command was not sent.
    pub fn sign_in(&self) -> Result<(), CommandError> {
        self.command(Command::SignIn)
    }

    /// Reads what other processes have changed in the record since this was called last. Only where there is something, an
    /// event follows.
    ///
    /// # Errors
    /// The command was not sent.
    pub fn read_changes(&self) -> Result<(), CommandError> {
        self.command(Command::ReadChanges)
    }

    /// Saves drafts.
    ///
    /// # Errors
    /// The command was not sent.
    pub fn save(&self, drafts: Drafts) -> Result<(), CommandError> {
        self.command(Command::Save(drafts))
    }

    /// Saves the last drafts; waits if the queue is full.
    pub async fn save_last(&self, drafts: Drafts) {
        if self.commands.send(Command::Save(drafts)).await.is_err() {
            tracing::error!("the worker has ended before the last drafts");
        }
    }

    fn command(&self, command: Command) -> Result<(), CommandError> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => CommandError::Full,
            TrySendError::Closed(_) => CommandError::Ended,
        })
    }

    /// Notes that the agent leaves by choice: the next start tells since when. Waits if the queue is full.
    pub async fn leave(&self) {
        if self.commands.send(Command::Leave).await.is_err() {
            tracing::debug!("the worker has ended before the agent left");
        }
    }

    /// Accepts no more calls, and waits until all have their replies and all drafts are saved.
    pub async fn end(self) {
        drop(self.commands);
        if self.worker.await.is_err() {
            tracing::error!("the worker has failed");
        }
    }
}

fn not_submitted(why: CommandError) -> CallError {
    CallError::not_sent(match why {
        CommandError::Full => "too many calls wait already",
        CommandError::Ended => "the part that talks to the service has ended",
    })
}

impl AwaitedCalls {
    fn calls(&self) -> MutexGuard<'_, Option<HashMap<CallId, AwaitedCall>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, id: CallId) -> Option<AwaitedCall> {
        self.calls().as_mut()?.remove(&id)
    }

    /// Runs the worker, and delivers what comes from it. (One function for all kinds of workers.)
    fn spawn(
        self: Arc<Self>,
        runtime: &Handle,
        running: Pin<Box<dyn Future<Output = ()> + Send>>,
        from_worker: mpsc::Receiver<Event>,
        events: mpsc::Sender<Event>,
    ) -> JoinHandle<()> {
        runtime.spawn(async move {
            tokio::join!(running, self.route(from_worker, events));
        })
    }

    /// Delivers replies and progress to the methods that await them, and forwards all other events.
    async fn route(self: Arc<Self>, mut from_worker: mpsc::Receiver<Event>, events: mpsc::Sender<Event>) {
        let _end = EndOnDrop(Arc::clone(&self));
        loop {
            let event = tokio::select! {
                event = from_worker.recv() => event,
                () = events.closed() => None,
            };
            let Some(event) = event else { break };
            if let Some(event) = self.deliver(event).await
                && events.send(event).await.is_err()
            {
                break;
            }
        }
    }

    /// Delivers an event that is awaited, and returns any other.
    async fn deliver(&self, event: Event) -> Option<Event> {
        match event {
            Event::Reply(Reply { call_id, result }) => match self.remove(call_id) {
                Some(pending) => {
                    // The caller may have stopped waiting.
                    let _ = pending.reply.send(result);
                    None
                }
                None => Some(Event::Reply(Reply { call_id, result })),
            },
            Event::Progress(call_id, step) => {
                let steps = match (self.calls().as_ref().and_then(|calls| calls.get(&call_id)), &step) {
                    (Some(AwaitedCall { number: Some(number), .. }), Progress::Recorded(write)) => {
                        number.set(*write);
                        return None;
                    }
                    (Some(call), step) if call.number.is_some() || matches!(step, Progress::Page(_)) => {
                        call.steps.clone()
                    }
                    (Some(_) | None, _) => return Some(Event::Progress(call_id, step)),
                };
                // The caller may have stopped waiting.
                let _ = steps.send(step).await;
                None
            }
            event => Some(event),
        }
    }
}

/// Drops the senders of all replies at the end, which wakes the methods that still wait.
struct EndOnDrop(Arc<AwaitedCalls>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.calls().take();
    }
}
