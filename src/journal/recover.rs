//! The start: the record is opened, what is damaged is set aside and saved as far as it can be read, and what dead
//! processes left becomes ours.

use std::{collections::HashSet, fs, io, path::Path, time::Duration};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::{
    JournalError, Place,
    claim::{self, Left},
    error::shown,
    files::Files,
    owner::{self, Owner},
    retention,
    row::Read,
    rows::{INTENT, IntentRow, TABLES},
    salvage::{self, Part, Rows},
    schema::{self, Trouble},
    store::{self, Failure, Me, Store},
    wal::{self, Log, PAGE, Rest},
};
use crate::{domain::visible, port::Recovered};

/// How long another process that is just opening the record is waited for.
const AT_THE_GATE: Duration = Duration::from_secs(20);

/// What happened, and what to do.
type Warning = (String, String);

/// What was picked out of a damaged database, and where that is now.
struct Salvaged {
    rows: Rows,
    warning: String,
    hint: &'static str,
}

/// Opens the record and takes over what dead processes left.
pub(super) fn open(place: Place, clock: fn() -> Timestamp) -> Result<(Store, Recovered), JournalError> {
    let files = Files::at(&place.state_dir)?;
    let gate = owner::gate(&files.owners, AT_THE_GATE)?;
    let living = owner::living(&files.owners, &gate)?;
    let owner = Owner::new(&files.owners, &gate)?;
    let now = clock();
    let mut me = Me { owner, tenant: place.tenant, operator: place.operator, clock };
    let mut damage = None;
    let (store, mut recovered) = loop {
        let (mut db, salvaged) =
            if living.is_empty() { alone(&files, now, damage.as_deref())? } else { (beside_others(&files)?, None) };
        schema::prepare(&mut db, &files)?;
        if living.is_empty() {
            // A new log, so that the unfinished end of the old one is not taken for damage at a later start.
            store::checkpoint(&db);
        }
        files.check()?; // The log and its index are there now.
        let mut store = Store { db, identity: files.identity(), files: files.clone(), me };
        match take_over(&mut store, salvaged.as_ref(), &living, now, place.keep_days) {
            Ok(recovered) => break (store, recovered),
            // Some damage shows only in writing. Nothing was written, and a fresh record has none.
            Err(JournalError::Damaged { why, .. }) if living.is_empty() && damage.is_none() => {
                damage = Some(why);
                me = store.me;
            }
            Err(error) => return Err(error),
        }
    };
    for (what, _) in &recovered.warnings {
        tracing::warn!("{what}");
    }
    recovered.unresolved.sort_by_key(|intent| intent.id);
    Ok((store, recovered))
}

/// The first transaction: all that was left, and whatever is old goes.
fn take_over(
    store: &mut Store,
    salvaged: Option<&Salvaged>,
    living: &HashSet<String>,
    now: Timestamp,
    keep_days: u32,
) -> Result<Recovered, JournalError> {
    store.change(|tx, me| {
        let mut warnings = Vec::new();
        if let Some(salvaged) = salvaged {
            warnings.push(carry_over(tx, salvaged, now)?);
        }
        let Left { unresolved, drafts, open, accepted, damaged } = claim::claim(tx, me, living, now)?;
        warnings.extend(damaged);
        retention::purge(tx, retention::days_before(now, keep_days))?;
        Ok(Recovered { unresolved, open, accepted, drafts, unusable: false, others: living.len(), warnings })
    })
}

/// Deletes by hand. Nothing is made where there is no record.
pub(super) fn purge(state_dir: &Path, before: Timestamp) -> Result<super::Purged, JournalError> {
    if !state_dir.is_dir() {
        return Ok(super::Purged::default());
    }
    let files = Files::at(state_dir)?;
    let gate = owner::gate(&files.owners, AT_THE_GATE)?;
    if !files.check()? {
        return Ok(super::Purged::default());
    }
    if owner::living(&files.owners, &gate)?.is_empty() {
        let wal = bytes(&files.wal)?;
        let log = wal::read(&wal);
        let why = damaged_files(&files, &log, true);
        let why = why.or((log.rest == Rest::Torn).then_some("the end of its log cannot be read"));
        if let Some(why) = why {
            // It is set aside where somebody reads the warning and the writes that are carried over.
            return Err(JournalError::Damaged { path: files.main, why: why.to_owned() });
        }
    }
    let mut db = schema::open(&files).map_err(|trouble| said(&files, trouble))?;
    schema::prepare(&mut db, &files)?;
    let failed = |error: rusqlite::Error| JournalError::sql(&files.main, &error);
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let purged = retention::purge(&tx, before).map_err(failed)?;
    tx.commit().map_err(failed)?;
    store::checkpoint(&db);
    store::finish(db);
    Ok(purged)
}

fn said(files: &Files, trouble: Trouble) -> JournalError {
    match trouble {
        Trouble::Damaged(why) => JournalError::Damaged { path: files.main.clone(), why },
        Trouble::Other(error) => error,
    }
}

/// Others have the file open: it is looked at through the database alone, because closing a file drops every lock that
/// this process has on it, and it is not set aside, because they would go on writing to it.
fn beside_others(files: &Files) -> Result<Connection, JournalError> {
    if !files.check()? {
        let why = "the file is gone while another dashboard uses it".to_owned();
        return Err(JournalError::Damaged { path: files.main.clone(), why });
    }
    schema::open(files).map_err(|trouble| said(files, trouble))
}

/// Nobody else has the file open, and nobody can come before the gate is left.
fn alone(files: &Files, now: Timestamp, damage: Option<&str>) -> Result<(Connection, Option<Salvaged>), JournalError> {
    let there = files.check()?;
    let wal = bytes(&files.wal)?;
    let log = wal::read(&wal);
    if let Some(why) = damage.or_else(|| damaged_files(files, &log, there)) {
        return set_aside(files, &log, now, why);
    }
    if !there {
        files.create()?;
    }
    match schema::open(files) {
        Err(Trouble::Damaged(why)) => set_aside(files, &log, now, &why),
        Err(Trouble::Other(error)) => Err(error),
        Ok(db) if log.rest == Rest::Nothing => Ok((db, None)),
        Ok(db) => {
            drop(db); // Its locks would not survive the reading of the file.
            let copy = files.copy_aside(now)?;
            let rows = salvage::rows(&bytes(&files.main)?, &log, Part::Rest);
            let warning = format!(
                "The end of the record's log could not be read: the machine stopped while it was written, or it is \
                 damaged. A copy of the record as it was is {}.",
                shown(&copy)
            );
            let hint = "check in the service's list what you did last before that";
            let db = schema::open(files).map_err(|trouble| said(files, trouble))?;
            Ok((db, Some(Salvaged { rows, warning, hint })))
        }
    }
}

/// What `SQLite` would not tell in time: it removes the log of an empty file, and passes over one whose head it cannot
/// read.
fn damaged_files(files: &Files, log: &Log<'_>, there: bool) -> Option<&'static str> {
    let length = if there { fs::metadata(&files.main).map_or(0, |found| found.len()) } else { 0 };
    if length == 0 && !log.is_empty {
        return Some("its file is empty and its log is not");
    }
    // A page that was cut off while the log was being moved is in the log still.
    let page = PAGE as u64;
    let logged = |number| log.frames.iter().take(log.read).any(|frame| u64::from(frame.number) == number);
    if length % page != 0 && !logged(length / page + 1) {
        return Some("its file ends in the middle of a page");
    }
    (log.rest == Rest::Everything).then_some("the head of its log cannot be read")
}

fn set_aside(
    files: &Files,
    log: &Log<'_>,
    now: Timestamp,
    why: &str,
) -> Result<(Connection, Option<Salvaged>), JournalError> {
    let rows = salvage::rows(&bytes(&files.main)?, log, Part::All);
    let aside = files.move_aside(now)?;
    files.create()?;
    let db = schema::open(files).map_err(|trouble| said(files, trouble))?;
    let warning = format!("The record was damaged ({}). It was set aside as {}.", visible(why), shown(&aside));
    let hint = "look in the service's list for what you opened lately, and keep the file until you have";
    Ok((db, Some(Salvaged { rows, warning, hint })))
}

/// Brings what was salvaged into the record, where the record does not know better.
fn carry_over(tx: &Transaction<'_>, salvaged: &Salvaged, now: Timestamp) -> Result<Warning, Failure> {
    let (mut unresolved, mut others) = (0, 0);
    for ((table, id), row) in &salvaged.rows {
        let Some(table) = TABLES.get(*table) else { continue };
        if let Some(Read::Whole(known)) = table.row(tx, *id)?
            && known.revision >= row.revision
        {
            continue;
        }
        table.write(tx, row)?;
        let intent = (**table == INTENT).then(|| IntentRow::of(row.clone())).flatten();
        match intent {
            Some(row) if !row.intent.stage.is_settled() => unresolved += 1,
            _ => others += 1,
        }
    }
    // Numbers are never used again, and the highest may be among what cannot be read. There has never been more than one
    // intent a second.
    let beyond = INTENT.next_id(tx)?.max(now.as_second());
    tx.execute("DELETE FROM sqlite_sequence WHERE name = 'intent'", [])?;
    tx.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('intent', ?1)", [beyond])?;
    let carried = match (unresolved, others) {
        (0, 0) => "Nothing more was read from it.".to_owned(),
        (unresolved, others) => format!("Read from it: {unresolved} unsettled writes and {others} other entries."),
    };
    Ok((format!("{} {carried}", salvaged.warning), salvaged.hint.to_owned()))
}

fn bytes(path: &Path) -> Result<Vec<u8>, JournalError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|error| JournalError::io(path, &error)),
    }
}
