//! What the result of a create, or of looking for one, makes of the attempt and of the form.

use jiff::Timestamp;

use super::{
    Closure, CreateState, Effect, Form, Model, Notice, Pane, PendingCall, RowId, RowState, drafts, guard, refresh,
};
use crate::keys::{Action, Scope};
use mmd_elevate_core::{CallError, CallId, CallResult, ElevationRequest, ErrorCode, Field, Gaps, MatchResult, Problem};

/// Applies the result of a create (`is_create`), or of looking for what came of one.
pub(super) fn apply(
    model: &mut Model,
    id: RowId,
    is_create: bool,
    result: Result<CallResult, CallError>,
) -> Vec<Effect> {
    let asks_device = is_create && result.as_ref().is_err_and(|error| error.code == Some(ErrorCode::TooManyOpen));
    match result {
        Ok(CallResult::Created { request, surplus }) => apply_opened(model, id, is_create, *request, surplus),
        Ok(CallResult::Looked { seen, at, error }) => {
            apply_lookup(model, id, seen, at, is_create.then_some(error));
        }
        Ok(CallResult::SetAside) => set_state(model, id, CreateState::SetAside),
        Ok(
            CallResult::Closed(_)
            | CallResult::StillOpen(_)
            | CallResult::Checked { .. }
            | CallResult::Listed { .. }
            | CallResult::Devices(_)
            | CallResult::TakenAsClosed
            | CallResult::History(_),
        ) => {
            mark_unknown(model, id, is_create, PendingCall::wrong_answer());
        }
        Err(error) if is_create && !error.may_have_happened() => apply_refusal(model, id, error),
        // A failed look says nothing of the create: it stays unknown.
        Err(error) => mark_unknown(model, id, is_create, error),
    }
    let mut effects: Vec<_> = refresh::check_for_twins(model, id).into_iter().collect();
    if asks_device && model.pane == Pane::Form {
        // What the key shows is what is open now.
        let device = model.form.draft().get(Field::Device).to_owned();
        effects.extend(guard::ask(model, &device, None));
    }
    effects
}

fn set_state(model: &mut Model, id: RowId, state: CreateState) {
    let now = model.now;
    model.requests.change_create(id, |create| (create.state, create.as_of) = (state, now));
}

fn apply_opened(
    model: &mut Model,
    id: RowId,
    is_create: bool,
    request: ElevationRequest,
    surplus: Vec<ElevationRequest>,
) {
    if let Some((known, is_unclaimed)) =
        model.requests.store().find(&request.id).map(|known| (known.row, known.unclaimed))
    {
        if is_unclaimed {
            return apply_known(model, id, known, request, surplus);
        }
        let reason = "it has the id of another request that was opened from here".to_owned();
        return mark_unknown(model, id, is_create, CallError::broken_answer(&reason));
    }
    // What had to be looked for may have been closed meanwhile.
    let closure = (!is_create && request.closed.is_some()).then_some(Closure::Elsewhere);
    model.requests.open(id, request, closure, model.now);
    release_form(model, id);
    drafts::save_twin_again(model, id);
    let name = model.requests.name(id);
    model.notice = Some(match model.requests.get(id).and_then(|row| row.request) {
        Some(request) if closure.is_some() => {
            Notice::info(format!("Opened for {name}, and closed since by {}", model.closer(request)))
        }
        _ => Notice::success(format!("Opened for {name}")),
    });
    refresh::show_surplus(model, surplus);
}

/// It turns out to be a request that has a row already, as surplus, as a possible match that was to be closed, or as one of
/// the tenant's: one row is enough, and it is the one in which something may have been done since.
fn apply_known(model: &mut Model, id: RowId, known: RowId, found: ElevationRequest, surplus: Vec<ElevationRequest>) {
    release_form(model, id);
    drafts::save_twin_again(model, id);
    // The row may have been brought back by its id alone.
    model.requests.change_request(known, |request| request.take(found));
    model.requests.open_as(id, known);
    model.recovery.follow(id, known);
    let text = format!("Opened for {}", model.requests.name(known));
    model.notice = Some(Notice::success(text).hint("it was in the list"));
    refresh::show_surplus(model, surplus);
}

/// The form shows this draft no longer: it has become a request, or its row keeps it.
fn release_form(model: &mut Model, id: RowId) {
    if model.form.sending() == Some(id) {
        model.form.replace_with(Form::default());
        if model.pane == Pane::Form {
            model.pane = Pane::List;
        }
    }
}

/// Where it was sent just now, the error is why the outcome is unknown; where it was looked for, that is known already.
fn mark_unknown(model: &mut Model, id: RowId, is_create: bool, error: CallError) {
    release_form(model, id);
    let about = format!("It is unknown whether the request for {} was opened", model.requests.name(id));
    let key = model.keymap.name(Scope::List, Action::Open);
    model.notice =
        Some(Notice::doubt(format!("{about}: {}", error.what())).hint(format!("{key} on its row: look again")));
    set_state(model, id, CreateState::Unknown);
    if is_create {
        model.requests.set_error(id, error);
    }
}

/// The worker looks for a create that has just been sent: its outcome is unknown.
pub(super) fn apply_looking(model: &mut Model, id: RowId, call_id: CallId, error: CallError) {
    release_form(model, id);
    let name = model.requests.name(id);
    if let Some(call) = model.calls.get_mut(&call_id) {
        call.label = format!("looking for {name}");
    }
    let about = format!("It is unknown whether the request for {name} was opened; looking");
    model.notice = Some(Notice::from_error(&about, &error).hint("wait until it is found, or is not seen"));
    set_state(model, id, CreateState::Looking(call_id));
    model.requests.set_error(id, error);
}

/// Looking has ended without an answer. What was not seen may still be there, and the words do not say otherwise.
fn apply_lookup(model: &mut Model, id: RowId, seen: MatchResult, at: Timestamp, error: Option<CallError>) {
    release_form(model, id);
    let time = model.clock_time(at);
    let (name, key) = (model.requests.name(id), model.keymap.name(Scope::List, Action::Open));
    let text = match &seen {
        MatchResult::Possible(possible) if possible.len() == 1 => format!("{name}: one request may be it"),
        MatchResult::Possible(possible) => format!("{name}: {} requests may be it", possible.len()),
        MatchResult::Found { .. } | MatchResult::NotSeen => format!("{name}: not seen at {time}"),
        MatchResult::Unclear(gaps) => {
            format!("It is unknown whether the request for {name} was opened: {}", gaps.describe())
        }
    };
    let hint = match &seen {
        MatchResult::Unclear(Gaps { cut: Some(Problem { hint, .. }), .. }) => {
            format!("{hint}; {key} on its row decides")
        }
        _ => format!("{key} on its row decides"),
    };
    model.notice = Some(Notice::doubt(text).hint(hint));
    model.requests.change_create(id, |create| {
        (create.state, create.as_of) = (CreateState::Unknown, at);
        create.seen = Some((seen, at));
        create.error = error.or(create.error.take());
    });
}

/// The draft goes back to the form, unless something else is being typed there: then its row keeps it.
fn apply_refusal(model: &mut Model, id: RowId, error: CallError) {
    let mut notice = Notice::from_error(&format!("Not opened for {}", model.requests.name(id)), &error);
    if error.code == Some(ErrorCode::TooManyOpen) {
        let key = model.keymap.name(Scope::Form, Action::ShowDevice);
        notice = notice.hint(format!("{key} shows them; {}", error.hint()));
    }
    if model.form.sending() == Some(id) {
        let was_watched = model.untouched_since == Some(id) && model.overlays.is_empty();
        model.requests.remove_create(id);
        model.form.show_refusal(&error);
        if was_watched {
            model.pane = Pane::Form;
        } else if model.pane != Pane::Form {
            let key = model.keymap.name(Scope::Panes, Action::NewRequest);
            notice = notice.hint(format!("{key} goes back to the draft"));
        }
    } else {
        set_state(model, id, CreateState::Refused);
        model.requests.set_error(id, error);
        let key = model.keymap.name(Scope::List, Action::Open);
        notice = notice.hint(format!("{key} on its row takes the draft up again"));
    }
    model.notice = Some(notice);
}

/// Whether this row's create has been sent, and no answer has come.
pub(super) fn is_sending(model: &Model, id: RowId) -> bool {
    model.requests.get(id).is_some_and(|row| matches!(row.state, RowState::Sending(_)))
}
