//! Opens a request. It never sends a create again while the first may have been processed.

use super::{
    context::{CallContext, Context},
    lookup::{self, LookupResult},
    retry::Retries,
    write::{SendResult, Write},
};
use crate::{backend::Response, record::IfUnknown};
use mmd_elevate_core::{
    CallError, CallResult, ErrorCode, MatchResult, NewElevationRequest, Operation, Progress, Transition,
};

pub(super) async fn create(
    context: &Context,
    call: &CallContext,
    new: NewElevationRequest,
    if_unknown: IfUnknown,
) -> Result<CallResult, CallError> {
    let (write, backend) = Write::begin(context, call, Operation::Create(new.clone()), if_unknown).await?;
    context.in_flight.mark_sent(write.record.id, &new);
    let mut retries = Retries::for_writes(context.timing);
    let sent = loop {
        match write.send_once(&mut retries, &*backend).await {
            Ok(sent) => break sent,
            // If no connection was made, nothing was sent.
            Err(error) if error.code == Some(ErrorCode::Throttled) => {
                if let Some(ended) = look_before_repeat(context, call, &write, &new, error).await {
                    return ended;
                }
            }
            Err(_) => {}
        }
    };
    let error = match sent {
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
        SendResult::Refused(error) => {
            write.settle_refused(&error, None).await;
            return Err(error);
        }
        SendResult::GivenUp(error) => {
            write.settle_error(&error, None).await;
            return Err(error);
        }
        SendResult::Unknown(error) => error,
    };
    write.settle_error(&error, None).await;
    call.progress(Progress::Looking(error.clone())).await;
    look_for(context, call, &write, &new, error).await
}

/// Lists the device before a throttled create is repeated, because it is an assumption that the service has not processed it.
/// Returns `None` if it may be repeated: a complete list holds no possible result.
async fn look_before_repeat(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    new: &NewElevationRequest,
    error: CallError,
) -> Option<Result<CallResult, CallError>> {
    call.progress(Progress::LookingFirst).await;
    match lookup::before_repeat(context, call, write, new).await {
        LookupResult::Found { request, surplus } => Some(Ok(CallResult::Created { request, surplus })),
        LookupResult::Open { seen: MatchResult::NotSeen, .. } => None,
        LookupResult::Open { seen, at } => {
            write.transition(Transition::Lose);
            write.settle_error(&error, None).await;
            Some(Ok(CallResult::Looked { seen, at, error }))
        }
        LookupResult::Abandoned => {
            let error = write.abandon();
            write.settle_error(&error, None).await;
            Some(Err(error))
        }
    }
}

/// Looks up a create whose outcome is unknown because of `error`.
pub(super) async fn look_for(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    new: &NewElevationRequest,
    error: CallError,
) -> Result<CallResult, CallError> {
    match lookup::for_create(context, call, write, new).await {
        LookupResult::Found { request, surplus } => Ok(CallResult::Created { request, surplus }),
        LookupResult::Open { seen, at } => Ok(CallResult::Looked { seen, at, error }),
        LookupResult::Abandoned => Err(error),
    }
}
