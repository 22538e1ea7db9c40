//! Takes in what the record holds from before this start. Nothing that was typed or learnt since is replaced.

use super::{
    Closure, CreateAttempt, CreateState, Effect, Form, Model, Notice, Overlay, RecordState, Recovery, RowId, SentClose,
    Tone, drafts,
    recovery_panel::{self, RecoveryPanel},
    refresh,
};
use crate::keys::Motion;
use mmd_elevate_core::{
    Call, CloseElevationRequest, Draft, DraftTarget, ElevationRequest, EndedRequest, Field, Operation, Recovered,
    RequestId, SavedDraft, Untrusted, WriteRecord,
};

/// Applies what the record holds. A draft for which the form has no room stands in a row.
pub(super) fn apply(model: &mut Model, recovered: Recovered) -> Vec<Effect> {
    let Recovered { unresolved, open, accepted, drafts, closed, unusable, others, left, warnings } = recovered;
    model.record = match model.record {
        _ if unusable => RecordState::NotRead,
        // It was written anew while the program ran. Once it has saved something, that is told.
        RecordState::Failing => RecordState::Failing,
        RecordState::Opening | RecordState::NotRead | RecordState::Keeping => RecordState::Keeping,
    };
    model.record_looked_at = model.elapsed;
    model.recovery = Recovery { others, left, ..Recovery::default() };
    let nothing_selected = model.requests.selected().is_none();
    for request in open {
        // Of a request that is known already this run knows more than the record.
        let is_known = model.requests.store().find(&request.id).is_some_and(|known| known.mine);
        let row = model.requests.take_as_mine(request, model.now);
        if !is_known {
            model.recovery.open.push(row);
        }
    }
    // The newest comes first: rows that came later are newer where times are equal.
    for EndedRequest { request, at, on_word } in closed.into_iter().rev() {
        let closure = if on_word { Closure::OnWord } else { Closure::Recorded };
        model.requests.insert_ended(request, closure, at);
    }
    for write in accepted.iter().rev() {
        restore_accepted(model, write);
    }
    for draft in drafts {
        // A draft that was sent before it could be ended stands in the row of what was sent, and is not offered again.
        if !unresolved.iter().any(|write| was_sent(&draft, write)) {
            restore_draft(model, draft);
        }
    }
    let mut effects: Vec<_> = unresolved.iter().map(|write| resolve(model, write)).collect();
    effects.extend(refresh::refresh(model));
    if nothing_selected {
        model.requests.move_selection(Motion::First);
    }
    for problem in warnings {
        model.notice = Some(Notice::from_problem(Tone::Doubt, problem));
    }
    if others > 0 && model.notice.is_none() {
        model.notice = Some(Notice::info("Another dashboard uses this record; each has its own drafts"));
    }
    model.recovery.is_unseen = model.recovery.needs_agent();
    if !model.recovery.is_unseen && model.notice.is_none() {
        model.notice = recovery_panel::describe(model);
    }
    // At once, as they are: what is typed into them before they are saved again would leave the old ones behind. All of
    // them: a record that was written anew may not have what was saved in the one before.
    effects.extend(drafts::save_all(model));
    effects
}

/// The service took this close, and no list had shown it: its row says so, and has its text again.
fn restore_accepted(model: &mut Model, write: &WriteRecord) {
    let Operation::Close(CloseElevationRequest { id, actions_taken, .. }) = &write.operation else { return };
    let Some(row) = model.requests.find(id).filter(|row| row.state.is_open()) else { return };
    let (row, text, at) = (row.id, actions_taken.clone(), write.at);
    model.requests.change_close(row, |_, close| {
        // Of a close that this run has sent, or of a later one, more is known already.
        close.sent.get_or_insert(SentClose { text, at, accepted: Some(at), listed_open: None });
    });
    // Each of them: the service may have taken one and done nothing.
    add_text(model, row, actions_taken);
}

fn was_sent(saved: &SavedDraft, write: &WriteRecord) -> bool {
    let Operation::Create(request) = &write.operation else { return false };
    !matches!(saved.target, DraftTarget::Close(_)) && saved.at <= write.at && saved.draft == *request.draft()
}

fn restore_draft(model: &mut Model, saved: SavedDraft) {
    let SavedDraft { target, draft, .. } = saved;
    match target {
        // A form that cannot be reached would hide it.
        DraftTarget::Form if !model.read_only && model.form.is_empty() && model.form.sending().is_none() => {
            let focused = model.form.focused;
            model.form.replace_with(Form::from_draft(&draft));
            model.form.focus(focused);
            model.recovery.form = true;
        }
        DraftTarget::Form | DraftTarget::Refused(_) => {
            let create = CreateAttempt::new(draft, CreateState::Draft, model.now);
            let id = model.requests.add_create(create);
            model.recovery.drafts.push(id);
        }
        DraftTarget::Close(id) => {
            let row = row_of(model, &id, &draft);
            add_text(model, row, draft.get(Field::PlanOfAction));
            model.recovery.closes += 1;
        }
    }
}

/// Puts a text into a close dialog, beside what is there already unless one of them holds the other: a draft may be
/// older than what was sent, or than another draft of it.
fn add_text(model: &mut Model, row: RowId, text: &str) {
    let Some(field) = model.requests.actions_taken(row) else { return };
    let there = field.text();
    if text.contains(&there) {
        field.replace(text);
    } else if !there.contains(text) {
        field.replace(&format!("{there}\n{text}"));
    }
}

/// The row of one of the agent's own requests; a new one where the record no longer lists it as open, so that nothing is
/// dropped. The draft says what it is called, as far as that is known.
fn row_of(model: &mut Model, id: &RequestId, called: &Draft) -> RowId {
    let title = if called.get(Field::Title).is_empty() { id.raw() } else { called.get(Field::Title) };
    let nameless = ElevationRequest {
        ticket: Untrusted::new(called.get(Field::Ticket)),
        device: Untrusted::new(called.get(Field::Device)),
        title: Untrusted::new(title),
        ..ElevationRequest::from_id(id.clone())
    };
    let is_known = model.requests.find(id).is_some();
    let row = model.requests.take_as_mine(nameless, model.now);
    if !is_known {
        // Its create may be among those that are looked for: then it is that create's.
        model.requests.change_request(row, |request| request.unclaimed = true);
    }
    row
}

/// Has an unresolved write looked up, in a row that says so.
fn resolve(model: &mut Model, write: &WriteRecord) -> Effect {
    let row = match &write.operation {
        Operation::Create(request) => {
            let create = CreateAttempt::new(request.draft().clone(), CreateState::Unknown, model.now);
            model.requests.add_create(CreateAttempt { write: Some(write.id), since: write.at, ..create })
        }
        Operation::Close(CloseElevationRequest { id, device, .. }) => {
            let mut called = Draft::default();
            called.set(Field::Device, device.raw());
            row_of(model, id, &called)
        }
    };
    model.recovery.unresolved.push(row);
    let name = model.requests.name(row);
    let call = model.begin_lookup(row, format!("looking for {name}"));
    match &write.operation {
        Operation::Create(_) => {
            model.requests.change_create(row, |create| create.state = CreateState::Looking(call));
        }
        Operation::Close(CloseElevationRequest { actions_taken, .. }) => {
            add_text(model, row, actions_taken);
            model.set_close_text(call, actions_taken);
            let (text, at) = (actions_taken.clone(), write.at);
            model.requests.change_close(row, |request, close| {
                match &mut close.sent {
                    Some(sent) => sent.text = text,
                    None => close.sent = Some(SentClose { text, at, accepted: None, listed_open: None }),
                }
                request.closure = None;
                close.call = Some(call);
            });
        }
    }
    Effect::Call(call, Call::Look(write.id))
}

/// Shows the pane where there is something to recover, but never between two keys of something being typed.
pub(super) fn show(model: &mut Model) {
    if model.recovery.is_unseen && model.overlays.is_empty() && !model.takes_text() {
        model.recovery.is_unseen = false;
        model.overlays.push(Overlay::Recovery(RecoveryPanel::new(model)));
    }
}
