//! The dialog that closes a request. It holds the row's name; the text lives in the row, so that leaving keeps it.

use super::{Effect, Model, Notice, Overlay, RowId, RowState, Subject};
use mmd_elevate_core::{Call, CallId, CloseElevationRequest, Field, Operation};

/// Opens the dialog for this row.
pub(super) fn open(model: &mut Model, row: RowId) {
    model.overlays.push(Overlay::Close { row, problem: None, touched: false });
}

/// Sends what the dialog holds, unless there is nothing to read in it.
pub(super) fn submit(model: &mut Model, row_id: RowId) -> Vec<Effect> {
    let Some(row) = model.requests.get(row_id) else { return Vec::new() };
    let Some(id) = row.request_id().cloned().filter(|_| row.state.is_open()) else {
        model.overlays.pop();
        model.notice = Some(Notice::info(format!("{} is not open any more", row.name())));
        return Vec::new();
    };
    let text = row.actions_taken.as_deref().filter(|text| !text.is_blank());
    let Some(actions_taken) = text.map(super::TextField::text) else {
        if let Some(Overlay::Close { problem, .. }) = model.overlays.last_mut() {
            *problem = Some("say what was done on the device");
        }
        return Vec::new();
    };
    let label = format!("closing {}", row.name());
    let device = row.device();
    let call_id = model.begin_call(Subject::Row(row_id), label);
    model.closes_with(call_id, &actions_taken);
    model.requests.change(row_id, |row| {
        row.state = RowState::Closing(call_id);
        (row.fault, row.unread) = (None, None);
    });
    model.overlays.pop();
    model.notice = None;
    model.untouched_since = Some(row_id);
    vec![Effect::Call(call_id, Call::Send(Operation::Close(CloseElevationRequest { id, device, actions_taken })))]
}

impl Model {
    /// Notes that a call is under way.
    pub(super) fn begin_call(&mut self, subject: Subject, label: String) -> CallId {
        let call_id = CallId(self.next_call);
        self.next_call += 1;
        self.calls.insert(
            call_id,
            super::PendingCall {
                subject,
                label,
                since: self.elapsed,
                at: self.now,
                progress: None,
                looks: false,
                closes_with: None,
            },
        );
        call_id
    }

    /// Notes that a call is under way that only looks.
    pub(super) fn begin_look(&mut self, row: RowId, label: String) -> CallId {
        let call_id = self.begin_call(Subject::Row(row), label);
        if let Some(call) = self.calls.get_mut(&call_id) {
            call.looks = true;
        }
        call_id
    }

    /// Notes what the close stores where it succeeds.
    pub(super) fn closes_with(&mut self, call_id: CallId, actions_taken: &str) {
        if let Some(call) = self.calls.get_mut(&call_id) {
            call.closes_with = Some(actions_taken.to_owned());
        }
    }

    /// Why the selected request cannot be closed, if it cannot.
    pub(super) fn cannot_close(&self) -> Option<&'static str> {
        let Some(row) = self.requests.selected() else { return Some("no request is selected") };
        match row.state {
            RowState::Open | RowState::CloseUnknown | RowState::Accepted if row.request.is_some() => None,
            RowState::Open | RowState::CloseUnknown | RowState::Accepted | RowState::Unknown | RowState::SetAside => {
                Some("the service's id of it is not known")
            }
            RowState::Looking(_) => Some("it is still being looked for"),
            RowState::Sending(_) => Some("it is still being sent"),
            RowState::Closing(_) => Some("it is being closed already"),
            RowState::Refused | RowState::Draft => Some("it was never opened"),
            RowState::Closed(_) => Some("it is closed already"),
        }
    }
}

/// A line about a request for the ticket: UTC, as everything that leaves the program.
pub(super) fn ticket_line(row: &super::Row) -> String {
    let mut line = [Field::Ticket, Field::Device, Field::Title].map(|field| row.text(field).into_owned()).join(" · ");
    if let Some(request) = &row.request {
        line.push_str(&format!(" · {}", request.id.text().visible()));
        if let Some(created) = &request.created {
            line.push_str(&format!(" · opened {}", created.text.visible()));
        }
    }
    line.push_str(&format!(" · {}", row.state.word()));
    line
}
