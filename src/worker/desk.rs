//! What every call has at hand, and what one call has for itself.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{
    claims::Claims,
    record::{Record, Refused},
    repeats::{Repeats, may_pass},
    service::Service,
    timing::Timing,
};
use crate::{
    api::Listed,
    port::{CallId, Fault, FaultKind, FromWorker, Intent, Progress, Stage},
};

/// Nothing while the service is being made ready.
pub(super) type Ready<S> = Option<Result<Arc<S>, Fault>>;

/// What all calls share.
pub(super) struct Desk<S> {
    pub(super) service: watch::Receiver<Ready<S>>,
    pub(super) record: Record,
    pub(super) claims: Claims,
    pub(super) timing: Timing,
    pub(super) to_loop: mpsc::Sender<FromWorker>,
}

impl<S: Service> Desk<S> {
    pub(super) fn now(&self) -> Timestamp {
        (self.timing.now)()
    }

    /// Waits until the service can be called, or cannot.
    pub(super) async fn service(&self) -> Result<Arc<S>, Fault> {
        match self.service.clone().wait_for(Option::is_some).await.as_deref() {
            Ok(Some(service)) => service.clone(),
            Ok(None) | Err(_) => Err(Fault::new(FaultKind::Crashed)),
        }
    }

    /// Waits until there is a token. The error is why there is none.
    pub(super) async fn signed_in(&self) -> Result<(), Fault> {
        self.service().await?.signed_in().await
    }

    /// Fetches a token now. While the service is being made ready one is being fetched anyway.
    pub(super) fn sign_in(&self) {
        if let Some(Ok(service)) = &*self.service.borrow() {
            service.sign_in();
        }
    }

    /// The record has failed after the matter: it is told, and what the service said stands all the same.
    pub(super) async fn tell_unless_saved(&self, saved: Result<(), Refused>) {
        if let Err(Refused { what, hint, .. }) = saved {
            tracing::error!(what, "the record was not written");
            let _ = self.to_loop.send(FromWorker::NotSaved(what, hint)).await;
        }
    }

    /// Lists, and tries again where that may help. Quietly, but for the wait that a service asks for: that is told to
    /// `waits`. Of a list of which a page fails again and again, what came before is better than nothing.
    pub(super) async fn list(&self, device: &str, waits: Option<&Job>) -> Result<Listed, Fault> {
        let service = self.service().await?;
        let mut repeats = Repeats::of_read(self.timing);
        loop {
            let listed = service.list_by_device(device).await;
            let kind = match &listed {
                Ok(Listed { stopped: None, .. }) => return listed,
                Ok(Listed { stopped: Some(fault), .. }) | Err(fault) => &fault.kind,
            };
            // One that had pages for all of its time would have no more of them in as much again.
            let passes = may_pass(kind) && !(listed.is_ok() && *kind == FaultKind::TimedOut);
            let Some(wait) = passes.then(|| repeats.after(kind)).flatten() else { return listed };
            if let (Some(job), Err(fault)) = (waits, &listed)
                && matches!(fault.kind, FaultKind::Throttled { .. })
            {
                job.waiting(self.now(), wait, repeats.next_attempt(), fault.clone()).await;
            }
            sleep(wait).await;
        }
    }
}

/// One call.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) call_id: CallId,
    pub(super) abandon: Abandon,
    /// The intent that it writes and where that stands, so that a panic can be told to the record.
    pub(super) writes: Arc<Mutex<Option<(Intent, Stage)>>>,
    to_loop: mpsc::Sender<FromWorker>,
}

impl Job {
    pub(super) fn new(call_id: CallId, abandon: Abandon, to_loop: mpsc::Sender<FromWorker>) -> Self {
        Self { call_id, abandon, writes: Arc::default(), to_loop }
    }

    /// That nobody listens any more is seen by the worker, so what `send` says is not asked.
    pub(super) async fn progress(&self, progress: Progress) {
        let _ = self.to_loop.send(FromWorker::Progress(self.call_id, progress)).await;
    }

    pub(super) async fn waiting(&self, now: Timestamp, wait: std::time::Duration, attempt: u32, fault: Fault) {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        self.progress(Progress::Waiting { until, attempt, fault }).await;
    }

    /// The future's result, unless the call is abandoned meanwhile. It is dropped then.
    pub(super) async fn unless_abandoned<F: Future>(&self, future: F) -> Option<F::Output> {
        // What is there counts, even where the agent was a moment faster.
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.abandon.pressed() => {
                self.abandon.rearm();
                None
            }
        }
    }
}

/// The agent's wish to abandon a call. Each step of the call sees it once: what is abandoned in flight is looked for,
/// and the looking can be abandoned again.
#[derive(Clone, Default)]
pub(super) struct Abandon(Arc<Mutex<CancellationToken>>);

impl Abandon {
    fn token(&self) -> CancellationToken {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn press(&self) {
        self.token().cancel();
    }

    pub(super) fn is_pressed(&self) -> bool {
        self.token().is_cancelled()
    }

    async fn pressed(&self) {
        self.token().cancelled_owned().await;
    }

    fn rearm(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = CancellationToken::new();
    }
}

/// A call that was abandoned before anything of it was sent.
pub(super) fn abandoned_unsent() -> Fault {
    Fault::new(FaultKind::Abandoned { sent: false })
}
