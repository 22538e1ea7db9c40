//! Reads what other processes have changed in the record since this one has looked. It changes no row, and reads no rows as
//! long as nobody else has written.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::{
    claim,
    context::ProcessContext,
    rows::{RequestRow, WriteRow},
    table::Entry,
    writes,
};
use mmd_elevate_core::{RecordChanges, Recovered};

/// What this process has seen of the requests in the record.
#[derive(Default)]
pub(super) struct SeenRequests {
    /// `SQLite`'s version of the data, which grows where another connection writes.
    version: Option<i64>,
    /// The revision of each row.
    revisions: HashMap<i64, i64>,
}

impl SeenRequests {
    /// Returns what is there now. In a transaction that writes, nobody else can write meanwhile.
    pub(super) fn now(db: &Connection) -> rusqlite::Result<Self> {
        Ok(Self { version: Some(version(db)?), revisions: revisions(db)? })
    }
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "data_version", |row| row.get(0))
}

fn revisions(db: &Connection) -> rusqlite::Result<HashMap<i64, i64>> {
    let mut statement = db.prepare_cached("SELECT id, revision FROM request")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Returns what has changed since this was seen, or `None` if nobody else has written.
///
/// The requests that this process has opened are left out while they are open, because their replies tell of them. What it has
/// learnt otherwise is returned too.
pub(super) fn read(
    db: &Connection,
    context: &ProcessContext,
    seen: &mut SeenRequests,
) -> rusqlite::Result<Option<RecordChanges>> {
    // The version first: what is written after it is read again.
    let version = version(db)?;
    if seen.version == Some(version) {
        return Ok(None);
    }
    let revisions = revisions(db)?;
    let mut changed = Vec::new();
    for (id, revision) in &revisions {
        if seen.revisions.get(id) != Some(revision) {
            changed.extend(RequestRow::TABLE.row(db, *id)?.as_ref().and_then(RequestRow::parse));
        }
    }
    changed.retain(|row| row.tenant == *context.tenant());
    changed.sort_by_key(|row| row.id);
    let own = writes::own_creates(db, context)?;
    changed.retain(|row| row.ended_at.is_some() || row.opened_by.is_none_or(|create| !own.contains(&create)));
    let accepted = writes::accepted_elsewhere(db, context)?;
    let taken: HashSet<_> = writes::taken_as_closed(context, &WriteRow::find(db, "kind = 'close' AND why <> ''", [])?);
    let mut found = Recovered::default();
    claim::add_requests(&mut found, context, changed, Vec::new(), &taken, context.now());
    (seen.version, seen.revisions) = (Some(version), revisions);
    let accepted = accepted.into_iter().map(|row| row.write).collect();
    Ok(Some(RecordChanges { open: found.open, accepted, closed: found.closed }))
}
