//! What dead processes left becomes ours. All of it is one transaction behind the gate, so that two starts never both
//! have it; what a living process owns is not touched.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::Transaction;

use super::{
    row::{Read, StoredRow, Table},
    rows::{DRAFT, DraftRow, INTENT, IntentRow, REQUEST, RequestRow, TABLES, time},
    store::{Me, note},
};
use mmd_elevate_core::{
    CloseElevationRequest, DraftTarget, ElevationRequest, Field, Operation, SavedDraft, Transition, WriteRecord,
    WriteState,
};

/// What was left.
pub(super) struct Left {
    pub(super) unresolved: Vec<WriteRecord>,
    pub(super) drafts: Vec<SavedDraft>,
    pub(super) open: Vec<ElevationRequest>,
    /// Closes of them that the service took and no list has shown.
    pub(super) accepted: Vec<WriteRecord>,
    /// Rows that are not what was written: what happened, and what to do.
    pub(super) damaged: Vec<(String, String)>,
}

/// Takes over what nobody living owns, and reads what is open.
pub(super) fn claim(tx: &Transaction<'_>, me: &Me, living: &HashSet<String>, now: Timestamp) -> rusqlite::Result<Left> {
    let mut damaged = Vec::new();
    let mut whole = |table| whole(tx, table, now, &mut damaged);
    let (intents, requests, drafts) = (whole(&INTENT)?, whole(&REQUEST)?, whole(&DRAFT)?);
    let mut left = Left { unresolved: Vec::new(), drafts: Vec::new(), open: Vec::new(), accepted: Vec::new(), damaged };
    let intents: Vec<_> = intents.into_iter().filter_map(IntentRow::of).collect();
    let requests: Vec<_> =
        requests.into_iter().filter_map(RequestRow::of).filter(|row| row.tenant == me.tenant).collect();
    // A write that was set aside is shown by nobody: the text of one that was sent in its place would be lost with it.
    let has_its_text = |row: &&IntentRow| !matches!(row.intent.stage, WriteState::NotDone | WriteState::SetAside);
    let sent: Vec<_> = intents.iter().filter(has_its_text).cloned().collect();
    for mut row in intents {
        let Some(after) = row.intent.stage.after(Transition::Die) else { continue };
        if row.tenant != me.tenant || living.contains(&row.owner) {
            continue;
        }
        row.revision += 1;
        row.owner.clone_from(&me.owner.name);
        row.intent.stage = after;
        row.changed_at = now;
        INTENT.write(tx, &row.row())?;
        note(tx, &row, None)?;
        if matches!(row.intent.what, Operation::Create(_)) {
            me.saw_create(row.intent.at);
        }
        left.unresolved.push(row.intent);
    }
    for mut row in drafts.into_iter().filter_map(DraftRow::of) {
        if row.tenant != me.tenant || living.contains(&row.owner) {
            continue;
        }
        if sent.iter().any(|intent| is_of(intent, &row) && has_text(intent, &requests)) {
            DRAFT.delete(tx, row.id)?;
            continue;
        }
        row.revision += 1;
        row.left_by = Some(std::mem::replace(&mut row.owner, me.owner.name.clone()));
        DRAFT.write(tx, &row.row())?;
        left.drafts.push(row.saved);
    }
    let (open, ended): (Vec<_>, Vec<_>) = requests.into_iter().partition(|row| row.ended_at.is_none());
    // An earlier version has taken two spellings of an id for two requests.
    let mut known: HashSet<_> = ended.into_iter().map(|row| row.request.id).collect();
    let open = open.into_iter().filter(|row| row.opened_by.is_some() && known.insert(row.request.id.clone()));
    left.open.extend(open.map(|row| row.request));
    let accepted = sent.into_iter().filter(|row| row.tenant == me.tenant && is_accepted(row, &left.open));
    left.accepted = accepted.map(|row| row.intent).collect();
    Ok(left)
}

/// Whether the service took this close of a request that still counts as open.
fn is_accepted(write: &IntentRow, open: &[ElevationRequest]) -> bool {
    let Operation::Close(CloseElevationRequest { id, .. }) = &write.intent.what else { return false };
    write.intent.stage == WriteState::Done && open.iter().any(|request| request.id == *id)
}

/// Whether the draft is what this write was made of: a process that dies before it has ended the draft leaves both, and
/// the write has the text. What was saved in the form after the write is another, be it word for word the same.
fn is_of(write: &IntentRow, draft: &DraftRow) -> bool {
    let same = match (&write.intent.what, &draft.saved.target) {
        (Operation::Create(new), DraftTarget::Refused(_)) => new.draft().is_sent_as(&draft.saved.draft),
        (Operation::Create(new), DraftTarget::Form) => {
            new.draft().is_sent_as(&draft.saved.draft) && draft.saved.at <= write.intent.at
        }
        (Operation::Close(CloseElevationRequest { id, actions_taken, .. }), DraftTarget::Close(closes)) => {
            id == closes && actions_taken.contains(draft.saved.draft.get(Field::PlanOfAction))
        }
        _ => false,
    };
    same && write.tenant == draft.tenant && write.owner == draft.owner
}

/// Whether the text of this write comes back without its draft, or is at the service word for word. That of a close which
/// the service has kept in another form is nowhere else.
fn has_text(write: &IntentRow, requests: &[RequestRow]) -> bool {
    let Operation::Close(CloseElevationRequest { id, actions_taken, .. }) = &write.intent.what else { return true };
    let ended = requests.iter().find(|row| row.request.id == *id && row.ended_at.is_some());
    write.intent.stage != WriteState::Done
        || ended.is_none_or(|row| row.request.actions_taken.is_blank() || row.request.holds_text(actions_taken))
}

/// Every whole row of the table, of all tenants: a damaged one may name any. What is damaged is marked and told once.
fn whole(
    tx: &Transaction<'_>,
    table: &Table,
    now: Timestamp,
    damaged: &mut Vec<(String, String)>,
) -> rusqlite::Result<Vec<StoredRow>> {
    let (mut whole, mut numbers) = (Vec::new(), Vec::new());
    for read in table.rows(tx)? {
        match read {
            Read::Whole(row) => whole.push(row),
            Read::Damaged(id) => {
                table.mark(tx, id, &time(now))?;
                numbers.push(id.to_string());
            }
        }
    }
    if !numbers.is_empty() {
        let what = match TABLES.iter().position(|it| *it == table) {
            Some(0) => "writes",
            Some(1) => "requests",
            _ => "drafts",
        };
        damaged.push((
            format!(
                "The record is damaged in places: {what} {} cannot be trusted and are left out.",
                numbers.join(", ")
            ),
            format!("check in the service's list what is open; the rows are kept in the table {}", table.name),
        ));
    }
    Ok(whole)
}
