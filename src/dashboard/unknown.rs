//! What the agent can do about a create whose outcome nobody knows.

use super::{Effect, Model, Notice, Overlay, Row, RowId, RowState, Subject, closing};
use crate::keys::Motion;
use mmd_elevate_core::{Call, ElevationRequest, NewElevationRequest, Operation, WriteId};

impl Model {
    /// The row that the question is about, and which of its possible matches is chosen.
    fn asked(&self) -> Option<(&Row, usize)> {
        match self.overlays.last() {
            Some(Overlay::Unknown(row, chosen)) => self.requests.get(*row).map(|row| (row, *chosen)),
            _ => None,
        }
    }

    /// The match that is chosen, where looking has seen any.
    #[must_use]
    pub fn chosen_match(&self) -> Option<&ElevationRequest> {
        let (row, chosen) = self.asked()?;
        row.possible().get(chosen)
    }
}

/// Chooses among the possible matches.
pub(super) fn choose(model: &mut Model, step: Motion) {
    let count = model.asked().map_or(0, |(row, _)| row.possible().len());
    if let Some(Overlay::Unknown(_, chosen)) = model.overlays.last_mut() {
        *chosen = match step {
            Motion::Down | Motion::PageDown => (*chosen + 1).min(count.saturating_sub(1)),
            Motion::Up | Motion::PageUp => chosen.saturating_sub(1),
            Motion::First => 0,
            Motion::Last => count.saturating_sub(1),
        };
    }
}

/// Ends the question and names its row and intent.
fn take_question(model: &mut Model) -> Option<(RowId, WriteId)> {
    let (row, _) = model.asked()?;
    let named = (row.id, row.intent?);
    model.overlays.pop();
    Some(named)
}

fn begin(model: &mut Model, row: RowId, doing: &str) -> mmd_elevate_core::CallId {
    let name = model.requests.get(row).map_or_else(String::new, Row::name);
    let call = model.begin_look(row, format!("{doing} {name}"));
    model.requests.change(row, |row| row.state = RowState::Looking(call));
    call
}

pub(super) fn look_again(model: &mut Model) -> Vec<Effect> {
    let Some((row, intent)) = take_question(model) else { return Vec::new() };
    let call = begin(model, row, "looking for");
    vec![Effect::Call(call, Call::Look(intent))]
}

pub(super) fn adopt(model: &mut Model) -> Vec<Effect> {
    let Some(request) = model.chosen_match().cloned() else { return Vec::new() };
    let Some((row, intent)) = take_question(model) else { return Vec::new() };
    let call = begin(model, row, "adopting the match for");
    vec![Effect::Call(call, Call::Adopt(intent, Box::new(request)))]
}

/// The chosen match gets a row of its own and its close dialog. The outcome of the create stays unknown.
pub(super) fn close_match(model: &mut Model) {
    let Some(request) = model.chosen_match().cloned() else { return };
    model.overlays.pop();
    let known = model.requests.of_request(&request.id).map(|row| row.id);
    let row = known.unwrap_or_else(|| {
        let id = model.requests.next_id();
        model.requests.add(Row { unclaimed: true, ..Row::of_request(id, request, model.now) });
        id
    });
    closing::open(model, row);
}

pub(super) fn set_aside(model: &mut Model) -> Vec<Effect> {
    let Some((row, intent)) = take_question(model) else { return Vec::new() };
    let call = begin(model, row, "setting aside");
    vec![Effect::Call(call, Call::SetAside(intent))]
}

/// Sends the same once more, as a write of its own that the agent has confirmed. The first is asked for no more.
pub(super) fn send_again(model: &mut Model, id: RowId) -> Vec<Effect> {
    model.overlays.pop();
    let Some(row) = model.requests.get(id).filter(|row| row.state == RowState::Unknown) else {
        model.notice = Some(Notice::info("Its outcome is known meanwhile: nothing was sent"));
        return Vec::new();
    };
    let (draft, intent) = (row.draft.clone(), row.intent);
    let Ok(request) = draft.validate() else { return Vec::new() };
    let mut effects = Vec::new();
    if let Some(intent) = intent {
        let call = begin(model, id, "setting aside");
        effects.push(Effect::Call(call, Call::SetAside(intent)));
    } else {
        model.requests.change(id, |row| row.state = RowState::SetAside);
    }
    effects.push(create(model, request).1);
    effects
}

/// Begins a create, in a new row that is selected.
pub(super) fn create(model: &mut Model, request: NewElevationRequest) -> (RowId, Effect) {
    let id = model.requests.next_id();
    let row = Row::of_draft(id, request.draft().clone(), RowState::Draft, model.now);
    let call = model.begin_call(Subject::Row(id), format!("opening a request for {}", row.name()));
    model.requests.add(Row { state: RowState::Sending(call), ..row });
    (id, Effect::Call(call, Call::Send(Operation::Create(request))))
}
