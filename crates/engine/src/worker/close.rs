//! Closes a request and reads it back, because success carries no proof. Repeating a close is harmless.
//!
//! A request ends here only where the service says in the documented words that it was closed already, where a list shows
//! it as closed, or where the service says in the documented words that it does not exist and a complete list bears that
//! out. Everything else leaves it open.

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    context::{CallContext, Context},
    lookup::Watch,
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
    call: &CallContext,
    closing: CloseElevationRequest,
) -> Result<CallResult, CallError> {
    let (write, backend) = Write::begin(context, call, Operation::Close(closing.clone())).await?;
    let mut repeated = 0;
    loop {
        let error = match write.send(&*backend).await {
            SendResult::Done(told) => {
                write.settle_done(None, told.ids.service).await;
                call.progress(Progress::ReadingBack).await;
                return Ok(CallResult::Closed(verify_close(context, call, &write, &closing).await));
            }
            SendResult::Refused(error) => return handle_refusal(context, call, &write, &closing, error).await,
            SendResult::GivenUp(error) => {
                write.settle_error(&error, None).await;
                return Err(error);
            }
            SendResult::Unknown(error) => error,
        };
        context.in_flight.mark_write_lost(&write.record);
        write.settle_error(&error, None).await;
        call.progress(Progress::Looking(error.clone())).await;
        // Before a repeat, which is harmless, a short look is enough; before the last word, none is too long.
        let again = repeated < context.timing.closes_again && error.code != Some(ErrorCode::Abandoned);
        let time = if again { context.timing.read_back } else { context.timing.look };
        match read_back(context, call, &write, &closing, time).await {
            ReadBackSeen::Closed(found) => return settle_closed(context, call, &write, &closing, found).await,
            ReadBackSeen::Open(request) if again => write.settle_disproved(&error, &request).await,
            ReadBackSeen::Open(request) => return settle_still_open(&write, &error, request).await,
            ReadBackSeen::Absent | ReadBackSeen::Nothing { .. } => return Err(error),
        }
        repeated += 1;
    }
}

/// Reads back a close of unknown outcome, once more. The error is why nothing could be seen.
pub(super) async fn look_for(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
    error: &CallError,
) -> Result<CallResult, CallError> {
    match read_back(context, call, write, closing, context.timing.look).await {
        ReadBackSeen::Closed(found) => settle_closed(context, call, write, closing, found).await,
        ReadBackSeen::Open(request) => settle_still_open(write, error, request).await,
        ReadBackSeen::Absent => Err(error.clone()),
        ReadBackSeen::Nothing { failed } => Err(failed.unwrap_or_else(|| error.clone())),
    }
}

/// The service took it: does it show it?
async fn verify_close(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
) -> ReadBack {
    match read_back(context, call, write, closing, context.timing.read_back).await {
        ReadBackSeen::Closed(FoundClosed { request, skew }) => {
            context.report_unsaved(context.record.update_requests(vec![(*request).clone()]).await).await;
            match request.attribute_close(&closing.actions_taken, write.record.at, skew) {
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
async fn handle_refusal(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
    error: CallError,
) -> Result<CallResult, CallError> {
    let lost_before = context.in_flight.lost_close(&closing.id).is_some();
    let seen = match error.code {
        Some(ErrorCode::AlreadyClosed) => read_back(context, call, write, closing, context.timing.read_back).await,
        _ if error.is_refusal() => list_once(context, call, write, closing).await,
        _ => ReadBackSeen::Nothing { failed: None },
    };
    match (error.code, seen) {
        (_, ReadBackSeen::Closed(found)) if lost_before || found.request.holds_text(&closing.actions_taken) => {
            // The refusal says nothing of the try that was lost; what is listed does.
            write.transition(Transition::Lose);
            settle_closed(context, call, write, closing, found).await
        }
        (_, ReadBackSeen::Closed(FoundClosed { request, .. })) => {
            let error = CallError { words: error.words, ids: error.ids, ..CallError::already_closed() };
            write.settle_refused(&error, Some(&request)).await;
            call.progress(Progress::ClosedBy(request)).await;
            Err(error)
        }
        (Some(ErrorCode::AlreadyClosed), _) if lost_before => {
            // Closed, and perhaps by the try that was lost. Once a list shows it, its text tells.
            write.settle_done(None, error.ids.service).await;
            Ok(CallResult::Closed(ReadBack::NotYetVisible))
        }
        (Some(ErrorCode::AlreadyClosed), _) | (Some(ErrorCode::NoSuchRequest), ReadBackSeen::Absent) => {
            write.settle_refused(&error, None).await;
            // It is over, though no list says how.
            context.report_unsaved(context.record.end_request(&closing.id).await).await;
            Err(error)
        }
        (Some(ErrorCode::NoSuchRequest), _) => {
            let error = CallError { words: error.words, ids: error.ids, ..CallError::absence_unproven() };
            write.settle_refused(&error, None).await;
            Err(error)
        }
        _ => {
            write.settle_refused(&error, None).await;
            Err(error)
        }
    }
}

/// It is closed: by this write or one before it that was lost, or by another whose text the service has kept.
async fn settle_closed(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
    found: FoundClosed,
) -> Result<CallResult, CallError> {
    let FoundClosed { request, skew } = found;
    let sent_at = context.in_flight.lost_close(&closing.id).unwrap_or(write.record.at).min(write.record.at);
    let by = request.attribute_close(&closing.actions_taken, sent_at, skew);
    let is_ours = matches!(by, ClosedBy::Us | ClosedBy::UsStoredDifferently);
    if is_ours && write.settle_found(&request).await {
        return Ok(CallResult::Closed(match by {
            ClosedBy::UsStoredDifferently => ReadBack::StoredDifferently(request),
            ClosedBy::Us | ClosedBy::PerhapsUs | ClosedBy::Another => ReadBack::Verified(request),
        }));
    }
    let error = CallError::already_closed();
    let is_perhaps_ours = by == ClosedBy::PerhapsUs;
    let words = is_perhaps_ours
        .then(|| Untrusted::new("It is closed, perhaps by this write: the text that the service stored is another."));
    let why = CallError { words, ..error.clone() };
    write.settle_disproved(&why, &request).await;
    write.transition(Transition::GiveUp);
    write.settle_error(&why, Some(&request)).await;
    if is_perhaps_ours {
        return Ok(CallResult::Closed(ReadBack::PerhapsOurs(request)));
    }
    call.progress(Progress::ClosedBy(request)).await;
    Err(error)
}

async fn settle_still_open(
    write: &Write<'_>,
    error: &CallError,
    request: Box<ElevationRequest>,
) -> Result<CallResult, CallError> {
    write.settle_disproved(error, &request).await;
    write.transition(Transition::GiveUp);
    write.settle_error(error, Some(&request)).await;
    Ok(CallResult::StillOpen(request))
}

/// Lists until the request is closed or the time is over. One whose device is not known is listed by no name.
async fn read_back(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
    time: Duration,
) -> ReadBackSeen {
    if closing.device.is_blank() {
        return ReadBackSeen::Nothing { failed: None };
    }
    let mut watch = Watch::new(context, call, &write.record.operation, time);
    let mut last = None;
    while let Some(listed) = watch.next().await {
        match find_in_list(listed, closing) {
            ReadBackSeen::Closed(found) => return ReadBackSeen::Closed(found),
            ReadBackSeen::Nothing { .. } => {}
            // A list that does not show it any more is older or newer: one that did is the better news.
            ReadBackSeen::Absent if matches!(last, Some(ReadBackSeen::Open(_))) => {}
            seen => last = Some(seen),
        }
    }
    if let (None, Some(why), false) = (&last, &watch.failed, watch.abandoned) {
        call.progress(Progress::NotRead(why.clone())).await;
    }
    // Who lets go of the looking does not ask for what follows from it: no repeat, and no last word.
    let last = last.filter(|_| !watch.abandoned);
    last.unwrap_or(ReadBackSeen::Nothing { failed: watch.failed })
}

/// Lists once: enough to see why a close was refused.
async fn list_once(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
) -> ReadBackSeen {
    if closing.device.is_blank() {
        return ReadBackSeen::Nothing { failed: None };
    }
    let mut watch = Watch::new(context, call, &write.record.operation, context.timing.read_back);
    match watch.next().await {
        Some(listed) => find_in_list(listed, closing),
        None => ReadBackSeen::Nothing { failed: watch.failed },
    }
}

fn find_in_list(listed: Listed, closing: &CloseElevationRequest) -> ReadBackSeen {
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
