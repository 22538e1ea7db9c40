//! The database: how it is opened, what it must be to be ours, and its tables.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, config::DbConfig};

use super::{RecordError, error::is_damage, files::Files, rows::TABLES};

/// "MMDE": tells our databases from others.
const APPLICATION_ID: i64 = 0x4d4d_4445;

/// The version of the tables.
const VERSION: i64 = 1;

/// How long another process is waited for. Our transactions last a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// No id comes near this; a sequence beyond it is damage.
const HIGHEST_ID: i64 = 1 << 53;

/// Version 1. Texts are as they came; times are UTC in RFC 3339 with nine digits, so that their texts are in their
/// order. There are no indices, because an index is one more thing that can be damaged and the tables are small, and no
/// foreign keys, because each row must be able to be saved without the others. There is no column for a secret.
const TABLES_1: &str = "
CREATE TABLE intent (                       -- every write that an agent confirmed
  id                 INTEGER PRIMARY KEY AUTOINCREMENT,
  base_url           TEXT NOT NULL,
  tenant_id          TEXT NOT NULL,
  owner              TEXT NOT NULL,         -- the process that may settle it
  operator           TEXT NOT NULL,         -- the local user
  kind               TEXT NOT NULL,         -- create, close
  at                 TEXT NOT NULL,         -- nothing was sent before
  stage              TEXT NOT NULL,         -- intended, sending, waiting, unknown, done, not done, set aside
  changed_at         TEXT NOT NULL,
  ticket             TEXT,
  device             TEXT NOT NULL,
  title              TEXT,
  category           TEXT,
  subcategory        TEXT,
  plan_of_action     TEXT,
  actions_taken      TEXT,                  -- of a close
  request_id         TEXT,                  -- what a create has made, or what a close closes
  why                TEXT,
  service_request_id TEXT,                  -- of the last answer
  revision           INTEGER NOT NULL,
  digest             TEXT NOT NULL,
  damaged_at         TEXT
) STRICT;
CREATE TABLE request (                      -- what the service told of requests that were opened or closed from here
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  base_url       TEXT NOT NULL,
  tenant_id      TEXT NOT NULL,
  request_id     TEXT NOT NULL,
  opened_by      INTEGER,                   -- the intent; none where it was opened elsewhere
  seen_at        TEXT NOT NULL,
  ended_at       TEXT,                      -- known to be closed since
  ticket         TEXT NOT NULL,
  device         TEXT NOT NULL,
  title          TEXT NOT NULL,
  category       TEXT NOT NULL,
  subcategory    TEXT NOT NULL,
  plan_of_action TEXT NOT NULL,
  actions_taken  TEXT NOT NULL,
  requested_by   TEXT NOT NULL,
  closed_by      TEXT NOT NULL,
  created        TEXT,                      -- as the service wrote it
  created_at     TEXT,                      -- as it was read
  closed         TEXT,
  closed_at      TEXT,
  viewers        TEXT NOT NULL,             -- a JSON array
  revision       INTEGER NOT NULL,
  digest         TEXT NOT NULL,
  damaged_at     TEXT
) STRICT;
CREATE TABLE draft (                        -- what is being typed
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  base_url       TEXT NOT NULL,
  tenant_id      TEXT NOT NULL,
  owner          TEXT NOT NULL,
  left_by        TEXT,                      -- the dead process that typed it; none while it is the owner's own
  target         TEXT NOT NULL,             -- form, refused, close
  target_id      TEXT,
  at             TEXT NOT NULL,
  ticket         TEXT NOT NULL,
  device         TEXT NOT NULL,
  title          TEXT NOT NULL,
  category       TEXT NOT NULL,
  subcategory    TEXT NOT NULL,
  plan_of_action TEXT NOT NULL,
  revision       INTEGER NOT NULL,
  digest         TEXT NOT NULL,
  damaged_at     TEXT
) STRICT;
CREATE TABLE step (                         -- how each intent came to where it stands, with every answer's id
  id                 INTEGER PRIMARY KEY AUTOINCREMENT,
  intent             INTEGER NOT NULL,
  at                 TEXT NOT NULL,
  stage              TEXT NOT NULL,
  why                TEXT,
  service_request_id TEXT
) STRICT;
CREATE VIEW open_request AS
  SELECT * FROM request WHERE ended_at IS NULL AND opened_by IS NOT NULL AND damaged_at IS NULL;
CREATE VIEW unresolved AS
  SELECT * FROM intent WHERE stage NOT IN ('done', 'not done', 'set aside') AND damaged_at IS NULL;
";

/// Why a database was not opened.
pub(super) enum Trouble {
    /// It does not hold what was written to it.
    Damaged(String),
    /// It may be whole, and cannot be used.
    Other(RecordError),
}

/// Opens the database that is there, which may be empty, and looks at it without writing: what is damaged must keep
/// every byte that it has.
pub(super) fn open(files: &Files) -> Result<Connection, Trouble> {
    let other = |error: rusqlite::Error| Trouble::Other(RecordError::sql(&files.main, &error));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&files.main, flags).map_err(other)?;
    // Whoever closes a database last moves the log into it and removes the log, unless told not to.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(other)?;
    db.busy_timeout(PATIENCE).map_err(other)?;
    match look(&db, files) {
        Ok(None) => Ok(db),
        Ok(Some(trouble)) => Err(trouble),
        // Statements that are right and fail, or yield what no table of ours can hold.
        Err(error) if is_damage(&error) || error.sqlite_error_code().is_none_or(|code| code == ErrorCode::Unknown) => {
            Err(Trouble::Damaged(error.to_string()))
        }
        Err(error) => Err(other(error)),
    }
}

/// Whether nobody else has the database open. Whoever has holds a lock on it, and this asks for all of it.
pub(super) fn is_free(files: &Files) -> Result<(), RecordError> {
    let failed = |error: rusqlite::Error| RecordError::sql(&files.main, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&files.main, flags).map_err(failed)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    db.busy_timeout(Duration::from_millis(200)).map_err(failed)?;
    db.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(failed)?;
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)
}

fn look(db: &Connection, files: &Files) -> rusqlite::Result<Option<Trouble>> {
    let path = || files.main.clone();
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let application = number("application_id")?;
    let things: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if db.is_readonly("main")? {
        // The head of the file can say so too.
        return Ok(Some(if mmd_elevate_files::is_read_only(&files.main) {
            Trouble::Other(RecordError::ReadOnly { path: path() })
        } else {
            Trouble::Damaged("its head says that it is read-only".to_owned())
        }));
    }
    if application == 0 && things == 0 && number("user_version")? == 0 {
        return Ok(None);
    }
    let ours = TABLES.iter().try_for_each(|table| table.select(db, "false", []).map(drop));
    if application != APPLICATION_ID {
        let why = "it is not a record of this program".to_owned();
        return Ok(Some(match ours {
            Ok(()) => Trouble::Damaged(why),
            Err(_) => Trouble::Other(RecordError::CannotOpen { path: path(), why }),
        }));
    }
    let version = number("user_version")?;
    if version > VERSION && ours.is_err() {
        return Ok(Some(Trouble::Other(RecordError::Newer { path: path(), version })));
    }
    ours?;
    if version != VERSION {
        // The tables are those of a version that the head of the file does not name.
        return Ok(Some(Trouble::Damaged(format!("its head names version {version}"))));
    }
    let found: Vec<String> =
        db.prepare("PRAGMA quick_check(3)")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if found != ["ok"] {
        return Ok(Some(Trouble::Damaged(found.join("; ").replace('\n', " "))));
    }
    let highest: Option<i64> = db.query_row("SELECT max(seq) FROM sqlite_sequence", [], |row| row.get(0))?;
    let wild = highest.is_some_and(|highest| !(0..HIGHEST_ID).contains(&highest));
    Ok(wild.then(|| Trouble::Damaged("its numbers have run wild".to_owned())))
}

/// Makes the database durable, and makes its tables where they are missing.
pub(super) fn prepare(db: &mut Connection, files: &Files) -> Result<(), RecordError> {
    let failed = |error: rusqlite::Error| RecordError::sql(&files.main, &error);
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
    make_tables(db).map_err(failed)
}

fn make_tables(db: &mut Connection) -> rusqlite::Result<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version < 1 {
        tx.execute_batch(TABLES_1)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", 1)?;
    }
    tx.commit()
}
