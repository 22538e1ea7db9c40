//! What is done about requests and intents that are there: looking once more, setting aside, adopting, checking.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::SignedDuration;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    close::{self, Closing},
    create,
    desk::{Desk, Job, abandoned_unsent},
    record::Refused,
    service::Service,
    write::{Write, not_sent},
};
use crate::{
    api::Listed,
    domain::{ElevationRequest, Gaps, RequestId, Sent, Untrusted},
    port::{Answer, Fault, FaultKind, Intent, IntentId, Intention, Stage, Step},
};

async fn intent<S: Service>(desk: &Desk<S>, id: IntentId) -> Result<Intent, Fault> {
    desk.record.intent(id).await?.ok_or_else(|| not_sent("the record does not hold this intent"))
}

/// Looks once more for a write of unknown outcome.
pub(super) async fn look<S: Service>(desk: &Desk<S>, job: &Job, id: IntentId) -> Result<Answer, Fault> {
    let write = Write::resume(desk, job, intent(desk, id).await?)?;
    // The record does not keep what kind of fault it was. Most who look again do so because a process has died.
    let fault = Fault::new(FaultKind::Crashed);
    match write.intent.what.clone() {
        Intention::Create(new) => create::look_for(desk, job, &write, &new, fault).await,
        Intention::Close { id, device, actions_taken } => {
            close::look_for(desk, job, &write, &Closing { id, device, actions_taken }, &fault).await
        }
    }
}

/// Stops asking for a write of unknown outcome.
pub(super) async fn set_aside<S: Service>(desk: &Desk<S>, job: &Job, id: IntentId) -> Result<Answer, Fault> {
    let write = Write::resume(desk, job, intent(desk, id).await?)?;
    write.take(Step::SetAside);
    write.settle_aside().await;
    Ok(Answer::SetAside)
}

/// The agent says that this request is the one.
pub(super) async fn adopt<S: Service>(
    desk: &Desk<S>,
    job: &Job,
    id: IntentId,
    request: Box<ElevationRequest>,
) -> Result<Answer, Fault> {
    let write = Write::resume(desk, job, intent(desk, id).await?)?;
    let request = match &write.intent.what {
        Intention::Create(new) => Box::new(request.with_gaps_from_draft(new.draft())),
        Intention::Close { .. } => request,
    };
    let _alone = desk.claims.decide().await;
    let mut owned = desk.record.owned(id).await?;
    desk.claims.add_owned(&mut owned);
    if owned.contains(&request.id) {
        return Err(anothers());
    }
    if !write.find(&request).await {
        return Err(anothers());
    }
    Ok(Answer::Created { request, surplus: Vec::new() })
}

fn anothers() -> Fault {
    not_sent("the request belongs to another of yours")
}

/// Sees what the service holds of these requests: each device once, a few at a time.
pub(super) async fn check<S: Service>(
    desk: &Arc<Desk<S>>,
    job: &Job,
    asked: Vec<(RequestId, Untrusted)>,
) -> Result<Answer, Fault> {
    let checked = job.unless_abandoned(listed(desk, job, asked)).await;
    let Checked { listed, missing, others, gaps, failed } =
        checked.unwrap_or_else(|| Checked { failed: Some(abandoned_unsent()), ..Checked::default() });
    let at = desk.now();
    if !listed.is_empty() {
        desk.tell_unless_saved(desk.record.refreshed(listed.clone()).await).await;
    }
    match failed {
        Some(fault) if listed.is_empty() && missing.is_empty() => Err(fault),
        _ => Ok(Answer::Checked { listed, missing, gaps, surplus: unclaimed(desk, others).await, at }),
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
    failed: Option<Fault>,
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

    fn fail(&mut self, fault: Fault) {
        let what = format!("a list could not be read: {}", fault.what());
        self.gaps.add(Gaps { unreadable: 0, cut: Some((what, Some(fault.hint_to_read().to_owned()))) });
        self.failed.get_or_insert(fault);
    }
}

async fn listed<S: Service>(desk: &Arc<Desk<S>>, job: &Job, asked: Vec<(RequestId, Untrusted)>) -> Checked {
    let mut devices: BTreeMap<Untrusted, HashSet<RequestId>> = BTreeMap::new();
    for (id, device) in asked {
        devices.entry(device).or_default().insert(id);
    }
    let places = Arc::new(Semaphore::new(desk.timing.devices_at_once.max(1)));
    let mut asking = JoinSet::new();
    for (device, ids) in devices {
        let (desk, job, places) = (Arc::clone(desk), job.clone(), Arc::clone(&places));
        asking.spawn(async move {
            let _place = places.acquire_owned().await;
            Ok((ids, desk.list(device.raw(), Some(&job)).await?))
        });
    }
    let mut checked = Checked::default();
    while let Some(one) = asking.join_next().await {
        match one.unwrap_or_else(|_| Err(Fault::new(FaultKind::Crashed))) {
            Ok((ids, listed)) => checked.add(ids, listed),
            Err(fault) => checked.fail(fault),
        }
    }
    checked
}

/// Those that a create which was set aside may have made: open, equal, and claimed by no write. The agent asked no more
/// for them, and they are open all the same.
async fn unclaimed<S: Service>(
    desk: &Desk<S>,
    others: Vec<(ElevationRequest, Option<SignedDuration>)>,
) -> Vec<ElevationRequest> {
    // Whoever is without a record has set nothing aside.
    if others.is_empty() || !desk.record.is_open() {
        return Vec::new();
    }
    let known = async { Ok::<_, Refused>((desk.record.unclaimed().await?, desk.record.owned(IntentId(0)).await?)) };
    let Ok((creates, mut owned)) = known.await else { return Vec::new() };
    desk.claims.add_owned(&mut owned);
    let aside: Vec<_> = creates.into_iter().filter(|create| create.stage == Stage::SetAside).collect();
    let may_be = |request: &ElevationRequest, skew: Option<SignedDuration>| {
        let skew = skew.unwrap_or(SignedDuration::ZERO);
        aside.iter().any(|create| Sent { request: &create.request, at: create.at, skew }.equals(request))
    };
    let others = others
        .into_iter()
        .filter(|(other, skew)| other.closed.is_none() && !owned.contains(&other.id) && may_be(other, *skew));
    others.map(|(other, _)| other).collect()
}
