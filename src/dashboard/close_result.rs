//! What the result of a close, or a list, makes of the request that was to be closed.

use jiff::{SignedDuration, Timestamp};

use super::{CloseAttempt, Closure, Model, Notice, PendingCall, RowId, SentClose, TextField, Tone, close};
use crate::keys::{Action, Scope, Tab};
use mmd_elevate_core::{CallError, CallResult, ClosedBy, ElevationRequest, ErrorCode, ReadBack, Untrusted};

/// Applies the result of a close, or of looking for what came of one.
pub(super) fn apply(model: &mut Model, id: RowId, call: &PendingCall, result: Result<CallResult, CallError>) {
    match result {
        Ok(CallResult::Closed(read_back)) => apply_read_back(model, id, call, read_back),
        Ok(CallResult::StillOpen(request)) => apply_still_open(model, id, *request),
        Ok(
            CallResult::Created { .. }
            | CallResult::Looked { .. }
            | CallResult::SetAside
            | CallResult::Checked { .. }
            | CallResult::Listed { .. }
            | CallResult::Devices(_)
            | CallResult::TakenAsClosed
            | CallResult::History(_),
        ) => apply_failure(model, id, call, true, PendingCall::wrong_answer()),
        Err(error) => match error.code {
            Some(ErrorCode::AlreadyClosed) => apply_nothing_to_close(model, id, Closure::Already, error),
            Some(ErrorCode::NoSuchRequest) => apply_nothing_to_close(model, id, Closure::Gone, error),
            _ => apply_failure(model, id, call, call.is_lookup || error.may_have_happened(), error),
        },
    }
    append_read_error(model, id);
}

fn apply_read_back(model: &mut Model, id: RowId, call: &PendingCall, read_back: ReadBack) {
    let (closure, request) = match read_back {
        ReadBack::Verified(request) => (Closure::Verified, request),
        ReadBack::StoredDifferently(request) => (Closure::StoredDifferently, request),
        ReadBack::PerhapsOurs(request) => (Closure::PerhapsOurs, request),
        ReadBack::NotYetVisible => return apply_accepted(model, id, call),
    };
    let now = model.now;
    mark_closed(model, id, closure, *request, call.closes_with.as_deref(), now);
    model.notice = Some(closure_notice(model, id, closure));
}

/// The service took the close and shows it nowhere yet. The request stays in the list, and so does its text: should it turn
/// out to be open all the same, it can be closed again with it.
fn apply_accepted(model: &mut Model, id: RowId, call: &PendingCall) {
    let now = model.now;
    model.requests.change_close(id, |request, close| {
        let text = call.closes_with.clone().unwrap_or_default();
        let at = close.sent.as_ref().map_or(call.at, |sent| sent.at.min(call.at));
        close.sent = Some(SentClose { text, at, accepted: Some(now), listed_open: None });
        (close.call, close.error) = (None, None);
        (request.closure, request.as_of) = (None, now);
    });
    let key = model.keymap.name(Scope::Panes, Action::Refresh);
    let text = format!("Close of {}: accepted, not yet visible", model.requests.name(id));
    let hint = format!("it counts as open until the service lists it as closed; {key} looks again");
    model.notice = Some(Notice::doubt(text).hint(hint));
}

/// A list shows the request as closed. `sent` is the text of the close that was or may have been sent.
fn mark_closed(
    model: &mut Model,
    id: RowId,
    closure: Closure,
    listed: ElevationRequest,
    sent: Option<&str>,
    at: Timestamp,
) {
    model.requests.change_close(id, |request, close| {
        request.take(listed);
        if closure == Closure::Verified {
            // The service has this text now: the draft of it ends. What was typed beyond it stays.
            close.text.take_if(|text| sent == Some(text.text().as_str()));
            // A service that shows no text has taken this one all the same.
            if request.data.actions_taken.is_blank() {
                request.data.actions_taken = Untrusted::new(sent.unwrap_or_default());
            }
        } else if close.text.as_deref().is_none_or(TextField::is_blank)
            && let Some(sent) = sent.filter(|_| closure != Closure::Elsewhere)
        {
            // What was sent is shown beside what was stored.
            close.text().replace(sent);
        }
        (close.call, close.error, close.sent) = (None, None, None);
        (request.closure, request.unlisted, request.as_of) = (Some(closure), None, at);
    });
    model.unsent.push_back(id);
}

/// Applies a list that shows the request as closed. Returns how it came to be closed.
pub(super) fn apply_listed_closed(model: &mut Model, id: RowId, request: &ElevationRequest, at: Timestamp) -> Closure {
    let row = model.requests.get(id);
    let sent = row.and_then(|row| row.sent_close.cloned());
    let typed = row.and_then(|row| row.actions_taken).map(TextField::text).unwrap_or_default();
    let closure = sent.as_ref().map_or_else(
        || closure_by_text(request, &typed),
        |sent| match request.attribute_close(&sent.text, sent.at, SignedDuration::ZERO) {
            ClosedBy::Us => Closure::Verified,
            ClosedBy::UsStoredDifferently => Closure::StoredDifferently,
            ClosedBy::PerhapsUs => Closure::PerhapsOurs,
            // The service took ours, whatever its clock says.
            ClosedBy::Another if sent.accepted.is_some() => Closure::PerhapsOurs,
            ClosedBy::Another => Closure::Elsewhere,
        },
    );
    let text = sent.as_ref().map_or(typed.as_str(), |sent| sent.text.as_str());
    mark_closed(model, id, closure, request.clone(), Some(text), at);
    closure
}

/// Compares with what is typed where nothing is known to have been sent: the text may come from a run before this one that
/// has sent it.
fn closure_by_text(request: &ElevationRequest, typed: &str) -> Closure {
    if request.actions_taken.is_blank() || typed.trim().is_empty() {
        return Closure::Elsewhere;
    }
    match request.attribute_close(typed, Timestamp::MIN, SignedDuration::ZERO) {
        ClosedBy::Us => Closure::Verified,
        ClosedBy::UsStoredDifferently => Closure::StoredDifferently,
        ClosedBy::PerhapsUs | ClosedBy::Another => Closure::Elsewhere,
    }
}

/// Says how a request came to be closed.
pub(super) fn closure_notice(model: &Model, id: RowId, closure: Closure) -> Notice {
    let name = model.requests.name(id);
    let request = model.requests.get(id).and_then(|row| row.request);
    let by = request.map_or_else(String::new, |request| model.closer(request));
    let kept = "what you typed is kept: the details show both texts";
    match closure {
        Closure::Verified => Notice::success(format!("Request closed: {name}, verified, by {by}")),
        Closure::StoredDifferently => {
            let text = format!("Request closed: {name}, by {by}; your text is stored differently than you typed it");
            Notice::info(text).hint(kept)
        }
        Closure::PerhapsOurs => {
            let text = format!("Request closed: {name}, perhaps by this program: the stored text differs; by {by}");
            Notice::doubt(text).hint(kept)
        }
        Closure::Already | Closure::Gone | Closure::Elsewhere | Closure::Recorded | Closure::OnWord => {
            let key = model.keymap.name(Scope::Panes, Action::ShowTab(Tab::Closed));
            let hint = format!("{key} shows it");
            Notice::info(format!("Closed elsewhere: {name}, by {by}")).hint(hint)
        }
    }
}

/// The close was read back, and its request is open: it was not done. Why it was in doubt stays with the attempt.
fn apply_still_open(model: &mut Model, id: RowId, listed: ElevationRequest) {
    let now = model.now;
    let mut why = None;
    model.requests.change_close(id, |request, close| {
        request.take(listed);
        (request.closure, request.as_of) = (None, now);
        match close.sent.as_mut().filter(|sent| sent.accepted.is_some()) {
            // An earlier one was taken: that is still to be seen.
            Some(sent) => sent.listed_open = Some(now),
            None => close.sent = None,
        }
        close.call = None;
        why = close.error.as_ref().map(CallError::what);
    });
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let text = format!("Not closed: {} is still open{why}", model.requests.name(id));
    model.notice = Some(Notice::info(text).hint("its text is kept"));
}

/// The service said that nothing is left to close. The typed text was not stored, so it is put before the agent.
fn apply_nothing_to_close(model: &mut Model, id: RowId, closure: Closure, error: CallError) {
    let mut notice = Notice { tone: Tone::Info, ..Notice::from_error(&model.requests.name(id), &error) };
    let who = model.requests.get(id).and_then(|row| row.request).filter(|request| request.closed.is_some());
    if let Some(request) = who {
        notice.text.push_str(&format!(" By {}.", model.closer(request)));
    }
    model.notice = Some(notice);
    let now = model.now;
    model.requests.change_close(id, |request, close| {
        (request.closure, request.as_of) = (Some(closure), now);
        (close.call, close.error, close.sent) = (None, Some(error), None);
    });
    model.unsent.push_back(id);
}

/// The close did not happen, or that is unknown: repeating it is harmless, so the dialog comes back if nothing else does.
fn apply_failure(model: &mut Model, id: RowId, call: &PendingCall, is_unknown: bool, error: CallError) {
    let name = model.requests.name(id);
    let mut notice = Notice::from_error(&format!("Not closed: {name}"), &error);
    if is_unknown {
        notice.text = format!("It is unknown whether {name} was closed: {}", error.what());
        notice.hint = Some("closing it again is harmless".to_owned());
    }
    let now = model.now;
    model.requests.change_close(id, |request, close| {
        if is_unknown {
            note_sent(close, call);
        }
        (request.closure, request.as_of) = (None, now);
        (close.call, close.error) = (None, Some(error));
    });
    if model.untouched_since == Some(id) && model.overlays.is_empty() && !model.takes_text() {
        close::open_dialog(model, id);
    }
    model.notice = Some(notice);
}

/// The service may have taken this close. One that it took before stays so.
fn note_sent(close: &mut CloseAttempt, call: &PendingCall) {
    let text = call.closes_with.clone().unwrap_or_default();
    match &mut close.sent {
        Some(sent) => sent.text = text,
        None => close.sent = Some(SentClose { text, at: call.at, accepted: None, listed_open: None }),
    }
}

/// Adds to the notice why the request could not be read back, where it could not.
fn append_read_error(model: &mut Model, id: RowId) {
    let Some(why) = model.requests.get(id).and_then(|row| row.unread).map(CallError::what) else { return };
    if let Some(notice) = &mut model.notice {
        notice.text.push_str(&format!(" The list could not be read: {why}"));
    }
}
