//! A write from its intent to the moment where its outcome is done, not done or unknown.

use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::{
    context::{CallContext, Context, abandoned_unsent},
    in_flight::Occupied,
    record::RecordRefusal,
    repeats::Repeats,
};
use crate::{
    backend::{Backend, Response},
    failpoint,
};
use mmd_elevate_core::{
    CallError, Disposition, ElevationRequest, Operation, Outcome, Progress, RequestId, Transition, Untrusted,
    WriteRecord, WriteState,
};

/// What came of sending it.
pub(super) enum SendResult {
    /// The service did it. To write that down is for the caller: the step is still to be taken.
    Done(Response),
    /// The service refused it. What that means is for the caller to say: the step is still to be taken.
    Refused(CallError),
    /// It was given up or abandoned with nothing of it done.
    GivenUp(CallError),
    /// Nobody knows.
    Unknown(CallError),
}

/// A write whose intent is durable.
pub(super) struct Write<'a> {
    pub(super) intent: WriteRecord,
    context: &'a Context,
    job: &'a CallContext,
    /// When the intent was made, where that was in this call.
    begun: Option<Instant>,
    _occupied: Occupied,
}

impl<'a> Write<'a> {
    /// Makes the intent durable. Where that fails nothing is sent.
    pub(super) async fn begin(
        context: &'a Context,
        job: &'a CallContext,
        what: Operation,
    ) -> Result<(Self, Arc<dyn Backend>), CallError> {
        let ready = async {
            // In this order: a record that cannot be used is the worse news.
            context.record.journal().await?;
            context.backend().await
        };
        let service = job.unless_abandoned(ready).await.unwrap_or_else(|| Err(abandoned_unsent()))?;
        failpoint::die_if_asked("before-intent");
        let intent = context.record.intend(&what).await?;
        failpoint::die_if_asked("after-intent");
        let write = Self { begun: Some(Instant::now()), ..Self::of(context, job, intent, WriteState::Intended)? };
        job.progress(Progress::Recorded(write.intent.id)).await;
        Ok((write, service))
    }

    /// Takes up an intent that was left behind, or whose looking came to nothing.
    pub(super) fn resume(context: &'a Context, job: &'a CallContext, intent: WriteRecord) -> Result<Self, CallError> {
        let stage = intent.stage;
        if stage.is_settled() {
            return Err(not_sent("its outcome is known"));
        }
        let write = Self::of(context, job, intent, stage)?;
        if stage != WriteState::Unknown {
            write.take(Transition::Die);
        }
        Ok(write)
    }

    fn of(
        context: &'a Context,
        job: &'a CallContext,
        intent: WriteRecord,
        stage: WriteState,
    ) -> Result<Self, CallError> {
        let Some(occupied) = context.in_flight.occupy(intent.id) else {
            return Err(not_sent("another call is busy with it"));
        };
        *job.writes.lock().unwrap_or_else(PoisonError::into_inner) = Some((intent.clone(), stage));
        Ok(Self { intent, context, job, begun: None, _occupied: occupied })
    }

    pub(super) fn stage(&self) -> WriteState {
        let writes = self.job.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.as_ref().map_or(WriteState::Unknown, |(_, stage)| *stage)
    }

    /// One step of the state machine. One that cannot be taken would be a mistake here: it changes nothing.
    pub(super) fn take(&self, step: Transition) {
        let stage = self.stage();
        let Some(next) = stage.after(step) else {
            tracing::error!(intent = self.intent.id.0, ?stage, ?step, "no such step");
            debug_assert!(false, "{stage:?} {step:?}");
            return;
        };
        tracing::debug!(intent = self.intent.id.0, ?stage, ?step, ?next, "step");
        if let Some((_, stage)) = self.job.writes.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *stage = next;
        }
    }

    /// When it was sent, on the clock as it is now. From the intent on, for a call that seemed to be deferred may have
    /// been processed after all; and where the clock was set meanwhile, as long ago as the call has lasted.
    pub(super) fn sent_at(&self) -> Timestamp {
        let lasted = self.begun.and_then(|begun| SignedDuration::try_from(begun.elapsed()).ok());
        let by_the_call = lasted.and_then(|lasted| self.context.now().checked_sub(lasted).ok());
        by_the_call.unwrap_or(self.intent.at).min(self.intent.at)
    }

    /// Sends it, and again as long as nothing of it was processed and patience lasts.
    pub(super) async fn send(&self, backend: &dyn Backend) -> SendResult {
        let mut repeats = Repeats::of_write(self.context.timing);
        loop {
            if let Ok(sent) = self.send_once(&mut repeats, backend).await {
                return sent;
            }
        }
    }

    /// Sends it once. The error is why it may go out again: the wait for that is over then.
    pub(super) async fn send_once(
        &self,
        repeats: &mut Repeats,
        backend: &dyn Backend,
    ) -> Result<SendResult, CallError> {
        if self.job.abandon.is_pressed() {
            return Ok(self.abandoned());
        }
        // The wait for a token can be abandoned like any that nothing was sent before.
        let Some(signed_in) = self.job.unless_abandoned(self.context.signed_in()).await else {
            return Ok(self.abandoned());
        };
        self.take(Transition::Send);
        if let Err(fault) = signed_in {
            return Ok(SendResult::Refused(fault));
        }
        let fault = match self.job.unless_abandoned(backend.send(&self.intent.what)).await {
            Some(Ok(told)) => {
                failpoint::die_if_asked("after-answer");
                return Ok(SendResult::Done(told));
            }
            Some(Err(fault)) => fault,
            None => {
                self.take(Transition::Abandon);
                return Ok(SendResult::Unknown(CallError::abandoned(true)));
            }
        };
        match fault.disposition {
            Disposition::NotDone => return Ok(SendResult::Refused(fault)),
            Disposition::Unknown => {
                self.take(Transition::Lose);
                return Ok(SendResult::Unknown(fault));
            }
            Disposition::Repeat(_) => self.take(Transition::Defer),
        }
        let Some(wait) = repeats.after(&fault) else {
            self.take(Transition::GiveUp);
            return Ok(SendResult::GivenUp(fault));
        };
        self.job.waiting(self.context.now(), wait, repeats.next_attempt(), fault.clone()).await;
        if self.job.unless_abandoned(sleep(wait)).await.is_none() {
            return Ok(self.abandoned());
        }
        Err(fault)
    }

    fn abandoned(&self) -> SendResult {
        SendResult::GivenUp(self.let_go())
    }

    /// The agent has abandoned it while nothing of it was on its way.
    pub(super) fn let_go(&self) -> CallError {
        self.take(Transition::Abandon);
        abandoned_unsent()
    }

    /// It succeeded, and this is what the service says of it.
    pub(super) async fn settle_told(&self, request: Option<&ElevationRequest>, service_id: Option<Untrusted>) {
        self.take(Transition::Succeed);
        self.write_down(request, None, service_id).await;
    }

    /// The service says that it has opened this request, unless that turns out to be another write's: `false` then, and
    /// nobody knows what became of this one.
    #[must_use]
    pub(super) async fn settle_created(&self, request: &ElevationRequest, service_id: Option<Untrusted>) -> bool {
        // What is claimed by a look at this moment is not claimed here too.
        let _alone = self.context.in_flight.decide().await;
        let outcome = Outcome {
            stage: WriteState::Done,
            request: Some(request.clone()),
            why: None,
            service_request_id: service_id,
        };
        let is_anothers = |saved: &Result<(), RecordRefusal>| saved.as_ref().is_err_and(|refused| refused.is_owned);
        let saved = if self.context.in_flight.owns(&request.id) {
            None
        } else {
            Some(self.context.record.settle(self.intent.id, outcome).await)
        };
        let Some(saved) = saved.filter(|saved| !is_anothers(saved)) else {
            self.take(Transition::Lose);
            return false;
        };
        self.take(Transition::Succeed);
        self.context.in_flight.settle(self.intent.id, Some(&request.id));
        self.context.tell_unless_saved(saved).await;
        true
    }

    /// It was looked for, and this is what was found, unless it turns out to be another write's: `false` then, and
    /// nothing has changed.
    #[must_use]
    pub(super) async fn find(&self, request: &ElevationRequest) -> bool {
        // Another process may have claimed it a moment ago, and the record alone knows of that.
        let stage = self.stage().after(Transition::Find).unwrap_or(WriteState::Unknown);
        let outcome = Outcome { stage, request: Some(request.clone()), why: None, service_request_id: None };
        let saved = self.context.record.settle(self.intent.id, outcome).await;
        if saved.as_ref().is_err_and(|refused| refused.is_owned) {
            return false;
        }
        self.take(Transition::Find);
        self.context.in_flight.settle(self.intent.id, self.created(Some(request)));
        self.context.tell_unless_saved(saved).await;
        true
    }

    /// The request that this write owns then. A close owns nothing.
    fn created<'r>(&self, request: Option<&'r ElevationRequest>) -> Option<&'r RequestId> {
        request.filter(|_| matches!(self.intent.what, Operation::Create(_))).map(|request| &request.id)
    }

    /// It was not done, or nobody knows.
    pub(super) async fn settle_fault(&self, fault: &CallError, request: Option<&ElevationRequest>) {
        self.write_down(request, Some(fault.what()), fault.ids.service.clone()).await;
    }

    /// The service refused it: it was not done.
    pub(super) async fn refuse(&self, fault: &CallError, request: Option<&ElevationRequest>) {
        self.take(Transition::Refuse);
        self.settle_fault(fault, request).await;
    }

    /// Looking has shown that it was not done: a close, that is. It can be sent again, or given up.
    pub(super) async fn disprove(&self, fault: &CallError, request: &ElevationRequest) {
        self.take(Transition::Disprove);
        self.settle_fault(fault, Some(request)).await;
    }

    /// It is not asked for any more.
    pub(super) async fn settle_aside(&self) {
        self.write_down(None, None, None).await;
    }

    async fn write_down(
        &self,
        request: Option<&ElevationRequest>,
        why: Option<String>,
        service_request_id: Option<Untrusted>,
    ) {
        let (id, stage) = (self.intent.id, self.stage());
        let outcome = Outcome { stage, request: request.cloned(), why, service_request_id };
        let saved = self.context.record.settle(id, outcome).await;
        if let Operation::Create(new) = &self.intent.what {
            if stage.is_settled() {
                self.context.in_flight.settle(id, self.created(request));
            } else {
                self.context.in_flight.lose(id, new);
            }
        }
        self.context.tell_unless_saved(saved).await;
    }
}

/// A call about an intent that cannot be made.
pub(super) fn not_sent(reason: &str) -> CallError {
    CallError::not_sent(reason)
}
