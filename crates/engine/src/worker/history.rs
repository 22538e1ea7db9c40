//! Reads from the record how writes went. It sends nothing, and changes nothing.

use std::time::Duration;

use tokio::time::timeout;

use super::{
    context::{CallContext, Context, abandoned_unsent},
    write::not_possible,
};
use mmd_elevate_core::{CallError, CallResult, RequestId, WriteId};

/// How long the changes before it are waited for: another process can keep the record busy for seconds.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Reads the writes of a request, and a write.
pub(super) async fn history(
    context: &Context,
    call: &CallContext,
    request: Option<RequestId>,
    write: Option<WriteId>,
) -> Result<CallResult, CallError> {
    let read = timeout(TIMEOUT, context.record.history(request, write));
    match call.unless_abandoned(read).await {
        Some(Ok(histories)) => Ok(CallResult::History(histories?)),
        Some(Err(_)) => Err(not_possible("the record is busy")),
        None => Err(abandoned_unsent()),
    }
}
