//! Runs calls concurrently. It sends exactly one reply per call, even if the call fails or panics, and never sends a write that
//! is not durable in the record.
//!
//! A write ends as done, not done or unknown: its states are in [`mmd_elevate_core::WriteState`], what each error means in
//! [`mmd_elevate_core::Disposition`], and what a list shows in [`mmd_elevate_core::match_listed`]. `write` takes an operation
//! from its record to its outcome; `create` and `close` decide what follows from that; `retry` decides whether a call goes out
//! again, and [`Timing`] holds every wait; `lookup` lists what is unknown; `in_flight` keeps equal creates apart; `resolve`
//! takes up writes that were left behind; `check` and `list` read, and `history` reads the record.

mod check;
mod close;
mod context;
mod create;
mod draft_saver;
mod history;
mod in_flight;
mod list;
mod lookup;
mod record;
mod resolve;
mod retry;
mod timing;
mod write;

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use self::{
    context::{Abandon, CallContext, Context, MadeReady},
    draft_saver::DraftSaver,
    in_flight::InFlight,
    record::{Opened, RecordHandle, RecordRefusal},
};
pub use self::{
    draft_saver::Drafts,
    timing::{Backoff, Timing},
};
use crate::{
    backend::Backend,
    failpoint,
    record::{IfUnknown, Record, RecordError},
};
use mmd_elevate_core::{
    Call, CallError, CallId, CallResult, Command, Event, Operation, Outcome, Problem, Recovered, Reply, SignIn,
    WriteState,
};

/// The wait after the first failure to open the record; each later wait is longer.
const FIRST_RETRY: Duration = Duration::from_millis(250);

/// Makes the service and the record ready concurrently, and runs the calls that are sent meanwhile and later.
///
/// `backend` prepares the service, such as by starting the practice tenant; if it fails, every call is answered with its error.
/// `record` opens the record. While it fails, no write is sent, each one is answered with the error, and
/// [`Event::Recovered`] holds the reason as a warning. After a transient error it is called again until the record is open; its
/// contents are then sent as an event.
///
/// The worker ends when `commands` is closed, every call has its reply and every draft is saved. When the receiver of `events`
/// is dropped, it saves the drafts that were sent and drops the running calls, whose writes are in the record.
pub async fn run<Opening>(
    backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
    record: impl FnMut() -> Opening + Send + 'static,
    timing: Timing,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) where
    Opening: Future<Output = Result<(Record, Recovered), RecordError>> + Send + 'static,
{
    let opening = Some(opening_with(record));
    serve(Box::pin(backend), opening, RecordHandle::new, timing, commands, events).await;
}

/// Does the same and sends no write. The record is read, and nothing is written to it: what was left behind is looked up, and stays
/// for the next session that may write.
pub async fn run_to_look<Opening>(
    backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
    record: impl FnMut() -> Opening + Send + 'static,
    timing: Timing,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) where
    Opening: Future<Output = Result<(Record, Recovered), RecordError>> + Send + 'static,
{
    let opening = Some(opening_with(record));
    serve(Box::pin(backend), opening, RecordHandle::read_only, timing, commands, events).await;
}

/// Runs calls without a record: every write is refused before anything is sent, and drafts are not saved.
pub async fn run_read_only(
    backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
    timing: Timing,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) {
    serve(Box::pin(backend), None, RecordHandle::read_only, timing, commands, events).await;
}

// Boxed once, so that all that is below is compiled once.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type MakeReady = Boxed<Result<Arc<dyn Backend>, CallError>>;
type OpenRecord = Box<dyn FnMut() -> Boxed<Result<(Record, Recovered), RecordError>> + Send>;

fn opening_with<Opening>(mut record: impl FnMut() -> Opening + Send + 'static) -> OpenRecord
where
    Opening: Future<Output = Result<(Record, Recovered), RecordError>> + Send + 'static,
{
    Box::new(move || Box::pin(record()))
}

async fn serve(
    backend: MakeReady,
    open_record: Option<OpenRecord>,
    handle: fn(watch::Receiver<Opened>) -> RecordHandle,
    timing: Timing,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) {
    let (made, backend_ready) = watch::channel(None);
    let (opened, record_ready) = watch::channel(None);
    let (record, in_flight) = (handle(record_ready), InFlight::default());
    let mut starting = JoinSet::new();
    starting.spawn(make_ready(backend, made, events.clone()));
    match open_record {
        Some(open_record) => {
            starting.spawn(open(open_record, timing.save_again, opened, in_flight.clone(), events.clone()));
        }
        None => drop(opened.send_replace(Some(Err(RecordRefusal::read_only())))),
    }
    let saver = DraftSaver::start(record.clone(), timing.save_again, events.clone());
    let context = Context { backend: backend_ready, record, in_flight, timing, events };
    let worker = Worker {
        context: Arc::new(context),
        calls: JoinSet::new(),
        readings: JoinSet::new(),
        abandons: HashMap::new(),
        saver,
        is_left: false,
    };
    worker.serve(commands).await;
    drop(starting);
}

async fn make_ready(backend: MakeReady, made: watch::Sender<MadeReady>, events: mpsc::Sender<Event>) {
    let not_made_ready = || CallError::not_sent("the program failed while it made the service ready");
    let backend = catch_panic(backend).await.unwrap_or_else(|Panicked| Err(not_made_ready()));
    let event = match &backend {
        Ok(_) => Event::Ready,
        Err(error) => Event::NotReady(error.clone()),
    };
    // The event is sent first, so that no reply precedes it.
    let _ = events.send(event).await;
    let changes = backend.as_ref().ok().and_then(|backend| backend.sign_in_changes());
    made.send_replace(Some(backend));
    if let Some(changes) = changes {
        forward_sign_in(changes, &events).await;
    }
}

/// Sends the state of signing in, now and at each change. If changes are faster than they can be sent, only the latest is sent.
async fn forward_sign_in(mut changes: watch::Receiver<SignIn>, events: &mpsc::Sender<Event>) {
    changes.mark_changed();
    while changes.changed().await.is_ok() {
        let sign_in = changes.borrow_and_update().clone();
        if events.send(Event::SignIn(sign_in)).await.is_err() {
            return;
        }
    }
}

/// Opens the record, with retries after transient errors, and sends its contents. Sends its contents again each time that it had
/// to be replaced.
async fn open(
    mut open_record: OpenRecord,
    longest_wait: Duration,
    opened: watch::Sender<Opened>,
    in_flight: InFlight,
    events: mpsc::Sender<Event>,
) {
    let mut last_warning = None;
    let mut wait = FIRST_RETRY.min(longest_wait);
    let (record, recovered) = loop {
        let error = match catch_panic(open_record()).await {
            Ok(Ok(opened)) => break opened,
            Ok(Err(error)) => Some(error),
            Err(Panicked) => None,
        };
        let may_pass = error.as_ref().is_some_and(RecordError::may_pass);
        let hint = error.as_ref().map(RecordError::hint_on_opening);
        let refused = error.map_or_else(RecordRefusal::crashed, RecordRefusal::from);
        let warning = Problem { hint: hint.unwrap_or(&refused.problem.hint).to_owned(), ..refused.problem.clone() };
        // A warning is sent once, and again only if the reason changes.
        if last_warning.as_ref() != Some(&warning) {
            tracing::error!(what = warning.what, may_pass, "the record is not open");
            last_warning = Some(warning.clone());
            let recovered = Recovered { unusable: true, warnings: vec![warning], ..Recovered::default() };
            let _ = events.send(Event::Recovered(Box::new(recovered))).await;
        }
        opened.send_replace(Some(Err(refused)));
        if !may_pass {
            return;
        }
        sleep(wait).await;
        wait = wait.saturating_mul(2).min(longest_wait);
    };
    send_recovered(recovered, &in_flight, &events).await;
    opened.send_replace(Some(Ok(record.clone())));
    let Some(mut news) = record.news().await else { return };
    while let Some(recovered) = news.recv().await {
        send_recovered(recovered, &in_flight, &events).await;
        opened.send_replace(Some(Ok(record.clone())));
    }
}

async fn send_recovered(recovered: Recovered, in_flight: &InFlight, events: &mpsc::Sender<Event>) {
    for write in &recovered.unresolved {
        in_flight.mark_write_lost(write);
    }
    let _ = events.send(Event::Recovered(Box::new(recovered))).await;
}

struct Worker {
    context: Arc<Context>,
    calls: JoinSet<CallId>,
    /// The readings of what other processes have changed.
    readings: JoinSet<()>,
    abandons: HashMap<CallId, Abandon>,
    saver: DraftSaver,
    /// Whether the agent leaves by choice.
    is_left: bool,
}

impl Worker {
    async fn serve(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.handle_command(command),
                    None => break,
                },
                Some(ended) = self.calls.join_next() => self.remove_ended(&ended),
                Some(_) = self.readings.join_next() => {}
                () = self.context.events.closed() => {
                    tracing::debug!("the receiver of events is gone: the worker ends");
                    commands.close();
                    self.calls.abort_all();
                    while let Some(command) = commands.recv().await {
                        match command {
                            Command::Save(drafts) => self.saver.save(drafts),
                            Command::Leave => self.is_left = true,
                            Command::Do(..) | Command::Abandon(_) | Command::SignIn | Command::ReadChanges => {}
                        }
                    }
                    break;
                }
            }
        }
        let Self { context, mut calls, saver, readings, is_left, .. } = self;
        drop(readings);
        let answered = async {
            tokio::select! {
                () = async { while calls.join_next().await.is_some() {} } => {}
                () = context.events.closed() => {}
            }
        };
        tokio::join!(answered, saver.finish());
        context.record.close(is_left).await;
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Do(call_id, call) => {
                let abandon = Abandon::default();
                self.abandons.insert(call_id, abandon.clone());
                self.calls.spawn(run_call(Arc::clone(&self.context), call_id, call, abandon));
            }
            Command::Abandon(call_id) => {
                // A call that has ended is not found.
                if let Some(abandon) = self.abandons.get(&call_id) {
                    abandon.request();
                }
            }
            Command::Save(drafts) => self.saver.save(drafts),
            Command::SignIn => self.context.sign_in(),
            Command::Leave => self.is_left = true,
            Command::ReadChanges => {
                let context = Arc::clone(&self.context);
                self.readings.spawn(async move {
                    if let Some(changes) = context.record.changes().await {
                        let _ = context.events.send(Event::RecordChanged(Box::new(changes))).await;
                    }
                });
            }
        }
    }

    fn remove_ended(&mut self, ended: &Result<CallId, tokio::task::JoinError>) {
        if let Ok(call_id) = ended {
            self.abandons.remove(call_id);
        }
    }
}

/// Runs one call and sends its one reply, even if the call panics.
async fn run_call(context: Arc<Context>, call_id: CallId, what: Call, abandon: Abandon) -> CallId {
    let started = Instant::now();
    let call = CallContext::new(call_id, abandon, context.events.clone());
    let doing = {
        let (context, call) = (Arc::clone(&context), call.clone());
        // In a box, because it is large, and a task that holds it is moved several times.
        Box::pin(async move { perform(&context, &call, what).await })
    };
    let result = match catch_panic(doing.instrument(tracing::debug_span!("call", id = call_id.0))).await {
        Ok(result) => result,
        Err(Panicked) => Err(settle_crashed(&context, &call).await),
    };
    tracing::debug!(call = call_id.0, done = result.is_ok(), ms = started.elapsed().as_millis(), "settled");
    // `serve` notices a dropped receiver itself.
    let _ = context.events.send(Event::Reply(Reply { call_id, result })).await;
    call_id
}

async fn perform(context: &Arc<Context>, call: &CallContext, what: Call) -> Result<CallResult, CallError> {
    failpoint::panic_if_asked("call");
    if context.record.is_read_only() && !what.only_reads() {
        return Err(RecordRefusal::read_only().into());
    }
    match what {
        Call::Send(Operation::Create(new)) => create::create(context, call, new, IfUnknown::Send).await,
        Call::SendUnlessUnknown(new) => create::create(context, call, new, IfUnknown::Refuse).await,
        Call::Send(Operation::Close(closing)) => close::close(context, call, closing).await,
        Call::List(query) => list::list(context, call, &query).await,
        Call::SearchDevices(text) => list::search_devices(context, call, &text).await,
        Call::Look(write) => resolve::look(context, call, write).await,
        Call::SetAside(write) => resolve::set_aside(context, call, write).await,
        Call::Adopt(write, request) => resolve::adopt(context, call, write, request).await,
        Call::Check(requests) => check::check(context, call, requests).await,
        Call::TakeAsClosed(request) => resolve::take_as_closed(context, &request).await,
        Call::History { request, write } => history::history(context, call, request, write).await,
    }
}

/// Returns the error of a call that panicked. The outcome of its write becomes unknown.
async fn settle_crashed(context: &Context, call: &CallContext) -> CallError {
    let error = CallError::crashed();
    let write = call.write.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((write, state)) = write
        && !state.is_settled()
    {
        context.in_flight.mark_write_lost(&write);
        let outcome =
            Outcome { state: WriteState::Unknown, request: None, why: Some(error.what()), service_request_id: None };
        context.report_unsaved(context.record.settle(write.id, outcome).await).await;
    }
    error
}

struct Panicked;

/// Runs a future in a task, so that a panic does not spread. Dropping this future aborts the task.
async fn catch_panic<F>(future: F) -> Result<F::Output, Panicked>
where
    F: Future<Output: Send> + Send + 'static,
{
    AbortOnDropHandle::new(tokio::spawn(future)).await.map_err(|_| Panicked)
}
