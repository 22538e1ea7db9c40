//! One tenant's service and record, as the dashboard and the commands use them: the facade of the engine.
//!
//! Several sessions can be open in one process, one per tenant. A session never sends a write that is not recorded, and a
//! read-only session sends none.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
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

use crate::{
    backend::Backend,
    record::{Record, RecordError},
    worker::{self, Timing},
};
use mmd_elevate_core::{
    CALLS_WAITING, Call, CallError, CallId, CallResult, CloseElevationRequest, Command, Device, Draft, DraftTarget,
    ElevationRequest, Event, Gaps, NewElevationRequest, Operation, Progress, Query, Recovered, Reply, WriteId,
};

/// The ids of calls that the session itself awaits begin here; those of the dashboard's calls are smaller.
const FIRST_AWAITED: u64 = 1 << 63;

/// The drafts to save; one without a text has ended.
pub type Drafts = Vec<(DraftTarget, Option<Draft>)>;

/// An open session. When it is dropped, the worker replies to the calls under way, saves the drafts and ends.
#[derive(Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
    awaited: Arc<Awaited>,
    worker: JoinHandle<()>,
}

/// Why a command was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Too many commands wait already.
    Full,
    /// The worker has ended.
    Ended,
}

#[derive(Debug)]
struct Awaited {
    next: AtomicU64,
    /// Nothing once no reply will come any more.
    calls: Mutex<Option<HashMap<CallId, Waiter>>>,
}

#[derive(Debug)]
struct Waiter {
    reply: oneshot::Sender<Result<CallResult, CallError>>,
    pages: mpsc::UnboundedSender<Vec<ElevationRequest>>,
}

impl Session {
    /// Opens a session that records and sends writes. `backend` is made ready and `record` opened at once; the session
    /// takes calls meanwhile. What nobody awaits is sent to `events`; when those are dropped, the session ends.
    ///
    /// `record` is called again while what keeps it from being opened may pass.
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

    fn start<Running>(
        runtime: &Handle,
        events: mpsc::Sender<Event>,
        run: impl FnOnce(mpsc::Receiver<Command>, mpsc::Sender<Event>) -> Running,
    ) -> Self
    where
        Running: Future<Output = ()> + Send + 'static,
    {
        let (commands, to_worker) = mpsc::channel(CALLS_WAITING);
        let (to_session, from_worker) = mpsc::channel(CALLS_WAITING);
        let awaited =
            Arc::new(Awaited { next: AtomicU64::new(FIRST_AWAITED), calls: Mutex::new(Some(HashMap::new())) });
        let running = run(to_worker, to_session);
        let routing = Arc::clone(&awaited).route(from_worker, events);
        let worker = runtime.spawn(async move {
            tokio::join!(running, routing);
        });
        Self { commands, awaited, worker }
    }

    /// Opens a request.
    ///
    /// # Errors
    /// A [`CallError`] that says whether the request may be open all the same.
    pub async fn create(&self, request: NewElevationRequest) -> Result<CallResult, CallError> {
        self.call(Call::Send(Operation::Create(request))).await
    }

    /// Closes a request, and reads it back.
    ///
    /// # Errors
    /// A [`CallError`] that says whether the request may be closed all the same.
    pub async fn close(&self, close: CloseElevationRequest) -> Result<CallResult, CallError> {
        self.call(Call::Send(Operation::Close(close))).await
    }

    /// Looks once more for a write of unknown outcome.
    ///
    /// # Errors
    /// A [`CallError`]: the outcome is as unknown as before.
    pub async fn look(&self, write: WriteId) -> Result<CallResult, CallError> {
        self.call(Call::Look(write)).await
    }

    /// Lists requests and hands over each page as it comes. Returns what was not seen of the list.
    ///
    /// # Errors
    /// A [`CallError`] where nothing was listed.
    pub async fn list(&self, query: Query, mut page: impl FnMut(Vec<ElevationRequest>)) -> Result<Gaps, CallError> {
        let (mut pages, mut reply) = self.submit_awaited(Call::List(query)).await?;
        let result = loop {
            tokio::select! {
                biased;
                Some(requests) = pages.recv() => page(requests),
                result = &mut reply => break result.unwrap_or_else(|_| Err(CallError::crashed())),
            }
        };
        match result? {
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

    /// Does any call and waits for its reply.
    ///
    /// # Errors
    /// A [`CallError`].
    pub async fn call(&self, call: Call) -> Result<CallResult, CallError> {
        let (_pages, reply) = self.submit_awaited(call).await?;
        reply.await.unwrap_or_else(|_| Err(CallError::crashed()))
    }

    async fn submit_awaited(
        &self,
        call: Call,
    ) -> Result<
        (mpsc::UnboundedReceiver<Vec<ElevationRequest>>, oneshot::Receiver<Result<CallResult, CallError>>),
        CallError,
    > {
        let id = CallId(self.awaited.next.fetch_add(1, Ordering::Relaxed));
        let ((reply, result), (pages, received)) = (oneshot::channel(), mpsc::unbounded_channel());
        // A worker that is about to end still takes commands.
        let is_ended = self.awaited.calls().as_mut().map(|calls| calls.insert(id, Waiter { reply, pages })).is_none();
        if is_ended || self.commands.send(Command::Do(id, call)).await.is_err() {
            self.awaited.remove(id);
            return Err(not_submitted(NotTaken::Ended));
        }
        Ok((received, result))
    }

    /// Submits a call without waiting. Its one reply comes as an event.
    ///
    /// # Errors
    /// The error of a call that was not sent: no reply will come.
    pub fn submit(&self, id: CallId, call: Call) -> Result<(), CallError> {
        self.command(Command::Do(id, call)).map_err(not_submitted)
    }

    /// Abandons a call. Its reply still comes.
    ///
    /// # Errors
    /// Where the command was not taken.
    pub fn abandon(&self, id: CallId) -> Result<(), NotTaken> {
        self.command(Command::Abandon(id))
    }

    /// Fetches a new token now.
    ///
    /// # Errors
    /// Where the command was not taken.
    pub fn sign_in(&self) -> Result<(), NotTaken> {
        self.command(Command::SignIn)
    }

    /// Saves drafts.
    ///
    /// # Errors
    /// Where the command was not taken.
    pub fn save(&self, drafts: Drafts) -> Result<(), NotTaken> {
        self.command(Command::Save(drafts))
    }

    /// Saves the last drafts, and waits for room to say so.
    pub async fn save_last(&self, drafts: Drafts) {
        if self.commands.send(Command::Save(drafts)).await.is_err() {
            tracing::error!("the worker has ended before the last drafts");
        }
    }

    fn command(&self, command: Command) -> Result<(), NotTaken> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => NotTaken::Full,
            TrySendError::Closed(_) => NotTaken::Ended,
        })
    }

    /// Takes no more calls and waits until all have their replies and all drafts are saved.
    pub async fn end(self) {
        drop(self.commands);
        if self.worker.await.is_err() {
            tracing::error!("the worker has failed");
        }
    }
}

fn not_submitted(why: NotTaken) -> CallError {
    CallError::not_sent(match why {
        NotTaken::Full => "too many calls wait already",
        NotTaken::Ended => "the part that talks to the service has ended",
    })
}

impl Awaited {
    fn calls(&self) -> MutexGuard<'_, Option<HashMap<CallId, Waiter>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, id: CallId) -> Option<Waiter> {
        self.calls().as_mut()?.remove(&id)
    }

    /// Hands replies and pages to who awaits them, and all other events on.
    async fn route(self: Arc<Self>, mut from_worker: mpsc::Receiver<Event>, events: mpsc::Sender<Event>) {
        let _end = EndOnDrop(Arc::clone(&self));
        loop {
            let event = tokio::select! {
                event = from_worker.recv() => event,
                () = events.closed() => None,
            };
            let Some(event) = event else { break };
            if let Some(event) = self.take(event)
                && events.send(event).await.is_err()
            {
                break;
            }
        }
    }

    /// Returns the event where nobody here awaits it.
    fn take(&self, event: Event) -> Option<Event> {
        match event {
            Event::Reply(Reply { call_id, result }) => match self.remove(call_id) {
                Some(waiter) => {
                    // That it is not waited for any more is the caller's choice.
                    let _ = waiter.reply.send(result);
                    None
                }
                None => Some(Event::Reply(Reply { call_id, result })),
            },
            Event::Progress(call_id, Progress::Page(requests)) => {
                match self.calls().as_ref().and_then(|calls| calls.get(&call_id)) {
                    Some(waiter) => {
                        let _ = waiter.pages.send(requests);
                        None
                    }
                    None => Some(Event::Progress(call_id, Progress::Page(requests))),
                }
            }
            event => Some(event),
        }
    }
}

/// Tells those who still wait that no reply comes, however the worker has ended.
struct EndOnDrop(Arc<Awaited>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.calls().take();
    }
}
