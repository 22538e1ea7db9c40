//! The tables, and opening, checking and closing the database. The check never writes: a damaged database keeps every byte.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, config::DbConfig};

use super::{error::RecordError, files::Files, guard::has_log_header};

/// "MMDE": identifies a database of this program.
const APPLICATION_ID: i64 = 0x4d4d_4445;

/// The version of the tables.
const VERSION: i64 = 2;

/// How long a lock of another process is waited for. The transactions of the program last a few milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Texts are stored unchanged. Times are UTC in RFC 3339 with nine digits, so that texts sort as their times. There are no
/// indices and no foreign keys: the tables are small, and each row must be recoverable without the others. No column
/// holds a secret. `rows.rs` depends on the order of the columns.
///
/// Views come before the tables that they are of: `SQLite` checks the list of free pages, and looks for pages that belong to
/// nothing, only if the entry that was made last is no view.
const CREATE: &str = "
CREATE VIEW open_request AS
  SELECT * FROM request WHERE ended_at IS NULL AND opened_by IS NOT NULL AND damaged_at IS NULL;
CREATE TABLE request ( -- the requests that were opened or closed from this record, as the service returned them
  id INTEGER PRIMARY KEY AUTOINCREMENT, base_url TEXT NOT NULL, tenant_id TEXT NOT NULL, request_id TEXT NOT NULL,
  opened_by INTEGER, -- the create; null if it was opened elsewhere
  seen_at TEXT NOT NULL,
  ended_at TEXT, -- since when it is known to be closed
  ticket TEXT NOT NULL, device TEXT NOT NULL, title TEXT NOT NULL, category TEXT NOT NULL, subcategory TEXT NOT NULL,
  plan_of_action TEXT NOT NULL, actions_taken TEXT NOT NULL, requested_by TEXT NOT NULL, closed_by TEXT NOT NULL,
  created TEXT, created_at TEXT, closed TEXT, closed_at TEXT, -- as the service wrote it, and as it was parsed
  viewers TEXT NOT NULL, -- a JSON array
  revision INTEGER NOT NULL, damaged_at TEXT
) STRICT;
CREATE TABLE draft ( -- what is being typed
  id INTEGER PRIMARY KEY AUTOINCREMENT, base_url TEXT NOT NULL, tenant_id TEXT NOT NULL, owner TEXT NOT NULL,
  left_by TEXT, -- the dead process that typed it; null if the owner typed it
  target TEXT NOT NULL, target_id TEXT, -- form, refused, close
  at TEXT NOT NULL,
  ticket TEXT NOT NULL, device TEXT NOT NULL, title TEXT NOT NULL, category TEXT NOT NULL, subcategory TEXT NOT NULL,
  plan_of_action TEXT NOT NULL, revision INTEGER NOT NULL, damaged_at TEXT
) STRICT;
CREATE TABLE step ( -- the states of each write, with the service's ids of the answers
  id INTEGER PRIMARY KEY AUTOINCREMENT, intent INTEGER NOT NULL, at TEXT NOT NULL, stage TEXT NOT NULL, why TEXT,
  service_request_id TEXT
) STRICT;
";

/// The table of writes, and the view of the unsettled ones.
const CREATE_WRITES: &str = "
CREATE VIEW unresolved AS
  SELECT * FROM intent WHERE stage NOT IN ('done', 'not done', 'set aside') AND damaged_at IS NULL;
CREATE TABLE intent ( -- every write that an agent confirmed
  id INTEGER PRIMARY KEY AUTOINCREMENT, base_url TEXT NOT NULL, tenant_id TEXT NOT NULL,
  owner TEXT NOT NULL, -- the process that may settle it
  operator TEXT NOT NULL, -- the local user
  kind TEXT NOT NULL, -- of the operation: create, close
  at TEXT NOT NULL, -- nothing was sent before this time
  stage TEXT NOT NULL, -- intended, sending, waiting, unknown, done, not done, set aside
  changed_at TEXT NOT NULL,
  operation TEXT NOT NULL, -- as JSON
  request_id TEXT, -- the request that a create has made or a close closes
  why TEXT, service_request_id TEXT, -- of the last answer
  revision INTEGER NOT NULL, -- grows with each change
  damaged_at TEXT -- when it was found to be invalid; it is kept, so that a person can inspect it
) STRICT;
";

/// Version 1 had a digest in each row, and a column for each text of an operation.
const FROM_1: &str = "
DROP VIEW unresolved;
ALTER TABLE intent RENAME TO intent_1;
";
const FROM_1_ROWS: &str = "
INSERT INTO intent
  SELECT id, base_url, tenant_id, owner, operator, kind, at, stage, changed_at,
    CASE kind WHEN 'create'
      THEN json_object('create', json_object('ticket', ticket, 'device', device, 'title', title, 'category', category,
        'subcategory', subcategory, 'plan_of_action', plan_of_action))
      ELSE json_object(kind, json_object('request', request_id, 'device', device, 'actions_taken', actions_taken)) END,
    request_id, why, service_request_id, revision, damaged_at
  FROM intent_1;
DELETE FROM sqlite_sequence WHERE name = 'intent';
UPDATE sqlite_sequence SET name = 'intent' WHERE name = 'intent_1';
DROP TABLE intent_1;
ALTER TABLE request DROP COLUMN digest;
ALTER TABLE draft DROP COLUMN digest;
";

/// Opens the existing database, or creates an empty one, and checks it without writing. A database that fails the check is
/// [`RecordError::Damaged`].
///
/// `is_shared` means that other processes have it open; they may still write to a file that is missing here. `has_snapshot`
/// means that this process holds the contents in memory.
pub(super) fn open(files: &Files, is_shared: bool, has_snapshot: bool) -> Result<Connection, RecordError> {
    let exists = files.check()?;
    for path in [&files.main, &files.wal, &files.shm] {
        if is_shared && !has_snapshot && mmd_elevate_files::identify(path).is_err() {
            let why = "was removed while another dashboard uses it".to_owned();
            return Err(RecordError::NotDurable { path: path.clone(), why });
        }
    }
    if is_empty(&files.main) && !is_empty(&files.wal) {
        // `SQLite` would remove the log.
        return Err(files.damaged("its file is empty and its log is not"));
    }
    if !is_shared && !has_log_header(&files.wal) {
        return Err(files.damaged("the head of its log cannot be read")); // `SQLite` would ignore the log.
    }
    if !exists {
        files.create()?;
    }
    let db = connect(&files.main)?;
    check(&db, files)?;
    Ok(db)
}

/// Returns whether the file is empty or missing.
pub(super) fn is_empty(path: &Path) -> bool {
    mmd_elevate_files::identify(path).map_or(true, |(_, length)| length == 0)
}

/// Opens the database without a check.
pub(super) fn connect(path: &Path) -> Result<Connection, RecordError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|db| {
        // Otherwise the last process that closes the database would move the log into it, and remove the log.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        Ok(db)
    });
    opened.map_err(|error| RecordError::sql(path, &error))
}

fn check(db: &Connection, files: &Files) -> Result<(), RecordError> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        // A valid statement failed, or returned what no table of the program can hold.
        Some(ErrorCode::Unknown) | None => files.damaged(error.to_string()),
        Some(_) => files.to_error(&error),
    };
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(failed);
    let (application, version) = (number("application_id")?, number("user_version")?);
    let entries: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if db.is_readonly("main").map_err(failed)? {
        // The header of the file can make it read-only too.
        return Err(if mmd_elevate_files::is_read_only(&files.main) {
            RecordError::ReadOnly { path: files.main.clone() }
        } else {
            files.damaged("its head says that it is read-only")
        });
    }
    match (application, version) {
        (0, 0) if entries == 0 => return Ok(()),
        (APPLICATION_ID, 1..=VERSION) => {}
        (APPLICATION_ID, ..1) => return Err(files.damaged(format!("its head names version {version}"))),
        (APPLICATION_ID, _) => return Err(RecordError::Newer { path: files.main.clone(), version }),
        _ => {
            let why = "it is not a record of this program".to_owned();
            return Err(RecordError::CannotOpen { path: files.main.clone(), why });
        }
    }
    // The second check is of the list of free pages, which the first one leaves out of a database that was made with views last.
    for pragma in ["PRAGMA quick_check(3)", "PRAGMA quick_check(sqlite_schema)"] {
        let found = db.prepare(pragma).and_then(|mut check| {
            let lines = check.query_map([], |row| row.get(0))?;
            lines.collect::<Result<Vec<String>, _>>()
        });
        let found = found.map_err(failed)?;
        if found != ["ok"] {
            return Err(files.damaged(found.join("; ").replace('\n', " ")));
        }
    }
    let expected = Connection::open_in_memory().and_then(|db| {
        db.execute_batch(CREATE)?;
        db.execute_batch(CREATE_WRITES)?;
        columns(&db, version)
    });
    if columns(db, version).map_err(failed)? != expected.map_err(failed)? {
        return Err(files.damaged("its tables are not those of its version"));
    }
    Ok(())
}

/// Returns the names of all columns that the version has in common with the newest.
fn columns(db: &Connection, version: i64) -> rusqlite::Result<String> {
    let sql = "SELECT group_concat(name) FROM
                 (SELECT t.name || '.' || c.name AS name FROM sqlite_schema t, pragma_table_info(t.name) c
                  WHERE t.type = 'table' AND c.name <> 'digest' AND (?1 > 1 OR t.name <> 'intent')
                  ORDER BY t.name, c.cid)";
    db.query_row(sql, [version], |row| row.get(0))
}

/// Makes writes to the database durable, and migrates its tables to this version unless other processes may use the old one.
pub(super) fn prepare(db: &mut Connection, files: &Files, is_alone: bool) -> Result<(), RecordError> {
    let failed = |error: rusqlite::Error| files.to_error(&error);
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let why =
            format!("its file system cannot hold a write-ahead log ({mode} is all it can), as network folders are");
        return Err(RecordError::Unsuitable { path: files.main.clone(), why });
    }
    let set = |pragma: &str, value: &str| db.pragma_update(None, pragma, value).map_err(failed);
    set("synchronous", "FULL")?;
    set("fullfsync", "ON")?; // macOS: flushes the cache of the drive.
    set("checkpoint_fullfsync", "ON")?;
    set("secure_delete", "ON")?; // Purged rows are overwritten in the file.
    set("trusted_schema", "OFF")?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let changes = match version {
        VERSION => return Ok(()),
        1 if !is_alone => return Err(RecordError::Busy { path: files.main.clone() }),
        1 => [FROM_1, CREATE_WRITES, FROM_1_ROWS].concat(),
        _ => [CREATE, CREATE_WRITES].concat(),
    };
    tx.execute_batch(&changes)
        .and_then(|()| tx.pragma_update(None, "application_id", APPLICATION_ID))
        .and_then(|()| tx.pragma_update(None, "user_version", VERSION))
        .and_then(|()| tx.commit())
        .map_err(failed)
}

/// Moves the log into the database and truncates it, as far as other processes allow.
pub(super) fn checkpoint(db: &Connection) {
    if let Err(error) = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::debug!(%error, "the log of the record was not moved into it"); // It is equally durable in the log.
    }
}

/// Closes the database. The last process that closes it moves the log into it; others are not waited for, because the log is
/// as durable as the database.
pub(super) fn close(db: Connection) {
    let closed = db
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(drop)
        .and_then(|()| db.close().map_err(|(_, error)| error));
    if let Err(error) = closed {
        tracing::warn!(%error, "the record was not closed properly");
    }
}
