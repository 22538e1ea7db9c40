//! Records writes and their outcomes. A process settles only its own writes, and no request settles two writes.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::{
    context::ProcessContext,
    drafts,
    error::{RecordError, TransactionError},
    requests,
    rows::{SAME_REQUEST, WriteRow, same_request_params},
    table::Entry,
};
use mmd_elevate_core::{
    CloseElevationRequest, NewElevationRequest, Operation, Outcome, RequestId, Transition, Untrusted, WriteId,
    WriteRecord, WriteState, are_equivalent,
};

/// The reason of an accepted close whose request was taken as closed. A write that is done has no other reason.
const TAKEN_AS_CLOSED: &str = "taken as closed on the agent's word";

/// A create whose request no write has claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    /// Its id.
    pub id: WriteId,
    /// What was sent.
    pub request: NewElevationRequest,
    /// When it was made durable.
    pub at: Timestamp,
    /// Its state, which is neither done nor not done.
    pub state: WriteState,
    /// Whether this process owns it.
    pub is_ours: bool,
}

/// Adds a write.
pub(super) fn begin(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    operation: Operation,
) -> rusqlite::Result<WriteRecord> {
    let at = context.now();
    let id = WriteId(WriteRow::TABLE.next_id(tx)?);
    if matches!(operation, Operation::Create(_)) {
        drafts::limit_times(tx, context, at)?;
        context.note_create(at);
    }
    let row = WriteRow {
        revision: 1,
        tenant: context.tenant().clone(),
        owner: context.owner.name.clone(),
        operator: context.place.operator.clone(),
        write: WriteRecord { id, operation, at, state: WriteState::Intended },
        changed_at: at,
        made: None,
        why: None,
        service_request_id: None,
    };
    row.save_with_step(tx, None)?;
    Ok(row.write)
}

/// Marks a write of this process as not done, because nothing of it is sent.
pub(super) fn cancel(db: &Connection, context: &ProcessContext, id: WriteId) -> rusqlite::Result<()> {
    let sql = "UPDATE intent SET stage = 'not done', revision = revision + 1 WHERE id = ?1 AND owner = ?2";
    db.execute(sql, (id.0, &context.owner.name)).map(drop)
}

/// Saves the outcome of a write, and updates its request and drafts.
pub(super) fn settle(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    id: WriteId,
    outcome: &Outcome,
) -> Result<(), TransactionError> {
    let row = WriteRow::TABLE.row(tx, id.0)?.ok_or(RecordError::UnknownWrite(id))?;
    let mut row = WriteRow::parse(&row).ok_or(RecordError::UnreadableWrite(id))?;
    if row.tenant != *context.tenant() {
        return Err(RecordError::UnknownWrite(id).into());
    }
    if row.owner != context.owner.name {
        return Err(RecordError::NotOwner(id).into());
    }
    let (from, to) = (row.write.state, outcome.state);
    if !is_allowed(from, to) {
        return Err(RecordError::InvalidTransition { id, from, to }.into());
    }
    row.revision += 1;
    row.write.state = to;
    row.changed_at = context.now();
    row.why.clone_from(&outcome.why);
    let service_request_id = outcome.service_request_id.as_ref().map(Untrusted::raw);
    row.service_request_id = service_request_id.map(str::to_owned).or(row.service_request_id);
    match (&row.write.operation, to, &outcome.request) {
        (Operation::Create(_), WriteState::Done, None) => return Err(RecordError::MissingRequest(id).into()),
        (Operation::Create(new), WriteState::Done, Some(request)) => {
            if let Some(owner) = owner_of(tx, context, &request.id)? {
                return Err(RecordError::RequestOwned { id, owner }.into());
            }
            row.made = Some(request.id.clone());
            let request = request.clone().with_gaps_from_draft(new.draft());
            requests::save_opened(tx, context, &request, id)?;
            drafts::delete_sent(tx, context, new.draft(), row.write.at)?;
        }
        (Operation::Create(_), ..) => {}
        (Operation::Close(CloseElevationRequest { id: closes, .. }), ..) => {
            if let Some(request) = outcome.request.as_ref().filter(|request| request.id == *closes) {
                requests::apply_close_result(tx, context, request, to == WriteState::Done)?;
            }
        }
    }
    row.save_with_step(tx, service_request_id)?;
    Ok(())
}

/// Returns whether the state machine of a write allows the change. `Sending` may be skipped: it is not recorded, because a
/// process that dies before or after it leaves the same unknown outcome.
fn is_allowed(from: WriteState, to: WriteState) -> bool {
    let reaches = |from: WriteState| Transition::ALL.into_iter().any(move |step| from.after(step) == Some(to));
    reaches(from) || from.after(Transition::Send).is_some_and(reaches)
}

/// Returns the create that owns the request.
fn owner_of(tx: &Transaction<'_>, context: &ProcessContext, request: &RequestId) -> rusqlite::Result<Option<WriteId>> {
    let condition = format!("kind = 'create' AND {SAME_REQUEST}");
    let mut rows = WriteRow::find(tx, &condition, same_request_params(request))?.into_iter();
    let owner = rows.find(|row| row.tenant == *context.tenant() && row.made.as_ref() == Some(request));
    Ok(owner.map(|row| row.write.id))
}

/// Returns the closes of a request that the service accepted, of all processes; the newest is the last.
pub(super) fn accepted_closes(
    db: &Connection,
    context: &ProcessContext,
    request: &RequestId,
) -> rusqlite::Result<Vec<WriteRow>> {
    let condition = format!("kind = 'close' AND stage = 'done' AND {SAME_REQUEST} ORDER BY id");
    let mut rows = WriteRow::find(db, &condition, same_request_params(request))?;
    rows.retain(|row| row.tenant == *context.tenant() && accepted_for(row) == Some(request));
    Ok(rows)
}

/// Returns the request of a close that the service accepted.
pub(super) fn accepted_for(row: &WriteRow) -> Option<&RequestId> {
    match &row.write.operation {
        Operation::Close(CloseElevationRequest { id, .. }) if row.write.state == WriteState::Done => Some(id),
        Operation::Close(_) | Operation::Create(_) => None,
    }
}

/// Notes with an accepted close, of any process, that its request was taken as closed. The state of the write stays `Done`, so
/// that nobody settles it again: the note is a step without a change of state.
pub(super) fn note_taken_as_closed(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    mut accepted: WriteRow,
) -> rusqlite::Result<()> {
    accepted.revision += 1;
    accepted.changed_at = context.now();
    accepted.why = Some(TAKEN_AS_CLOSED.to_owned());
    accepted.save_with_step(tx, None)
}

/// Returns the tenant's requests that were taken as closed, whether or not a list has shown them as closed since.
pub(super) fn taken_as_closed(context: &ProcessContext, writes: &[WriteRow]) -> HashSet<RequestId> {
    let taken =
        writes.iter().filter(|row| row.why.as_deref() == Some(TAKEN_AS_CLOSED) && row.tenant == *context.tenant());
    taken.filter_map(accepted_for).cloned().collect()
}

/// Returns the closes of open requests that the service accepted, of all processes but this; the newest is the last.
pub(super) fn accepted_elsewhere(db: &Connection, context: &ProcessContext) -> rusqlite::Result<Vec<WriteRow>> {
    let condition = "kind = 'close' AND stage = 'done' AND owner <> ?1
         AND request_id IN (SELECT request_id FROM request WHERE ended_at IS NULL) ORDER BY id";
    let mut rows = WriteRow::find(db, condition, [&context.owner.name])?;
    rows.retain(|row| row.tenant == *context.tenant());
    Ok(rows)
}

/// Returns the numbers of the creates of this process.
pub(super) fn own_creates(db: &Connection, context: &ProcessContext) -> rusqlite::Result<HashSet<i64>> {
    let mut statement = db.prepare_cached("SELECT id FROM intent WHERE kind = 'create' AND owner = ?1")?;
    let ids = statement.query_map([&context.owner.name], |row| row.get(0))?;
    ids.collect()
}

/// Returns the requests that creates of all processes have made, without this write's.
pub(super) fn owned_requests(
    db: &Connection,
    context: &ProcessContext,
    except: WriteId,
) -> rusqlite::Result<Vec<RequestId>> {
    let condition = "kind = 'create' AND request_id IS NOT NULL AND id <> ?1";
    let rows = WriteRow::find(db, condition, [except.0])?;
    Ok(rows.into_iter().filter(|row| row.tenant == *context.tenant()).filter_map(|row| row.made).collect())
}

/// Returns a create of unknown outcome that equals this one. What a dead process had in flight is unknown; where it is not known
/// which processes live, what any other has in flight counts.
pub(super) fn unknown_create(
    db: &Connection,
    context: &ProcessContext,
    new: &NewElevationRequest,
    living: Option<&HashSet<String>>,
) -> rusqlite::Result<Option<WriteId>> {
    let condition = "kind = 'create' AND stage NOT IN ('done', 'not done', 'set aside')
         AND (owner <> ?1 OR stage = 'unknown') ORDER BY id";
    let rows = WriteRow::find(db, condition, [&context.owner.name])?;
    let is_equal = |row: &&WriteRow| {
        let is_unknown =
            row.write.state == WriteState::Unknown || living.is_none_or(|living| !living.contains(&row.owner));
        let is_same = matches!(&row.write.operation, Operation::Create(other) if are_equivalent(other, new));
        is_unknown && is_same && row.tenant == *context.tenant()
    };
    Ok(rows.iter().find(is_equal).map(|row| row.write.id))
}

/// Returns the creates of all processes whose requests no write has claimed.
pub(super) fn unclaimed_creates(db: &Connection, context: &ProcessContext) -> rusqlite::Result<Vec<Unclaimed>> {
    let condition = "kind = 'create' AND request_id IS NULL AND stage NOT IN ('done', 'not done')";
    let rows = WriteRow::find(db, condition, [])?;
    let to_unclaimed = |row: WriteRow| {
        let is_ours = row.owner == context.owner.name;
        let WriteRecord { id, operation: Operation::Create(request), at, state } = row.write else { return None };
        Some(Unclaimed { id, request, at, state, is_ours })
    };
    Ok(rows.into_iter().filter(|row| row.tenant == *context.tenant()).filter_map(to_unclaimed).collect())
}
