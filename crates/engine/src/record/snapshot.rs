//! The readable rows of a damaged or lost database, and merging them into the database that replaces it.
//!
//! The replacement may be an older state of the same database, a new one, or another one with its own rows and numbers. A row is
//! identified by its contents, not by its number only; of two versions of a row, the later revision is used.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use rusqlite::{Connection, ErrorCode, Transaction};

use super::{
    error::shown,
    rows::{DraftRow, RequestRow, TABLES, WriteRow, from_version_1},
    store::{Me, note},
    table::{Entry, StoredRow},
};
use mmd_elevate_core::{Problem, RequestId, visible};

/// The rows of a database that is not used any more.
#[derive(Default)]
pub(super) struct Snapshot {
    /// In the order of [`TABLES`].
    rows: [Vec<StoredRow>; 3],
    /// The next unused numbers, in the same order.
    next: [i64; 3],
    /// Whether all rows could be read.
    pub(super) is_whole: bool,
    /// The path to which its files were renamed, if any were left.
    pub(super) aside: Option<PathBuf>,
}

impl Snapshot {
    /// Reads all readable rows.
    pub(super) fn read(db: &Connection) -> Self {
        let mut read = TABLES.map(|table| table.readable(db));
        for (table, (rows, _)) in TABLES.iter().zip(&mut read) {
            if db.prepare(&format!("SELECT digest FROM {}", table.name)).is_ok() {
                for row in rows {
                    from_version_1(table, row);
                }
            }
        }
        let is_whole = read.iter().all(|(_, is_whole)| *is_whole);
        let next = TABLES.map(|table| table.next_id(db).unwrap_or(1));
        Self { rows: read.map(|(rows, _)| rows), next, is_whole, aside: None }
    }

    /// Returns the ids of its requests.
    pub(super) fn requests(&self) -> HashSet<RequestId> {
        self.rows[1].iter().filter_map(RequestRow::parse).map(|row| row.request.id).collect()
    }

    /// Returns the warning about a database that was set aside for this reason.
    pub(super) fn warning(&self, why: &str) -> Problem {
        let writes = self.rows[0].iter().filter_map(WriteRow::parse);
        let unsettled = writes.filter(|row| !row.write.state.is_settled()).count();
        let read = match self.rows.iter().map(Vec::len).sum::<usize>() - unsettled {
            0 if unsettled == 0 => "Nothing more was read from it.".to_owned(),
            others => format!("Read from it: {unsettled} unsettled writes and {others} other entries."),
        };
        let (why, aside) = (visible(why), self.aside.as_deref().map(shown).unwrap_or_default());
        let hint = "look in the service's list for what you opened lately, and keep the file until you have";
        Problem::new(format!("The record was damaged ({why}). It was set aside as {aside}. {read}"), hint)
    }

    /// Writes the rows into the database, except where it has later revisions. Returns the new numbers of writes that have changed.
    pub(super) fn merge(&self, tx: &Transaction<'_>, me: &Me) -> rusqlite::Result<HashMap<i64, i64>> {
        for (table, next) in TABLES.iter().zip(self.next) {
            table.reserve(tx, next)?;
        }
        let renumbered = self.merge_writes(tx)?;
        self.merge_requests(tx, &renumbered)?;
        self.merge_drafts(tx, me)?;
        Ok(renumbered)
    }

    fn merge_writes(&self, tx: &Transaction<'_>) -> rusqlite::Result<HashMap<i64, i64>> {
        let mut renumbered = HashMap::new();
        for mut row in self.parsed::<WriteRow>(tx, 0)? {
            if let Some(stored) = WriteRow::TABLE.row(tx, row.id())? {
                match WriteRow::parse(&stored) {
                    Some(there) if is_same_write(&there, &row) => {
                        if there.revision < row.revision {
                            row.save(tx)?;
                        }
                        continue;
                    }
                    _ => {
                        let free = WriteRow::TABLE.next_id(tx)?;
                        renumbered.insert(row.id(), free);
                        row.write.id.0 = free;
                    }
                }
            }
            row.save(tx)?;
            note(tx, &row, None)?;
        }
        Ok(renumbered)
    }

    fn merge_requests(&self, tx: &Transaction<'_>, renumbered: &HashMap<i64, i64>) -> rusqlite::Result<()> {
        let key = |row: &RequestRow| (row.tenant.clone(), row.request.id.clone());
        let there = RequestRow::find(tx, "true", [])?;
        let mut there: HashMap<_, _> = there.into_iter().map(|row| (key(&row), row)).collect();
        for mut row in self.parsed::<RequestRow>(tx, 1)? {
            row.opened_by = row.opened_by.map(|write| renumbered.get(&write).copied().unwrap_or(write));
            if let Some(there) = there.remove(&key(&row)) {
                if there.revision >= row.revision && (there.opened_by.is_some() || row.opened_by.is_none()) {
                    continue;
                }
                row.id = there.id;
                row.revision = row.revision.max(there.revision + 1);
                row.opened_by = row.opened_by.or(there.opened_by);
                row.ended_at = row.ended_at.or(there.ended_at);
            } else if RequestRow::TABLE.row(tx, row.id)?.is_some() {
                row.id = RequestRow::TABLE.next_id(tx)?;
            }
            row.save(tx)?;
        }
        Ok(())
    }

    fn merge_drafts(&self, tx: &Transaction<'_>, me: &Me) -> rusqlite::Result<()> {
        let there = DraftRow::find(tx, "true", [])?;
        let rows = self.parsed::<DraftRow>(tx, 2)?;
        // An older state may hold drafts that were deleted since.
        for draft in there.iter().filter(|_| self.is_whole) {
            if draft.owner == me.owner.name && !rows.iter().any(|row| is_same_draft(row, draft)) {
                DraftRow::TABLE.delete(tx, draft.id)?;
            }
        }
        for mut row in rows {
            match there.iter().find(|draft| is_same_draft(draft, &row)) {
                Some(draft) if draft.revision >= row.revision => continue,
                None if DraftRow::TABLE.row(tx, row.id)?.is_some() => row.id = DraftRow::TABLE.next_id(tx)?,
                _ => {}
            }
            row.save(tx)?;
        }
        Ok(())
    }

    /// Returns the parsed rows of a table. Invalid rows are copied unchanged, so that a person can inspect them.
    fn parsed<T: Entry>(&self, tx: &Transaction<'_>, table: usize) -> rusqlite::Result<Vec<T>> {
        let mut parsed = Vec::new();
        for row in &self.rows[table] {
            if let Some(row) = T::parse(row) {
                parsed.push(row);
                continue;
            }
            let id = match T::TABLE.row(tx, row.id)? {
                Some(there) if there == *row => continue,
                Some(_) => T::TABLE.next_id(tx)?,
                None => row.id,
            };
            match T::TABLE.write(tx, &StoredRow { id, cells: row.cells.clone() }) {
                // The row violates a constraint of its table, and stays in the file that was set aside.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    tracing::warn!(%error, table = T::TABLE.name, row.id, "an unreadable row was not taken over");
                }
                written => written?,
            }
        }
        Ok(parsed)
    }
}

/// Compares the parts of a write that neither a claim nor a transition changes.
fn is_same_write(one: &WriteRow, other: &WriteRow) -> bool {
    (&one.tenant, &one.operator, one.write.at, &one.write.operation)
        == (&other.tenant, &other.operator, other.write.at, &other.write.operation)
}

/// Compares drafts by the process that typed them: a claim moves the owner to `left_by`.
fn is_same_draft(one: &DraftRow, other: &DraftRow) -> bool {
    let typed_by = |row: &DraftRow| row.left_by.clone().unwrap_or_else(|| row.owner.clone());
    one.id == other.id
        && one.tenant == other.tenant
        && one.saved.target == other.saved.target
        && (typed_by(one) == typed_by(other) || one.owner == other.owner)
}
