//! Opens a request: never twice by itself.

use super::{
    context::{CallContext, Context},
    look::{self, Looked},
    repeats::Repeats,
    write::{SendResult, Write},
};
use crate::backend::Response;
use mmd_elevate_core::{
    CallError, CallResult, ErrorCode, MatchResult, NewElevationRequest, Operation, Progress, Transition,
};

pub(super) async fn create(
    context: &Context,
    job: &CallContext,
    new: NewElevationRequest,
) -> Result<CallResult, CallError> {
    let (write, backend) = Write::begin(context, job, Operation::Create(new.clone())).await?;
    context.in_flight.send(write.intent.id, &new);
    let mut repeats = Repeats::of_write(context.timing);
    let sent = loop {
        match write.send_once(&mut repeats, &*backend).await {
            Ok(sent) => break sent,
            // Where no connection was made, nothing was sent.
            Err(fault) if fault.code == Some(ErrorCode::Throttled) => {
                if let Some(ended) = look_first(context, job, &write, &new, fault).await {
                    return ended;
                }
            }
            Err(_) => {}
        }
    };
    let fault = match sent {
        SendResult::Done(Response { request, ids, .. }) => {
            let reason = match request {
                Some(request) if write.settle_created(&request, ids.service.clone()).await => {
                    return Ok(CallResult::Created { request, surplus: Vec::new() });
                }
                Some(_) => "it has the id of another request that was opened from here",
                None => "it does not tell the request",
            };
            CallError { ids, ..CallError::broken_answer(reason) }
        }
        SendResult::Refused(fault) => {
            write.refuse(&fault, None).await;
            return Err(fault);
        }
        SendResult::GivenUp(fault) => {
            write.settle_fault(&fault, None).await;
            return Err(fault);
        }
        SendResult::Unknown(fault) => fault,
    };
    write.settle_fault(&fault, None).await;
    job.progress(Progress::Looking(fault.clone())).await;
    look_for(context, job, &write, &new, fault).await
}

/// Lists the device before a create goes out again. That the service has not processed it is an assumption: nothing is
/// repeated unless a list that was seen whole holds nothing that may be it. Nothing: it may go out.
async fn look_first(
    context: &Context,
    job: &CallContext,
    write: &Write<'_>,
    new: &NewElevationRequest,
    fault: CallError,
) -> Option<Result<CallResult, CallError>> {
    job.progress(Progress::LookingFirst).await;
    match look::before_repeat(context, job, write, new).await {
        Looked::Found { request, surplus } => Some(Ok(CallResult::Created { request, surplus })),
        Looked::Open { seen: MatchResult::NotSeen, .. } => None,
        Looked::Open { seen, at } => {
            write.take(Transition::Lose);
            write.settle_fault(&fault, None).await;
            Some(Ok(CallResult::Looked { seen, at, fault }))
        }
        Looked::Abandoned => {
            let fault = write.let_go();
            write.settle_fault(&fault, None).await;
            Some(Err(fault))
        }
    }
}

/// Looks for a create that is unknown because of `fault`.
pub(super) async fn look_for(
    context: &Context,
    job: &CallContext,
    write: &Write<'_>,
    new: &NewElevationRequest,
    fault: CallError,
) -> Result<CallResult, CallError> {
    match look::for_create(context, job, write, new).await {
        Looked::Found { request, surplus } => Ok(CallResult::Created { request, surplus }),
        Looked::Open { seen, at } => Ok(CallResult::Looked { seen, at, fault }),
        Looked::Abandoned => Err(fault),
    }
}
