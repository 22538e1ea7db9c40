//! Closes a request, and reads it back: success carries no proof, and repeating is harmless.
//!
//! A request ends here only where the service says in the documented words that it was closed already, where a list shows
//! it as closed, or where the service says in the documented words that it does not exist and a complete list bears that
//! out. Everything else leaves it open.

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    context::{CallContext, Context},
    look::Watch,
    write::{SendResult, Write},
};
use crate::backend::Listed;
use mmd_elevate_core::{
    CallError, CallResult, CloseElevationRequest, ClosedBy, ElevationRequest, ErrorCode, Operation, Progress, ReadBack,
    Transition, Untrusted,
};

/// What reading back shows.
enum ReadBackSeen {
    Closed(FoundClosed),
    Open(Box<ElevationRequest>),
    /// It is not in a list that is complete.
    Absent,
    /// It is not listed, nothing could be, or the looking was abandoned.
    Nothing {
        failed: Option<CallError>,
    },
}

/// A request that is listed as closed.
struct FoundClosed {
    request: Box<ElevationRequest>,
    skew: SignedDuration,
}

pub(super) async fn close(
    context: &Context,
    job: &CallContext,
    closing: CloseElevationRequest,
) -> Result<CallResult, CallError> {
    let (write, backend) = Write::begin(context, job, Operation::Close(closing.clone())).await?;
    let mut repeated = 0;
    loop {
        let fault = match write.send(&*backend).await {
            SendResult::Done(told) => {
                write.settle_told(None, told.ids.service).await;
                job.progress(Progress::ReadingBack).await;
                return Ok(CallResult::Closed(confirmed(context, job, &write, &closing).await));
            }
            SendResult::Refused(fault) => return refused(context, job, &write, &closing, fault).await,
            SendResult::GivenUp(fault) => {
                write.settle_fault(&fault, None).await;
                return Err(fault);
            }
            SendResult::Unknown(fault) => fault,
        };
        context.in_flight.lose_write(&write.intent);
        write.settle_fault(&fault, None).await;
        job.progress(Progress::Looking(fault.clone())).await;
        // Before a repeat, which is harmless, a short look is enough; before the last word, none is too long.
        let again = repeated < context.timing.closes_again && fault.code != Some(ErrorCode::Abandoned);
        let time = if again { context.timing.read_back } else { context.timing.look };
        match read_back(context, job, &write, &closing, time).await {
            ReadBackSeen::Closed(found) => return closed(context, job, &write, &closing, found).await,
            ReadBackSeen::Open(request) if again => write.disprove(&fault, &request).await,
            ReadBackSeen::Open(request) => return still_open(&write, &fault, request).await,
            ReadBackSeen::Absent | ReadBackSeen::Nothing { .. } => return Err(fault),
        }
        repeated += 1;
    }
}

/// Reads back a close of unknown outcome, once more. The error is why nothing could be seen.
pub(super) async fn look_for(
    context: &Context,
    job: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
    fault: &CallError,
) -> Result<CallResult, CallError> {
    match read_back(context, job, write, closing, context.timing.look).await {
        ReadBackSeen::Closed(found) => closed(context, job, write, closing, found).await,
        ReadBackSeen::Open(request) => still_open(write, fault, request).await,
        ReadBackSeen::Absent => Err(fault.clone()),
        ReadBackSeen::Nothing { failed } => Err(failed.unwrap_or_else(|| fault.clone())),
    }
}

/// The service took it: does it show it?
async fn confirmed(
    context: &Context,
    job: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
) -> ReadBack {
    match read_back(context, job, write, closing, context.timing.read_back).await {
        ReadBackSeen::Closed(FoundClosed { request, skew }) => {
            context.tell_unless_saved(context.record.refreshed(vec![(*request).clone()]).await).await;
            match request.closed_by_close(&closing.actions_taken, write.intent.at, skew) {
                ClosedBy::Us => ReadBack::Verified(request),
                ClosedBy::UsStoredDifferently => ReadBack::StoredDifferently(request),
                // The service took ours, and shows another: it may have kept the first of two.
                ClosedBy::PerhapsUs | ClosedBy::Another => ReadBack::PerhapsOurs(request),
            }
        }
        ReadBackSeen::Open(_) | ReadBackSeen::Absent | ReadBackSeen::Nothing { .. } => ReadBack::NotYetVisible,
    }
}

/// The service refused it. That may be because the request is closed by now: by whom? By this very write, perhaps, if that
/// or an earlier one was lost.
async fn refused(
    context: &Context,
    job: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
    fault: CallError,
) -> Result<CallResult, CallError> {
    let lost_before = context.in_flight.lost_close(&closing.id).is_some();
    let seen = match fault.code {
        Some(ErrorCode::AlreadyClosed) => read_back(context, job, write, closing, context.timing.read_back).await,
        _ if fault.is_refusal() => look_once(context, job, write, closing).await,
        _ => ReadBackSeen::Nothing { failed: None },
    };
    match (fault.code, seen) {
        (_, ReadBackSeen::Closed(found)) if lost_before || found.request.holds_text(&closing.actions_taken) => {
            // The refusal says nothing of the try that was lost; what is listed does.
            write.take(Transition::Lose);
            closed(context, job, write, closing, found).await
        }
        (_, ReadBackSeen::Closed(FoundClosed { request, .. })) => {
            let fault = CallError { words: fault.words, ids: fault.ids, ..CallError::already_closed() };
            write.refuse(&fault, Some(&request)).await;
            job.progress(Progress::ClosedBy(request)).await;
            Err(fault)
        }
        (Some(ErrorCode::AlreadyClosed), _) if lost_before => {
            // Closed, and perhaps by the try that was lost. Once a list shows it, its text tells.
            write.settle_told(None, fault.ids.service).await;
            Ok(CallResult::Closed(ReadBack::NotYetVisible))
        }
        (Some(ErrorCode::AlreadyClosed), _) | (Some(ErrorCode::NoSuchRequest), ReadBackSeen::Absent) => {
            write.refuse(&fault, None).await;
            // It is over, though no list says how.
            context.tell_unless_saved(context.record.ended(&closing.id).await).await;
            Err(fault)
        }
        (Some(ErrorCode::NoSuchRequest), _) => {
            let fault = CallError { words: fault.words, ids: fault.ids, ..CallError::absence_unproven() };
            write.refuse(&fault, None).await;
            Err(fault)
        }
        _ => {
            write.refuse(&fault, None).await;
            Err(fault)
        }
    }
}

/// It is closed: by this write or one before it that was lost, or by another whose text the service has kept.
async fn closed(
    context: &Context,
    job: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
    found: FoundClosed,
) -> Result<CallResult, CallError> {
    let FoundClosed { request, skew } = found;
    let sent_at = context.in_flight.lost_close(&closing.id).unwrap_or(write.intent.at).min(write.intent.at);
    let by = request.closed_by_close(&closing.actions_taken, sent_at, skew);
    let is_ours = matches!(by, ClosedBy::Us | ClosedBy::UsStoredDifferently);
    if is_ours && write.find(&request).await {
        return Ok(CallResult::Closed(match by {
            ClosedBy::UsStoredDifferently => ReadBack::StoredDifferently(request),
            ClosedBy::Us | ClosedBy::PerhapsUs | ClosedBy::Another => ReadBack::Verified(request),
        }));
    }
    let fault = CallError::already_closed();
    let is_perhaps_ours = by == ClosedBy::PerhapsUs;
    let words = is_perhaps_ours
        .then(|| Untrusted::new("It is closed, perhaps by this write: the text that the service stored is another."));
    let why = CallError { words, ..fault.clone() };
    write.disprove(&why, &request).await;
    write.take(Transition::GiveUp);
    write.settle_fault(&why, Some(&request)).await;
    if is_perhaps_ours {
        return Ok(CallResult::Closed(ReadBack::PerhapsOurs(request)));
    }
    job.progress(Progress::ClosedBy(request)).await;
    Err(fault)
}

async fn still_open(
    write: &Write<'_>,
    fault: &CallError,
    request: Box<ElevationRequest>,
) -> Result<CallResult, CallError> {
    write.disprove(fault, &request).await;
    write.take(Transition::GiveUp);
    write.settle_fault(fault, Some(&request)).await;
    Ok(CallResult::StillOpen(request))
}

/// Lists until the request is closed or the time is over. One whose device is not known is listed by no name.
async fn read_back(
    context: &Context,
    job: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
    time: Duration,
) -> ReadBackSeen {
    if closing.device.is_blank() {
        return ReadBackSeen::Nothing { failed: None };
    }
    let mut watch = Watch::new(context, job, &write.intent.what, time);
    let mut last = None;
    while let Some(listed) = watch.next().await {
        match seen_in(listed, closing) {
            ReadBackSeen::Closed(found) => return ReadBackSeen::Closed(found),
            ReadBackSeen::Nothing { .. } => {}
            // A list that does not show it any more is older or newer: one that did is the better news.
            ReadBackSeen::Absent if matches!(last, Some(ReadBackSeen::Open(_))) => {}
            seen => last = Some(seen),
        }
    }
    if let (None, Some(why), false) = (&last, &watch.failed, watch.abandoned) {
        job.progress(Progress::NotRead(why.clone())).await;
    }
    // Who lets go of the looking does not ask for what follows from it: no repeat, and no last word.
    let last = last.filter(|_| !watch.abandoned);
    last.unwrap_or(ReadBackSeen::Nothing { failed: watch.failed })
}

/// Lists once: enough to see why a close was refused.
async fn look_once(
    context: &Context,
    job: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
) -> ReadBackSeen {
    if closing.device.is_blank() {
        return ReadBackSeen::Nothing { failed: None };
    }
    let mut watch = Watch::new(context, job, &write.intent.what, context.timing.read_back);
    match watch.next().await {
        Some(listed) => seen_in(listed, closing),
        None => ReadBackSeen::Nothing { failed: watch.failed },
    }
}

fn seen_in(listed: Listed, closing: &CloseElevationRequest) -> ReadBackSeen {
    let is_complete = listed.is_complete();
    let skew = listed.skew.unwrap_or(SignedDuration::ZERO);
    match listed.requests.into_iter().find(|request| request.id == closing.id) {
        Some(request) if request.closed.is_some() => {
            ReadBackSeen::Closed(FoundClosed { request: Box::new(request), skew })
        }
        Some(request) => ReadBackSeen::Open(Box::new(request)),
        None if is_complete => ReadBackSeen::Absent,
        None => ReadBackSeen::Nothing { failed: None },
    }
}
