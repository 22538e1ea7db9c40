//! Deletes old rows that are settled. It never deletes rows that are unresolved, open, damaged, or drafts.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::rows::format_time;

/// The number of deleted rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Settled writes.
    pub writes: usize,
    /// Closed requests.
    pub requests: usize,
}

/// Deletes rows that were settled before a time. The writes of a request that may still be open are kept with it.
pub(super) fn purge(tx: &Transaction<'_>, before: Timestamp) -> rusqlite::Result<Purged> {
    let before = format_time(before);
    let delete = |db: &Connection, sql: &str| db.execute(sql, [&before]);
    let requests = delete(tx, "DELETE FROM request WHERE ended_at < ?1 AND damaged_at IS NULL")?;
    let writes = delete(
        tx,
        "DELETE FROM intent
         WHERE changed_at < ?1 AND damaged_at IS NULL AND stage IN ('done', 'not done', 'set aside')
           AND id NOT IN (SELECT opened_by FROM request WHERE ended_at IS NULL AND opened_by IS NOT NULL)
           AND (kind <> 'close' OR stage <> 'done' OR request_id NOT IN
                (SELECT request_id FROM request WHERE ended_at IS NULL AND opened_by IS NOT NULL))",
    )?;
    tx.execute("DELETE FROM step WHERE intent NOT IN (SELECT id FROM intent)", [])?;
    Ok(Purged { writes, requests })
}

/// Returns the time this many days ago.
pub(super) fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.saturating_sub(Duration::from_secs(u64::from(days) * 86_400)).unwrap_or(Timestamp::MIN)
}
