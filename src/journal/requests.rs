//! What is known of the requests that were opened or closed from here.

use rusqlite::{Connection, Transaction};

use super::{
    JournalError, TenantKey,
    row::Read,
    rows::{REQUEST, RequestRow},
    store::{Me, Store},
};
use crate::{
    domain::{ElevationRequest, RequestId},
    port::IntentId,
};

/// How something became known.
#[derive(Clone, Copy)]
pub(super) enum Told {
    /// The intent has made it.
    OpenedBy(IntentId),
    /// The service has listed it.
    Listed,
    /// It is known to be closed, though no list shows it.
    Ended,
}

impl Store {
    /// What the record knows of the request.
    pub(super) fn request(&self, id: &RequestId) -> Result<Option<ElevationRequest>, JournalError> {
        Ok(self.read(|db| find(db, &self.me.tenant, id))?.map(|row| row.request))
    }

    /// Takes what the service lists of requests that are known here. Tells which of them are closed as of now.
    pub(super) fn refreshed(&mut self, listed: &[ElevationRequest]) -> Result<Vec<RequestId>, JournalError> {
        self.change(|tx, me| {
            let mut ended = Vec::new();
            for request in listed {
                let Some(row) = find(tx, &me.tenant, &request.id)? else { continue };
                if told(tx, me, request, Told::Listed)? && row.ended_at.is_none() {
                    ended.push(request.id.clone());
                }
            }
            Ok(ended)
        })
    }

    /// The request is not open any more, whoever closed it.
    pub(super) fn ended(&mut self, id: &RequestId) -> Result<(), JournalError> {
        self.change(|tx, me| {
            let known = find(tx, &me.tenant, id)?.map(|row| row.request);
            known.map_or(Ok(()), |known| told(tx, me, &known, Told::Ended).map(drop)).map_err(Into::into)
        })
    }
}

fn find(db: &Connection, tenant: &TenantKey, id: &RequestId) -> rusqlite::Result<Option<RequestRow>> {
    let condition = "base_url = ?1 AND tenant_id = ?2 AND request_id = ?3 AND damaged_at IS NULL";
    let rows = REQUEST.select(db, condition, (&tenant.base_url, &tenant.tenant_id, id.raw()))?;
    Ok(rows.into_iter().filter_map(Read::whole).find_map(RequestRow::of))
}

/// Writes down what the service tells of a request. Tells whether it is known to be closed.
pub(super) fn told(tx: &Transaction<'_>, me: &Me, request: &ElevationRequest, how: Told) -> rusqlite::Result<bool> {
    let known = find(tx, &me.tenant, &request.id)?;
    let now = (me.clock)();
    let closed = request.closed.is_some() || matches!(how, Told::Ended);
    let opened_by = match how {
        Told::OpenedBy(id) => Some(id.0),
        Told::Listed | Told::Ended => None,
    };
    let mut row = match known {
        Some(row) => row,
        None => RequestRow {
            id: REQUEST.next_id(tx)?,
            revision: 0,
            tenant: me.tenant.clone(),
            opened_by: None,
            seen_at: now,
            ended_at: None,
            request: request.clone(),
        },
    };
    row.revision += 1;
    row.opened_by = row.opened_by.or(opened_by);
    row.ended_at = row.ended_at.or(closed.then_some(now));
    // A list may be older than the close that it follows.
    if request.closed.is_some() || row.request.closed.is_none() {
        row.request = request.clone().with_gaps_from(&row.request);
        row.seen_at = now;
    }
    REQUEST.write(tx, &row.row())?;
    Ok(row.ended_at.is_some())
}

/// Writes down what a close has shown of its request. `done`: the service took the close. That alone does not end the
/// request: until a list shows it as closed it counts as open, and the next start looks at it.
pub(super) fn closed(
    tx: &Transaction<'_>,
    me: &Me,
    id: &RequestId,
    request: Option<&ElevationRequest>,
    done: bool,
) -> rusqlite::Result<()> {
    let Some(request) = request else { return Ok(()) };
    // One that was opened elsewhere comes into the record by being closed from here.
    if done || find(tx, &me.tenant, id)?.is_some() {
        told(tx, me, request, Told::Listed)?;
    }
    Ok(())
}
