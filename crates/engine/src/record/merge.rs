//! Brings what this process held in one database into another that takes its place.
//!
//! What stands there may be an older state of the same database, a new one, or another with rows and numbers of its own.
//! A row is known again by what it is about, not by its number alone; of two versions of a row the later revision counts.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Transaction};

use super::{
    row::{Read, StoredRow, Table},
    rows::{DRAFT, DraftRow, INTENT, IntentRow, REQUEST, RequestRow},
    store::{Me, note},
};
use mmd_elevate_core::{RequestId, WriteState};

/// What a database held when it was closed because its files were lost.
pub(super) struct Snapshot {
    intents: Vec<IntentRow>,
    requests: Vec<RequestRow>,
    drafts: Vec<DraftRow>,
    /// The numbers from which on none was used, in the order of these tables.
    next: [i64; 3],
    /// Whether all of it could be read.
    pub(super) is_whole: bool,
    /// Whether the database in its place is the same file.
    pub(super) is_same_file: bool,
}

const MERGED: [&Table; 3] = [&INTENT, &REQUEST, &DRAFT];

impl Snapshot {
    /// Reads as much as can be read.
    pub(super) fn read(db: &Connection, is_same_file: bool) -> Self {
        let mut is_whole = true;
        let mut rows = |table: &Table| {
            let rows = table.rows(db).unwrap_or_else(|error| {
                tracing::warn!(%error, table = table.name, "a table of the lost record cannot be read");
                is_whole = false;
                Vec::new()
            });
            rows.into_iter().filter_map(Read::whole).collect::<Vec<StoredRow>>()
        };
        let intents = rows(&INTENT).into_iter().filter_map(IntentRow::of).collect();
        let requests = rows(&REQUEST).into_iter().filter_map(RequestRow::of).collect();
        let drafts = rows(&DRAFT).into_iter().filter_map(DraftRow::of).collect();
        let next = MERGED.map(|table| table.next_id(db).unwrap_or(1));
        Self { intents, requests, drafts, next, is_whole, is_same_file }
    }

    /// The requests that it held.
    pub(super) fn requests(&self) -> HashSet<RequestId> {
        self.requests.iter().map(|row| row.request.id.clone()).collect()
    }

    /// Writes it into the database, where that does not know better. `refused` are intents of which nothing was sent, by
    /// the numbers that they had. Tells which intents have another number now.
    pub(super) fn merge(
        &self,
        tx: &Transaction<'_>,
        me: &Me,
        living: &HashSet<String>,
        refused: &[i64],
    ) -> rusqlite::Result<HashMap<i64, i64>> {
        for (table, next) in MERGED.into_iter().zip(self.next) {
            use_no_number_before(tx, table, next)?;
        }
        let renumbered = self.merge_intents(tx, refused)?;
        self.merge_requests(tx, &renumbered)?;
        self.merge_drafts(tx, me, living)?;
        Ok(renumbered)
    }

    fn merge_intents(&self, tx: &Transaction<'_>, refused: &[i64]) -> rusqlite::Result<HashMap<i64, i64>> {
        let mut renumbered = HashMap::new();
        for row in &self.intents {
            let mut row = row.clone();
            if refused.contains(&row.id()) && row.intent.stage == WriteState::Intended {
                row.revision += 1;
                row.intent.stage = WriteState::NotDone;
            }
            let there = INTENT.row(tx, row.id())?.and_then(Read::whole).and_then(IntentRow::of);
            match there {
                Some(there) if is_same_intent(&there, &row) => {
                    if there.revision < row.revision {
                        INTENT.write(tx, &row.row())?;
                    }
                    continue;
                }
                None if INTENT.row(tx, row.id())?.is_none() => {}
                _ => {
                    let free = INTENT.next_id(tx)?;
                    renumbered.insert(row.id(), free);
                    row.intent.id.0 = free;
                }
            }
            INTENT.write(tx, &row.row())?;
            note(tx, &row, None)?;
        }
        Ok(renumbered)
    }

    fn merge_requests(&self, tx: &Transaction<'_>, renumbered: &HashMap<i64, i64>) -> rusqlite::Result<()> {
        let mut there: HashMap<_, RequestRow> = whole(tx, &REQUEST, RequestRow::of)?
            .into_iter()
            .map(|row| ((row.tenant.clone(), row.request.id.clone()), row))
            .collect();
        for row in &self.requests {
            let mut row = row.clone();
            row.opened_by = row.opened_by.map(|intent| renumbered.get(&intent).copied().unwrap_or(intent));
            if let Some(there) = there.remove(&(row.tenant.clone(), row.request.id.clone())) {
                if there.revision >= row.revision && (there.opened_by.is_some() || row.opened_by.is_none()) {
                    continue;
                }
                row.id = there.id;
                row.revision = row.revision.max(there.revision + 1);
                row.opened_by = row.opened_by.or(there.opened_by);
                row.ended_at = row.ended_at.or(there.ended_at);
            } else if REQUEST.row(tx, row.id)?.is_some() {
                row.id = REQUEST.next_id(tx)?;
            }
            REQUEST.write(tx, &row.row())?;
        }
        Ok(())
    }

    fn merge_drafts(&self, tx: &Transaction<'_>, me: &Me, living: &HashSet<String>) -> rusqlite::Result<()> {
        let there: HashMap<i64, DraftRow> =
            whole(tx, &DRAFT, DraftRow::of)?.into_iter().map(|row| (row.id, row)).collect();
        // An older state has drafts that have ended since: their text was sent, or is in another.
        for row in there.values().filter(|_| self.is_whole) {
            let is_of_the_dead = self.is_same_file && row.id < self.next[2] && !living.contains(&row.owner);
            let is_ended = !self.drafts.iter().any(|snapshot| is_same_draft(snapshot, row));
            if is_ended && (row.owner == me.owner.name || is_of_the_dead) {
                DRAFT.delete(tx, row.id)?;
            }
        }
        for row in &self.drafts {
            let mut row = row.clone();
            match there.get(&row.id) {
                Some(there) if is_same_draft(there, &row) => {
                    if there.revision >= row.revision {
                        continue;
                    }
                }
                _ if DRAFT.row(tx, row.id)?.is_none() => {}
                _ => row.id = DRAFT.next_id(tx)?,
            }
            DRAFT.write(tx, &row.row())?;
        }
        Ok(())
    }
}

/// A claim changes an intent's owner, and its going on its stage; what it is about stays.
fn is_same_intent(one: &IntentRow, other: &IntentRow) -> bool {
    (&one.tenant, &one.operator, one.intent.at, &one.intent.what)
        == (&other.tenant, &other.operator, other.intent.at, &other.intent.what)
}

/// A claim makes the owner the one that has left it.
fn is_same_draft(one: &DraftRow, other: &DraftRow) -> bool {
    let typed_by = |row: &DraftRow| row.left_by.clone().unwrap_or_else(|| row.owner.clone());
    one.id == other.id
        && one.tenant == other.tenant
        && one.saved.target == other.saved.target
        && (typed_by(one) == typed_by(other) || one.owner == other.owner)
}

fn whole<T>(tx: &Transaction<'_>, table: &Table, of: impl Fn(StoredRow) -> Option<T>) -> rusqlite::Result<Vec<T>> {
    Ok(table.rows(tx)?.into_iter().filter_map(Read::whole).filter_map(of).collect())
}

/// Numbers that were given out are never used again.
pub(super) fn use_no_number_before(tx: &Transaction<'_>, table: &Table, next: i64) -> rusqlite::Result<()> {
    let used = table.next_id(tx)?.max(next) - 1;
    tx.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [table.name])?;
    tx.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (table.name, used))?;
    Ok(())
}
