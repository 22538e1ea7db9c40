//! What dead processes left becomes ours. All of it is one transaction behind the gate, so that two starts never both
//! have it; what a living process owns is not touched.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::Transaction;

use super::{
    rows::{DraftRow, RequestRow, WriteRow, time},
    store::{Me, note},
    table::Entry,
};
use mmd_elevate_core::{
    CloseElevationRequest, DraftTarget, ElevationRequest, Field, Operation, Problem, SavedDraft, Transition,
    WriteRecord, WriteState,
};

/// What was left.
#[derive(Default)]
pub(super) struct Left {
    pub(super) unresolved: Vec<WriteRecord>,
    pub(super) drafts: Vec<SavedDraft>,
    pub(super) open: Vec<ElevationRequest>,
    /// Closes of them that the service took and no list has shown.
    pub(super) accepted: Vec<WriteRecord>,
    /// Rows that cannot be read: what happened, and what to do.
    pub(super) unreadable: Vec<Problem>,
}

/// Takes over what nobody living owns, and reads what is open.
pub(super) fn claim(tx: &Transaction<'_>, me: &Me, living: &HashSet<String>, now: Timestamp) -> rusqlite::Result<Left> {
    let mut unreadable = Vec::new();
    let writes: Vec<WriteRow> = readable(tx, now, &mut unreadable)?;
    let mut requests: Vec<RequestRow> = readable(tx, now, &mut unreadable)?;
    let drafts: Vec<DraftRow> = readable(tx, now, &mut unreadable)?;
    requests.retain(|row| row.tenant == me.tenant);
    let sent: Vec<_> = writes.iter().filter(|row| has_its_text(row)).cloned().collect();
    let mut left = Left { unreadable, ..Left::default() };
    for mut row in writes {
        let Some(after) = row.write.state.after(Transition::Die) else { continue };
        if row.tenant != me.tenant || living.contains(&row.owner) {
            continue;
        }
        row.revision += 1;
        row.owner.clone_from(&me.owner.name);
        row.write.state = after;
        row.changed_at = now;
        row.save(tx)?;
        note(tx, &row, None)?;
        if matches!(row.write.operation, Operation::Create(_)) {
            me.saw_create(row.write.at);
        }
        left.unresolved.push(row.write);
    }
    for mut row in drafts {
        if row.tenant != me.tenant || living.contains(&row.owner) {
            continue;
        }
        if sent.iter().any(|write| is_of(write, &row) && has_text(write, &requests)) {
            DraftRow::TABLE.delete(tx, row.id)?;
            continue;
        }
        row.revision += 1;
        row.left_by = Some(std::mem::replace(&mut row.owner, me.owner.name.clone()));
        row.save(tx)?;
        left.drafts.push(row.saved);
    }
    left.add_open(me, requests, sent);
    Ok(left)
}

/// Reads what is open, and takes over nothing. Rows that cannot be read are for a dashboard to report.
pub(super) fn read_open(tx: &Transaction<'_>, me: &Me) -> rusqlite::Result<Left> {
    let mut left = Left::default();
    let sent = WriteRow::find(tx, "damaged_at IS NULL ORDER BY id", [])?;
    let mut requests = RequestRow::find(tx, "damaged_at IS NULL ORDER BY id", [])?;
    requests.retain(|row| row.tenant == me.tenant);
    left.add_open(me, requests, sent.into_iter().filter(has_its_text).collect());
    Ok(left)
}

/// Whether the write has the text of the draft that it was made of. A write that was set aside is shown by nobody: the
/// text of one that was sent in its place would be lost with it.
fn has_its_text(row: &WriteRow) -> bool {
    !matches!(row.write.state, WriteState::NotDone | WriteState::SetAside)
}

impl Left {
    /// Adds the requests of the tenant that are open, and the closes of them that the service took.
    fn add_open(&mut self, me: &Me, requests: Vec<RequestRow>, sent: Vec<WriteRow>) {
        let (open, ended): (Vec<_>, Vec<_>) = requests.into_iter().partition(|row| row.ended_at.is_none());
        // An earlier version has taken two spellings of an id for two requests.
        let mut known: HashSet<_> = ended.into_iter().map(|row| row.request.id).collect();
        let open = open.into_iter().filter(|row| row.opened_by.is_some() && known.insert(row.request.id.clone()));
        self.open.extend(open.map(|row| row.request));
        let accepted = sent.into_iter().filter(|row| row.tenant == me.tenant && is_accepted(row, &self.open));
        self.accepted = accepted.map(|row| row.write).collect();
    }
}

/// Whether the service took this close of a request that still counts as open.
fn is_accepted(write: &WriteRow, open: &[ElevationRequest]) -> bool {
    let Operation::Close(CloseElevationRequest { id, .. }) = &write.write.operation else { return false };
    write.write.state == WriteState::Done && open.iter().any(|request| request.id == *id)
}

/// Whether the draft is what this write was made of: a process that dies before it has ended the draft leaves both, and
/// the write has the text. What was saved in the form after the write is another, be it word for word the same.
fn is_of(write: &WriteRow, draft: &DraftRow) -> bool {
    let same = match (&write.write.operation, &draft.saved.target) {
        (Operation::Create(new), DraftTarget::Refused(_)) => new.draft().is_sent_as(&draft.saved.draft),
        (Operation::Create(new), DraftTarget::Form) => {
            new.draft().is_sent_as(&draft.saved.draft) && draft.saved.at <= write.write.at
        }
        (Operation::Close(CloseElevationRequest { id, actions_taken, .. }), DraftTarget::Close(closes)) => {
            id == closes && actions_taken.contains(draft.saved.draft.get(Field::PlanOfAction))
        }
        _ => false,
    };
    same && write.tenant == draft.tenant && write.owner == draft.owner
}

/// Whether the text of this write comes back without its draft, or is at the service word for word. The text of a close that
/// the service took comes back with its request, where that counts as open here; where the service has kept it in another
/// form, or where the request was opened elsewhere, it is nowhere else.
fn has_text(write: &WriteRow, requests: &[RequestRow]) -> bool {
    let Operation::Close(CloseElevationRequest { id, actions_taken, .. }) = &write.write.operation else { return true };
    if write.write.state != WriteState::Done {
        return true;
    }
    requests.iter().find(|row| row.request.id == *id).is_some_and(|row| {
        let is_stored = row.request.actions_taken.is_blank() || row.request.holds_text(actions_taken);
        if row.ended_at.is_some() { is_stored } else { row.opened_by.is_some() }
    })
}

/// Returns what the rows of the table mean, of all tenants. What cannot be read is marked, and told once.
fn readable<T: Entry>(tx: &Transaction<'_>, now: Timestamp, unreadable: &mut Vec<Problem>) -> rusqlite::Result<Vec<T>> {
    let (mut rows, mut numbers) = (Vec::new(), Vec::new());
    for row in T::TABLE.select(tx, "damaged_at IS NULL ORDER BY id", [])? {
        if let Some(row) = T::parse(&row) {
            rows.push(row);
        } else {
            T::TABLE.mark(tx, row.id, &time(now))?;
            numbers.push(row.id.to_string());
        }
    }
    if !numbers.is_empty() {
        let (name, plural, numbers) = (T::TABLE.name, T::TABLE.plural, numbers.join(", "));
        unreadable.push(Problem::new(
            format!("The record is damaged in places: {plural} {numbers} cannot be read and are left out."),
            format!("check in the service's list what is open; the rows are kept in the table {name}"),
        ));
    }
    Ok(rows)
}
