//! Closes a request and reads it back, because success carries no proof. Repeating a close is harmless.
//!
//! A request counts as closed only if the service answers with the documented sentence that it was closed already, if a list
//! shows it as closed, or if the service answers with the documented sentence that it does not exist and a complete list confirms
//! this. In all other cases it stays open, unless the agent takes it as closed (`resolve.rs`).

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    context::{CallContext, Context},
    lookup::RepeatedLookup,
    write::{SendResult, Write},
};
use crate::{backend::Listed, record::IfUnknown};
use mmd_elevate_core::{
    CallError, CallResult, CloseElevationRequest, ClosedBy, ElevationRequest, ErrorCode, Operation, Progress, ReadBack,
    Transition, Untrusted,
};

/// What reading back shows.
enum ReadBackSeen {
    Closed(FoundClosed),
    Open(Box<ElevationRequest>),
    /// A complete list does not hold it.
    Absent,
    /// An incomplete list does not hold it, listing failed, or it was abandoned.
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
    let (write, backend) = Write::begin(context, call, Operation::Close(closing.clone()), IfUnknown::Send).await?;
    let mut repeated = 0;
    loop {
        let error = match write.send(&*backend).await {
            SendResult::Done(response) => {
                write.settle_done(None, response.ids.service).await;
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
        // Reading back is short before a repeat, which is harmless, and long before the final result.
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

/// Reads back a close of unknown outcome once more. Fails if this does not show the outcome.
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

/// Reads back a close that the service accepted.
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
                // The service accepted this close and shows another one: it may have stored the first of two.
                ClosedBy::PerhapsUs | ClosedBy::Another => ReadBack::PerhapsOurs(request),
            }
        }
        ReadBackSeen::Open(_) | ReadBackSeen::Absent | ReadBackSeen::Nothing { .. } => ReadBack::NotYetVisible,
    }
}

/// Handles a refusal. The request may be closed by now, perhaps by this close or an earlier one whose outcome is unknown.
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
            // The refusal is no evidence about an attempt of unknown outcome; the list is.
            write.transition(Transition::Lose);
            settle_closed(context, call, write, closing, found).await
        }
        (_, ReadBackSeen::Closed(FoundClosed { request, .. })) => {
            let error =
                CallError { service_message: error.service_message, ids: error.ids, ..CallError::already_closed() };
            write.settle_refused(&error, Some(&request)).await;
            call.progress(Progress::ClosedBy(request)).await;
            Err(error)
        }
        (Some(ErrorCode::AlreadyClosed), _) if lost_before => {
            // The attempt of unknown outcome may have closed it. The stored text will show this once a list has it.
            write.settle_done(None, error.ids.service).await;
            Ok(CallResult::Closed(ReadBack::NotYetVisible))
        }
        (Some(ErrorCode::AlreadyClosed), _) | (Some(ErrorCode::NoSuchRequest), ReadBackSeen::Absent) => {
            write.settle_refused(&error, None).await;
            // The request is closed, although no list shows by whom.
            context.report_unsaved(context.record.end_request(&closing.id).await).await;
            Err(error)
        }
        (Some(ErrorCode::NoSuchRequest), _) => {
            let error =
                CallError { service_message: error.service_message, ids: error.ids, ..CallError::absence_unproven() };
            write.settle_refused(&error, None).await;
            Err(error)
        }
        _ => {
            write.settle_refused(&error, None).await;
            Err(error)
        }
    }
}

/// Settles the write of a request that is listed as closed: by this close, by an earlier one of unknown outcome, or by another.
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
    let service_message = is_perhaps_ours
        .then(|| Untrusted::new("It is closed, perhaps by this write: the text that the service stored is another."));
    let why = CallError { service_message, ..error.clone() };
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

/// Lists until the request is closed or the time is over. Without its device, the request cannot be listed.
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
    let mut lookup = RepeatedLookup::new(context, call, &write.record.operation, time);
    let mut last = None;
    while let Some(listed) = lookup.next().await {
        match find_in_list(listed, closing) {
            ReadBackSeen::Closed(found) => return ReadBackSeen::Closed(found),
            ReadBackSeen::Nothing { .. } => {}
            // A later list without the request does not replace one that showed it as open.
            ReadBackSeen::Absent if matches!(last, Some(ReadBackSeen::Open(_))) => {}
            seen => last = Some(seen),
        }
    }
    if let (None, Some(why), false) = (&last, &lookup.failed, lookup.abandoned) {
        call.progress(Progress::NotRead(why.clone())).await;
    }
    // After an abandoned read-back, the close is neither repeated nor settled.
    let last = last.filter(|_| !lookup.abandoned);
    last.unwrap_or(ReadBackSeen::Nothing { failed: lookup.failed })
}

/// Lists once, to find out why a close was refused.
async fn list_once(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    closing: &CloseElevationRequest,
) -> ReadBackSeen {
    if closing.device.is_blank() {
        return ReadBackSeen::Nothing { failed: None };
    }
    let mut lookup = RepeatedLookup::new(context, call, &write.record.operation, context.timing.read_back);
    match lookup.next().await {
        Some(listed) => find_in_list(listed, closing),
        None => ReadBackSeen::Nothing { failed: lookup.failed },
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
