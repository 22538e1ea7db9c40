//! Opening a request, up to the call: from the form, from a draft that waits, and again where the outcome of a create is
//! unknown.

use super::{
    CreateAttempt, CreateState, Effect, Form, Model, Notice, Overlay, Pane, Row, RowId, RowState, Subject, close,
};
use crate::keys::{Action, Motion, Scope};
use mmd_elevate_core::{Call, CallId, ElevationRequest, Field, NewElevationRequest, Operation, WriteId};

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
    if let Some(warning) = model.form.warn_of_device(&model.patterns) {
        let key = model.keymap.name(Scope::Form, Action::Submit);
        let text = format!("Not sent yet, look at the device's name: {warning}");
        model.notice = Some(Notice::doubt(text).hint(format!("correct it, or {key} sends it as it is")));
        return Vec::new();
    }
    let (id, effect) = begin(model, request);
    model.form.lock(id);
    model.pane = Pane::List;
    model.notice = trimmed.then(|| Notice::info("Sent without the blanks around the texts"));
    model.untouched_since = Some(id);
    vec![effect]
}

/// Begins a create, in a new row that is selected.
fn begin(model: &mut Model, request: NewElevationRequest) -> (RowId, Effect) {
    let create = CreateAttempt::new(request.draft().clone(), CreateState::Draft, model.now);
    let id = model.requests.add_create(create);
    let label = format!("opening a request for {}", model.requests.name(id));
    let call = model.begin_call(Subject::Row(id), label);
    model.requests.change_create(id, |create| create.state = CreateState::Sending(call));
    model.requests.select(id);
    (id, Effect::Call(call, Call::Send(Operation::Create(request))))
}

/// Takes the draft of a row into the form again, unless another draft is there. The row goes.
pub(super) fn take_up(model: &mut Model, id: RowId) {
    if model.form.holds_text() {
        model.notice = Some(
            Notice::info("Another draft is in the form, and is not replaced")
                .hint("submit it, or discard it (undo brings it back), then take this one up"),
        );
        return;
    }
    let name = model.requests.name(id);
    let Some(create) = model.requests.remove_create(id) else { return };
    let mut form = Form::from_draft(&create.draft);
    form.focused = Field::Ticket;
    if let Some(error) = create.error {
        model.notice = Some(Notice::from_error(&format!("Not opened for {name}"), &error));
        form.show_refusal(&error);
    }
    model.form.replace_with(form);
    model.pane = Pane::Form;
}

impl Model {
    /// The row that the question about an unknown outcome is about, and which of its possible matches is chosen.
    fn row_in_question(&self) -> Option<(Row<'_>, usize)> {
        match self.overlays.last() {
            Some(Overlay::Unknown(row, chosen)) => self.requests.get(*row).map(|row| (row, *chosen)),
            _ => None,
        }
    }

    /// The match that is chosen, where looking has seen any.
    #[must_use]
    pub fn chosen_match(&self) -> Option<&ElevationRequest> {
        let (row, chosen) = self.row_in_question()?;
        row.possible().get(chosen)
    }
}

/// Chooses among the possible matches.
pub(super) fn choose_match(model: &mut Model, motion: Motion) {
    let count = model.row_in_question().map_or(0, |(row, _)| row.possible().len());
    if let Some(Overlay::Unknown(_, chosen)) = model.overlays.last_mut() {
        *chosen = match motion {
            Motion::Down | Motion::PageDown => (*chosen + 1).min(count.saturating_sub(1)),
            Motion::Up | Motion::PageUp => chosen.saturating_sub(1),
            Motion::First => 0,
            Motion::Last => count.saturating_sub(1),
        };
    }
}

/// Ends the question. Returns its row and its write.
fn take_question(model: &mut Model) -> Option<(RowId, WriteId)> {
    let (row, _) = model.row_in_question()?;
    let named = (row.id, row.write?);
    model.overlays.pop();
    Some(named)
}

/// Begins a call that settles what is unknown about a create.
fn begin_lookup(model: &mut Model, row: RowId, doing: &str) -> CallId {
    let label = format!("{doing} {}", model.requests.name(row));
    let call = model.begin_lookup(row, label);
    model.requests.change_create(row, |create| create.state = CreateState::Looking(call));
    call
}

pub(super) fn look_again(model: &mut Model) -> Vec<Effect> {
    let Some((row, write)) = take_question(model) else { return Vec::new() };
    let call = begin_lookup(model, row, "looking for");
    vec![Effect::Call(call, Call::Look(write))]
}

pub(super) fn adopt_match(model: &mut Model) -> Vec<Effect> {
    let Some(request) = model.chosen_match().cloned() else { return Vec::new() };
    let Some((row, write)) = take_question(model) else { return Vec::new() };
    let call = begin_lookup(model, row, "adopting the match for");
    vec![Effect::Call(call, Call::Adopt(write, Box::new(request)))]
}

/// Gives the chosen match a row of its own and opens its close dialog. The outcome of the create stays unknown.
pub(super) fn close_match(model: &mut Model) {
    let Some(request) = model.chosen_match().cloned() else { return };
    model.overlays.pop();
    let is_known = model.requests.find(&request.id).is_some();
    let row = model.requests.take_as_mine(request, model.now);
    if !is_known {
        model.requests.change_request(row, |request| request.unclaimed = true);
        model.requests.select(row);
    }
    close::open_dialog(model, row);
}

pub(super) fn set_aside(model: &mut Model) -> Vec<Effect> {
    let Some((row, write)) = take_question(model) else { return Vec::new() };
    let call = begin_lookup(model, row, "setting aside");
    vec![Effect::Call(call, Call::SetAside(write))]
}

/// Sends the same once more, as a write of its own that the agent has confirmed. The first is set aside.
pub(super) fn send_again(model: &mut Model, id: RowId) -> Vec<Effect> {
    model.overlays.pop();
    let Some(row) = model.requests.get(id).filter(|row| row.state == RowState::Unknown) else {
        model.notice = Some(Notice::info("The outcome is known now: nothing was sent"));
        return Vec::new();
    };
    let write = row.write;
    let Some(request) = row.draft.and_then(|draft| draft.validate().ok()) else { return Vec::new() };
    let mut effects = Vec::new();
    if let Some(write) = write {
        let call = begin_lookup(model, id, "setting aside");
        effects.push(Effect::Call(call, Call::SetAside(write)));
    } else {
        model.requests.change_create(id, |create| create.state = CreateState::SetAside);
    }
    effects.push(begin(model, request).1);
    effects
}
