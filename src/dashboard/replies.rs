//! What the worker's words make of the rows they are about.

use super::{
    Effect, Form, Model, Notice, Pane, Row, RowId, RowState, ServiceState, Subject, Tone, close_reply, recovery,
    sign_in,
};
use crate::keys::{Action, Scope};
use mmd_elevate_core::{
    CallError, CallId, CallResult, ElevationRequest, Event, Field, Gaps, MatchResult, Problem, Progress, Reply,
};

pub(super) fn from_worker(model: &mut Model, word: Event) -> Vec<Effect> {
    match word {
        Event::Recovered(recovered) => return recovery::recovered(model, *recovered),
        Event::SignIn(sign_in) => sign_in::told(model, sign_in),
        Event::Ready => model.service = ServiceState::Ready,
        Event::NotReady(fault) => {
            model.notice = Some(Notice::of_fault("the service cannot be called", &fault));
            model.service = ServiceState::NotReady(fault);
        }
        Event::Progress(call, progress) => {
            let recorded = matches!(progress, Progress::Recorded(_));
            progressed(model, call, progress);
            if recorded {
                // The intent holds the text now: left as a draft beside it, a start after a crash would offer it again.
                return super::drafts::save(model, true).into_iter().collect();
            }
        }
        Event::Reply(reply) => return apply(model, reply),
        Event::Warning(problem) => {
            model.notice = Some(Notice::of_problem(Tone::Doubt, problem));
        }
        Event::NotSaved(problem) => super::drafts::not_saved(model, problem),
        Event::Saved => super::drafts::saved(model),
    }
    Vec::new()
}

/// The worker is gone: what it owed will never come, and nobody knows what became of it.
pub(super) fn worker_gone(model: &mut Model) {
    let owed: Vec<_> = model.calls.keys().copied().collect();
    for call_id in owed {
        apply(model, Reply { call_id, result: Err(CallError::crashed()) });
    }
    let reason = "the part that talks to the service has ended".to_owned();
    model.service = ServiceState::NotReady(CallError::not_sent(&reason));
    model.record = model.record.if_it_fails();
    model.notice =
        Some(Notice::of_fault("the service cannot be called", &CallError::crashed()).hint("quit and start again"));
}

/// A call has come a step further; one that nobody awaits any more has not.
fn progressed(model: &mut Model, call_id: CallId, progress: Progress) {
    let Some(call) = model.calls.get_mut(&call_id) else { return };
    call.progress = Some(progress.clone());
    let Subject::Row(id) = call.subject else { return };
    match progress {
        Progress::Recorded(intent) => {
            let creating = model.requests.get(id).is_some_and(|row| matches!(row.state, RowState::Sending(_)));
            if creating {
                model.requests.change(id, |row| row.intent = Some(intent));
            }
        }
        Progress::Waiting { error: fault, until, .. } => {
            let (at, key) = (model.clock_time(until), model.keymap.name(Scope::Panes, Action::Abandon));
            let hint = format!("it goes out again by itself at {at}; {key} on its row abandons it");
            // Nothing is to be done about it.
            let notice = Notice::of_fault(&name_of(model, id), &fault).hint(hint);
            model.notice = Some(Notice { tone: Tone::Doubt, ..notice });
        }
        Progress::Looking(fault) => {
            if model.requests.get(id).is_some_and(|row| row.state == RowState::Sending(call_id)) {
                release_form(model, id);
                let name = name_of(model, id);
                let about = format!("Nobody knows whether {name} was opened; looking");
                if let Some(call) = model.calls.get_mut(&call_id) {
                    call.label = format!("looking for {name}");
                }
                model.notice = Some(Notice::of_fault(&about, &fault).hint("wait until it is found, or is not seen"));
                settle(model, id, RowState::Looking(call_id), |row| row.fault = Some(fault));
            } else {
                // A close: why nobody knows stays in sight until it is known, and beyond where it was not done.
                model.requests.change(id, |row| row.fault = Some(fault));
            }
        }
        Progress::LookingFirst | Progress::ReadingBack | Progress::Page(_) => {}
        Progress::NotRead(fault) => model.requests.change(id, |row| row.unread = Some(fault)),
        Progress::ClosedBy(request) => model.requests.change(id, |row| row.take_request(*request)),
    }
}

/// Applies a reply if its call is awaited by the state its row is in; any other is dropped.
fn apply(model: &mut Model, reply: Reply) -> Vec<Effect> {
    let Reply { call_id, result } = reply;
    let Some(call) = model.calls.remove(&call_id) else { return vec![Effect::LogUnawaited(call_id)] };
    let id = match call.subject {
        Subject::Row(id) => id,
        Subject::Requests(asked) => {
            match result {
                Ok(CallResult::Checked { listed, missing, gaps, surplus, at }) => {
                    let learnt_anything = recovery::checked(model, &asked, &listed, &missing, at);
                    recovery::tell_gaps(model, &gaps, learnt_anything);
                    recovery::show_surplus(model, surplus);
                }
                Ok(_) => return vec![Effect::LogUnawaited(call_id)],
                Err(fault) => {
                    let about = "The open requests could not be checked";
                    let hint = format!("they are shown as they were seen last; {}", fault.hint());
                    model.notice = Some(Notice::of_fault(about, &fault).hint(hint));
                }
            }
            return Vec::new();
        }
    };
    let Some(state) = model.requests.get(id).map(|row| row.state).filter(|state| state.call() == Some(call_id)) else {
        return vec![Effect::LogUnawaited(call_id)];
    };
    match state {
        RowState::Closing(_) => {
            close_reply::close_ended(model, id, &call, result);
            tell_unread(model, id);
        }
        RowState::Sending(_) | RowState::Looking(_) => {
            create_ended(model, id, state, result);
            return recovery::check_for_twins(model, id).into_iter().collect();
        }
        // Only the states above have a call.
        RowState::Refused
        | RowState::Unknown
        | RowState::SetAside
        | RowState::Draft
        | RowState::Open
        | RowState::CloseUnknown
        | RowState::Accepted
        | RowState::Closed(_) => {}
    }
    Vec::new()
}

fn create_ended(model: &mut Model, id: RowId, state: RowState, result: Result<CallResult, CallError>) {
    let sending = matches!(state, RowState::Sending(_));
    match result {
        Ok(CallResult::Created { request, surplus }) => opened(model, id, sending, *request, surplus),
        Ok(CallResult::Looked { seen, at, error: fault }) => looked(model, id, seen, at, sending.then_some(fault)),
        Ok(CallResult::SetAside) => settle(model, id, RowState::SetAside, |_| {}),
        Ok(
            CallResult::Closed(_)
            | CallResult::StillOpen(_)
            | CallResult::Checked { .. }
            | CallResult::Listed { .. }
            | CallResult::Devices(_),
        ) => {
            create_unknown(model, id, sending, other_answer());
        }
        Err(fault) if sending && !fault.may_have_happened() => refused(model, id, fault),
        // A failed look says nothing of the create: it stays unknown.
        Err(fault) => create_unknown(model, id, sending, fault),
    }
}

pub(super) fn other_answer() -> CallError {
    CallError::broken_answer("it answers another call")
}

/// Changes a row's state, and notes when it was learnt.
pub(super) fn settle(model: &mut Model, row: RowId, state: RowState, change: impl FnOnce(&mut Row)) {
    let now = model.now;
    model.requests.change(row, |row| {
        row.state = state;
        row.as_of = now;
        change(row);
    });
}

pub(super) fn name_of(model: &Model, row: RowId) -> String {
    model.requests.get(row).map_or_else(String::new, Row::name)
}

fn opened(model: &mut Model, id: RowId, sending: bool, request: ElevationRequest, surplus: Vec<ElevationRequest>) {
    let known = model.requests.of_request(&request.id).filter(|known| known.id != id);
    match known.map(|known| (known.id, known.unclaimed)) {
        Some((known, true)) => return opened_as(model, id, known),
        Some((_, false)) => {
            let reason = "it has the id of another request that was opened from here".to_owned();
            return create_unknown(model, id, sending, CallError::broken_answer(&reason));
        }
        None => {}
    }
    // What had to be looked for may have been closed meanwhile.
    let state = if sending { RowState::Open } else { RowState::of(&request) };
    settle(model, id, state, |row| {
        if let Some(at) = request.created.as_ref().and_then(|created| created.at) {
            row.since = Some(at);
        }
        row.request = Some(request.with_gaps_from_draft(&row.draft));
        (row.fault, row.seen) = (None, None);
    });
    release_form(model, id);
    let name = name_of(model, id);
    model.notice = Some(match model.requests.get(id).and_then(|row| row.request.as_ref()) {
        Some(request) if state != RowState::Open => {
            Notice::info(format!("Opened for {name}, and closed since by {}", model.closer(request)))
        }
        _ => Notice::success(format!("Opened for {name}")),
    });
    recovery::show_surplus(model, surplus);
}

/// It turns out to be a request that has a row already, as surplus or as a possible match that was to be closed: one row
/// is enough, and it is the one in which something may have been done since.
fn opened_as(model: &mut Model, id: RowId, known: RowId) {
    release_form(model, id);
    let sent = model.requests.get(id).map(|row| (row.draft.clone(), row.intent));
    model.requests.remove(id);
    model.requests.change(known, |row| {
        (row.surplus, row.unclaimed) = (false, false);
        if let Some((draft, intent)) = sent {
            (row.draft, row.intent) = (draft, intent);
        }
    });
    model.notice = Some(Notice::success(format!("Opened for {}", name_of(model, known))).hint("it was in the list"));
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

/// Where it was sent just now, the fault is why nobody knows; where it was looked for, that is known already.
fn create_unknown(model: &mut Model, id: RowId, sending: bool, fault: CallError) {
    release_form(model, id);
    let about = format!("Nobody knows whether {} was opened", name_of(model, id));
    let key = model.keymap.name(Scope::List, Action::Open);
    model.notice = Some(
        Notice { tone: Tone::Doubt, ..Notice::of_fault(&about, &fault) }.hint(format!("{key} on its row: look again")),
    );
    settle(model, id, RowState::Unknown, |row| {
        if sending {
            row.fault = Some(fault);
        }
    });
}

/// Looking has ended without an answer. What was not seen may still be there, and the words do not say otherwise.
fn looked(model: &mut Model, id: RowId, seen: MatchResult, at: jiff::Timestamp, fault: Option<CallError>) {
    release_form(model, id);
    let time = model.clock_time(at);
    let (name, key) = (name_of(model, id), model.keymap.name(Scope::List, Action::Open));
    let text = match &seen {
        MatchResult::Possible(possible) if possible.len() == 1 => format!("{name}: one request may be it"),
        MatchResult::Possible(possible) => format!("{name}: {} requests may be it", possible.len()),
        MatchResult::Found { .. } | MatchResult::NotSeen => format!("{name}: not seen at {time}"),
        MatchResult::Unclear(gaps) => format!("It is unknown whether {name} was opened: {}", gaps.words()),
    };
    let hint = match &seen {
        MatchResult::Unclear(Gaps { cut: Some(Problem { hint, .. }), .. }) => {
            format!("{hint}; {key} on its row decides")
        }
        _ => format!("{key} on its row decides"),
    };
    model.notice = Some(Notice { tone: Tone::Doubt, ..Notice::info(text) }.hint(hint));
    settle(model, id, RowState::Unknown, |row| {
        row.as_of = at;
        row.seen = Some((seen, at));
        row.fault = fault.or(row.fault.take());
    });
}

/// The draft goes back to the form, unless something else is being typed there: then its row keeps it.
fn refused(model: &mut Model, id: RowId, fault: CallError) {
    let mut notice = Notice::of_fault(&format!("Not opened for {}", name_of(model, id)), &fault);
    if model.form.sending() == Some(id) {
        let watched = model.untouched_since == Some(id) && model.overlays.is_empty();
        model.requests.remove(id);
        model.form.refuse(&fault);
        if watched {
            model.pane = Pane::Form;
        } else if model.pane != Pane::Form {
            let key = model.keymap.name(Scope::Panes, Action::NewRequest);
            notice = notice.hint(format!("{key} goes back to the draft"));
        }
    } else {
        settle(model, id, RowState::Refused, |row| row.fault = Some(fault));
        let key = model.keymap.name(Scope::List, Action::Open);
        notice = notice.hint(format!("{key} on its row takes the draft up again"));
    }
    model.notice = Some(notice);
}

/// Why a close could not be read back is told with what is known of it.
fn tell_unread(model: &mut Model, id: RowId) {
    let Some(why) = model.requests.get(id).and_then(|row| row.unread.as_ref()).map(CallError::what) else { return };
    if let Some(notice) = &mut model.notice {
        notice.text.push_str(&format!(" The list could not be read: {why}"));
    }
}

/// The draft of a row, for the form. The row has nothing left to say then.
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
    model.requests.remove(id);
    model.form.followed_by(form);
    model.pane = Pane::Form;
}
