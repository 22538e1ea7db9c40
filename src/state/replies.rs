//! What a reply makes of the row it is about.

use super::{Closure, Effect, Form, Model, Notice, Overlay, Pane, Row, RowId, RowState, ServiceState};
use crate::{
    domain::{ElevationRequest, Field},
    port::{Answer, Fault, FaultKind, FromWorker, Reply},
};

pub(super) fn from_worker(model: &mut Model, word: FromWorker) -> Vec<Effect> {
    match word {
        FromWorker::Ready => model.service = ServiceState::Ready,
        FromWorker::NotReady(fault) => {
            model.notice = Some(Notice::of_fault("the service cannot be called", &fault));
            model.service = ServiceState::NotReady(fault);
        }
        FromWorker::Reply(reply) => return apply(model, reply),
    }
    Vec::new()
}

/// The worker is gone: what it owed will never come, and nobody knows what became of it.
pub(super) fn worker_gone(model: &mut Model) {
    let owed: Vec<_> = model.calls.keys().copied().collect();
    for call_id in owed {
        apply(model, Reply { call_id, result: Err(Fault::new(FaultKind::Crashed)) });
    }
    let reason = "the part that talks to the service has ended".to_owned();
    model.service = ServiceState::NotReady(Fault::new(FaultKind::NotSent { reason }));
    model.notice = Some(
        Notice::of_fault("the service cannot be called", &Fault::new(FaultKind::Crashed)).hint("quit and start again"),
    );
}

/// Applies a reply if its call is awaited by the state its row is in; any other is dropped.
fn apply(model: &mut Model, reply: Reply) -> Vec<Effect> {
    let Some(call) = model.calls.remove(&reply.call_id) else { return vec![Effect::LogUnawaited(reply.call_id)] };
    let Some(state) = model.requests.get(call.row).map(|row| row.state) else { return Vec::new() };
    if let Err(Fault { kind: FaultKind::NotSignedIn, .. }) = &reply.result {
        model.service = ServiceState::SignedOut;
    } else if model.service == ServiceState::SignedOut && reply.result.is_ok() {
        model.service = ServiceState::Ready;
    }
    match (state, reply.result) {
        (RowState::Sending(id), result) if id == reply.call_id => match result {
            Ok(Answer::Created(request)) => opened(model, call.row, *request),
            Ok(Answer::Closed) => {
                let reason = "it answers another call".to_owned();
                create_unknown(model, call.row, Fault::new(FaultKind::BrokenAnswer { reason }));
            }
            Err(fault) if fault.kind.may_have_happened() => create_unknown(model, call.row, fault),
            Err(fault) => refused(model, call.row, fault),
        },
        (RowState::Closing(id), result) if id == reply.call_id => match result {
            Ok(Answer::Closed) => closed(model, call.row),
            Ok(Answer::Created(_)) => {
                let reason = "it answers another call".to_owned();
                close_failed(model, call.row, Fault::new(FaultKind::BrokenAnswer { reason }));
            }
            Err(fault) => match fault.kind {
                FaultKind::AlreadyClosed => settled(model, call.row, Closure::Already, fault),
                FaultKind::NoSuchRequest => settled(model, call.row, Closure::Gone, fault),
                _ => close_failed(model, call.row, fault),
            },
        },
        _ => return vec![Effect::LogUnawaited(reply.call_id)],
    }
    Vec::new()
}

/// Changes a row's state, and notes when it was learnt.
fn settle(model: &mut Model, row: RowId, state: RowState, change: impl FnOnce(&mut Row)) {
    let now = model.now;
    model.requests.change(row, |row| {
        row.state = state;
        row.as_of = now;
        change(row);
    });
}

fn name_of(model: &Model, row: RowId) -> String {
    model.requests.get(row).map_or_else(String::new, Row::name)
}

fn opened(model: &mut Model, id: RowId, request: ElevationRequest) {
    settle(model, id, RowState::Open, |row| {
        if let Some(at) = request.created.as_ref().and_then(|created| created.at) {
            row.since = at;
        }
        row.request = Some(request);
        row.fault = None;
    });
    release_form(model, id);
    model.notice = Some(Notice::success(format!("Opened for {}", name_of(model, id))));
}

/// The form shows this draft no longer: it has become a request, or its row keeps it.
fn release_form(model: &mut Model, id: RowId) {
    if model.form.sending() == Some(id) {
        model.form.followed_by(Form::default());
        if model.pane == Pane::Form {
            model.pane = Pane::List;
        }
    }
}

fn create_unknown(model: &mut Model, id: RowId, fault: Fault) {
    release_form(model, id);
    model.notice = Some(Notice::of_fault(&format!("Nobody knows whether {} was opened", name_of(model, id)), &fault));
    settle(model, id, RowState::Unknown, |row| row.fault = Some(fault));
}

/// The draft goes back to the form, unless something else is being typed there: then its row keeps it.
fn refused(model: &mut Model, id: RowId, fault: Fault) {
    let mut notice = Notice::of_fault(&format!("Not opened for {}", name_of(model, id)), &fault);
    if model.form.sending() == Some(id) {
        let watched = model.untouched_since == Some(id) && model.overlays.is_empty();
        model.requests.remove(id);
        model.form.refuse(&fault);
        if watched {
            model.pane = Pane::Form;
        } else if model.pane != Pane::Form {
            let key = model.keymap.name(crate::action::Scope::Panes, crate::action::Action::NewRequest);
            notice = notice.hint(format!("{key} goes back to the draft"));
        }
    } else {
        settle(model, id, RowState::Refused, |row| row.fault = Some(fault));
        let key = model.keymap.name(crate::action::Scope::List, crate::action::Action::Open);
        notice = notice.hint(format!("{key} on its row takes the draft up again"));
    }
    model.notice = Some(notice);
}

fn closed(model: &mut Model, id: RowId) {
    model.notice = Some(Notice::success(format!("Request closed: {}", name_of(model, id))));
    // The service has the text now: the draft of it ends.
    settle(model, id, RowState::Closed(Closure::Done), |row| {
        if let (Some(text), Some(request)) = (row.actions_taken.take(), row.request.as_mut()) {
            request.actions_taken = crate::domain::Untrusted::new(text.text());
        }
        row.fault = None;
    });
}

/// The service said that nothing is left to close. The typed text was not stored, so it is put before the agent.
fn settled(model: &mut Model, id: RowId, closure: Closure, fault: Fault) {
    model.notice = Some(Notice { tone: super::Tone::Info, ..Notice::of_fault(&name_of(model, id), &fault) });
    settle(model, id, RowState::Closed(closure), |row| row.fault = Some(fault));
    model.unsent.push_back(id);
}

/// The close did not happen, or nobody knows: repeating it is harmless, so the dialog comes back if nothing else does.
fn close_failed(model: &mut Model, id: RowId, fault: Fault) {
    let mut notice = Notice::of_fault(&format!("Not closed: {}", name_of(model, id)), &fault);
    let unknown = fault.kind.may_have_happened();
    if unknown {
        notice.text = format!("Nobody knows whether {} was closed: {}", name_of(model, id), fault.what());
        notice.hint = Some("closing it again is harmless".to_owned());
    }
    let state = if unknown { RowState::CloseUnknown } else { RowState::Open };
    settle(model, id, state, |row| row.fault = Some(fault));
    if model.untouched_since == Some(id) && model.overlays.is_empty() && !model.takes_text() {
        model.overlays.push(Overlay::Close { row: id, problem: None });
    }
    model.notice = Some(notice);
}

/// The draft of a row as it was sent, for the form.
pub(super) fn take_up(model: &mut Model, id: RowId) {
    let Some(row) = model.requests.get(id) else { return };
    if model.form.holds_text() {
        model.notice = Some(
            Notice::info("Another draft is in the form, and is not replaced")
                .hint("submit it, or discard it (undo brings it back), then take this one up"),
        );
        return;
    }
    let mut form = Form::with(&row.draft);
    form.focused = Field::Ticket;
    if let Some(fault) = row.fault.clone() {
        model.notice = Some(Notice::of_fault(&format!("Not opened for {}", row.name()), &fault));
        form.refuse(&fault);
    }
    // A refused row has nothing left to say. One of unknown outcome stays: the request may exist.
    if row.state == RowState::Refused {
        model.requests.remove(id);
    }
    model.form.followed_by(form);
    model.pane = Pane::Form;
}
