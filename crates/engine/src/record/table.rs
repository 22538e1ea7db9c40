//! Reads and writes the rows of the tables without interpreting them.

use rusqlite::{
    Connection, ErrorCode, params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};

/// How many ranges of a damaged table may fail before its other rows are skipped.
const MAX_FAILURES: usize = 1024;

/// A table whose rows are taken over from a damaged or lost database.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The name of its rows in messages.
    pub(super) plural: &'static str,
}

/// A row, with the cells after its id in the order of `schema.rs`; the last two are `revision` and `damaged_at`. A text that is
/// not UTF-8 is a blob.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredRow {
    pub(super) id: i64,
    pub(super) cells: Vec<Value>,
}

/// A parsed row of one of the tables.
pub(super) trait Entry: Sized {
    const TABLE: Table;

    /// Parses a row. Returns `None` if it is invalid or marked as damaged.
    fn parse(row: &StoredRow) -> Option<Self>;

    /// Converts it to a row.
    fn to_stored(&self) -> StoredRow;

    /// Returns the valid rows that meet an SQL condition.
    fn find(db: &Connection, condition: &str, params: impl rusqlite::Params) -> rusqlite::Result<Vec<Self>> {
        Ok(Self::TABLE.select(db, condition, params)?.iter().filter_map(Self::parse).collect())
    }

    /// Writes the row, new or not.
    fn save(&self, db: &Connection) -> rusqlite::Result<()> {
        Self::TABLE.write(db, &self.to_stored())
    }
}

impl Table {
    fn read_into(
        &self,
        db: &Connection,
        condition: &str,
        params: impl rusqlite::Params,
        rows: &mut Vec<StoredRow>,
    ) -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached(&format!("SELECT * FROM {} WHERE {condition}", self.name))?;
        let columns = statement.column_count();
        let mut found = statement.query(params)?;
        while let Some(row) = found.next()? {
            let cells = (1..columns).map(|column| row.get_ref(column).map(to_value)).collect::<Result<_, _>>()?;
            rows.push(StoredRow { id: row.get(0)?, cells });
        }
        Ok(())
    }

    /// Returns the rows that meet an SQL condition.
    pub(super) fn select(
        &self,
        db: &Connection,
        condition: &str,
        params: impl rusqlite::Params,
    ) -> rusqlite::Result<Vec<StoredRow>> {
        let mut rows = Vec::new();
        self.read_into(db, condition, params, &mut rows)?;
        Ok(rows)
    }

    /// Returns the row of this id.
    pub(super) fn row(&self, db: &Connection, id: i64) -> rusqlite::Result<Option<StoredRow>> {
        Ok(self.select(db, "id = ?1", [id])?.pop())
    }

    /// Returns the readable rows, and whether these are all. A range of ids that fails is read from both ends, and the rest is
    /// split in two.
    pub(super) fn read_readable(&self, db: &Connection) -> (Vec<StoredRow>, bool) {
        let (mut rows, mut failures) = (Vec::new(), 0);
        if let Err(error) = self.select(db, "false", []) {
            tracing::warn!(%error, table = self.name, "a table cannot be read");
            return (rows, false);
        }
        let mut ranges = vec![(1, self.next_id(db).map_or(i64::MAX, |next| next - 1))];
        while let Some((mut first, mut last)) = ranges.pop() {
            let mut known = rows.len();
            let Err(error) = self.read_into(db, "id BETWEEN ?1 AND ?2 ORDER BY id", [first, last], &mut rows) else {
                continue;
            };
            if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
                return (rows, false); // Another range would have to wait as long.
            }
            first = rows[known..].last().map_or(first, |row| row.id + 1);
            known = rows.len();
            let _ = self.read_into(db, "id BETWEEN ?1 AND ?2 ORDER BY id DESC", [first, last], &mut rows);
            last = rows[known..].last().map_or(last, |row| row.id - 1);
            if failures == 0 {
                tracing::warn!(%error, table = self.name, first, last, "rows cannot be read");
            }
            failures += 1;
            if first < last && failures < MAX_FAILURES {
                let middle = i64::midpoint(first, last);
                ranges.extend([(middle + 1, last), (first, middle)]);
            }
        }
        rows.sort_by_key(|row| row.id);
        (rows, failures == 0)
    }

    /// Writes the row, new or not.
    pub(super) fn write(&self, db: &Connection, row: &StoredRow) -> rusqlite::Result<()> {
        let placeholders = vec!["?"; row.cells.len() + 1].join(", ");
        let sql = format!("INSERT OR REPLACE INTO {} VALUES ({placeholders})", self.name);
        let id = ToSqlOutput::from(row.id);
        db.prepare_cached(&sql)?.execute(params_from_iter(std::iter::once(id).chain(row.cells.iter().map(to_sql))))?;
        Ok(())
    }

    /// Marks an invalid row: it stays, so that a person can inspect it, and is not read any more.
    pub(super) fn mark_damaged(&self, db: &Connection, id: i64, now: &str) -> rusqlite::Result<()> {
        db.execute(&format!("UPDATE {} SET damaged_at = ?2 WHERE id = ?1", self.name), (id, now))?;
        Ok(())
    }

    /// Deletes the row.
    pub(super) fn delete(&self, db: &Connection, id: i64) -> rusqlite::Result<()> {
        db.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", self.name))?.execute([id])?;
        Ok(())
    }

    /// Returns an id that no row has had before.
    pub(super) fn next_id(&self, db: &Connection) -> rusqlite::Result<i64> {
        let sql = format!(
            "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{0}'), 0),
                        coalesce((SELECT max(id) FROM {0}), 0)) + 1",
            self.name
        );
        db.prepare_cached(&sql)?.query_row([], |row| row.get(0))
    }

    /// Reserves all ids below this one, so that no new row gets one of them.
    pub(super) fn reserve_ids_below(&self, db: &Connection, next: i64) -> rusqlite::Result<()> {
        let used = self.next_id(db)?.max(next) - 1;
        db.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [self.name])?;
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (self.name, used))?;
        Ok(())
    }
}

fn to_value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => {
            String::from_utf8(bytes.to_vec()).map_or_else(|error| Value::Blob(error.into_bytes()), Value::Text)
        }
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// Binds a cell. The tables hold no blobs: a blob is a text that is not UTF-8, and is written back unchanged.
fn to_sql(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Blob(bytes) => ValueRef::Text(bytes),
        other => other.into(),
    })
}
