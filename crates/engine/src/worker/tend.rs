//! What is done about requests and intents that are there: looking once more, setting aside, adopting, checking.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::SignedDuration;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    close,
    context::{CallContext, Context, abandoned_unsent},
    create,
    look::LOOK_AGAIN,
    record::RecordRefusal,
    write::{Write, not_sent},
};
use crate::backend::Listed;
use mmd_elevate_core::{
    CallError, CallResult, ElevationRequest, Gaps, Operation, Problem, RequestId, Sent, Transition, Untrusted, WriteId,
    WriteRecord, WriteState,
};

async fn intent(context: &Context, id: WriteId) -> Result<WriteRecord, CallError> {
    context.record.intent(id).await?.ok_or_else(|| not_sent("the record does not hold this intent"))
}

/// Looks once more for a write of unknown outcome.
pub(super) async fn look(context: &Context, job: &CallContext, id: WriteId) -> Result<CallResult, CallError> {
    let write = Write::resume(context, job, intent(context, id).await?)?;
    // The record does not keep what kind of fault it was. Most who look again do so because a process has died.
    let fault = CallError::crashed();
    match write.intent.what.clone() {
        Operation::Create(new) => create::look_for(context, job, &write, &new, fault).await,
        Operation::Close(closing) => close::look_for(context, job, &write, &closing, &fault).await,
    }
}

/// Stops asking for a write of unknown outcome.
pub(super) async fn set_aside(context: &Context, job: &CallContext, id: WriteId) -> Result<CallResult, CallError> {
    let write = Write::resume(context, job, intent(context, id).await?)?;
    write.take(Transition::SetAside);
    write.settle_aside().await;
    Ok(CallResult::SetAside)
}

/// The agent says that this request is the one.
pub(super) async fn adopt(
    context: &Context,
    job: &CallContext,
    id: WriteId,
    request: Box<ElevationRequest>,
) -> Result<CallResult, CallError> {
    let write = Write::resume(context, job, intent(context, id).await?)?;
    let request = match &write.intent.what {
        Operation::Create(new) => Box::new(request.with_gaps_from_draft(new.draft())),
        Operation::Close(_) => request,
    };
    let _alone = context.in_flight.decide().await;
    let mut owned = context.record.owned(id).await?;
    context.in_flight.add_owned(&mut owned);
    if owned.contains(&request.id) {
        return Err(anothers());
    }
    if !write.find(&request).await {
        return Err(anothers());
    }
    Ok(CallResult::Created { request, surplus: Vec::new() })
}

fn anothers() -> CallError {
    not_sent("the request belongs to another of yours")
}

/// Sees what the service holds of these requests: each device once, a few at a time.
pub(super) async fn check(
    context: &Arc<Context>,
    job: &CallContext,
    asked: Vec<(RequestId, Untrusted)>,
) -> Result<CallResult, CallError> {
    let checked = job.unless_abandoned(listed(context, job, asked)).await;
    let Checked { listed, missing, others, gaps, failed } =
        checked.unwrap_or_else(|| Checked { failed: Some(abandoned_unsent()), ..Checked::default() });
    let at = context.now();
    if !listed.is_empty() {
        context.tell_unless_saved(context.record.refreshed(listed.clone()).await).await;
    }
    match failed {
        Some(fault) if listed.is_empty() && missing.is_empty() => Err(fault),
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

    fn fail(&mut self, fault: CallError) {
        let what = format!("a list could not be read: {}", fault.what());
        self.gaps.add(Gaps { unreadable: 0, cut: Some(Problem::new(what, fault.hint())) });
        self.failed.get_or_insert(fault);
    }
}

async fn listed(context: &Arc<Context>, job: &CallContext, asked: Vec<(RequestId, Untrusted)>) -> Checked {
    let mut devices: BTreeMap<Untrusted, HashSet<RequestId>> = BTreeMap::new();
    for (id, device) in asked {
        devices.entry(device).or_default().insert(id);
    }
    let places = Arc::new(Semaphore::new(context.timing.devices_at_once.max(1)));
    let mut asking = JoinSet::new();
    for (device, ids) in devices {
        let (context, job, places) = (Arc::clone(context), job.clone(), Arc::clone(&places));
        asking.spawn(async move {
            let _place = places.acquire_owned().await;
            Ok((ids, context.list_device(device.raw(), Some(&job)).await?))
        });
    }
    let mut checked = Checked::default();
    while let Some(one) = asking.join_next().await {
        match one.unwrap_or_else(|_| Err(CallError::crashed().with_hint(LOOK_AGAIN))) {
            Ok((ids, listed)) => checked.add(ids, listed),
            Err(fault) => checked.fail(fault),
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
    let known =
        async { Ok::<_, RecordRefusal>((context.record.unclaimed().await?, context.record.owned(WriteId(0)).await?)) };
    let Ok((creates, mut owned)) = known.await else { return Vec::new() };
    context.in_flight.add_owned(&mut owned);
    let aside: Vec<_> = creates.into_iter().filter(|create| create.stage == WriteState::SetAside).collect();
    let may_be = |request: &ElevationRequest, skew: Option<SignedDuration>| {
        let skew = skew.unwrap_or(SignedDuration::ZERO);
        aside.iter().any(|create| Sent { request: &create.request, at: create.at, skew }.equals(request))
    };
    let others = others
        .into_iter()
        .filter(|(other, skew)| other.closed.is_none() && !owned.contains(&other.id) && may_be(other, *skew));
    others.map(|(other, _)| other).collect()
}
