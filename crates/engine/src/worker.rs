//! Does calls, many at a time. It sends exactly one reply per call, even if the call fails or panics.
//!
//! A write is durable in the record first, then sent, and ends as done, not done or unknown: its states are in
//! [`mmd_elevate_core::WriteState`], what each failure means in [`mmd_elevate_core::Disposition`], and what a list shows in
//! [`mmd_elevate_core::match_listed`]. [`Timing`] holds every wait; `repeats` decides whether a
//! call goes out again; `write` takes one from its record to its outcome; `create` and `close` say what follows from that;
//! `look` lists what is unknown; `in_flight` keeps equal creates apart; `tend` looks again, sets aside, adopts and checks.

mod close;
mod context;
mod create;
mod in_flight;
mod list;
mod look;
mod record;
mod repeats;
mod saves;
mod tend;
mod timing;
mod write;

use std::{
    collections::HashMap,
    future::{Future, Ready},
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

pub use self::timing::{Backoff, Timing};
use self::{
    context::{Abandon, CallContext, Context, MadeReady},
    in_flight::InFlight,
    record::{Opened, RecordHandle, RecordRefusal},
    saves::Saver,
};
use crate::{
    backend::Backend,
    failpoint,
    record::{Record, RecordError},
};
use mmd_elevate_core::{
    Call, CallError, CallId, CallResult, Command, Event, Operation, Outcome, Problem, Recovered, Reply, SignIn,
    WriteState,
};

/// The wait after the first try to open the record that failed; each later wait is longer.
const FIRST_TRY_AGAIN: Duration = Duration::from_millis(250);

/// Makes the service and the record ready, both at once, and does the calls that come meanwhile and after.
///
/// `backend` is what has to happen before the first call, such as starting the practice tenant; where it fails, every
/// call is answered with its error. `record` opens the record, each time that it is called. As long as it fails no write
/// is sent and each is answered with why; [`Event::Recovered`] holds the reason too, as a warning. Where what is in
/// the way may pass, it is called again until the record is open; what the record holds is then sent as an event.
///
/// It ends when `commands` is closed, every call has its reply and every draft is saved. When `events` is dropped it ends
/// as soon as the drafts are saved that were sent until then, and calls that are still running are dropped: their writes
/// are in the record.
pub async fn run<Opening>(
    backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
    record: impl FnMut() -> Opening + Send + 'static,
    timing: Timing,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) where
    Opening: Future<Output = Result<(Record, Recovered), RecordError>> + Send + 'static,
{
    let (opened, record_ready) = watch::channel(None);
    let in_flight = InFlight::default();
    let opening = open(record, timing.save_again, opened, in_flight.clone(), events.clone());
    serve(backend, RecordHandle::new(record_ready), Some(opening), in_flight, timing, commands, events).await;
}

/// The same without a record: every write is refused before anything is sent, and drafts are not kept.
pub async fn run_read_only(
    backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
    timing: Timing,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) {
    let record = RecordHandle::new(watch::channel(Some(Err(RecordRefusal::read_only()))).1);
    let opening = None::<Ready<()>>;
    serve(backend, record, opening, InFlight::default(), timing, commands, events).await;
}

async fn serve(
    backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
    record: RecordHandle,
    opening: Option<impl Future<Output = ()> + Send + 'static>,
    in_flight: InFlight,
    timing: Timing,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) {
    let (made, backend_ready) = watch::channel(None);
    let mut starting = JoinSet::new();
    starting.spawn(make_ready(backend, made, events.clone()));
    if let Some(opening) = opening {
        starting.spawn(opening);
    }
    let saver = Saver::start(record.clone(), timing.save_again, events.clone());
    let context = Context { backend: backend_ready, record, in_flight, timing, to_loop: events };
    Worker { context: Arc::new(context), calls: JoinSet::new(), abandons: HashMap::new(), saver }.serve(commands).await;
    drop(starting);
}

async fn make_ready(
    backend: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
    made: watch::Sender<MadeReady>,
    to_loop: mpsc::Sender<Event>,
) {
    let not_made_ready = || CallError::not_sent("the program failed while it made the service ready");
    let backend = guarded(backend).await.unwrap_or_else(|Panicked| Err(not_made_ready()));
    let word = match &backend {
        Ok(_) => Event::Ready,
        Err(fault) => Event::NotReady(fault.clone()),
    };
    // The word goes first, or a reply could overtake it.
    let _ = to_loop.send(word).await;
    let changes = backend.as_ref().ok().and_then(|backend| backend.sign_in_changes());
    made.send_replace(Some(backend));
    if let Some(changes) = changes {
        tell_changes(changes, &to_loop).await;
    }
}

/// Tells where signing in stands, as of now and then at each change. Changes that nobody could be told of in time are
/// left out: only where it stands counts.
async fn tell_changes(mut changes: watch::Receiver<SignIn>, to_loop: &mpsc::Sender<Event>) {
    changes.mark_changed();
    while changes.changed().await.is_ok() {
        let stands = changes.borrow_and_update().clone();
        if to_loop.send(Event::SignIn(stands)).await.is_err() {
            return;
        }
    }
}

/// Opens the record, again and again where what is in the way may pass, and tells what it holds. Then tells of each time
/// that it had to be written anew.
async fn open<Opening>(
    mut journal: impl FnMut() -> Opening + Send + 'static,
    longest_wait: Duration,
    opened: watch::Sender<Opened>,
    in_flight: InFlight,
    to_loop: mpsc::Sender<Event>,
) where
    Opening: Future<Output = Result<(Record, Recovered), RecordError>> + Send + 'static,
{
    let mut told = None;
    let mut wait = FIRST_TRY_AGAIN.min(longest_wait);
    let (journal, recovered) = loop {
        let error = match guarded(journal()).await {
            Ok(Ok(opened)) => break opened,
            Ok(Err(error)) => Some(error),
            Err(Panicked) => None,
        };
        let may_pass = error.as_ref().is_some_and(RecordError::may_pass);
        let hint = error.as_ref().map(RecordError::hint_on_opening);
        let refused = error.map_or_else(RecordRefusal::crashed, RecordRefusal::from);
        let warning = Problem { hint: hint.unwrap_or(&refused.problem.hint).to_owned(), ..refused.problem.clone() };
        // It is told when it is first found, and when something else is in the way.
        if told.as_ref() != Some(&warning) {
            tracing::error!(what = warning.what, may_pass, "the record is not open");
            told = Some(warning.clone());
            let recovered = Recovered { unusable: true, warnings: vec![warning], ..Recovered::default() };
            let _ = to_loop.send(Event::Recovered(Box::new(recovered))).await;
        }
        opened.send_replace(Some(Err(refused)));
        if !may_pass {
            return;
        }
        sleep(wait).await;
        wait = wait.saturating_mul(2).min(longest_wait);
    };
    tell_recovered(recovered, &in_flight, &to_loop).await;
    opened.send_replace(Some(Ok(journal.clone())));
    let Some(mut news) = journal.news().await else { return };
    while let Some(recovered) = news.recv().await {
        tell_recovered(recovered, &in_flight, &to_loop).await;
        opened.send_replace(Some(Ok(journal.clone())));
    }
}

async fn tell_recovered(recovered: Recovered, in_flight: &InFlight, to_loop: &mpsc::Sender<Event>) {
    for intent in &recovered.unresolved {
        in_flight.lose_write(intent);
    }
    let _ = to_loop.send(Event::Recovered(Box::new(recovered))).await;
}

struct Worker {
    context: Arc<Context>,
    calls: JoinSet<CallId>,
    abandons: HashMap<CallId, Abandon>,
    saver: Saver,
}

impl Worker {
    async fn serve(mut self, mut words: mpsc::Receiver<Command>) {
        loop {
            tokio::select! {
                word = words.recv() => match word {
                    Some(word) => self.take(word),
                    None => break,
                },
                Some(ended) = self.calls.join_next() => self.forget(&ended),
                () = self.context.to_loop.closed() => {
                    tracing::debug!("nobody waits for replies: the worker ends");
                    words.close();
                    self.calls.abort_all();
                    while let Some(word) = words.recv().await {
                        if let Command::Save(drafts) = word {
                            self.saver.save(drafts);
                        }
                    }
                    break;
                }
            }
        }
        let Self { context, mut calls, saver, .. } = self;
        let answered = async {
            tokio::select! {
                () = async { while calls.join_next().await.is_some() {} } => {}
                () = context.to_loop.closed() => {}
            }
        };
        tokio::join!(answered, saver.finish());
        context.record.close().await;
    }

    fn take(&mut self, word: Command) {
        match word {
            Command::Do(call_id, call) => {
                let abandon = Abandon::default();
                self.abandons.insert(call_id, abandon.clone());
                self.calls.spawn(answer(Arc::clone(&self.context), call_id, call, abandon));
            }
            Command::Abandon(call_id) => {
                // One that has its reply already needs nothing.
                if let Some(abandon) = self.abandons.get(&call_id) {
                    abandon.press();
                }
            }
            Command::Save(drafts) => self.saver.save(drafts),
            Command::SignIn => self.context.sign_in(),
        }
    }

    fn forget(&mut self, ended: &Result<CallId, tokio::task::JoinError>) {
        if let Ok(call_id) = ended {
            self.abandons.remove(call_id);
        }
    }
}

/// Does one call and sends its one reply, whatever becomes of the call.
async fn answer(context: Arc<Context>, call_id: CallId, call: Call, abandon: Abandon) -> CallId {
    let started = Instant::now();
    let job = CallContext::new(call_id, abandon, context.to_loop.clone());
    let doing = {
        let (context, job) = (Arc::clone(&context), job.clone());
        async move { perform(&context, &job, call).await }
    };
    let result = match guarded(doing.instrument(tracing::debug_span!("call", id = call_id.0))).await {
        Ok(result) => result,
        Err(Panicked) => Err(crashed(&context, &job).await),
    };
    tracing::debug!(call = call_id.0, done = result.is_ok(), ms = started.elapsed().as_millis(), "settled");
    // That nobody listens any more is seen by `serve`, so what `send` says is not asked.
    let _ = context.to_loop.send(Event::Reply(Reply { call_id, result })).await;
    call_id
}

async fn perform(context: &Arc<Context>, job: &CallContext, call: Call) -> Result<CallResult, CallError> {
    failpoint::panic_if_asked("call");
    match call {
        Call::Send(Operation::Create(new)) => create::create(context, job, new).await,
        Call::Send(Operation::Close(closing)) => close::close(context, job, closing).await,
        Call::List(query) => list::list(context, job, &query).await,
        Call::SearchDevices(text) => list::search_devices(context, job, &text).await,
        Call::Look(intent) => tend::look(context, job, intent).await,
        Call::SetAside(intent) => tend::set_aside(context, job, intent).await,
        Call::Adopt(intent, request) => tend::adopt(context, job, intent, request).await,
        Call::Check(requests) => tend::check(context, job, requests).await,
    }
}

/// The call has failed by the program's own fault. A write that was under way is unknown then.
async fn crashed(context: &Context, job: &CallContext) -> CallError {
    let fault = CallError::crashed();
    let writes = job.writes.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((intent, stage)) = writes
        && !stage.is_settled()
    {
        context.in_flight.lose_write(&intent);
        let outcome =
            Outcome { stage: WriteState::Unknown, request: None, why: Some(fault.what()), service_request_id: None };
        context.tell_unless_saved(context.record.settle(intent.id, outcome).await).await;
    }
    fault
}

struct Panicked;

/// Waits for a future in a task of its own, so that a panic in it ends there; dropped, it takes that task with it.
async fn guarded<F>(future: F) -> Result<F::Output, Panicked>
where
    F: Future<Output: Send> + Send + 'static,
{
    AbortOnDropHandle::new(tokio::spawn(future)).await.map_err(|_| Panicked)
}
