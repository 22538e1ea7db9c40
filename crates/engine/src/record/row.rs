//! What the tables have in common: every row can be believed on its own.
//!
//! A row has its number, its texts, a revision that grows with each change, and a digest over all of that and the
//! table's name. So one damaged row is found and does no harm to its neighbours, and rows that are picked out of the
//! ruins of a database are either exactly what was written or nothing; of two versions the later one is known.

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::{Connection, Row as SqlRow, params_from_iter, types::Value, types::ValueRef};

/// A table whose rows have digests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What stands between the `id` and the `revision`; behind that come `digest` and `damaged_at`.
    pub(super) columns: &'static [&'static str],
}

/// What is written in a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredRow {
    pub(super) id: i64,
    pub(super) revision: i64,
    pub(super) cells: Vec<Value>,
}

/// A row as it was read.
pub(super) enum Read {
    /// It is what was written.
    Whole(StoredRow),
    /// It is not, and this is its number.
    Damaged(i64),
}

impl StoredRow {
    fn digest(&self, table: &Table) -> String {
        let mut context = Context::new(&SHA256);
        let mut part = |kind: u8, bytes: &[u8]| {
            context.update(&[kind]);
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        };
        part(b't', table.name.as_bytes());
        part(b'i', &self.id.to_be_bytes());
        part(b'i', &self.revision.to_be_bytes());
        for cell in &self.cells {
            match cell {
                Value::Integer(number) => part(b'i', &number.to_be_bytes()),
                Value::Text(text) => part(b't', text.as_bytes()),
                // The tables have no other kinds.
                Value::Null | Value::Real(_) | Value::Blob(_) => part(b'0', &[]),
            }
        }
        let mut digest = String::with_capacity(64);
        for byte in context.finish().as_ref() {
            digest.push_str(&format!("{byte:02x}"));
        }
        digest
    }

    /// The row, if what was read matches its digest. `values` are all columns but the `id`.
    pub(super) fn verified(table: &Table, id: i64, values: &[ValueRef<'_>]) -> Option<Self> {
        let (cells, rest) = values.split_at_checked(table.columns.len())?;
        let [ValueRef::Integer(revision), ValueRef::Text(digest), _] = rest else { return None };
        let cells: Option<Vec<_>> = cells.iter().map(owned).collect();
        let row = Self { id, revision: *revision, cells: cells? };
        (row.digest(table).as_bytes() == *digest).then_some(row)
    }
}

fn owned(value: &ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(number) => Some(Value::Integer(*number)),
        ValueRef::Text(text) => Some(Value::Text(std::str::from_utf8(text).ok()?.to_owned())),
        ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}

impl Table {
    fn list(&self) -> String {
        format!("id, {}, revision, digest, damaged_at", self.columns.join(", "))
    }

    /// Every row that is not marked as damaged, in the order of their numbers, except those that no longer matter.
    pub(super) fn rows(&self, db: &Connection) -> rusqlite::Result<Vec<Read>> {
        self.select(db, "damaged_at IS NULL ORDER BY id", [])
    }

    /// The row of this number.
    pub(super) fn row(&self, db: &Connection, id: i64) -> rusqlite::Result<Option<Read>> {
        Ok(self.select(db, "id = ?1", [id])?.pop())
    }

    /// The rows that meet a condition of SQL.
    pub(super) fn select(
        &self,
        db: &Connection,
        condition: &str,
        given: impl rusqlite::Params,
    ) -> rusqlite::Result<Vec<Read>> {
        let sql = format!("SELECT {} FROM {} WHERE {condition}", self.list(), self.name);
        let mut statement = db.prepare_cached(&sql)?;
        statement.query_map(given, |row| self.read(row))?.collect()
    }

    fn read(&self, row: &SqlRow<'_>) -> rusqlite::Result<Read> {
        let id = row.get(0)?;
        let values: Result<Vec<_>, _> = (1..self.columns.len() + 4).map(|column| row.get_ref(column)).collect();
        Ok(StoredRow::verified(self, id, &values?).map_or(Read::Damaged(id), Read::Whole))
    }

    /// A number that no row has had before.
    pub(super) fn next_id(&self, db: &Connection) -> rusqlite::Result<i64> {
        let sql = format!(
            "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{0}'), 0),
                        coalesce((SELECT max(id) FROM {0}), 0)) + 1",
            self.name
        );
        db.query_row(&sql, [], |row| row.get(0))
    }

    /// Writes the row, new or not.
    pub(super) fn write(&self, db: &Connection, row: &StoredRow) -> rusqlite::Result<()> {
        let marks = vec!["?"; self.columns.len() + 3].join(", ");
        let sql = format!("INSERT OR REPLACE INTO {} ({}) VALUES ({marks}, NULL)", self.name, self.list());
        let values = std::iter::once(Value::Integer(row.id))
            .chain(row.cells.iter().cloned())
            .chain([Value::Integer(row.revision), Value::Text(row.digest(self))]);
        db.prepare_cached(&sql)?.execute(params_from_iter(values))?;
        Ok(())
    }

    /// Marks a damaged row: it is kept for a person to look at, and read no more.
    pub(super) fn mark(&self, db: &Connection, id: i64, now: &str) -> rusqlite::Result<()> {
        let sql = format!("UPDATE {} SET damaged_at = ?2 WHERE id = ?1", self.name);
        db.execute(&sql, (id, now))?;
        Ok(())
    }

    /// Deletes the row.
    pub(super) fn delete(&self, db: &Connection, id: i64) -> rusqlite::Result<()> {
        db.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", self.name))?.execute([id])?;
        Ok(())
    }
}
