//! The readable rows of a damaged or lost database, and merging them into the database that replaces it. A merge never
//! replaces a later revision of a row.
//!
//! The replacement may be an older state of the same database, a new one, or another one with its own rows and numbers. A row is
//! identified by its contents, not by its number only; of two versions of a row, the later revision is used.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use rusqlite::{Connection, ErrorCode, Transaction};

use super::{
    context::ProcessContext,
    error::display_path,
    rows::{DraftRow, RequestRow, TABLES, WriteRow, from_version_1},
    table::{Entry, StoredRow},
};
use mmd_elevate_core::{Problem, RequestId, visible};

/// The rows of a database that is not used any more.
#[derive(Default)]
pub(super) struct Snapshot {
    /// In the order of [`TABLES`].
    rows: [Vec<StoredRow>; 3],
    /// The next unused ids, in the same order.
    next_ids: [i64; 3],
    /// Whether all rows could be read.
    pub(super) is_whole: bool,
    /// The path to which its files were renamed, if any were left.
    pub(super) aside: Option<PathBuf>,
}

impl Snapshot {
    /// Reads all readable rows.
    pub(super) fn read(db: &Connection) -> Self {
        let mut read = TABLES.map(|table| table.read_readable(db));
        for (table, (rows, _)) in TABLES.iter().zip(&mut read) {
            if db.prepare(&format!("SELECT digest FROM {}", table.name)).is_ok() {
                for row in rows {
                    from_version_1(table, row);
                }
            }
        }
        let is_whole = read.iter().all(|(_, is_whole)| *is_whole);
        let next_ids = TABLES.map(|table| table.next_id(db).unwrap_or(1));
        Self { rows: read.map(|(rows, _)| rows), next_ids, is_whole, aside: None }
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
        let (why, aside) = (visible(why), self.aside.as_deref().map(display_path).unwrap_or_default());
        let hint = "look in the service's list for what you opened lately, and keep the file until you have";
        Problem::new(format!("The record was damaged ({why}). It was set aside as {aside}. {read}"), hint)
    }

    /// Writes the rows into the database, except where it has later revisions. Returns the new numbers of writes that have changed.
    pub(super) fn merge(&self, tx: &Transaction<'_>, context: &ProcessContext) -> rusqlite::Result<HashMap<i64, i64>> {
        for (table, next_id) in TABLES.iter().zip(self.next_ids) {
            table.reserve_ids_below(tx, next_id)?;
        }
        let renumbered = self.merge_writes(tx)?;
        self.merge_requests(tx, &renumbered)?;
        self.merge_drafts(tx, context)?;
        Ok(renumbered)
    }

    fn merge_writes(&self, tx: &Transaction<'_>) -> rusqlite::Result<HashMap<i64, i64>> {
        let mut renumbered = HashMap::new();
        for mut row in self.parse_or_copy::<WriteRow>(tx, 0)? {
            if let Some(stored) = WriteRow::TABLE.row(tx, row.id())? {
                match WriteRow::parse(&stored) {
                    Some(existing) if is_same_write(&existing, &row) => {
                        if existing.revision < row.revision {
                            row.save(tx)?;
                        }
                        continue;
                    }
                    _ => {
                        let new_id = WriteRow::TABLE.next_id(tx)?;
                        renumbered.insert(row.id(), new_id);
                        row.write.id.0 = new_id;
                    }
                }
            }
            row.save_with_step(tx, None)?;
        }
        Ok(renumbered)
    }

    fn merge_requests(&self, tx: &Transaction<'_>, renumbered: &HashMap<i64, i64>) -> rusqlite::Result<()> {
        let key = |row: &RequestRow| (row.tenant.clone(), row.request.id.clone());
        let existing = RequestRow::find(tx, "true", [])?;
        let mut existing: HashMap<_, _> = existing.into_iter().map(|row| (key(&row), row)).collect();
        for mut row in self.parse_or_copy::<RequestRow>(tx, 1)? {
            row.opened_by = row.opened_by.map(|write| renumbered.get(&write).copied().unwrap_or(write));
            if let Some(existing) = existing.remove(&key(&row)) {
                if existing.revision >= row.revision && (existing.opened_by.is_some() || row.opened_by.is_none()) {
                    continue;
                }
                row.id = existing.id;
                row.revision = row.revision.max(existing.revision + 1);
                row.opened_by = row.opened_by.or(existing.opened_by);
                row.ended_at = row.ended_at.or(existing.ended_at);
            } else if RequestRow::TABLE.row(tx, row.id)?.is_some() {
                row.id = RequestRow::TABLE.next_id(tx)?;
            }
            row.save(tx)?;
        }
        Ok(())
    }

    fn merge_drafts(&self, tx: &Transaction<'_>, context: &ProcessContext) -> rusqlite::Result<()> {
        let existing = DraftRow::find(tx, "true", [])?;
        let rows = self.parse_or_copy::<DraftRow>(tx, 2)?;
        // An older state may hold drafts that were deleted since.
        for draft in existing.iter().filter(|_| self.is_whole) {
            if draft.owner == context.owner.name && !rows.iter().any(|row| is_same_draft(row, draft)) {
                DraftRow::TABLE.delete(tx, draft.id)?;
            }
        }
        for mut row in rows {
            match existing.iter().find(|draft| is_same_draft(draft, &row)) {
                Some(draft) if draft.revision >= row.revision => continue,
                None if DraftRow::TABLE.row(tx, row.id)?.is_some() => row.id = DraftRow::TABLE.next_id(tx)?,
                _ => {}
            }
            row.save(tx)?;
        }
        Ok(())
    }

    /// Returns the parsed rows of a table. Invalid rows are copied unchanged, so that a person can inspect them.
    fn parse_or_copy<T: Entry>(&self, tx: &Transaction<'_>, table: usize) -> rusqlite::Result<Vec<T>> {
        let mut parsed = Vec::new();
        for row in &self.rows[table] {
            if let Some(row) = T::parse(row) {
                parsed.push(row);
                continue;
            }
            let id = match T::TABLE.row(tx, row.id)? {
                Some(existing) if existing == *row => continue,
                Some(_) => T::TABLE.next_id(tx)?,
                None => row.id,
            };
            match T::TABLE.write(tx, &StoredRow { id, cells: row.cells.clone() }) {
                // The row violates a constraint of its table, and stays in the file that was set aside.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    tracing::warn!(%error, table = T::TABLE.name, row.id, "an unreadable row was not taken over");
                }
                result => result?,
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
