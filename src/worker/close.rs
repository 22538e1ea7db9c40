//! Closes a request, and reads it back: success carries no proof, and repeating is harmless.

use std::time::Duration;

use super::{
    desk::{Desk, Job},
    look::Watch,
    service::Service,
    write::{Sent, Write},
};
use crate::{
    domain::{ElevationRequest, RequestId, Untrusted, even},
    port::{Answer, Fault, FaultKind, Intention, Progress, ReadBack, Step},
};

/// What is to be closed, and how.
pub(super) struct Closing {
    pub(super) id: RequestId,
    pub(super) device: Untrusted,
    pub(super) actions_taken: String,
}

/// What reading back shows.
enum Seen {
    Closed(Box<ElevationRequest>),
    Open(Box<ElevationRequest>),
    /// It is not listed, nothing could be, or the looking was abandoned.
    Nothing {
        failed: Option<Fault>,
    },
}

pub(super) async fn close<S: Service>(desk: &Desk<S>, job: &Job, closing: Closing) -> Result<Answer, Fault> {
    let Closing { id, device, actions_taken } = &closing;
    let intention = Intention::Close { id: id.clone(), device: device.clone(), actions_taken: actions_taken.clone() };
    let (write, service) = Write::begin(desk, job, intention).await?;
    let mut repeated = 0;
    loop {
        let fault = match write.send(|| service.close(id, actions_taken)).await {
            Sent::Done(told) => {
                write.settle_told(None, told.ids.service).await;
                job.progress(Progress::ReadingBack).await;
                return Ok(Answer::Closed(confirmed(desk, job, &closing).await));
            }
            Sent::Refused(fault) => return refused(desk, job, &write, &closing, fault, repeated > 0).await,
            Sent::GivenUp(fault) => {
                write.settle_fault(&fault, None).await;
                return Err(fault);
            }
            Sent::Unknown(fault) => fault,
        };
        write.settle_fault(&fault, None).await;
        job.progress(Progress::Looking(fault.clone())).await;
        // Before a repeat, which is harmless, a short look is enough; before the last word, none is too long.
        let again = repeated < desk.timing.closes_again && !matches!(fault.kind, FaultKind::Abandoned { .. });
        let time = if again { desk.timing.read_back } else { desk.timing.look };
        match read_back(desk, job, &closing, time).await {
            Seen::Closed(request) => return closed(job, &write, &closing, request).await,
            Seen::Open(request) if again => write.disprove(&fault, &request).await,
            Seen::Open(request) => return still_open(&write, &fault, request).await,
            Seen::Nothing { .. } => return Err(fault),
        }
        repeated += 1;
    }
}

/// Reads back a close of unknown outcome, once more. The error is why nothing could be seen.
pub(super) async fn look_for<S: Service>(
    desk: &Desk<S>,
    job: &Job,
    write: &Write<'_, S>,
    closing: &Closing,
    fault: &Fault,
) -> Result<Answer, Fault> {
    match read_back(desk, job, closing, desk.timing.look).await {
        Seen::Closed(request) => closed(job, write, closing, request).await,
        Seen::Open(request) => still_open(write, fault, request).await,
        Seen::Nothing { failed } => Err(failed.unwrap_or_else(|| fault.clone())),
    }
}

/// The service took it: does it show it?
async fn confirmed<S: Service>(desk: &Desk<S>, job: &Job, closing: &Closing) -> ReadBack {
    match read_back(desk, job, closing, desk.timing.read_back).await {
        Seen::Closed(request) => {
            desk.tell_unless_saved(desk.record.refreshed(vec![(*request).clone()]).await).await;
            ReadBack::Verified(request)
        }
        Seen::Open(_) | Seen::Nothing { .. } => ReadBack::NotYetVisible,
    }
}

/// The service refused it. Where it was closed already, by whom? By this very write, perhaps, if that was lost before.
async fn refused<S: Service>(
    desk: &Desk<S>,
    job: &Job,
    write: &Write<'_, S>,
    closing: &Closing,
    fault: Fault,
    lost_before: bool,
) -> Result<Answer, Fault> {
    let mut closed_by = None;
    if fault.kind == FaultKind::AlreadyClosed
        && let Seen::Closed(request) = read_back(desk, job, closing, desk.timing.read_back).await
    {
        if lost_before && is_ours(&request, closing) {
            // The refusal says nothing of the try that was lost; what is listed does.
            write.take(Step::Lose);
            return closed(job, write, closing, request).await;
        }
        job.progress(Progress::ClosedBy(request.clone())).await;
        closed_by = Some(request);
    }
    write.refuse(&fault, closed_by.as_deref()).await;
    if closed_by.is_none() && matches!(fault.kind, FaultKind::AlreadyClosed | FaultKind::NoSuchRequest) {
        // It is over, though no list says how.
        desk.tell_unless_saved(desk.record.ended(&closing.id).await).await;
    }
    Err(fault)
}

/// It is closed: by this write, or by another whose text the service has kept.
async fn closed<S: Service>(
    job: &Job,
    write: &Write<'_, S>,
    closing: &Closing,
    request: Box<ElevationRequest>,
) -> Result<Answer, Fault> {
    if is_ours(&request, closing) && write.find(&request).await {
        return Ok(Answer::Closed(ReadBack::Verified(request)));
    }
    let fault = Fault::new(FaultKind::AlreadyClosed);
    write.disprove(&fault, &request).await;
    write.take(Step::GiveUp);
    write.settle_fault(&fault, Some(&request)).await;
    job.progress(Progress::ClosedBy(request)).await;
    Err(fault)
}

async fn still_open<S: Service>(
    write: &Write<'_, S>,
    fault: &Fault,
    request: Box<ElevationRequest>,
) -> Result<Answer, Fault> {
    write.disprove(fault, &request).await;
    write.take(Step::GiveUp);
    write.settle_fault(fault, Some(&request)).await;
    Ok(Answer::StillOpen(request))
}

/// A service that keeps no text, or does not show it, leaves it open who it was.
fn is_ours(request: &ElevationRequest, closing: &Closing) -> bool {
    request.actions_taken.is_blank() || even(request.actions_taken.raw()) == even(&closing.actions_taken)
}

async fn read_back<S: Service>(desk: &Desk<S>, job: &Job, closing: &Closing, time: Duration) -> Seen {
    let mut watch = Watch::new(desk, job, vec![closing.device.raw().to_owned()], time);
    let mut open = None;
    while let Some(listed) = watch.next().await {
        match listed.requests.into_iter().find(|request| request.id == closing.id) {
            Some(request) if request.closed.is_some() => return Seen::Closed(Box::new(request)),
            Some(request) => open = Some(Box::new(request)),
            None => {}
        }
    }
    // Who lets go of the looking does not ask for what follows from it: no repeat, and no last word.
    let open = open.filter(|_| !watch.abandoned);
    open.map_or(Seen::Nothing { failed: watch.failed }, Seen::Open)
}
