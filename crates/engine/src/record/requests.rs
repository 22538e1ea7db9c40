//! The requests that were opened or closed from this record.

use rusqlite::{Connection, Transaction};

use super::{
    RecordError, TenantKey,
    rows::RequestRow,
    store::{Me, SAME_REQUEST, Store, same_request},
    table::Entry,
};
use mmd_elevate_core::{ElevationRequest, RequestId, WriteId};

/// The source of a request's state.
#[derive(Clone, Copy)]
pub(super) enum Told {
    /// A create of this record has opened the request.
    OpenedBy(WriteId),
    /// The service has listed it.
    Listed,
    /// It is known to be closed, although no list shows it.
    Ended,
}

impl Store {
    /// Returns the last known state of a request.
    pub(super) fn request(&mut self, id: &RequestId) -> Result<Option<ElevationRequest>, RecordError> {
        Ok(self.read(|db, me| find(db, &me.tenant, id))?.into_iter().next().map(|row| row.request))
    }

    /// Updates known requests from a list. Returns those that are newly known to be closed.
    pub(super) fn update_requests(&mut self, listed: &[ElevationRequest]) -> Result<Vec<RequestId>, RecordError> {
        self.change(|tx, me| {
            let mut ended = Vec::new();
            for request in listed {
                let known = find(tx, &me.tenant, &request.id)?;
                if known.is_empty() {
                    continue;
                }
                if told(tx, me, request, Told::Listed)? && known.iter().all(|row| row.ended_at.is_none()) {
                    ended.push(request.id.clone());
                }
            }
            Ok(ended)
        })
    }

    /// Marks a request as closed.
    pub(super) fn end_request(&mut self, id: &RequestId) -> Result<(), RecordError> {
        self.change(|tx, me| {
            let known = find(tx, &me.tenant, id)?.into_iter().next().map(|row| row.request);
            known.map_or(Ok(()), |known| told(tx, me, &known, Told::Ended).map(drop)).map_err(Into::into)
        })
    }
}

/// Returns the rows of a request: one, unless an earlier version has stored two spellings of its id as two requests.
fn find(db: &Connection, tenant: &TenantKey, id: &RequestId) -> rusqlite::Result<Vec<RequestRow>> {
    let mut rows = RequestRow::find(db, &format!("{SAME_REQUEST} ORDER BY id"), same_request(id))?;
    rows.retain(|row| row.tenant == *tenant && row.request.id == *id);
    Ok(rows)
}

/// Saves the state of a request. Returns whether it is known to be closed.
pub(super) fn told(tx: &Transaction<'_>, me: &Me, request: &ElevationRequest, how: Told) -> rusqlite::Result<bool> {
    let mut known = find(tx, &me.tenant, &request.id)?;
    let now = (me.clock)();
    let closed = request.closed.is_some() || matches!(how, Told::Ended);
    let opened_by = match how {
        Told::OpenedBy(id) => Some(id.0),
        Told::Listed | Told::Ended => None,
    };
    if known.is_empty() {
        known.push(RequestRow {
            id: RequestRow::TABLE.next_id(tx)?,
            revision: 0,
            tenant: me.tenant.clone(),
            opened_by: None,
            seen_at: now,
            ended_at: None,
            request: request.clone(),
        });
    }
    let mut ended = false;
    for mut row in known {
        row.revision += 1;
        row.opened_by = row.opened_by.or(opened_by);
        row.ended_at = row.ended_at.or(closed.then_some(now));
        // A list may be older than the close that it follows.
        if request.closed.is_some() || row.request.closed.is_none() {
            row.request = request.clone().with_gaps_from(&row.request);
            row.seen_at = now;
        }
        row.save(tx)?;
        ended |= row.ended_at.is_some();
    }
    Ok(ended)
}

/// Saves the request of a close. `done`: the service accepted the close, which alone does not end the request. Until a list shows
/// it as closed it counts as open, and the next start checks it.
pub(super) fn closed(
    tx: &Transaction<'_>,
    me: &Me,
    id: &RequestId,
    request: Option<&ElevationRequest>,
    done: bool,
) -> rusqlite::Result<()> {
    let Some(request) = request else { return Ok(()) };
    // A request that was opened elsewhere is added to the record by a close.
    if done || !find(tx, &me.tenant, id)?.is_empty() {
        told(tx, me, request, Told::Listed)?;
    }
    Ok(())
}
