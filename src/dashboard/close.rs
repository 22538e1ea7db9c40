//! Closing a request, up to the call. The dialog holds the row's id; the text lives in the attempt, so that leaving the
//! dialog keeps it.

use super::{Effect, Model, Notice, Overlay, RowId, Subject, drafts};
use mmd_elevate_core::{Call, CloseElevationRequest, Operation};

/// Opens the dialog for this row.
pub(super) fn open_dialog(model: &mut Model, row: RowId) {
    model.overlays.push(Overlay::Close { row, problem: None, touched: false });
}

/// Sends what the dialog holds, unless there is nothing to read in it.
pub(super) fn submit(model: &mut Model, row_id: RowId) -> Vec<Effect> {
    let Some(row) = model.requests.get(row_id) else { return Vec::new() };
    let (name, device) = (row.name(), row.device());
    let Some(id) = row.request_id().cloned().filter(|_| row.state.is_open()) else {
        model.overlays.pop();
        model.notice = Some(Notice::info(format!("{name} is no longer open")));
        return Vec::new();
    };
    let text = row.actions_taken.filter(|text| !text.is_blank());
    let Some(actions_taken) = text.map(super::TextField::text) else {
        if let Some(Overlay::Close { problem, .. }) = model.overlays.last_mut() {
            *problem = Some("say what was done on the device");
        }
        return Vec::new();
    };
    let call_id = model.begin_call(Subject::Row(row_id), format!("closing {name}"));
    model.set_close_text(call_id, &actions_taken);
    model.requests.change_close(row_id, |_, close| {
        close.call = Some(call_id);
        (close.error, close.unread) = (None, None);
    });
    model.overlays.pop();
    model.notice = None;
    model.untouched_since = Some(row_id);
    let call = Call::Send(Operation::Close(CloseElevationRequest { id, device, actions_taken }));
    // Its text is saved now: a service that says it has closed the request may not have stored it.
    drafts::save(model, true).into_iter().chain([Effect::Call(call_id, call)]).collect()
}
