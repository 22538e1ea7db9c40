//! Taking an accepted close that no list ever shows as done, on the agent's word.

use ratatui::{Frame, layout::Rect};

use super::{
    Closure, Effect, Model, Notice, Overlay, RowId, RowState, Subject,
    draw::{Theme, draw_question},
};
use mmd_elevate_core::{Call, CallError, Field};

/// Asks whether the selected request is closed.
pub(super) fn ask(model: &mut Model) {
    if let Some(row) = model.requests.selected().map(|row| row.id) {
        model.overlays.push(Overlay::TakeAsClosed(row));
    }
}

/// Takes the request as closed, once the record has that.
pub(super) fn take_as_closed(model: &mut Model, row: RowId) -> Vec<Effect> {
    model.overlays.pop();
    let accepted = model.requests.get(row).filter(|row| row.state == RowState::Accepted);
    let Some((id, name)) = accepted.and_then(|row| Some((row.request_id()?.clone(), row.name()))) else {
        model.notice = Some(Notice::info("What became of the close is known now: nothing was changed"));
        return Vec::new();
    };
    let call = model.begin_call(Subject::Word(row), format!("taking {name} as closed"));
    vec![Effect::Call(call, Call::TakeAsClosed(id))]
}

/// The record has it, or could not take it.
pub(super) fn apply(model: &mut Model, row: RowId, result: Result<(), CallError>) {
    let name = model.requests.name(row);
    if let Err(error) = result {
        model.notice = Some(Notice::from_error(&format!("Not taken as closed: {name}"), &error));
        return;
    }
    if !model.requests.get(row).is_some_and(|row| row.state == RowState::Accepted) {
        // More is known by now.
        return;
    }
    let now = model.now;
    model.requests.change_close(row, |request, close| {
        (request.closure, request.as_of) = (Some(Closure::OnWord), now);
        (close.call, close.error, close.sent) = (None, None, None);
    });
    let text = format!("Taken as closed on your word: {name}");
    model.notice = Some(Notice::info(text).hint("the record says so; a list that shows more of it is believed"));
}

/// Draws the question.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, row: RowId) {
    let Some(row) = model.requests.get(row) else { return };
    let texts = [
        format!("{}: {}", row.name(), row.text(Field::Title)),
        "The service took the close, and no list has shown the request as closed. Taken as closed it is asked about no more, and the \
         record says that it was on your word. If it is open all the same, a person stays an administrator."
            .to_owned(),
    ];
    draw_question(frame, area, model, theme, "Take as closed?", &texts, &[]);
}
