//! Takes over the rows of dead processes. It never changes a row that a living process owns. A claim is one transaction behind
//! the opening lock, so that no two processes take over the same rows.

use std::{cmp::Reverse, collections::HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::{
    context::ProcessContext,
    place::OpenMode,
    retention,
    rows::{DraftRow, RequestRow, WriteRow, format_time},
    table::Entry,
    writes::{accepted_for, taken_as_closed},
};
use mmd_elevate_core::{
    CloseElevationRequest, DraftTarget, ElevationRequest, EndedRequest, Field, Operation, Problem, Recovered,
    RequestId, Transition, WriteRecord, WriteState,
};

/// Takes over the rows of dead processes, and reads the open requests and those closed lately. A process that only looks reads the
/// same and changes no row.
pub(super) fn claim(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    living: &HashSet<String>,
    now: Timestamp,
) -> rusqlite::Result<Recovered> {
    let takes_over = context.mode == OpenMode::TakeOver;
    let mut recovered = Recovered::default();
    let writes: Vec<WriteRow> = read_rows(tx, takes_over, now, &mut recovered.warnings)?;
    let mut requests: Vec<RequestRow> = read_rows(tx, takes_over, now, &mut recovered.warnings)?;
    let drafts: Vec<DraftRow> = read_rows(tx, takes_over, now, &mut recovered.warnings)?;
    requests.retain(|row| row.tenant == *context.tenant());
    let taken = taken_as_closed(context, &writes);
    let with_text: Vec<_> = writes.iter().filter(|row| replaces_draft(row)).cloned().collect();
    for mut row in writes {
        let Some(after) = row.write.state.after(Transition::Die) else { continue };
        if row.tenant != *context.tenant() || living.contains(&row.owner) {
            continue;
        }
        row.write.state = after;
        if takes_over {
            row.revision += 1;
            row.owner.clone_from(&context.owner.name);
            row.changed_at = now;
            row.save_with_step(tx, None)?;
            if matches!(row.write.operation, Operation::Create(_)) {
                context.note_create(row.write.at);
            }
        }
        recovered.unresolved.push(row.write);
    }
    for mut row in drafts {
        if row.tenant != *context.tenant() || living.contains(&row.owner) {
            continue;
        }
        if with_text.iter().any(|write| is_draft_of(&row, write) && is_text_preserved(write, &requests, &taken)) {
            if takes_over {
                DraftRow::TABLE.delete(tx, row.id)?;
            }
            continue;
        }
        if takes_over {
            row.revision += 1;
            row.left_by = Some(std::mem::replace(&mut row.owner, context.owner.name.clone()));
            row.save(tx)?;
        }
        recovered.drafts.push(row.saved);
    }
    add_requests(&mut recovered, context, requests, with_text, &taken, now);
    Ok(recovered)
}

/// Takes over the tenant's writes of dead processes, and nothing else of theirs. Their outcome is unknown from now on.
pub(super) fn claim_writes(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    living: &HashSet<String>,
) -> rusqlite::Result<Vec<WriteRecord>> {
    let (mut claimed, now) = (Vec::new(), context.now());
    for mut row in left_writes(tx, context, living)? {
        row.revision += 1;
        row.owner.clone_from(&context.owner.name);
        row.changed_at = now;
        row.save_with_step(tx, None)?;
        claimed.push(row.write);
    }
    Ok(claimed)
}

/// Returns the tenant's writes of unknown outcome: those that dead processes left, and those of living ones that say so.
pub(super) fn unresolved(
    db: &Connection,
    context: &ProcessContext,
    living: &HashSet<String>,
) -> rusqlite::Result<Vec<WriteRecord>> {
    let mut rows = left_writes(db, context, living)?;
    let theirs = WriteRow::find(db, "damaged_at IS NULL AND stage = 'unknown' ORDER BY id", [])?;
    rows.extend(theirs.into_iter().filter(|row| row.tenant == *context.tenant() && living.contains(&row.owner)));
    rows.sort_by_key(WriteRow::id);
    Ok(rows.into_iter().map(|row| row.write).collect())
}

/// Returns the tenant's writes that dead processes left, in the state in which that leaves them.
fn left_writes(db: &Connection, context: &ProcessContext, living: &HashSet<String>) -> rusqlite::Result<Vec<WriteRow>> {
    let mut rows = WriteRow::find(db, "damaged_at IS NULL ORDER BY id", [])?;
    rows.retain_mut(|row| {
        let after = row.write.state.after(Transition::Die);
        row.write.state = after.unwrap_or(row.write.state);
        after.is_some() && row.tenant == *context.tenant() && !living.contains(&row.owner)
    });
    Ok(rows)
}

/// Reads the open requests and those closed lately, and takes over nothing. It skips unreadable rows, which the next dashboard reports.
pub(super) fn read_open(tx: &Transaction<'_>, context: &ProcessContext, now: Timestamp) -> rusqlite::Result<Recovered> {
    let mut recovered = Recovered::default();
    let writes = WriteRow::find(tx, "damaged_at IS NULL ORDER BY id", [])?;
    let mut requests = RequestRow::find(tx, "damaged_at IS NULL ORDER BY id", [])?;
    requests.retain(|row| row.tenant == *context.tenant());
    let taken = taken_as_closed(context, &writes);
    add_requests(&mut recovered, context, requests, writes, &taken, now);
    Ok(recovered)
}

/// Adds the tenant's open requests, the accepted closes of them, and the requests that were closed lately.
pub(super) fn add_requests(
    recovered: &mut Recovered,
    context: &ProcessContext,
    requests: Vec<RequestRow>,
    writes: Vec<WriteRow>,
    taken: &HashSet<RequestId>,
    now: Timestamp,
) {
    // Older rows are purged after this.
    let since = retention::days_before(now, Recovered::CLOSED_DAYS.min(context.place.keep_days));
    let (open, mut ended): (Vec<_>, Vec<_>) = requests.into_iter().partition(|row| row.ended_at.is_none());
    ended.sort_by_key(|row| Reverse((row.ended_at, row.id)));
    // An earlier version has stored two spellings of an id as two requests.
    let mut known = HashSet::new();
    for row in ended {
        let is_new = known.insert(row.request.id.clone());
        let at = row.ended_at.filter(|at| *at >= since && is_new && recovered.closed.len() < Recovered::MOST_CLOSED);
        let on_word = row.request.closed.is_none() && taken.contains(&row.request.id);
        recovered.closed.extend(at.map(|at| EndedRequest { request: row.request, at, on_word }));
    }
    let open = open.into_iter().filter(|row| row.opened_by.is_some() && known.insert(row.request.id.clone()));
    recovered.open.extend(open.map(|row| row.request));
    let accepted =
        writes.into_iter().filter(|row| row.tenant == *context.tenant() && is_accepted(row, &recovered.open));
    recovered.accepted = accepted.map(|row| row.write).collect();
}

/// Returns whether a write makes its draft superfluous. A write that was set aside is not shown, so that a draft of the write
/// that was sent in its place would be lost with it.
fn replaces_draft(row: &WriteRow) -> bool {
    !matches!(row.write.state, WriteState::NotDone | WriteState::SetAside)
}

/// Returns whether the write is an accepted close of one of these open requests.
fn is_accepted(write: &WriteRow, open: &[ElevationRequest]) -> bool {
    accepted_for(write).is_some_and(|id| open.iter().any(|request| request.id == *id))
}

/// Returns whether the draft is what the write was made of: a process that dies before it has deleted the draft leaves both. A
/// form that was saved after the write is another draft, even with the same text.
fn is_draft_of(draft: &DraftRow, write: &WriteRow) -> bool {
    let is_same_text = match (&write.write.operation, &draft.saved.target) {
        (Operation::Create(new), DraftTarget::Refused(_)) => new.draft().is_sent_as(&draft.saved.draft),
        (Operation::Create(new), DraftTarget::Form) => {
            new.draft().is_sent_as(&draft.saved.draft) && draft.saved.at <= write.write.at
        }
        (Operation::Close(CloseElevationRequest { id, actions_taken, .. }), DraftTarget::Close(closes)) => {
            id == closes && actions_taken.contains(draft.saved.draft.get(Field::PlanOfAction))
        }
        _ => false,
    };
    is_same_text && write.tenant == draft.tenant && write.owner == draft.owner
}

/// Returns whether the text of a write exists without its draft: in the write, in an open request of this record, or at the
/// service, word for word. The service may have stored the text of an accepted close in another form, or the request may
/// have been opened elsewhere; then only the draft has it. So it may be if the request was taken as closed: the agent's word says
/// nothing of the text.
fn is_text_preserved(write: &WriteRow, requests: &[RequestRow], taken: &HashSet<RequestId>) -> bool {
    let Operation::Close(CloseElevationRequest { id, actions_taken, .. }) = &write.write.operation else { return true };
    if write.write.state != WriteState::Done {
        return true;
    }
    requests.iter().find(|row| row.request.id == *id).is_some_and(|row| {
        let is_on_word = row.request.closed.is_none() && taken.contains(id);
        let is_unshown = row.request.actions_taken.is_blank() && !is_on_word;
        let is_stored = is_unshown || row.request.holds_text(actions_taken);
        if row.ended_at.is_some() { is_stored } else { row.opened_by.is_some() }
    })
}

/// Returns the parsed rows of a table, of all tenants. Only a process that takes rows over marks the invalid ones.
fn read_rows<T: Entry>(
    tx: &Transaction<'_>,
    takes_over: bool,
    now: Timestamp,
    warnings: &mut Vec<Problem>,
) -> rusqlite::Result<Vec<T>> {
    if takes_over { read_table(tx, now, warnings) } else { T::find(tx, "damaged_at IS NULL ORDER BY id", []) }
}

/// Returns the parsed rows of a table, of all tenants. Invalid rows are marked, so that each is reported only once.
fn read_table<T: Entry>(tx: &Transaction<'_>, now: Timestamp, warnings: &mut Vec<Problem>) -> rusqlite::Result<Vec<T>> {
    let (mut rows, mut invalid) = (Vec::new(), Vec::new());
    for row in T::TABLE.select(tx, "damaged_at IS NULL ORDER BY id", [])? {
        if let Some(row) = T::parse(&row) {
            rows.push(row);
        } else {
            T::TABLE.mark_damaged(tx, row.id, &format_time(now))?;
            invalid.push(row.id.to_string());
        }
    }
    if !invalid.is_empty() {
        let (name, plural, numbers) = (T::TABLE.name, T::TABLE.plural, invalid.join(", "));
        warnings.push(Problem::new(
            format!("The record is damaged in places: {plural} {numbers} cannot be read and are left out."),
            format!("check in the service's list what is open; the rows are kept in the table {name}"),
        ));
    }
    Ok(rows)
}
