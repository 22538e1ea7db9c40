//! What the service holds of requests that are known here: each device once, a few at a time.

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

/// Sees what the service holds of these requests: each device once, a few at a time.
pub(super) async fn check(
    context: &Arc<Context>,
    call: &CallContext,
    asked: Vec<(RequestId, Untrusted)>,
) -> Result<CallResult, CallError> {
    let checked = call.unless_abandoned(list_devices(context, call, asked)).await;
    let Checked { listed, missing, others, gaps, failed } =
        checked.unwrap_or_else(|| Checked { failed: Some(abandoned_unsent()), ..Checked::default() });
    let at = context.now();
    if !listed.is_empty() {
        context.report_unsaved(context.record.update_requests(listed.clone()).await).await;
    }
    match failed {
        Some(error) if listed.is_empty() && missing.is_empty() => Err(error),
        _ => Ok(CallResult::Checked { listed, missing, gaps, surplus: unclaimed(context, others).await, at }),
    }
}

/// What listing the devices of some requests has shown.
#[derive(Default)]
struct Checked {
    /// Of those that were asked for.
    listed: Vec<ElevationRequest>,
    missing: Vec<RequestId>,
    /// What else the devices have, with the skew of the clocks.
    others: Vec<(ElevationRequest, Option<SignedDuration>)>,
    gaps: Gaps,
    failed: Option<CallError>,
}

impl Checked {
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

async fn list_devices(context: &Arc<Context>, call: &CallContext, asked: Vec<(RequestId, Untrusted)>) -> Checked {
    let mut devices: BTreeMap<Untrusted, HashSet<RequestId>> = BTreeMap::new();
    for (id, device) in asked {
        devices.entry(device).or_default().insert(id);
    }
    let places = Arc::new(Semaphore::new(context.timing.devices_at_once.max(1)));
    let mut asking = JoinSet::new();
    for (device, ids) in devices {
        let (context, call, places) = (Arc::clone(context), call.clone(), Arc::clone(&places));
        asking.spawn(async move {
            let _place = places.acquire_owned().await;
            Ok((ids, context.list_device(device.raw(), Some(&call)).await?))
        });
    }
    let mut checked = Checked::default();
    while let Some(one) = asking.join_next().await {
        match one.unwrap_or_else(|_| Err(CallError::crashed().with_hint(LOOK_AGAIN))) {
            Ok((ids, listed)) => checked.add(ids, listed),
            Err(error) => checked.fail(error),
        }
    }
    checked
}

/// Those that a create which was set aside may have made: open, equal, and claimed by no write. The agent asked no more
/// for them, and they are open all the same.
async fn unclaimed(
    context: &Context,
    others: Vec<(ElevationRequest, Option<SignedDuration>)>,
) -> Vec<ElevationRequest> {
    // Whoever is without a record has set nothing aside.
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
