//! A write, from its record to its outcome: done, not done or unknown.

use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::{
    context::{CallContext, Context, abandoned_unsent},
    in_flight::Reservation,
    record::RecordRefusal,
    retry::Retries,
};
use crate::{
    backend::{Backend, Response},
    failpoint,
    record::IfUnknown,
};
use mmd_elevate_core::{
    CallError, Disposition, ElevationRequest, Operation, Outcome, Progress, RequestId, Transition, Untrusted,
    WriteRecord, WriteState,
};

/// The result of sending a write.
pub(super) enum SendResult {
    /// The service did it. The caller makes the transition.
    Done(Response),
    /// The service refused it. The caller decides what this means, and makes the transition.
    Refused(CallError),
    /// It was given up or abandoned, and nothing was done.
    GivenUp(CallError),
    /// It is unknown whether the service did it.
    Unknown(CallError),
}

/// A write that is durable in the record.
pub(super) struct Write<'a> {
    pub(super) record: WriteRecord,
    context: &'a Context,
    call: &'a CallContext,
    /// When it was recorded, if this call did so.
    begun: Option<Instant>,
    _reservation: Reservation,
}

impl<'a> Write<'a> {
    /// Records the operation. If this fails, nothing is sent.
    pub(super) async fn begin(
        context: &'a Context,
        call: &'a CallContext,
        operation: Operation,
        if_unknown: IfUnknown,
    ) -> Result<(Self, Arc<dyn Backend>), CallError> {
        let ready = async {
            // In this order, because an unusable record is the more serious error.
            context.record.opened().await?;
            context.backend().await
        };
        let service = call.unless_abandoned(ready).await.unwrap_or_else(|| Err(abandoned_unsent()))?;
        failpoint::die_if_asked("before-recording");
        let record = context.record.begin(&operation, if_unknown).await?;
        failpoint::die_if_asked("after-recording");
        let write = Self { begun: Some(Instant::now()), ..Self::new(context, call, record, WriteState::Intended)? };
        call.progress(Progress::Recorded(write.record.id)).await;
        Ok((write, service))
    }

    /// Resumes a write of a dead process, or a write of unknown outcome.
    pub(super) fn resume(context: &'a Context, call: &'a CallContext, record: WriteRecord) -> Result<Self, CallError> {
        let state = record.state;
        if state.is_settled() {
            return Err(not_possible("its outcome is known"));
        }
        let write = Self::new(context, call, record, state)?;
        if state != WriteState::Unknown {
            write.transition(Transition::Die);
        }
        Ok(write)
    }

    fn new(
        context: &'a Context,
        call: &'a CallContext,
        record: WriteRecord,
        state: WriteState,
    ) -> Result<Self, CallError> {
        let Some(reservation) = context.in_flight.reserve(record.id) else {
            return Err(not_possible("another call is busy with it"));
        };
        *call.write.lock().unwrap_or_else(PoisonError::into_inner) = Some((record.clone(), state));
        Ok(Self { record, context, call, begun: None, _reservation: reservation })
    }

    pub(super) fn state(&self) -> WriteState {
        let write = self.call.write.lock().unwrap_or_else(PoisonError::into_inner);
        write.as_ref().map_or(WriteState::Unknown, |(_, state)| *state)
    }

    /// Makes a transition of the state machine. An invalid transition would be a bug, and changes nothing.
    pub(super) fn transition(&self, step: Transition) {
        let state = self.state();
        let Some(next) = state.after(step) else {
            tracing::error!(write = self.record.id.0, ?state, ?step, "no such step");
            debug_assert!(false, "{state:?} {step:?}");
            return;
        };
        tracing::debug!(write = self.record.id.0, ?state, ?step, ?next, "step");
        if let Some((_, state)) = self.call.write.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *state = next;
        }
    }

    /// Returns when it was sent, by the current wall clock. The time of the recording counts, because a deferred attempt may have
    /// been processed; if the clock was set back meanwhile, the duration of the call counts.
    pub(super) fn sent_at(&self) -> Timestamp {
        let lasted = self.begun.and_then(|begun| SignedDuration::try_from(begun.elapsed()).ok());
        let by_the_call = lasted.and_then(|lasted| self.context.now().checked_sub(lasted).ok());
        by_the_call.unwrap_or(self.record.at).min(self.record.at)
    }

    /// Sends it, with retries as long as nothing was processed.
    pub(super) async fn send(&self, backend: &dyn Backend) -> SendResult {
        let mut retries = Retries::for_writes(self.context.timing);
        loop {
            if let Ok(sent) = self.send_once(&mut retries, backend).await {
                return sent;
            }
        }
    }

    /// Sends it once. An error means that it may be repeated, and that the wait before the repeat is over.
    pub(super) async fn send_once(
        &self,
        retries: &mut Retries,
        backend: &dyn Backend,
    ) -> Result<SendResult, CallError> {
        if self.call.abandon.is_requested() {
            return Ok(self.abandoned());
        }
        // Nothing is sent while waiting for a token.
        let Some(signed_in) = self.call.unless_abandoned(self.context.signed_in()).await else {
            return Ok(self.abandoned());
        };
        self.transition(Transition::Send);
        if let Err(error) = signed_in {
            return Ok(SendResult::Refused(error));
        }
        let error = match self.call.unless_abandoned(backend.send(&self.record.operation)).await {
            Some(Ok(response)) => {
                failpoint::die_if_asked("after-answer");
                return Ok(SendResult::Done(response));
            }
            Some(Err(error)) => error,
            None => {
                self.transition(Transition::Abandon);
                return Ok(SendResult::Unknown(CallError::abandoned(true)));
            }
        };
        match error.disposition {
            Disposition::NotDone => return Ok(SendResult::Refused(error)),
            Disposition::Unknown => {
                self.transition(Transition::Lose);
                return Ok(SendResult::Unknown(error));
            }
            Disposition::Repeat(_) => self.transition(Transition::Defer),
        }
        let Some(wait) = retries.next_delay(&error) else {
            self.transition(Transition::GiveUp);
            return Ok(SendResult::GivenUp(error));
        };
        self.call.waiting(self.context.now(), wait, retries.next_attempt(), error.clone()).await;
        if self.call.unless_abandoned(sleep(wait)).await.is_none() {
            return Ok(self.abandoned());
        }
        Err(error)
    }

    fn abandoned(&self) -> SendResult {
        SendResult::GivenUp(self.abandon())
    }

    /// Abandons it while nothing is in flight.
    pub(super) fn abandon(&self) -> CallError {
        self.transition(Transition::Abandon);
        abandoned_unsent()
    }

    /// Settles it as done.
    pub(super) async fn settle_done(&self, request: Option<&ElevationRequest>, service_id: Option<Untrusted>) {
        self.transition(Transition::Succeed);
        self.save_outcome(request, None, service_id).await;
    }

    /// Settles a create with the request that the service returned. Returns `false` if the request belongs to another write: the
    /// outcome is unknown then.
    #[must_use]
    pub(super) async fn settle_created(&self, request: &ElevationRequest, service_id: Option<Untrusted>) -> bool {
        let outcome = Outcome {
            state: WriteState::Done,
            request: Some(request.clone()),
            why: None,
            service_request_id: service_id,
        };
        let claimed = match self.context.in_flight.claim(&request.id).await {
            Some(claim) => Some((claim, self.context.record.settle(self.record.id, outcome).await)),
            None => None,
        };
        let is_anothers = |saved: &Result<(), RecordRefusal>| saved.as_ref().is_err_and(RecordRefusal::is_owned);
        let Some((claim, saved)) = claimed.filter(|(_, saved)| !is_anothers(saved)) else {
            self.transition(Transition::Lose);
            return false;
        };
        self.transition(Transition::Succeed);
        claim.settle(self.record.id);
        self.context.report_unsaved(saved).await;
        true
    }

    /// Settles it with the request that a look-up found. Returns `false`, without a change, if the request belongs to another
    /// write.
    #[must_use]
    pub(super) async fn settle_found(&self, request: &ElevationRequest) -> bool {
        // Another process may have claimed it a moment ago, which only the record shows.
        let state = self.state().after(Transition::Find).unwrap_or(WriteState::Unknown);
        let outcome = Outcome { state, request: Some(request.clone()), why: None, service_request_id: None };
        let saved = self.context.record.settle(self.record.id, outcome).await;
        if saved.as_ref().is_err_and(RecordRefusal::is_owned) {
            return false;
        }
        self.transition(Transition::Find);
        self.context.in_flight.settle(self.record.id, self.created_id(Some(request)));
        self.context.report_unsaved(saved).await;
        true
    }

    /// Returns the id of the request that a create owns. A close owns none.
    fn created_id<'r>(&self, request: Option<&'r ElevationRequest>) -> Option<&'r RequestId> {
        request.filter(|_| matches!(self.record.operation, Operation::Create(_))).map(|request| &request.id)
    }

    /// Saves an outcome that is not done or unknown.
    pub(super) async fn settle_error(&self, error: &CallError, request: Option<&ElevationRequest>) {
        self.save_outcome(request, Some(error.what()), error.ids.service.clone()).await;
    }

    /// Settles it as refused, which means not done.
    pub(super) async fn settle_refused(&self, error: &CallError, request: Option<&ElevationRequest>) {
        self.transition(Transition::Refuse);
        self.settle_error(error, request).await;
    }

    /// Notes that reading back has shown a close as not done. It can be repeated or given up.
    pub(super) async fn settle_disproved(&self, error: &CallError, request: &ElevationRequest) {
        self.transition(Transition::Disprove);
        self.settle_error(error, Some(request)).await;
    }

    /// Saves that it is not looked up any more.
    pub(super) async fn settle_set_aside(&self) {
        self.save_outcome(None, None, None).await;
    }

    async fn save_outcome(
        &self,
        request: Option<&ElevationRequest>,
        why: Option<String>,
        service_request_id: Option<Untrusted>,
    ) {
        let (id, state) = (self.record.id, self.state());
        let outcome = Outcome { state, request: request.cloned(), why, service_request_id };
        let saved = self.context.record.settle(id, outcome).await;
        if let Operation::Create(new) = &self.record.operation {
            if state.is_settled() {
                self.context.in_flight.settle(id, self.created_id(request));
            } else {
                self.context.in_flight.mark_lost(id, new);
            }
        }
        self.context.report_unsaved(saved).await;
    }
}

/// Returns the error of a call for a recorded write that is not possible.
pub(super) fn not_possible(reason: &str) -> CallError {
    CallError::not_sent(reason)
}
