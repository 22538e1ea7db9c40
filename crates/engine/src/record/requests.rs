//! Saves the requests that were opened or closed from this record. It never adds a request that is merely listed.

use rusqlite::{Connection, Transaction};

use super::{
    context::ProcessContext,
    rows::{RequestRow, SAME_REQUEST, same_request_params},
    table::Entry,
    tenant::TenantKey,
    writes,
};
use mmd_elevate_core::{CloseElevationRequest, ElevationRequest, Operation, RequestId, WriteId};

/// The source of a request's state.
#[derive(Clone, Copy)]
enum StateSource {
    /// A create of this record has opened the request.
    Create(WriteId),
    /// The service has listed it.
    List,
    /// It is known to be closed, although no list shows it.
    End,
}

/// Returns the last known state of a request.
pub(super) fn request(
    db: &Connection,
    context: &ProcessContext,
    id: &RequestId,
) -> rusqlite::Result<Option<ElevationRequest>> {
    Ok(find(db, context.tenant(), id)?.into_iter().next().map(|row| row.request))
}

/// Updates known requests from a list, and adds those that were opened elsewhere and that a close of this record has closed.
/// Returns the known ones that are newly known to be closed.
pub(super) fn update(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    listed: &[ElevationRequest],
) -> rusqlite::Result<Vec<RequestId>> {
    let mut ended = Vec::new();
    for request in listed {
        let known = find(tx, context.tenant(), &request.id)?;
        if known.is_empty() {
            if request.closed.is_some() && !writes::accepted_closes(tx, context, &request.id)?.is_empty() {
                save(tx, context, request, StateSource::List)?;
            }
            continue;
        }
        let has_ended = save(tx, context, request, StateSource::List)?;
        if has_ended && known.iter().all(|row| row.ended_at.is_none()) {
            ended.push(request.id.clone());
        }
    }
    Ok(ended)
}

/// Marks a request as closed.
pub(super) fn end(tx: &Transaction<'_>, context: &ProcessContext, id: &RequestId) -> rusqlite::Result<()> {
    match request(tx, context, id)? {
        Some(known) => save(tx, context, &known, StateSource::End).map(drop),
        None => Ok(()),
    }
}

/// Marks a request as closed on the agent's word. Returns `false` if no close of it was accepted.
pub(super) fn take_as_closed(tx: &Transaction<'_>, context: &ProcessContext, id: &RequestId) -> rusqlite::Result<bool> {
    let known = find(tx, context.tenant(), id)?;
    if known.iter().any(|row| row.ended_at.is_some()) {
        return Ok(true);
    }
    let Some(accepted) = writes::accepted_closes(tx, context, id)?.pop() else { return Ok(false) };
    let request = match (known.into_iter().next(), &accepted.write.operation) {
        (Some(row), _) => row.request,
        // Its text is not the service's, which may hold another one.
        (None, Operation::Close(CloseElevationRequest { id, device, .. })) => {
            ElevationRequest { device: device.clone(), ..ElevationRequest::from_id(id.clone()) }
        }
        (None, Operation::Create(_)) => return Ok(false),
    };
    save(tx, context, &request, StateSource::End)?;
    writes::note_taken_as_closed(tx, context, accepted)?;
    Ok(true)
}

/// Saves a request that a create has opened.
pub(super) fn save_opened(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    request: &ElevationRequest,
    opened_by: WriteId,
) -> rusqlite::Result<()> {
    save(tx, context, request, StateSource::Create(opened_by)).map(drop)
}

/// Saves the request of a close. An accepted close alone does not end the request: until a list shows it as closed it
/// counts as open, and the next start checks it.
pub(super) fn apply_close_result(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    request: &ElevationRequest,
    is_accepted: bool,
) -> rusqlite::Result<()> {
    // A request that was opened elsewhere is added to the record by a close.
    if is_accepted || !find(tx, context.tenant(), &request.id)?.is_empty() {
        save(tx, context, request, StateSource::List)?;
    }
    Ok(())
}

/// Returns the rows of a request: one, unless an earlier version has stored two spellings of its id as two requests.
fn find(db: &Connection, tenant: &TenantKey, id: &RequestId) -> rusqlite::Result<Vec<RequestRow>> {
    let mut rows = RequestRow::find(db, &format!("{SAME_REQUEST} ORDER BY id"), same_request_params(id))?;
    rows.retain(|row| row.tenant == *tenant && row.request.id == *id);
    Ok(rows)
}

/// Saves the state of a request. Returns whether it is known to be closed.
fn save(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    request: &ElevationRequest,
    source: StateSource,
) -> rusqlite::Result<bool> {
    let mut known = find(tx, context.tenant(), &request.id)?;
    let now = context.now();
    let is_closed = request.closed.is_some() || matches!(source, StateSource::End);
    let opened_by = match source {
        StateSource::Create(id) => Some(id.0),
        StateSource::List | StateSource::End => None,
    };
    if known.is_empty() {
        known.push(RequestRow {
            id: RequestRow::TABLE.next_id(tx)?,
            revision: 0,
            tenant: context.tenant().clone(),
            opened_by: None,
            seen_at: now,
            ended_at: None,
            request: request.clone(),
        });
    }
    let mut has_ended = false;
    for mut row in known {
        row.revision += 1;
        row.opened_by = row.opened_by.or(opened_by);
        row.ended_at = row.ended_at.or(is_closed.then_some(now));
        // A list may be older than the close that it follows.
        if request.closed.is_some() || row.request.closed.is_none() {
            row.request = request.clone().with_gaps_from(&row.request);
            row.seen_at = now;
        }
        row.save(tx)?;
        has_ended |= row.ended_at.is_some();
    }
    Ok(has_ended)
}
