//! The start: the record is opened, what is damaged is set aside and saved as far as it can be read, and what dead
//! processes left becomes ours.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    fs, io,
    path::Path,
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::{
    Place, RecordError,
    claim::{self, Left},
    error::shown,
    files::Files,
    guard::{Guard, StillOurs},
    merge::{self, Snapshot},
    owner::{self, Owner},
    retention,
    row::Read,
    rows::{INTENT, IntentRow, TABLES},
    salvage::{self, Part, Rows},
    schema::{self, Trouble},
    store::{self, Failure, Me, Open, Store, StoreState},
    wal::{self, Log, PAGE, Rest},
};
use mmd_elevate_core::{Problem, Recovered, visible};

/// How long another process that is just opening the record is waited for.
const AT_THE_GATE: Duration = Duration::from_secs(20);

/// The same where it is tried again a moment later, and calls wait for it.
const AT_THE_GATE_AGAIN: Duration = Duration::from_millis(500);

/// What happened, and what to do.
type Warning = (String, String);

/// What was picked out of a damaged database, and where that is now.
struct Salvaged {
    rows: Rows,
    warning: String,
    hint: &'static str,
}

/// Opens the record and takes over what dead processes left.
pub(super) fn open(place: Place, clock: fn() -> Timestamp) -> Result<(Store, Recovered), RecordError> {
    let files = Files::at(&place.state_dir)?;
    let gate = owner::gate(&files.owners, AT_THE_GATE)?;
    let others = owner::living(&files.owners, &gate)?;
    let owner = Owner::new(&files.owners, &gate)?;
    let (tenant, operator) = (place.tenant.clone(), place.operator.clone());
    let me = Me { owner, tenant, operator, clock, newest: Cell::new(Timestamp::MIN) };
    let (open, Taken { recovered, .. }) = join(&files, &place, &me, &others, None)?;
    let store = Store {
        state: StoreState::Open(Box::new(open)),
        place,
        me,
        restore: None,
        renumbered: HashMap::new(),
        refused: Vec::new(),
        pending_outcomes: Vec::new(),
    };
    Ok((store, recovered))
}

/// Opens the record anew in its place, with all that it held, and takes over what dead processes left there. Until the
/// gate is passed the lost database stays open: it can be read as long as it is. Tells what was found, and whether all
/// that the lost database held could be read.
pub(super) fn reopen(store: &mut Store) -> Result<(Recovered, bool), RecordError> {
    let files = Files::at(&store.place.state_dir)?;
    let gate = owner::gate(&files.owners, AT_THE_GATE_AGAIN)?;
    store.me.owner.renew(&files.owners, &gate)?;
    let mut others = owner::living(&files.owners, &gate)?;
    others.remove(&store.me.owner.name);
    if let StoreState::Open(open) = &store.state {
        let still = open.guard.still_ours();
        let snapshot = Snapshot::read(&open.db, still.main);
        if !snapshot.is_whole && !files.check()? {
            // An empty record would take the place of what can be read again once the disk is back.
            let why = "cannot be read any more, and there is no other in its place".to_owned();
            return Err(RecordError::NotDurable { path: files.main, why });
        }
        // Two in one process would share the index of the old log.
        store.state = StoreState::Closed(snapshot);
        set_log_aside(&files, still, (store.me.clock)())?;
    }
    let StoreState::Closed(snapshot) = &store.state else { return Err(RecordError::Ended) };
    let (known, is_whole) = (snapshot.requests(), snapshot.is_whole);
    let (open, Taken { mut recovered, renumbered }) =
        join(&files, &store.place, &store.me, &others, Some((snapshot, store.refused.as_slice())))?;
    store.state = StoreState::Open(Box::new(open));
    // What was given out keeps its name, however often it is renumbered.
    for (from, to) in renumbered {
        let named = store.renumbered.iter().find_map(|(named, number)| (*number == from).then_some(*named));
        store.renumbered.insert(named.unwrap_or(from), to);
    }
    store.refused.clear();
    recovered.open.retain(|request| !known.contains(&request.id));
    Ok((recovered, is_whole))
}

/// A log belongs to one database. Where only one of the two is what it was, both are set aside as they are, and the log
/// goes: what it held is in memory.
fn set_log_aside(files: &Files, still: StillOurs, now: Timestamp) -> Result<(), RecordError> {
    let (main, wal) = (files.check()?, mmd_elevate_files::look(&files.wal).is_ok());
    let is_anothers_log = wal && still.wal != (main && still.main);
    let is_anothers_index = still.shm && !(main && still.main);
    if main && (is_anothers_log || is_anothers_index) {
        require_unused(files)?;
    }
    if is_anothers_log {
        let copy = files.copy_aside(now)?;
        tracing::warn!(copy = shown(&copy), "the log does not belong to the database: both were copied");
        files.remove_log()?;
    }
    if is_anothers_index { files.remove_index() } else { Ok(()) }
}

/// Refuses where another process has the database open: every connection holds a lock on it for as long as it is open.
fn require_unused(files: &Files) -> Result<(), RecordError> {
    match schema::is_free(files) {
        Err(error @ RecordError::Busy { .. }) => Err(error),
        // Whatever else is wrong with it, nobody keeps it.
        _ => Ok(()),
    }
}

/// What was taken over.
struct Taken {
    recovered: Recovered,
    /// Intents that have another number now.
    renumbered: HashMap<i64, i64>,
}

/// What this process held before in another database, and of which intents of it nothing was sent.
type Before<'a> = Option<(&'a Snapshot, &'a [i64])>;

/// Opens the database that is there, or a new one, among these other processes.
fn join(
    files: &Files,
    place: &Place,
    me: &Me,
    others: &HashSet<String>,
    before: Before<'_>,
) -> Result<(Open, Taken), RecordError> {
    let now = (me.clock)();
    let is_alone = others.is_empty();
    let mut damage = None;
    loop {
        let (mut db, salvaged) = if is_alone {
            alone(files, now, damage.as_deref())?
        } else {
            (beside_others(files, before.is_some())?, None)
        };
        schema::prepare(&mut db, files)?;
        if is_alone {
            // A new log, so that the unfinished end of the old one is not taken for damage at a later start.
            store::checkpoint(&db);
        }
        files.check()?; // The log and its index are there now.
        let mut open = Open { db, guard: Guard::new(files, &me.owner), files: files.clone() };
        match take_over(&mut open, me, salvaged.as_ref(), before, others, now, place.keep_days) {
            Ok(mut taken) => {
                for Problem { what, .. } in &taken.recovered.warnings {
                    tracing::warn!("{what}");
                }
                taken.recovered.unresolved.sort_by_key(|intent| intent.id);
                return Ok((open, taken));
            }
            // Some damage shows only in writing. Nothing was written, and a fresh record has none.
            Err(RecordError::Damaged { why, .. }) if is_alone && damage.is_none() => damage = Some(why),
            Err(error) => return Err(error),
        }
    }
}

/// The first transaction: all that was left, and whatever is old goes.
fn take_over(
    open: &mut Open,
    me: &Me,
    salvaged: Option<&Salvaged>,
    before: Before<'_>,
    others: &HashSet<String>,
    now: Timestamp,
    keep_days: u32,
) -> Result<Taken, RecordError> {
    let mut living = others.clone();
    living.insert(me.owner.name.clone());
    open.change(me, |tx, me| {
        let mut warnings = Vec::new();
        if let Some(salvaged) = salvaged {
            warnings.push(carry_over(tx, salvaged, now)?);
        }
        let renumbered = match before {
            Some((snapshot, refused)) => snapshot.merge(tx, me, &living, refused)?,
            None => HashMap::new(),
        };
        let Left { unresolved, drafts, open, accepted, damaged } = claim::claim(tx, me, &living, now)?;
        warnings.extend(damaged);
        retention::purge(tx, retention::days_before(now, keep_days))?;
        let others = others.len();
        let warnings = warnings.into_iter().map(|(what, hint)| Problem::new(what, hint)).collect();
        let recovered = Recovered { unresolved, open, accepted, drafts, unusable: false, others, warnings };
        Ok(Taken { recovered, renumbered })
    })
}

/// Deletes by hand. Nothing is made where there is no record.
pub(super) fn purge(state_dir: &Path, before: Timestamp) -> Result<super::Purged, RecordError> {
    if !state_dir.is_dir() {
        return Ok(super::Purged::default());
    }
    let files = Files::at(state_dir)?;
    let gate = owner::gate(&files.owners, AT_THE_GATE)?;
    if !files.check()? {
        return Ok(super::Purged::default());
    }
    let is_alone = owner::living(&files.owners, &gate)?.is_empty();
    if is_alone {
        let wal = bytes(&files.wal)?;
        let log = wal::read(&wal);
        let why = damaged_files(&files, &log, true);
        let why = why.or((log.rest == Rest::Torn).then_some("the end of its log cannot be read"));
        if let Some(why) = why {
            // It is set aside where somebody reads the warning and the writes that are carried over.
            return Err(RecordError::Damaged { path: files.main, why: why.to_owned() });
        }
    }
    let db = if is_alone {
        schema::open(&files).map_err(|trouble| said(&files, trouble))
    } else {
        beside_others(&files, false)
    };
    let mut db = db?;
    schema::prepare(&mut db, &files)?;
    let failed = |error: rusqlite::Error| RecordError::sql(&files.main, &error);
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let purged = retention::purge(&tx, before).map_err(failed)?;
    tx.commit().map_err(failed)?;
    store::checkpoint(&db);
    store::finish(db);
    Ok(purged)
}

fn said(files: &Files, trouble: Trouble) -> RecordError {
    match trouble {
        Trouble::Damaged(why) => RecordError::Damaged { path: files.main.clone(), why },
        Trouble::Other(error) => error,
    }
}

/// Others have the file open: it is looked at through the database alone, because closing a file drops every lock that
/// this process has on it, and it is not set aside, because they would go on writing to it.
///
/// `may_make`: this process knows what the file held that is gone. Those who have it open will find this one in its place.
fn beside_others(files: &Files, may_make: bool) -> Result<Connection, RecordError> {
    let is_gone = |path: &Path| mmd_elevate_files::look(path).is_err();
    if !files.check()? {
        if !may_make {
            let why = "was removed while another dashboard uses it".to_owned();
            return Err(RecordError::NotDurable { path: files.main.clone(), why });
        }
        files.create()?;
    } else if is_gone(&files.wal) || is_gone(&files.shm) {
        // Who has the database open has a log that nobody else can find: a second one beside it would damage both.
        require_unused(files)?;
    }
    schema::open(files).map_err(|trouble| said(files, trouble))
}

/// Nobody else has the file open, and nobody can come before the gate is left.
fn alone(files: &Files, now: Timestamp, damage: Option<&str>) -> Result<(Connection, Option<Salvaged>), RecordError> {
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
) -> Result<(Connection, Option<Salvaged>), RecordError> {
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
    merge::use_no_number_before(tx, &INTENT, now.as_second() + 1)?;
    let carried = match (unresolved, others) {
        (0, 0) => "Nothing more was read from it.".to_owned(),
        (unresolved, others) => format!("Read from it: {unresolved} unsettled writes and {others} other entries."),
    };
    Ok((format!("{} {carried}", salvaged.warning), salvaged.hint.to_owned()))
}

fn bytes(path: &Path) -> Result<Vec<u8>, RecordError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|error| RecordError::io(path, &error)),
    }
}
