//! Opening a request, up to the call: from the form, and from a draft that waits.

use super::{CreateAttempt, CreateState, Effect, Model, Notice, Pane, RowId, RowState, ServiceState, Subject, guard};
use crate::keys::{Action, Scope, Tab};
use mmd_elevate_core::{Call, Field, NewElevationRequest, Operation, visible};

/// Sends the draft, unless something is missing in it or the agent has not yet been warned of its device's name.
/// Submitting the same name once more confirms it: the service may have devices of any name.
pub(super) fn submit(model: &mut Model) -> Vec<Effect> {
    let trimmed = Field::ALL.into_iter().filter(|field| model.form.trim(*field)).count() > 0;
    let request = match model.form.draft().validate() {
        Ok(request) => request,
        Err(problems) => {
            let count = problems.len();
            model.form.show_problems(problems);
            let what = if count == 1 { "One field needs".to_owned() } else { format!("{count} fields need") };
            model.notice = Some(Notice::info(format!("{what} something before the request can be sent")));
            return Vec::new();
        }
    };
    let known = model.form_known_device().cloned();
    if let Some(warning) = model.form.warn_of_device(&model.patterns, known.as_ref()) {
        let key = model.keymap.name(Scope::Form, Action::Submit);
        let what = if known.is_some() { "device" } else { "device's name" };
        let text = format!("Not sent yet, look at the {what}: {warning}");
        model.notice = Some(Notice::doubt(text).hint(format!("correct it, or {key} sends it as it is")));
        return Vec::new();
    }
    if let Some(blanks) = model.form.warn_of_blanks() {
        let key = |action| model.keymap.name(Scope::Form, action);
        let text = format!("Not sent yet: the plan has blanks of its template: {}", visible(&blanks));
        let hint = format!("{} goes through them; {} sends it as it is", key(Action::NextField), key(Action::Submit));
        model.notice = Some(Notice::doubt(text).hint(hint));
        return Vec::new();
    }
    let device = request.get(Field::Device).to_owned();
    let id = add(model, &request);
    let effect = match guard::ask(model, &device, Some(id)) {
        Some(effect) => {
            if let Some(call) = guard::call_of(model, id) {
                model.requests.change_create(id, |create| create.state = CreateState::Checking(call));
            }
            Some(effect)
        }
        // A service that cannot be asked now cannot be sent anything either: the call waits.
        None => send(model, id),
    };
    model.form.lock(id);
    model.pane = Pane::List;
    model.notice = trimmed.then(|| Notice::info("Sent without the blanks around the texts"));
    model.untouched_since = Some(id);
    effect.into_iter().collect()
}

/// Adds a row for a create, and selects it.
pub(super) fn add(model: &mut Model, request: &NewElevationRequest) -> RowId {
    let create = CreateAttempt::new(request.draft().clone(), CreateState::Draft, model.now);
    let id = model.requests.add_create(create);
    model.requests.show(Tab::Mine);
    model.requests.select(id);
    id
}

/// Sends the create of this row.
pub(super) fn send(model: &mut Model, id: RowId) -> Option<Effect> {
    let request = model.requests.get(id)?.draft?.validate().ok()?;
    let label = format!("opening a request for {}", model.requests.name(id));
    let call = model.begin_call(Subject::Row(id), label);
    model.requests.change_create(id, |create| create.state = CreateState::Sending(call));
    Some(Effect::Call(call, Call::Send(Operation::Create(request))))
}

/// Sends the create of this row, whose device was listed. `unchecked` says why that is not known to be whole.
pub(super) fn send_checked(model: &mut Model, id: RowId, unchecked: Option<String>) -> Vec<Effect> {
    if !model.requests.get(id).is_some_and(|row| matches!(row.state, RowState::Checking(_))) {
        return Vec::new();
    }
    if let ServiceState::NotReady(error) = &model.service {
        let notice = Notice::from_error(&format!("Not sent for {}", model.requests.name(id)), error);
        hold(model, id);
        model.notice = Some(notice);
        return Vec::new();
    }
    if let Some(why) = unchecked {
        let text = format!("Sent; what is open on the device was not checked: {why}");
        model.notice = Some(Notice::doubt(text).hint("the service refuses what is too many for a device"));
    }
    send(model, id).into_iter().collect()
}

/// Does not send the create of this row: the draft goes back to the form, unless something else is being typed there.
pub(super) fn hold(model: &mut Model, id: RowId) {
    if model.form.sending() == Some(id) {
        let was_watched = model.untouched_since == Some(id) && model.overlays.is_empty();
        model.requests.remove_create(id);
        model.form.unlock();
        model.form.focus(Field::Device);
        if was_watched {
            model.pane = Pane::Form;
        }
    } else {
        model.requests.change_create(id, |create| create.state = CreateState::Draft);
    }
}
