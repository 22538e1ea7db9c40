//! What is done about requests and intents that are there: looking once more, setting aside, adopting, checking.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    close::{self, Closing},
    create,
    desk::{Desk, Job, abandoned_unsent},
    service::Service,
    write::{Write, not_sent},
};
use crate::{
    domain::{ElevationRequest, RequestId, Untrusted},
    port::{Answer, Fault, FaultKind, Intent, IntentId, Intention, Step},
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
        Intention::Create(new) => {
            let looked = create::look_for(desk, job, &write, &new, fault).await;
            looked.map_err(|(fault, blind)| blind.unwrap_or(fault))
        }
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
    let (listed, failed) = checked.unwrap_or_else(|| (Vec::new(), Some(abandoned_unsent())));
    let at = desk.now();
    if !listed.is_empty() {
        desk.tell_unless_saved(desk.record.refreshed(listed.clone()).await).await;
    }
    // In part would be taken for the whole: what a device that failed holds would seem to be gone.
    match failed {
        Some(fault) => Err(fault),
        None => Ok(Answer::Checked { listed, at }),
    }
}

async fn listed<S: Service>(
    desk: &Arc<Desk<S>>,
    job: &Job,
    asked: Vec<(RequestId, Untrusted)>,
) -> (Vec<ElevationRequest>, Option<Fault>) {
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
            let listed = desk.list(device.raw(), Some(&job)).await?;
            Ok(listed.requests.into_iter().filter(|request| ids.contains(&request.id)).collect::<Vec<_>>())
        });
    }
    let (mut all, mut failed) = (Vec::new(), None);
    while let Some(one) = asking.join_next().await {
        match one.unwrap_or_else(|_| Err(Fault::new(FaultKind::Crashed))) {
            Ok(listed) => all.extend(listed),
            Err(fault) => failed = failed.or(Some(fault)),
        }
    }
    (all, failed)
}
