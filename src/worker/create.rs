//! Opens a request: never twice by itself.

use super::{
    desk::{Desk, Job},
    look::{self, Looked},
    service::Service,
    write::{Sent, Write},
};
use crate::{
    domain::NewElevationRequest,
    port::{Answer, Fault, Intention, Progress},
};

pub(super) async fn create<S: Service>(desk: &Desk<S>, job: &Job, new: NewElevationRequest) -> Result<Answer, Fault> {
    let (write, service) = Write::begin(desk, job, Intention::Create(new.clone())).await?;
    desk.claims.send(write.intent.id, &new);
    match write.send(|| service.create(&new)).await {
        Sent::Done(told) => {
            write.settle_told(Some(&told.value), told.ids.service).await;
            Ok(Answer::Created { request: Box::new(told.value), surplus: Vec::new() })
        }
        Sent::Refused(fault) => {
            write.refuse(&fault, None).await;
            Err(fault)
        }
        Sent::GivenUp(fault) => {
            write.settle_fault(&fault, None).await;
            Err(fault)
        }
        Sent::Unknown(fault) => {
            write.settle_fault(&fault, None).await;
            job.progress(Progress::Looking(fault.clone())).await;
            look_for(desk, job, &write, &new, fault).await.map_err(|(fault, _)| fault)
        }
    }
}

/// Looks for a create that is unknown because of `fault`. The error is that, and why nothing could be seen.
pub(super) async fn look_for<S: Service>(
    desk: &Desk<S>,
    job: &Job,
    write: &Write<'_, S>,
    new: &NewElevationRequest,
    fault: Fault,
) -> Result<Answer, (Fault, Option<Fault>)> {
    match look::for_create(desk, job, write, new).await {
        Looked::Found { request, surplus } => Ok(Answer::Created { request, surplus }),
        Looked::Open { seen, at } => Ok(Answer::Looked { seen, at, fault }),
        Looked::Blind(blind) => Err((fault, blind)),
    }
}
