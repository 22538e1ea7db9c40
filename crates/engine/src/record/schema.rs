//! The database: how it is opened and checked, and its tables.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, config::DbConfig};

use super::{RecordError, files::Files, guard::begins_as_log};

/// "MMDE": tells our databases from others.
const APPLICATION_ID: i64 = 0x4d4d_4445;

/// The version of the tables.
const VERSION: i64 = 2;

/// How long another process is waited for. Our transactions last a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Texts are as they came; times are UTC in RFC 3339 with nine digits, so that their texts are in their order. There are
/// no indices and no foreign keys: the tables are small, and each row must be able to be saved without the others. There
/// is no column for a secret. `rows.rs` goes by the order of the columns.
const CREATE: &str = "
CREATE TABLE request ( -- what the service told of requests that were opened or closed from here
  id INTEGER PRIMARY KEY AUTOINCREMENT, base_url TEXT NOT NULL, tenant_id TEXT NOT NULL, request_id TEXT NOT NULL,
  opened_by INTEGER, -- the write; none where it was opened elsewhere
  seen_at TEXT NOT NULL,
  ended_at TEXT, -- known to be closed since
  ticket TEXT NOT NULL, device TEXT NOT NULL, title TEXT NOT NULL, category TEXT NOT NULL, subcategory TEXT NOT NULL,
  plan_of_action TEXT NOT NULL, actions_taken TEXT NOT NULL, requested_by TEXT NOT NULL, closed_by TEXT NOT NULL,
  created TEXT, created_at TEXT, closed TEXT, closed_at TEXT, -- as the service wrote it, and as it was read
  viewers TEXT NOT NULL, -- a JSON array
  revision INTEGER NOT NULL, damaged_at TEXT
) STRICT;
CREATE TABLE draft ( -- what is being typed
  id INTEGER PRIMARY KEY AUTOINCREMENT, base_url TEXT NOT NULL, tenant_id TEXT NOT NULL, owner TEXT NOT NULL,
  left_by TEXT, -- the dead process that typed it; none while it is the owner's own
  target TEXT NOT NULL, target_id TEXT, -- form, refused, close
  at TEXT NOT NULL,
  ticket TEXT NOT NULL, device TEXT NOT NULL, title TEXT NOT NULL, category TEXT NOT NULL, subcategory TEXT NOT NULL,
  plan_of_action TEXT NOT NULL, revision INTEGER NOT NULL, damaged_at TEXT
) STRICT;
CREATE TABLE step ( -- how each write came to where it stands, with every answer's id
  id INTEGER PRIMARY KEY AUTOINCREMENT, intent INTEGER NOT NULL, at TEXT NOT NULL, stage TEXT NOT NULL, why TEXT,
  service_request_id TEXT
) STRICT;
CREATE VIEW open_request AS
  SELECT * FROM request WHERE ended_at IS NULL AND opened_by IS NOT NULL AND damaged_at IS NULL;
";

/// The table of writes, and the view of those that are not settled.
const CREATE_INTENT: &str = "
CREATE TABLE intent ( -- every write that an agent confirmed
  id INTEGER PRIMARY KEY AUTOINCREMENT, base_url TEXT NOT NULL, tenant_id TEXT NOT NULL,
  owner TEXT NOT NULL, -- the process that may settle it
  operator TEXT NOT NULL, -- the local user
  kind TEXT NOT NULL, -- of the operation: create, close
  at TEXT NOT NULL, -- nothing was sent before
  stage TEXT NOT NULL, -- intended, sending, waiting, unknown, done, not done, set aside
  changed_at TEXT NOT NULL,
  operation TEXT NOT NULL, -- what was confirmed, as JSON
  request_id TEXT, -- what a create has made, or what a close closes
  why TEXT, service_request_id TEXT, -- of the last answer
  revision INTEGER NOT NULL, -- grows with each change
  damaged_at TEXT -- when it was found to be unreadable; it is kept for a person to look at
) STRICT;
CREATE VIEW unresolved AS
  SELECT * FROM intent WHERE stage NOT IN ('done', 'not done', 'set aside') AND damaged_at IS NULL;
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

/// Opens the database that is there, or an empty one in its place, and checks it without writing: what is damaged must
/// keep every byte that it has. [`RecordError::Damaged`] says that it fails the check.
///
/// Where it `is_shared`, other processes have it open: a file that is gone is one that they still write to. `is_known`
/// says that this process holds what was in it.
pub(super) fn open(files: &Files, is_shared: bool, is_known: bool) -> Result<Connection, RecordError> {
    let is_there = files.check()?;
    for path in [&files.main, &files.wal, &files.shm] {
        if is_shared && !is_known && mmd_elevate_files::look(path).is_err() {
            let why = "was removed while another dashboard uses it".to_owned();
            return Err(RecordError::NotDurable { path: path.clone(), why });
        }
    }
    if is_empty(&files.main) && !is_empty(&files.wal) {
        // `SQLite` would remove the log.
        return Err(files.damaged("its file is empty and its log is not"));
    }
    if !is_shared && !begins_as_log(&files.wal) {
        return Err(files.damaged("the head of its log cannot be read")); // `SQLite` would pass over the log.
    }
    if !is_there {
        files.create()?;
    }
    let db = connect(files)?;
    check(&db, files)?;
    Ok(db)
}

/// Whether there is no file, or nothing in it.
pub(super) fn is_empty(path: &Path) -> bool {
    mmd_elevate_files::look(path).map_or(true, |(_, length)| length == 0)
}

/// Opens the database as it is.
pub(super) fn connect(files: &Files) -> Result<Connection, RecordError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(&files.main, flags).and_then(|db| {
        // Whoever closes a database last moves the log into it and removes the log, unless told not to.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        db.busy_timeout(PATIENCE)?;
        Ok(db)
    });
    opened.map_err(|error| files.failed(&error))
}

fn check(db: &Connection, files: &Files) -> Result<(), RecordError> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        // Statements that are right and fail, or yield what no table of ours can hold.
        Some(ErrorCode::Unknown) | None => files.damaged(error.to_string()),
        Some(_) => files.failed(&error),
    };
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(failed);
    let (application, version) = (number("application_id")?, number("user_version")?);
    let things: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if db.is_readonly("main").map_err(failed)? {
        // The head of the file can say so too.
        return Err(if mmd_elevate_files::is_read_only(&files.main) {
            RecordError::ReadOnly { path: files.main.clone() }
        } else {
            files.damaged("its head says that it is read-only")
        });
    }
    match (application, version) {
        (0, 0) if things == 0 => return Ok(()),
        (APPLICATION_ID, 1..=VERSION) => {}
        (APPLICATION_ID, ..1) => return Err(files.damaged(format!("its head names version {version}"))),
        (APPLICATION_ID, _) => return Err(RecordError::Newer { path: files.main.clone(), version }),
        _ => {
            let why = "it is not a record of this program".to_owned();
            return Err(RecordError::CannotOpen { path: files.main.clone(), why });
        }
    }
    let found = db.prepare("PRAGMA quick_check(3)").and_then(|mut check| {
        let lines = check.query_map([], |row| row.get(0))?;
        lines.collect::<Result<Vec<String>, _>>()
    });
    let found = found.map_err(failed)?;
    if found != ["ok"] {
        return Err(files.damaged(found.join("; ").replace('\n', " ")));
    }
    let ours = Connection::open_in_memory().and_then(|db| {
        db.execute_batch(CREATE)?;
        db.execute_batch(CREATE_INTENT)?;
        columns(&db, version)
    });
    if columns(db, version).map_err(failed)? != ours.map_err(failed)? {
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

/// Makes the database durable, and brings its tables to this version. A version that others may still write stays.
pub(super) fn prepare(db: &mut Connection, files: &Files, is_alone: bool) -> Result<(), RecordError> {
    let failed = |error: rusqlite::Error| files.failed(&error);
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let why =
            format!("its file system cannot hold a write-ahead log ({mode} is all it can), as network folders are");
        return Err(RecordError::Unsuitable { path: files.main.clone(), why });
    }
    let set = |pragma: &str, value: &str| db.pragma_update(None, pragma, value).map_err(failed);
    set("synchronous", "FULL")?;
    set("fullfsync", "ON")?; // macOS: through the drive's own cache.
    set("checkpoint_fullfsync", "ON")?;
    set("secure_delete", "ON")?; // What is purged is gone from the file.
    set("trusted_schema", "OFF")?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let changes = match version {
        VERSION => return Ok(()),
        1 if !is_alone => return Err(RecordError::Busy { path: files.main.clone() }),
        1 => [FROM_1, CREATE_INTENT, FROM_1_ROWS].concat(),
        _ => [CREATE, CREATE_INTENT].concat(),
    };
    tx.execute_batch(&changes)
        .and_then(|()| tx.pragma_update(None, "application_id", APPLICATION_ID))
        .and_then(|()| tx.pragma_update(None, "user_version", VERSION))
        .and_then(|()| tx.commit())
        .map_err(failed)
}
