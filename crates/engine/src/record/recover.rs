//! Opens the record: what is damaged is set aside and taken over as far as it can be read, and what dead processes left
//! becomes ours.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    path::Path,
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::{
    Opening, Place, Purged, RecordError,
    claim::{self, Left},
    error::shown,
    files::Files,
    guard::Guard,
    owner::{self, Owner},
    retention,
    rows::WriteRow,
    schema,
    snapshot::Snapshot,
    store::{self, Me, Open, Store, StoreState},
    table::Entry,
};
use mmd_elevate_core::{Problem, Recovered};

/// How long another process that is just opening the record is waited for.
const AT_THE_GATE: Duration = Duration::from_secs(20);

/// The same where it is tried again a moment later, and calls wait for it.
const AT_THE_GATE_AGAIN: Duration = Duration::from_millis(500);

/// What was taken over.
struct Taken {
    recovered: Recovered,
    /// Writes that have another number now.
    renumbered: HashMap<i64, i64>,
}

/// Opens the record. `opening` says what becomes of that which dead processes left.
pub(super) fn open(
    place: Place,
    clock: fn() -> Timestamp,
    opening: Opening,
) -> Result<(Store, Recovered), RecordError> {
    let files = Files::at(&place.state_dir)?;
    let gate = owner::gate(&files.owners, AT_THE_GATE)?;
    let others = owner::living(&files.owners, &gate)?;
    let owner = Owner::new(&files.owners, &gate)?;
    let (tenant, operator) = (place.tenant.clone(), place.operator.clone());
    let me = Me { owner, tenant, operator, clock, opening, newest: Cell::new(Timestamp::MIN) };
    let (open, Taken { recovered, .. }) = join(&files, &place, &me, &others, None)?;
    let state = StoreState::Open(Box::new(open));
    let store = Store { state, place, me, restore: None, renumbered: HashMap::new(), pending_outcomes: Vec::new() };
    Ok((store, recovered))
}

/// Opens the record anew in its place, with all that it held, and takes over what dead processes left there. Until the
/// gate is passed the lost database stays open: it can be read as long as it is. Tells what was found, and what happened
/// because of this error.
pub(super) fn reopen(store: &mut Store, cause: &RecordError) -> Result<Recovered, RecordError> {
    let files = Files::at(&store.place.state_dir)?;
    let gate = owner::gate(&files.owners, AT_THE_GATE_AGAIN)?;
    store.me.owner.renew(&files.owners, &gate)?;
    let mut others = owner::living(&files.owners, &gate)?;
    others.remove(&store.me.owner.name);
    if let StoreState::Open(open) = &store.state {
        let mut snapshot = Snapshot::read(&open.db);
        if !snapshot.is_whole && !files.check()? {
            // An empty record would take the place of what can be read again once the disk is back.
            let why = "cannot be read any more, and there is no other in its place".to_owned();
            return Err(RecordError::NotDurable { path: files.main, why });
        }
        // What is left of this database must not be taken for a part of another. Others who have it open find it moved.
        let still_there = open.guard.still_there();
        if still_there.contains(&true) {
            snapshot.aside = Some(files.move_aside((store.me.clock)(), still_there)?);
        }
        store.state = StoreState::Closed(snapshot);
    }
    let StoreState::Closed(snapshot) = &store.state else { return Err(RecordError::Ended) };
    let (open, Taken { mut recovered, renumbered }) = join(&files, &store.place, &store.me, &others, Some(snapshot))?;
    let known = snapshot.requests();
    recovered.open.retain(|request| !known.contains(&request.id));
    let warning = match cause {
        RecordError::Damaged { why, .. } if snapshot.aside.is_some() => snapshot.warning(why),
        cause => {
            let how = if snapshot.is_whole { "all that it held" } else { "what could still be read of it" };
            let hint = "what was not sent meanwhile can be sent now; find out what changes files there";
            Problem::new(format!("The record was written anew, with {how}: {}.", cause.of_the_file()), hint)
        }
    };
    recovered.warnings.insert(0, warning);
    store.state = StoreState::Open(Box::new(open));
    // What was given out keeps its name, however often it is renumbered.
    for (from, to) in renumbered {
        let named = store.renumbered.iter().find_map(|(named, number)| (*number == from).then_some(*named));
        store.renumbered.insert(named.unwrap_or(from), to);
    }
    Ok(recovered)
}

/// Opens the database that is there, or a new one, among these other processes. `before` is what this process held in
/// another one.
fn join(
    files: &Files,
    place: &Place,
    me: &Me,
    others: &HashSet<String>,
    before: Option<&Snapshot>,
) -> Result<(Open, Taken), RecordError> {
    let mut opened = schema::open(files, !others.is_empty(), before.is_some());
    let mut aside = None;
    loop {
        if let Err(RecordError::Damaged { why, .. }) = &opened
            && others.is_empty()
            && aside.is_none()
        {
            aside = Some((set_aside(files, (me.clock)())?, why.clone()));
            opened = schema::open(files, false, true);
        }
        match opened.and_then(|db| take_over(files, place, me, db, others, before, aside.as_ref())) {
            // Some damage shows only in writing. Nothing was written, and a fresh record has none.
            Err(error @ RecordError::Damaged { .. }) if others.is_empty() && aside.is_none() => opened = Err(error),
            taken => {
                if let (Err(_), Some((Snapshot { aside: Some(aside), .. }, _))) = (&taken, &aside)
                    && let Err(error) = files.put_back(aside)
                {
                    tracing::error!(%error, aside = shown(aside), "a damaged record was not taken over");
                }
                return taken;
            }
        }
    }
}

/// Reads what the database still yields, and gives its files another name. Nobody else has it open, and nobody can come
/// before the gate is left.
fn set_aside(files: &Files, now: Timestamp) -> Result<Snapshot, RecordError> {
    // `SQLite` would remove the log of an empty file.
    let is_empty = schema::is_empty(&files.main);
    let mut snapshot = if is_empty { Snapshot::default() } else { Snapshot::read(&schema::connect(files)?) };
    snapshot.aside = Some(files.move_aside(now, [true; 3])?);
    Ok(snapshot)
}

/// The first transaction: all that was left, and whatever is old goes.
fn take_over(
    files: &Files,
    place: &Place,
    me: &Me,
    mut db: Connection,
    others: &HashSet<String>,
    before: Option<&Snapshot>,
    aside: Option<&(Snapshot, String)>,
) -> Result<(Open, Taken), RecordError> {
    schema::prepare(&mut db, files, others.is_empty())?;
    files.check()?; // The log and its index are there now.
    let mut open = Open { db, guard: Guard::new(files, &me.owner), files: files.clone() };
    let now = (me.clock)();
    let mut living = others.clone();
    living.insert(me.owner.name.clone());
    let taken = open.change(me, |tx, me| {
        let mut warnings = Vec::new();
        if let Some((snapshot, why)) = aside {
            snapshot.merge(tx, me)?;
            // Numbers are never used again, and the highest may be among what cannot be read. There has never been more
            // than one write a second.
            WriteRow::TABLE.reserve(tx, now.as_second() + 1)?;
            warnings.push(snapshot.warning(why));
        }
        let renumbered = match before {
            Some(snapshot) => snapshot.merge(tx, me)?,
            None => HashMap::new(),
        };
        let Left { mut unresolved, drafts, open, accepted, unreadable } = match me.opening {
            Opening::TakeOver => claim::claim(tx, me, &living, now)?,
            Opening::Join => claim::read_open(tx, me)?,
        };
        unresolved.sort_by_key(|write| write.id);
        warnings.extend(unreadable);
        if me.opening == Opening::TakeOver {
            retention::purge(tx, retention::days_before(now, place.keep_days))?;
        }
        let others = others.len();
        let recovered = Recovered { unresolved, open, accepted, drafts, unusable: false, others, warnings };
        Ok(Taken { recovered, renumbered })
    })?;
    for Problem { what, .. } in &taken.recovered.warnings {
        tracing::warn!("{what}");
    }
    Ok((open, taken))
}

/// Deletes by hand. Nothing is made where there is no record.
pub(super) fn purge(state_dir: &Path, before: Timestamp) -> Result<Purged, RecordError> {
    if !state_dir.is_dir() {
        return Ok(Purged::default());
    }
    let files = Files::at(state_dir)?;
    let gate = owner::gate(&files.owners, AT_THE_GATE)?;
    if !files.check()? {
        return Ok(Purged::default());
    }
    // A damaged one is set aside where somebody reads the warning and the writes that are taken over.
    let is_alone = owner::living(&files.owners, &gate)?.is_empty();
    let mut db = schema::open(&files, !is_alone, false)?;
    schema::prepare(&mut db, &files, is_alone)?;
    let failed = |error: rusqlite::Error| files.failed(&error);
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let purged = retention::purge(&tx, before).map_err(failed)?;
    tx.commit().map_err(failed)?;
    store::checkpoint(&db);
    store::finish(db);
    Ok(purged)
}
