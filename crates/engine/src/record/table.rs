//! Reads and writes the rows of the tables, whatever they mean.

use rusqlite::{
    Connection, ErrorCode, params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};

/// How many ranges of a damaged table may fail before the rest of it is left.
const FAILURES: usize = 1024;

/// A table whose rows are taken over from a damaged or lost database.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What its rows are to people.
    pub(super) plural: &'static str,
}

/// A row, with the cells behind its number in the order of `schema.rs`: the last two are `revision` and `damaged_at`. A
/// text that is not UTF-8 is a blob here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredRow {
    pub(super) id: i64,
    pub(super) cells: Vec<Value>,
}

/// What a row of one of the tables means.
pub(super) trait Entry: Sized {
    /// Where it is.
    const TABLE: Table;

    /// Returns `None` for a row that this version of the program cannot have written, or that is marked as such.
    fn parse(row: &StoredRow) -> Option<Self>;

    fn stored(&self) -> StoredRow;

    /// Returns what the readable rows mean that meet a condition of SQL.
    fn find(db: &Connection, condition: &str, given: impl rusqlite::Params) -> rusqlite::Result<Vec<Self>> {
        Ok(Self::TABLE.select(db, condition, given)?.iter().filter_map(Self::parse).collect())
    }

    /// Writes the row, new or not.
    fn save(&self, db: &Connection) -> rusqlite::Result<()> {
        Self::TABLE.write(db, &self.stored())
    }
}

impl Table {
    fn read(
        &self,
        db: &Connection,
        condition: &str,
        given: impl rusqlite::Params,
        rows: &mut Vec<StoredRow>,
    ) -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached(&format!("SELECT * FROM {} WHERE {condition}", self.name))?;
        let columns = statement.column_count();
        let mut found = statement.query(given)?;
        while let Some(row) = found.next()? {
            let cells = (1..columns).map(|column| row.get_ref(column).map(cell)).collect::<Result<_, _>>()?;
            rows.push(StoredRow { id: row.get(0)?, cells });
        }
        Ok(())
    }

    /// Returns the rows that meet a condition of SQL.
    pub(super) fn select(
        &self,
        db: &Connection,
        condition: &str,
        given: impl rusqlite::Params,
    ) -> rusqlite::Result<Vec<StoredRow>> {
        let mut rows = Vec::new();
        self.read(db, condition, given, &mut rows)?;
        Ok(rows)
    }

    /// Returns the row of this number.
    pub(super) fn row(&self, db: &Connection, id: i64) -> rusqlite::Result<Option<StoredRow>> {
        Ok(self.select(db, "id = ?1", [id])?.pop())
    }

    /// Returns the rows that the database still yields, and whether these are all. A range of numbers that fails is read
    /// from both its ends, and what is between is halved.
    pub(super) fn readable(&self, db: &Connection) -> (Vec<StoredRow>, bool) {
        let (mut rows, mut failures) = (Vec::new(), 0);
        if let Err(error) = self.select(db, "false", []) {
            tracing::warn!(%error, table = self.name, "a table cannot be read");
            return (rows, false);
        }
        let mut ranges = vec![(1, self.next_id(db).map_or(i64::MAX, |next| next - 1))];
        while let Some((mut first, mut last)) = ranges.pop() {
            let mut known = rows.len();
            let Err(error) = self.read(db, "id BETWEEN ?1 AND ?2 ORDER BY id", [first, last], &mut rows) else {
                continue;
            };
            if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
                return (rows, false); // Another range would be waited for just as long.
            }
            first = rows[known..].last().map_or(first, |row| row.id + 1);
            known = rows.len();
            let _ = self.read(db, "id BETWEEN ?1 AND ?2 ORDER BY id DESC", [first, last], &mut rows);
            last = rows[known..].last().map_or(last, |row| row.id - 1);
            if failures == 0 {
                tracing::warn!(%error, table = self.name, first, last, "rows cannot be read");
            }
            failures += 1;
            if first < last && failures < FAILURES {
                let middle = i64::midpoint(first, last);
                ranges.extend([(middle + 1, last), (first, middle)]);
            }
        }
        rows.sort_by_key(|row| row.id);
        (rows, failures == 0)
    }

    /// Writes the row, new or not.
    pub(super) fn write(&self, db: &Connection, row: &StoredRow) -> rusqlite::Result<()> {
        let marks = vec!["?"; row.cells.len() + 1].join(", ");
        let sql = format!("INSERT OR REPLACE INTO {} VALUES ({marks})", self.name);
        let id = ToSqlOutput::from(row.id);
        db.prepare_cached(&sql)?.execute(params_from_iter(std::iter::once(id).chain(row.cells.iter().map(bound))))?;
        Ok(())
    }

    /// Marks a row that cannot be read: it is kept for a person to look at, and read no more.
    pub(super) fn mark(&self, db: &Connection, id: i64, now: &str) -> rusqlite::Result<()> {
        db.execute(&format!("UPDATE {} SET damaged_at = ?2 WHERE id = ?1", self.name), (id, now))?;
        Ok(())
    }

    /// Deletes the row.
    pub(super) fn delete(&self, db: &Connection, id: i64) -> rusqlite::Result<()> {
        db.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", self.name))?.execute([id])?;
        Ok(())
    }

    /// Returns a number that no row has had before.
    pub(super) fn next_id(&self, db: &Connection) -> rusqlite::Result<i64> {
        let sql = format!(
            "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{0}'), 0),
                        coalesce((SELECT max(id) FROM {0}), 0)) + 1",
            self.name
        );
        db.query_row(&sql, [], |row| row.get(0))
    }

    /// Has no number below this given out any more.
    pub(super) fn reserve(&self, db: &Connection, next: i64) -> rusqlite::Result<()> {
        let used = self.next_id(db)?.max(next) - 1;
        db.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [self.name])?;
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (self.name, used))?;
        Ok(())
    }
}

fn cell(value: ValueRef<'_>) -> Value {
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

/// The tables hold no blobs: one is a text that could not be read, and goes back as it was.
fn bound(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Blob(bytes) => ValueRef::Text(bytes),
        other => other.into(),
    })
}
