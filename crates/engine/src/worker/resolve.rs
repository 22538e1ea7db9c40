//! Resolves writes of dead processes and writes of unknown outcome: looks them up, sets them aside, or adopts a request. Takes a
//! request as closed on the agent's word; this sends nothing.

use super::{
    close,
    context::{CallContext, Context},
    create,
    write::{Write, not_possible},
};
use mmd_elevate_core::{
    CallError, CallResult, ElevationRequest, Operation, RequestId, Transition, WriteId, WriteRecord,
};

async fn recorded(context: &Context, id: WriteId) -> Result<WriteRecord, CallError> {
    context.record.write(id).await?.ok_or_else(|| not_possible("the record does not hold this write"))
}

/// Looks up a write of unknown outcome once more.
pub(super) async fn look(context: &Context, call: &CallContext, id: WriteId) -> Result<CallResult, CallError> {
    let write = Write::resume(context, call, recorded(context, id).await?)?;
    // The record does not hold the error. The usual reason is that a process has died.
    let error = CallError::crashed();
    match write.record.operation.clone() {
        Operation::Create(new) => create::look_for(context, call, &write, &new, error).await,
        Operation::Close(closing) => close::look_for(context, call, &write, &closing, &error).await,
    }
}

/// Stops looking up a write of unknown outcome.
pub(super) async fn set_aside(context: &Context, call: &CallContext, id: WriteId) -> Result<CallResult, CallError> {
    let write = Write::resume(context, call, recorded(context, id).await?)?;
    write.transition(Transition::SetAside);
    write.settle_set_aside().await;
    Ok(CallResult::SetAside)
}

/// Settles a create with the request that the agent has chosen.
pub(super) async fn adopt(
    context: &Context,
    call: &CallContext,
    id: WriteId,
    request: Box<ElevationRequest>,
) -> Result<CallResult, CallError> {
    let write = Write::resume(context, call, recorded(context, id).await?)?;
    let request = match &write.record.operation {
        Operation::Create(new) => Box::new(request.with_gaps_from_draft(new.draft())),
        Operation::Close(_) => request,
    };
    let _alone = context.in_flight.lock_claims().await;
    let mut owned = context.record.owned_requests(id).await?;
    context.in_flight.add_owned(&mut owned);
    if owned.contains(&request.id) {
        return Err(is_anothers());
    }
    if !write.settle_found(&request).await {
        return Err(is_anothers());
    }
    Ok(CallResult::Created { request, surplus: Vec::new() })
}

/// Takes a request as closed whose close the service accepted and no list shows.
pub(super) async fn take_as_closed(context: &Context, request: &RequestId) -> Result<CallResult, CallError> {
    if context.record.take_as_closed(request).await? {
        Ok(CallResult::TakenAsClosed)
    } else {
        Err(not_possible("the service has accepted no close of this request"))
    }
}

fn is_anothers() -> CallError {
    not_possible("the request belongs to another of yours")
}
