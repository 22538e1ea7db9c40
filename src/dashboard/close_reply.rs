//! What the end of a close makes of its row, and what a list makes of a close that was sent before.

use jiff::{SignedDuration, Timestamp};

use super::{
    Closure, Model, Notice, Overlay, PendingCall, RowId, RowState, SentClose, TextField, Tone,
    replies::{name_of, other_answer, settle},
    row::Row,
};
use crate::keys::{Action, Scope};
use mmd_elevate_core::{CallError, CallResult, ClosedBy, ElevationRequest, ErrorCode, ReadBack, Untrusted};

pub(super) fn close_ended(model: &mut Model, id: RowId, call: &PendingCall, result: Result<CallResult, CallError>) {
    match result {
        Ok(CallResult::Closed(read_back)) => closed(model, id, call, read_back),
        Ok(CallResult::StillOpen(request)) => still_open(model, id, *request),
        Ok(
            CallResult::Created { .. }
            | CallResult::Looked { .. }
            | CallResult::SetAside
            | CallResult::Checked { .. }
            | CallResult::Listed { .. }
            | CallResult::Devices(_),
        ) => {
            close_failed(model, id, call, true, other_answer());
        }
        Err(fault) => match fault.code {
            Some(ErrorCode::AlreadyClosed) => settled(model, id, Closure::Already, fault),
            Some(ErrorCode::NoSuchRequest) => settled(model, id, Closure::Gone, fault),
            _ => close_failed(model, id, call, call.looks || fault.may_have_happened(), fault),
        },
    }
}

fn closed(model: &mut Model, id: RowId, call: &PendingCall, read_back: ReadBack) {
    let (closure, request) = match read_back {
        ReadBack::Verified(request) => (Closure::Verified, request),
        ReadBack::StoredDifferently(request) => (Closure::StoredDifferently, request),
        ReadBack::PerhapsOurs(request) => (Closure::PerhapsOurs, request),
        ReadBack::NotYetVisible => return accepted(model, id, call),
    };
    let now = model.now;
    ended(model, id, closure, *request, call.closes_with.as_deref(), now);
    model.notice = Some(closure_notice(model, id, closure));
}

/// The service took the close and shows it nowhere yet. The row stays, and so does its text: should the request turn out to
/// be open all the same, it can be closed again with it.
fn accepted(model: &mut Model, id: RowId, call: &PendingCall) {
    let now = model.now;
    settle(model, id, RowState::Accepted, |row| {
        let text = call.closes_with.clone().unwrap_or_default();
        let at = row.sent_close.as_ref().map_or(call.at, |sent| sent.at.min(call.at));
        row.sent_close = Some(SentClose { text, at, accepted: Some(now), listed_open: None });
        row.fault = None;
    });
    let key = model.keymap.name(Scope::Panes, Action::Refresh);
    let text = format!("Close of {}: accepted, not yet visible", name_of(model, id));
    let hint = format!("it counts as open until the service lists it as closed; {key} looks again");
    model.notice = Some(Notice { tone: Tone::Doubt, text, hint: Some(hint) });
}

/// A list shows the request as closed.
fn ended(model: &mut Model, id: RowId, closure: Closure, request: ElevationRequest, sent: Option<&str>, at: Timestamp) {
    settle(model, id, RowState::Closed(closure), |row| {
        row.take_request(request);
        if closure == Closure::Verified {
            // The service has this text now: the draft of it ends. What was typed beyond it stays.
            row.actions_taken.take_if(|text| sent == Some(text.text().as_str()));
            // A service that shows no text has taken this one all the same.
            if let Some(request) = row.request.as_mut().filter(|request| request.actions_taken.is_blank()) {
                request.actions_taken = Untrusted::new(sent.unwrap_or_default());
            }
        } else if row.actions_taken.as_deref().is_none_or(TextField::is_blank)
            && let Some(sent) = sent.filter(|_| closure != Closure::Elsewhere)
        {
            // What was sent is shown beside what was stored.
            row.actions_taken.get_or_insert_with(|| Box::new(TextField::multi_line())).replace(sent);
        }
        (row.fault, row.sent_close, row.unlisted) = (None, None, None);
        row.as_of = at;
    });
    model.unsent.push_back(id);
}

/// Applies what a list shows of a request that is listed as closed. Returns how it came to be closed.
pub(super) fn seen_closed(model: &mut Model, id: RowId, request: &ElevationRequest, at: Timestamp) -> Closure {
    let row = model.requests.get(id);
    let sent = row.and_then(|row| row.sent_close.clone());
    let typed = row.and_then(|row| row.actions_taken.as_deref()).map(TextField::text).unwrap_or_default();
    let closure = sent.as_ref().map_or_else(
        || by_text(request, &typed),
        |sent| {
            match request.closed_by_close(&sent.text, sent.at, SignedDuration::ZERO) {
                ClosedBy::Us => Closure::Verified,
                ClosedBy::UsStoredDifferently => Closure::StoredDifferently,
                ClosedBy::PerhapsUs => Closure::PerhapsOurs,
                // The service took ours, whatever its clock says.
                ClosedBy::Another if sent.accepted.is_some() => Closure::PerhapsOurs,
                ClosedBy::Another => Closure::Elsewhere,
            }
        },
    );
    let text = sent.as_ref().map_or(typed.as_str(), |sent| sent.text.as_str());
    ended(model, id, closure, request.clone(), Some(text), at);
    closure
}

/// Nothing is known to have been sent from here, but a text may have come back from a run before this one that was: then it
/// is at the service.
fn by_text(request: &ElevationRequest, typed: &str) -> Closure {
    if request.actions_taken.is_blank() || typed.trim().is_empty() {
        return Closure::Elsewhere;
    }
    match request.closed_by_close(typed, Timestamp::MIN, SignedDuration::ZERO) {
        ClosedBy::Us => Closure::Verified,
        ClosedBy::UsStoredDifferently => Closure::StoredDifferently,
        ClosedBy::PerhapsUs | ClosedBy::Another => Closure::Elsewhere,
    }
}

/// How a close that is listed is told.
pub(super) fn closure_notice(model: &Model, id: RowId, closure: Closure) -> Notice {
    let name = name_of(model, id);
    let request = model.requests.get(id).and_then(|row| row.request.as_ref());
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
            Notice { tone: Tone::Doubt, text, hint: Some(kept.to_owned()) }
        }
        Closure::Already | Closure::Gone | Closure::Elsewhere => {
            let hint = format!("{}closed shows it", model.keymap.name(Scope::List, Action::Filter));
            Notice::info(format!("Closed elsewhere: {name}, by {by}")).hint(hint)
        }
    }
}

/// The close was read back, and its request is open: it was not done. Why it was in doubt stands in the row.
fn still_open(model: &mut Model, id: RowId, request: ElevationRequest) {
    let now = model.now;
    let mut why = None;
    settle(model, id, RowState::Open, |row| {
        row.take_request(request);
        match row.sent_close.as_mut().filter(|sent| sent.accepted.is_some()) {
            // An earlier one was taken: that is still to be seen.
            Some(sent) => sent.listed_open = Some(now),
            None => row.sent_close = None,
        }
        row.state = row.at_rest();
        why = row.fault.as_ref().map(CallError::what);
    });
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let text = format!("Not closed: {} is still open{why}", name_of(model, id));
    model.notice = Some(Notice::info(text).hint("its text is kept"));
}

/// The service said that nothing is left to close. The typed text was not stored, so it is put before the agent.
fn settled(model: &mut Model, id: RowId, closure: Closure, fault: CallError) {
    let mut notice = Notice { tone: Tone::Info, ..Notice::of_fault(&name_of(model, id), &fault) };
    let who = model.requests.get(id).and_then(|row| row.request.as_ref()).filter(|request| request.closed.is_some());
    if let Some(request) = who {
        notice.text.push_str(&format!(" By {}.", model.closer(request)));
    }
    model.notice = Some(notice);
    settle(model, id, RowState::Closed(closure), |row| (row.fault, row.sent_close) = (Some(fault), None));
    model.unsent.push_back(id);
}

/// The close did not happen, or nobody knows: repeating it is harmless, so the dialog comes back if nothing else does.
fn close_failed(model: &mut Model, id: RowId, call: &PendingCall, unknown: bool, fault: CallError) {
    let mut notice = Notice::of_fault(&format!("Not closed: {}", name_of(model, id)), &fault);
    if unknown {
        notice.text = format!("Nobody knows whether {} was closed: {}", name_of(model, id), fault.what());
        notice.hint = Some("closing it again is harmless".to_owned());
    }
    settle(model, id, RowState::Open, |row| {
        if unknown {
            note_sent(row, call);
        }
        row.state = row.at_rest();
        row.fault = Some(fault);
    });
    if model.untouched_since == Some(id) && model.overlays.is_empty() && !model.takes_text() {
        model.overlays.push(Overlay::Close { row: id, problem: None, touched: false });
    }
    model.notice = Some(notice);
}

/// The service may have taken this close. One that it took before stays so.
fn note_sent(row: &mut Row, call: &PendingCall) {
    let text = call.closes_with.clone().unwrap_or_default();
    match &mut row.sent_close {
        Some(sent) => sent.text = text,
        None => row.sent_close = Some(SentClose { text, at: call.at, accepted: None, listed_open: None }),
    }
}
