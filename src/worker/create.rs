//! Opens a request: never twice by itself.

use super::{
    desk::{Desk, Job},
    look::{self, Looked},
    repeats::Repeats,
    service::Service,
    write::{Sent, Write},
};
use crate::{
    domain::{NewElevationRequest, Sighting},
    port::{Answer, Fault, FaultKind, Intention, Progress, Step},
};

pub(super) async fn create<S: Service>(desk: &Desk<S>, job: &Job, new: NewElevationRequest) -> Result<Answer, Fault> {
    let (write, service) = Write::begin(desk, job, Intention::Create(new.clone())).await?;
    desk.claims.send(write.intent.id, &new);
    let mut repeats = Repeats::of_write(desk.timing);
    let sent = loop {
        match write.send_once(&mut repeats, service.create(&new)).await {
            Ok(sent) => break sent,
            // Where no connection was made, nothing was sent.
            Err(fault) if matches!(fault.kind, FaultKind::Throttled { .. }) => {
                if let Some(ended) = look_first(desk, job, &write, &new, fault).await {
                    return ended;
                }
            }
            Err(_) => {}
        }
    };
    let fault = match sent {
        Sent::Done(told) => {
            let request = told.value.with_gaps_from_draft(new.draft());
            if write.settle_created(&request, told.ids.service.clone()).await {
                return Ok(Answer::Created { request: Box::new(request), surplus: Vec::new() });
            }
            let reason = "it has the id of another request that was opened from here".to_owned();
            Fault { ids: told.ids, ..Fault::new(FaultKind::BrokenAnswer { reason }) }
        }
        Sent::Refused(fault) => {
            write.refuse(&fault, None).await;
            return Err(fault);
        }
        Sent::GivenUp(fault) => {
            write.settle_fault(&fault, None).await;
            return Err(fault);
        }
        Sent::Unknown(fault) => fault,
    };
    write.settle_fault(&fault, None).await;
    job.progress(Progress::Looking(fault.clone())).await;
    look_for(desk, job, &write, &new, fault).await
}

/// Lists the device before a create goes out again. That the service has not processed it is an assumption: nothing is
/// repeated unless a list that was seen whole holds nothing that may be it. Nothing: it may go out.
async fn look_first<S: Service>(
    desk: &Desk<S>,
    job: &Job,
    write: &Write<'_, S>,
    new: &NewElevationRequest,
    fault: Fault,
) -> Option<Result<Answer, Fault>> {
    job.progress(Progress::LookingFirst).await;
    match look::before_repeat(desk, job, write, new).await {
        Looked::Found { request, surplus } => Some(Ok(Answer::Created { request, surplus })),
        Looked::Open { seen: Sighting::NotSeen, .. } => None,
        Looked::Open { seen, at } => {
            write.take(Step::Lose);
            write.settle_fault(&fault, None).await;
            Some(Ok(Answer::Looked { seen, at, fault }))
        }
        Looked::Abandoned => {
            let fault = write.let_go();
            write.settle_fault(&fault, None).await;
            Some(Err(fault))
        }
    }
}

/// Looks for a create that is unknown because of `fault`.
pub(super) async fn look_for<S: Service>(
    desk: &Desk<S>,
    job: &Job,
    write: &Write<'_, S>,
    new: &NewElevationRequest,
    fault: Fault,
) -> Result<Answer, Fault> {
    match look::for_create(desk, job, write, new).await {
        Looked::Found { request, surplus } => Ok(Answer::Created { request, surplus }),
        Looked::Open { seen, at } => Ok(Answer::Looked { seen, at, fault }),
        Looked::Abandoned => Err(fault),
    }
}
