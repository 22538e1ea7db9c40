//! Resolves writes that were left behind or whose outcome is unknown: looks once more, sets aside, adopts.

use super::{
    close,
    context::{CallContext, Context},
    create,
    write::{Write, not_possible},
};
use mmd_elevate_core::{CallError, CallResult, ElevationRequest, Operation, Transition, WriteId, WriteRecord};

async fn recorded(context: &Context, id: WriteId) -> Result<WriteRecord, CallError> {
    context.record.write(id).await?.ok_or_else(|| not_possible("the record does not hold this write"))
}

/// Looks once more for a write of unknown outcome.
pub(super) async fn look(context: &Context, call: &CallContext, id: WriteId) -> Result<CallResult, CallError> {
    let write = Write::resume(context, call, recorded(context, id).await?)?;
    // The record does not keep what kind of error it was. Most who look again do so because a process has died.
    let error = CallError::crashed();
    match write.record.operation.clone() {
        Operation::Create(new) => create::look_for(context, call, &write, &new, error).await,
        Operation::Close(closing) => close::look_for(context, call, &write, &closing, &error).await,
    }
}

/// Stops asking for a write of unknown outcome.
pub(super) async fn set_aside(context: &Context, call: &CallContext, id: WriteId) -> Result<CallResult, CallError> {
    let write = Write::resume(context, call, recorded(context, id).await?)?;
    write.transition(Transition::SetAside);
    write.settle_set_aside().await;
    Ok(CallResult::SetAside)
}

/// The agent says that this request is the one.
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

fn is_anothers() -> CallError {
    not_possible("the request belongs to another of yours")
}
