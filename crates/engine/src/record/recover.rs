//! Opens the record: sets a damaged database aside, copies its readable rows into a new one, and takes over the rows of dead
//! processes. It never replaces a database that another process uses.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::{
    changes::SeenRequests,
    claim,
    context::ProcessContext,
    error::{RecordError, display_path},
    files::{Files, unread_name},
    guard::Guard,
    owner::{FoundOwners, OpeningLock, Owner, find_owners, take_left},
    place::{OpenMode, Place},
    retention::{self, Purged},
    rows::WriteRow,
    schema,
    snapshot::Snapshot,
    store::{OpenDatabase, Store, StoreState},
    table::Entry,
};
use crate::failpoint;
use mmd_elevate_core::{Left, Problem, Recovered, WriteState};

/// How long the opening lock is waited for.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(20);

/// The same for a restore, which is retried a moment later, and for which calls wait.
const RESTORE_LOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// An opened database, and what it holds for this process.
struct OpenResult {
    database: OpenDatabase,
    recovered: Recovered,
    /// The new numbers of writes whose numbers were used already.
    renumbered: HashMap<i64, i64>,
}

/// Opens the record.
pub(super) fn open(place: Place, clock: fn() -> Timestamp, mode: OpenMode) -> Result<(Store, Recovered), RecordError> {
    let files = Files::create_in(&place.state_dir)?;
    let lock = OpeningLock::acquire(&files.owners, LOCK_TIMEOUT)?;
    let FoundOwners { living: others, has_dead } = find_owners(&files.owners, mode != OpenMode::TakeOver, &lock)?;
    let left = if mode == OpenMode::TakeOver { take_left(&files.owners) } else { None };
    let owner = Owner::new(&files.owners, &lock)?;
    let context = ProcessContext::new(owner, place, clock, mode);
    let OpenResult { database, mut recovered, .. } = open_database(&files, &context, &others, None)?;
    recovered.left = if has_dead {
        let written = recovered.drafts.iter().map(|draft| draft.at);
        Some(Left::Died(written.chain(recovered.unresolved.iter().map(|write| write.at)).max()))
    } else {
        left.map(Left::Plainly)
    };
    Ok((Store::new(database, context), recovered))
}

/// Opens a record with the same contents in place of the lost or damaged one, and takes over the rows of dead processes that are
/// found there. The lost database stays open until the opening lock is held, because it can be read only while it is open.
/// Returns what was found, and a warning about the cause.
pub(super) fn reopen(store: &mut Store, cause: &RecordError) -> Result<Recovered, RecordError> {
    let files = Files::create_in(&store.context.place.state_dir)?;
    let lock = OpeningLock::acquire(&files.owners, RESTORE_LOCK_TIMEOUT)?;
    store.context.owner.relock(&files.owners, &lock)?;
    let mut others = find_owners(&files.owners, true, &lock)?.living;
    others.remove(&store.context.owner.name);
    if let StoreState::Open(database) = &store.state {
        let mut snapshot = Snapshot::read(&database.db);
        if !snapshot.is_whole && !files.check()? {
            // An empty record must not replace rows that can be read again once the disk is back.
            let why = "cannot be read any more, and there is no other in its place".to_owned();
            return Err(RecordError::NotDurable { path: files.main, why });
        }
        // The remaining files must not be taken for a part of another database. Other processes will find them moved.
        let remaining = database.guard.find_remaining();
        if remaining.contains(&true) {
            snapshot.aside = Some(files.move_aside(store.context.now(), remaining)?);
        }
        store.state = StoreState::Closed(snapshot);
    }
    let StoreState::Closed(snapshot) = &store.state else { return Err(RecordError::Ended) };
    let OpenResult { database, mut recovered, renumbered } =
        open_database(&files, &store.context, &others, Some(snapshot))?;
    let known = snapshot.requests();
    recovered.open.retain(|request| !known.contains(&request.id));
    recovered.closed.retain(|ended| !known.contains(&ended.request.id));
    let warning = match cause {
        RecordError::Damaged { why, .. } if snapshot.aside.is_some() => snapshot.warning(why),
        cause => {
            let how = if snapshot.is_whole { "all that it held" } else { "what could still be read of it" };
            let hint = "what was not sent meanwhile can be sent now; find out what changes files there";
            Problem::new(format!("The record was written anew, with {how}: {}.", cause.file_event()), hint)
        }
    };
    recovered.warnings.insert(0, warning);
    store.state = StoreState::Open(Box::new(database));
    // Callers keep the first number of a write, however often it is renumbered.
    for (from, to) in renumbered {
        match store.renumbered.iter().find_map(|(first, current)| (*current == from).then_some(*first)) {
            Some(first) => _ = store.renumbered.insert(first, to),
            // Otherwise callers mean another write by this number.
            None => _ = store.renumbered.entry(from).or_insert(to),
        }
    }
    for write in &mut recovered.unresolved {
        if store.renumbered.contains_key(&write.id.0) {
            // Callers mean one of their own writes by this number.
            write.id = store.add_number(write.id);
        }
    }
    Ok(recovered)
}

/// Opens the existing database, or creates one. `others` are the other living processes; `previous` is what this process held in
/// the database that was lost.
fn open_database(
    files: &Files,
    context: &ProcessContext,
    others: &HashSet<String>,
    previous: Option<&Snapshot>,
) -> Result<OpenResult, RecordError> {
    let in_memory = previous.and_then(|snapshot| snapshot.aside.as_deref());
    let mut damaged = read_unread(files, in_memory)?;
    let mut opened = schema::open(files, !others.is_empty(), previous.is_some());
    let mut moved: Option<PathBuf> = None;
    loop {
        if let Err(RecordError::Damaged { why, .. }) = &opened
            && others.is_empty()
            && moved.is_none()
        {
            let (snapshot, aside) = set_aside(files, context.now())?;
            moved = Some(aside);
            damaged.push((snapshot, why.clone()));
            opened = schema::open(files, false, true);
        }
        match opened.and_then(|db| take_over(files, context, db, others, previous, &damaged)) {
            // Some damage is found only by writing. Nothing was written, and a new database is not damaged.
            Err(error @ RecordError::Damaged { .. }) if others.is_empty() && moved.is_none() => opened = Err(error),
            Err(error) => {
                if let Some(aside) = moved
                    && let Err(error) = files.put_back(&aside)
                {
                    tracing::error!(%error, aside = display_path(&aside), "a damaged record was not taken over");
                }
                return Err(error);
            }
            Ok(result) => {
                let read = damaged.iter().filter_map(|(snapshot, _)| snapshot.aside.as_deref());
                for aside in read.chain(in_memory) {
                    if let Err(error) = files.mark_as_read(aside) {
                        tracing::error!(%error, aside = display_path(aside), "the next start will read this record again");
                    }
                }
                return Ok(result);
            }
        }
    }
}

/// Reads what was set aside by processes that ended before its rows were in another database. `in_memory` is what this process
/// has set aside and holds.
fn read_unread(files: &Files, in_memory: Option<&Path>) -> Result<Vec<(Snapshot, String)>, RecordError> {
    let unread = files.find_unread()?.into_iter().filter(|aside| Some(aside.as_path()) != in_memory);
    unread
        .map(|aside| {
            let mut snapshot = read_readable(&unread_name(&aside))?;
            snapshot.aside = Some(aside);
            Ok((snapshot, "the program ended while it was being replaced".to_owned()))
        })
        .collect()
}

/// Reads the readable rows of a damaged database and renames its files. No other process has it open, and none can open it
/// while the opening lock is held.
fn set_aside(files: &Files, now: Timestamp) -> Result<(Snapshot, PathBuf), RecordError> {
    let mut snapshot = read_readable(&files.main)?;
    let aside = files.move_aside(now, [true; 3])?;
    failpoint::die_if_asked("after-setting-aside");
    snapshot.aside = Some(aside.clone());
    Ok((snapshot, aside))
}

fn read_readable(path: &Path) -> Result<Snapshot, RecordError> {
    // `SQLite` would remove the log of an empty database.
    if schema::is_empty(path) { Ok(Snapshot::default()) } else { Ok(Snapshot::read(&schema::connect(path)?)) }
}

/// Makes the first transaction: merges the rows of the damaged and the previous database, takes over the rows of dead processes,
/// and deletes old rows.
fn take_over(
    files: &Files,
    context: &ProcessContext,
    mut db: Connection,
    others: &HashSet<String>,
    previous: Option<&Snapshot>,
    damaged: &[(Snapshot, String)],
) -> Result<OpenResult, RecordError> {
    schema::prepare(&mut db, files, others.is_empty())?;
    files.check()?; // Now the log and its index exist.
    let mut database = OpenDatabase {
        db,
        guard: Guard::new(files, &context.owner),
        files: files.clone(),
        seen: SeenRequests::default(),
    };
    let now = context.now();
    let mut living = others.clone();
    living.insert(context.owner.name.clone());
    let (recovered, renumbered, seen) = database.change(context, |tx, context| {
        let mut warnings = Vec::new();
        for (snapshot, why) in damaged {
            snapshot.merge(tx, context)?;
            // Numbers are never reused, and the highest may be unreadable. A clock in seconds is beyond it: there has never been
            // more than one write a second.
            WriteRow::TABLE.reserve_ids_below(tx, now.as_second() + 1)?;
            warnings.push(snapshot.warning(why));
        }
        let renumbered = match previous {
            Some(snapshot) => snapshot.merge(tx, context)?,
            None => HashMap::new(),
        };
        let mut recovered = match context.mode {
            OpenMode::TakeOver | OpenMode::Look => claim::claim(tx, context, &living, now)?,
            OpenMode::Join => claim::read_open(tx, context, now)?,
        };
        recovered.unresolved.sort_by_key(|write| write.id);
        recovered.warnings.splice(0..0, warnings);
        recovered.others = others.len();
        if context.mode == OpenMode::TakeOver {
            retention::purge(tx, retention::days_before(now, context.place.keep_days))?;
        }
        // Of a record that was written anew everything is told again: what was there and not told yet is not known.
        let seen = if previous.is_some() { SeenRequests::default() } else { SeenRequests::now(tx)? };
        Ok((recovered, renumbered, seen))
    })?;
    database.seen = seen;
    for Problem { what, .. } in &recovered.warnings {
        tracing::warn!("{what}");
    }
    Ok(OpenResult { database, recovered, renumbered })
}

/// Deletes settled rows from the record in a folder, or only counts them. It creates no record.
pub(super) fn purge(state_dir: &Path, before: Timestamp, is_dry_run: bool) -> Result<Purged, RecordError> {
    let purge = |db: &mut Connection, _: &HashSet<String>| {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let purged = retention::purge(&tx, before)?;
        if is_dry_run {
            tx.rollback()?;
        } else {
            tx.commit()?;
        }
        Ok(purged)
    };
    with_existing(state_dir, purge).map(Option::unwrap_or_default)
}

/// Returns the writes of all tenants in the record in a folder. What a dead process left on its way is unknown. It creates no
/// record.
pub(super) fn writes(state_dir: &Path) -> Result<Vec<WriteRow>, RecordError> {
    let read = |db: &mut Connection, living: &HashSet<String>| {
        let mut rows = WriteRow::find(db, "damaged_at IS NULL ORDER BY id", [])?;
        for row in rows.iter_mut().filter(|row| !living.contains(&row.owner)) {
            row.write.state = match row.write.state {
                WriteState::Intended | WriteState::Sending | WriteState::Waiting => WriteState::Unknown,
                state @ (WriteState::Unknown | WriteState::Done | WriteState::NotDone | WriteState::SetAside) => state,
            };
        }
        Ok(rows)
    };
    with_existing(state_dir, read).map(Option::unwrap_or_default)
}

/// Uses the record in a folder beside the dashboards that do so too. Returns `None` if there is no record.
fn with_existing<T>(
    state_dir: &Path,
    act: impl FnOnce(&mut Connection, &HashSet<String>) -> rusqlite::Result<T>,
) -> Result<Option<T>, RecordError> {
    if !state_dir.is_dir() {
        return Ok(None);
    }
    let files = Files::create_in(state_dir)?;
    let lock = OpeningLock::acquire(&files.owners, LOCK_TIMEOUT)?;
    if !files.check()? {
        return Ok(None);
    }
    // A damaged record stays as it is: a dashboard sets it aside and shows the warning and the writes.
    let living = find_owners(&files.owners, true, &lock)?.living;
    let mut db = schema::open(&files, !living.is_empty(), false)?;
    schema::prepare(&mut db, &files, living.is_empty())?;
    let result = act(&mut db, &living).map_err(|error| files.to_error(&error))?;
    schema::checkpoint(&db);
    schema::close(db);
    Ok(Some(result))
}
