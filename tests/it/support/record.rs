//! What a record holds at a start, in few words.

use jiff::Timestamp;
use mmd_elevate_core::{
    CallResult, CloseElevationRequest, Draft, DraftTarget, ElevationRequest, Field, Gaps, NewElevationRequest,
    Operation, Recovered, RequestId, SavedDraft, Untrusted, WriteId, WriteRecord, WriteState,
};

use super::dashboard::{created, start};

/// A draft that can be sent: `TICKET DEVICE TITLE`.
pub(crate) fn draft(request: &str) -> Draft {
    let [ticket, device, title] = request.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{request}") };
    let mut draft = Draft::default();
    for (field, text) in Field::ALL.into_iter().zip([ticket, device, title, "Office", "Excel", "Start it."]) {
        draft.set(field, text);
    }
    draft
}

pub(crate) fn new_request(request: &str) -> NewElevationRequest {
    draft(request).validate().unwrap()
}

/// A request that the service holds open.
pub(crate) fn held(request: &str, id: &str) -> ElevationRequest {
    created(&new_request(request), id, start())
}

/// The answer to a check whose lists were seen whole.
pub(crate) fn checked(listed: Vec<ElevationRequest>, missing: &[&str], at: Timestamp) -> CallResult {
    let missing = missing.iter().map(|id| RequestId::new(*id).unwrap()).collect();
    CallResult::Checked { listed, missing, gaps: Gaps::default(), surplus: Vec::new(), at }
}

/// A create that a dead process left behind.
pub(crate) fn lost_create(write: i64, request: &str) -> WriteRecord {
    let what = Operation::Create(new_request(request));
    WriteRecord { id: WriteId(write), operation: what, at: start(), state: WriteState::Unknown }
}

/// A close that a dead process left behind.
pub(crate) fn lost_close(write: i64, id: &str, device: &str, text: &str) -> WriteRecord {
    let (id, device) = (RequestId::new(id).unwrap(), Untrusted::new(device));
    let what = Operation::Close(CloseElevationRequest { id, device, actions_taken: text.to_owned() });
    WriteRecord { id: WriteId(write), operation: what, at: start(), state: WriteState::Unknown }
}

pub(crate) fn saved(target: DraftTarget, draft: Draft) -> SavedDraft {
    SavedDraft { target, draft, at: start() }
}

/// A text of a close dialog that was saved.
pub(crate) fn saved_close(id: &str, text: &str) -> SavedDraft {
    let mut draft = Draft::default();
    draft.set(Field::PlanOfAction, text);
    saved(DraftTarget::Close(RequestId::new(id).unwrap()), draft)
}

/// One of each: a create and a close without an answer, two requests that were open, the form's draft, a refused one,
/// and the text of a close dialog.
pub(crate) fn everything() -> Recovered {
    Recovered {
        unresolved: vec![
            lost_create(1, "INC-10442 MMD-03690457680 Excel add-in crashes"),
            lost_close(2, "id-a", "MMD-00000000017", "Replaced the template."),
        ],
        open: vec![
            held("INC-10450 MMD-00000000017 Word template missing", "id-a"),
            held("INC-10460 MMD-00000000020 Time service stuck", "id-b"),
        ],
        drafts: vec![
            saved(DraftTarget::Form, draft("INC-10470 MMD-00000000030 Printer queue hangs")),
            saved(DraftTarget::Refused(7), draft("INC-10480 MMD-00000000040 Outlook profile broken")),
            saved_close("id-b", "Restarted the service."),
        ],
        ..Recovered::default()
    }
}
