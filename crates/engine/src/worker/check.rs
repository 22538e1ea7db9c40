//! Reads the current state of requests: lists each of their devices once, a few at a time.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::SignedDuration;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    context::{CallContext, Context, abandoned_unsent},
    lookup::LOOK_AGAIN,
    record::RecordRefusal,
};
use crate::backend::Listed;
use mmd_elevate_core::{
    CallError, CallResult, ElevationRequest, Gaps, Problem, RequestId, SentCreate, Untrusted, WriteId, WriteState,
};

/// Reads the current state of these requests: lists each of their devices once, a few at a time.
pub(super) async fn check(
    context: &Arc<Context>,
    call: &CallContext,
    asked: Vec<(RequestId, Untrusted)>,
) -> Result<CallResult, CallError> {
    let checked = call.unless_abandoned(list_devices(context, call, asked)).await;
    let DeviceLists { listed, missing, others, gaps, failed } =
        checked.unwrap_or_else(|| DeviceLists { failed: Some(abandoned_unsent()), ..DeviceLists::default() });
    let at = context.now();
    if !listed.is_empty() {
        context.report_unsaved(context.record.update_requests(listed.clone()).await).await;
    }
    match failed {
        Some(error) if listed.is_empty() && missing.is_empty() => Err(error),
        _ => Ok(CallResult::Checked { listed, missing, gaps, surplus: find_unclaimed(context, others).await, at }),
    }
}

/// The requests of some devices.
#[derive(Default)]
struct DeviceLists {
    /// The requests that are checked.
    listed: Vec<ElevationRequest>,
    missing: Vec<RequestId>,
    /// Other requests of the devices, each with the clock skew.
    others: Vec<(ElevationRequest, Option<SignedDuration>)>,
    gaps: Gaps,
    failed: Option<CallError>,
}

impl DeviceLists {
    fn add(&mut self, ids: HashSet<RequestId>, listed: Listed) {
        self.gaps.add(listed.gaps());
        let complete = listed.is_complete();
        let seen: HashSet<_> = listed.requests.iter().map(|request| request.id.clone()).collect();
        let (asked, others): (Vec<_>, Vec<_>) =
            listed.requests.into_iter().partition(|request| ids.contains(&request.id));
        self.listed.extend(asked);
        self.others.extend(others.into_iter().map(|other| (other, listed.skew)));
        self.missing.extend(ids.into_iter().filter(|id| complete && !seen.contains(id)));
    }

    fn fail(&mut self, error: CallError) {
        let what = format!("a list could not be read: {}", error.what());
        self.gaps.add(Gaps { unreadable: 0, cut: Some(Problem::new(what, error.hint())) });
        self.failed.get_or_insert(error);
    }
}

async fn list_devices(context: &Arc<Context>, call: &CallContext, asked: Vec<(RequestId, Untrusted)>) -> DeviceLists {
    let mut devices: BTreeMap<Untrusted, HashSet<RequestId>> = BTreeMap::new();
    for (id, device) in asked {
        devices.entry(device).or_default().insert(id);
    }
    let permits = Arc::new(Semaphore::new(context.timing.devices_at_once.max(1)));
    let mut listing = JoinSet::new();
    for (device, ids) in devices {
        let (context, call, permits) = (Arc::clone(context), call.clone(), Arc::clone(&permits));
        listing.spawn(async move {
            let _permit = permits.acquire_owned().await;
            Ok((ids, context.list_device(device.raw(), Some(&call)).await?))
        });
    }
    let mut checked = DeviceLists::default();
    while let Some(result) = listing.join_next().await {
        match result.unwrap_or_else(|_| Err(CallError::crashed().with_hint(LOOK_AGAIN))) {
            Ok((ids, listed)) => checked.add(ids, listed),
            Err(error) => checked.fail(error),
        }
    }
    checked
}

/// Returns the open requests that a create which was set aside may have made, and that no write has claimed: the agent must know
/// that they are open.
async fn find_unclaimed(
    context: &Context,
    others: Vec<(ElevationRequest, Option<SignedDuration>)>,
) -> Vec<ElevationRequest> {
    // Without a record, nothing was set aside.
    if others.is_empty() || !context.record.is_open() {
        return Vec::new();
    }
    let known = async {
        Ok::<_, RecordRefusal>((
            context.record.unclaimed_creates().await?,
            context.record.owned_requests(WriteId(0)).await?,
        ))
    };
    let Ok((creates, mut owned)) = known.await else { return Vec::new() };
    context.in_flight.add_owned(&mut owned);
    let aside: Vec<_> = creates.into_iter().filter(|create| create.state == WriteState::SetAside).collect();
    let may_be = |request: &ElevationRequest, skew: Option<SignedDuration>| {
        let skew = skew.unwrap_or(SignedDuration::ZERO);
        aside.iter().any(|create| SentCreate { request: &create.request, at: create.at, skew }.equals(request))
    };
    let others = others
        .into_iter()
        .filter(|(other, skew)| other.closed.is_none() && !owned.contains(&other.id) && may_be(other, *skew));
    others.map(|(other, _)| other).collect()
}
