//! Lists page by page, so that the first page is shown before the others are read, and searches devices.

use tokio::time::sleep;

use super::{
    context::{CallContext, Context, abandoned_unsent},
    retry::{Retries, is_transient},
};
use crate::backend::Listed;
use mmd_elevate_core::{CallError, CallResult, Progress, Query};

/// Lists a query and sends each page as progress. A page is requested again after a transient error. If a later page fails, the
/// result holds the error as a gap.
pub(super) async fn list(context: &Context, call: &CallContext, query: &Query) -> Result<CallResult, CallError> {
    let backend = context.backend().await?;
    if matches!(query, Query::Open | Query::Closed) && !backend.capabilities().lists_tenant {
        return Err(CallError::not_sent("this service does not list the requests of a tenant"));
    }
    let mut listed = Listed::default();
    let mut after = None;
    loop {
        let mut retries = Retries::for_reads(context.timing);
        let page = loop {
            let asked = call.unless_abandoned(backend.list(query, after.clone()));
            let error = match asked.await {
                None => return Err(abandoned_unsent()),
                Some(Ok(page)) => break Ok(page),
                Some(Err(error)) => error,
            };
            let Some(wait) = is_transient(&error).then(|| retries.next_delay(&error)).flatten() else {
                break Err(error);
            };
            call.waiting(context.now(), wait, retries.next_attempt(), error).await;
            if call.unless_abandoned(sleep(wait)).await.is_none() {
                return Err(abandoned_unsent());
            }
        };
        match page {
            Ok(page) => {
                after = listed.add(page);
                call.progress(Progress::Page(std::mem::take(&mut listed.requests))).await;
                if after.is_none() {
                    break;
                }
            }
            Err(error) if listed.entries == 0 => return Err(error),
            Err(error) => {
                listed.stopped = Some(error);
                break;
            }
        }
    }
    Ok(CallResult::Listed { gaps: listed.gaps(), at: context.now() })
}

/// Searches devices.
pub(super) async fn search_devices(context: &Context, call: &CallContext, text: &str) -> Result<CallResult, CallError> {
    let backend = context.backend().await?;
    if !backend.capabilities().searches_devices {
        return Err(CallError::not_sent("this service does not search devices"));
    }
    let devices =
        call.unless_abandoned(backend.search_devices(text)).await.unwrap_or_else(|| Err(abandoned_unsent()))?;
    Ok(CallResult::Devices(devices))
}
