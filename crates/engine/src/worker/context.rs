//! The context that all calls share, and the state of one call.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{
    in_flight::InFlight,
    record::{RecordHandle, RecordRefusal},
    retry::{Retries, is_transient},
    timing::Timing,
};
use crate::backend::{Backend, Listed, list_all};
use mmd_elevate_core::{CallError, CallId, ErrorCode, Event, Operation, Progress, Query, WriteRecord, WriteState};

/// `None` while the service is being made ready.
pub(super) type MadeReady = Option<Result<Arc<dyn Backend>, CallError>>;

/// The context that all calls share.
pub(super) struct Context {
    pub(super) backend: watch::Receiver<MadeReady>,
    pub(super) record: RecordHandle,
    pub(super) in_flight: InFlight,
    pub(super) timing: Timing,
    pub(super) events: mpsc::Sender<Event>,
}

impl Context {
    pub(super) fn now(&self) -> Timestamp {
        (self.timing.now)()
    }

    /// Waits until the service is ready or has failed.
    pub(super) async fn backend(&self) -> Result<Arc<dyn Backend>, CallError> {
        match self.backend.clone().wait_for(Option::is_some).await.as_deref() {
            Ok(Some(backend)) => backend.clone(),
            Ok(None) | Err(_) => Err(CallError::crashed()),
        }
    }

    /// Waits until there is a token, or signing in fails.
    pub(super) async fn signed_in(&self) -> Result<(), CallError> {
        self.backend().await?.signed_in().await
    }

    /// Fetches a token now. While the service is being made ready, one is fetched anyway.
    pub(super) fn sign_in(&self) {
        if let Some(Ok(backend)) = &*self.backend.borrow() {
            backend.sign_in();
        }
    }

    /// Reports a failure of the record after a call: the result of the call is still valid.
    pub(super) async fn report_unsaved(&self, saved: Result<(), RecordRefusal>) {
        if let Err(RecordRefusal { problem, .. }) = saved {
            tracing::error!(what = problem.what, "the record was not written");
            let _ = self.events.send(Event::NotSaved(problem)).await;
        }
    }

    /// Lists the requests of a device; see [`Self::repeat_read`].
    pub(super) async fn list_device(&self, device: &str, waits: Option<&CallContext>) -> Result<Listed, CallError> {
        let (backend, query) = (self.backend().await?, Query::Device(device.to_owned()));
        self.repeat_read(waits, || list_all(&*backend, &query)).await
    }

    /// Lists the requests that can show the effect of an operation; see [`Self::repeat_read`].
    pub(super) async fn look_up(
        &self,
        operation: &Operation,
        waits: Option<&CallContext>,
    ) -> Result<Listed, CallError> {
        let backend = self.backend().await?;
        self.repeat_read(waits, || backend.look_up(operation)).await
    }

    /// Lists, with retries after transient errors. A wait that the service asks for is sent to `waits` as progress. If a later
    /// page keeps failing, the pages before it are returned.
    async fn repeat_read<F>(
        &self,
        waits: Option<&CallContext>,
        mut read: impl FnMut() -> F,
    ) -> Result<Listed, CallError>
    where
        F: Future<Output = Result<Listed, CallError>>,
    {
        let mut retries = Retries::for_reads(self.timing);
        loop {
            let listed = read().await;
            let error = match &listed {
                Ok(Listed { stopped: None, .. }) => return listed,
                Ok(Listed { stopped: Some(error), .. }) | Err(error) => error,
            };
            // A list that timed out after some pages would time out again.
            let may_retry = is_transient(error) && !(listed.is_ok() && error.code == Some(ErrorCode::TimedOut));
            let Some(wait) = may_retry.then(|| retries.next_delay(error)).flatten() else { return listed };
            if let (Some(call), Err(error)) = (waits, &listed)
                && error.code == Some(ErrorCode::Throttled)
            {
                call.waiting(self.now(), wait, retries.next_attempt(), error.clone()).await;
            }
            sleep(wait).await;
        }
    }
}

/// The state of one call.
#[derive(Clone)]
pub(super) struct CallContext {
    pub(super) call_id: CallId,
    pub(super) abandon: Abandon,
    /// The write of the call and its state, so that a panic can be recorded.
    pub(super) write: Arc<Mutex<Option<(WriteRecord, WriteState)>>>,
    events: mpsc::Sender<Event>,
}

impl CallContext {
    pub(super) fn new(call_id: CallId, abandon: Abandon, events: mpsc::Sender<Event>) -> Self {
        Self { call_id, abandon, write: Arc::default(), events }
    }

    /// Sends progress. The worker itself notices a dropped receiver.
    pub(super) async fn progress(&self, progress: Progress) {
        let _ = self.events.send(Event::Progress(self.call_id, progress)).await;
    }

    pub(super) async fn waiting(&self, now: Timestamp, wait: std::time::Duration, attempt: u32, error: CallError) {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        self.progress(Progress::Waiting { until, attempt, error }).await;
    }

    /// Runs a future. Returns `None`, and drops the future, if the call is abandoned meanwhile.
    pub(super) async fn unless_abandoned<F: Future>(&self, future: F) -> Option<F::Output> {
        // A result that is ready counts, even if the call was abandoned a moment earlier.
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.abandon.requested() => {
                self.abandon.reset();
                None
            }
        }
    }
}

/// A request to abandon a call. Each request is handled once: a write abandoned in flight is looked up, and the look-up can be
/// abandoned again.
#[derive(Clone, Default)]
pub(super) struct Abandon(Arc<Mutex<CancellationToken>>);

impl Abandon {
    fn token(&self) -> CancellationToken {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn request(&self) {
        self.token().cancel();
    }

    pub(super) fn is_requested(&self) -> bool {
        self.token().is_cancelled()
    }

    async fn requested(&self) {
        self.token().cancelled_owned().await;
    }

    fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = CancellationToken::new();
    }
}

/// Returns the error of a call that was abandoned before anything was sent.
pub(super) fn abandoned_unsent() -> CallError {
    CallError::abandoned(false)
}
