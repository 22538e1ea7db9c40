//! What the record does, on its own thread: each change is one short transaction that is durable when it returns.

use std::{cell::Cell, collections::HashMap, fs::File, io::Read as _};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior, config::DbConfig};

use super::{
    Place, Purged, RecordError, TenantKey, Unclaimed,
    files::Files,
    guard::Guard,
    merge::Snapshot,
    owner::Owner,
    restore::Restore,
    retention,
    row::{Read, StoredRow, Table},
    rows::{INTENT, IntentRow, stage_name, time},
    wal,
};
use mmd_elevate_core::{
    CloseElevationRequest, ElevationRequest, Operation, Outcome, RequestId, Transition, Untrusted, WriteId,
    WriteRecord, WriteState,
};

/// Who this process is to the record.
pub(super) struct Me {
    pub(super) owner: Owner,
    pub(super) tenant: TenantKey,
    pub(super) operator: String,
    pub(super) clock: fn() -> Timestamp,
    /// The time of the newest create of this process. What is saved after it must have a later time, wherever the clock
    /// has been set to meanwhile: that is how a draft is told from what was sent.
    pub(super) newest: Cell<Timestamp>,
}

impl Me {
    /// The time for a draft that is saved now.
    pub(super) fn time_of_draft(&self) -> Timestamp {
        let after = self.newest.get().saturating_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
        (self.clock)().max(after)
    }

    /// A create has this time.
    pub(super) fn saw_create(&self, at: Timestamp) {
        self.newest.set(self.newest.get().max(at));
    }
}

/// The open database.
pub(super) struct Open {
    pub(super) db: Connection,
    pub(super) files: Files,
    pub(super) guard: Guard,
}

/// Where the rows are.
pub(super) enum StoreState {
    /// In the database, which is open.
    Open(Box<Open>),
    /// In memory: the database's files were lost, and no others could be had yet.
    Closed(Snapshot),
}

/// The record of this process.
pub(super) struct Store {
    pub(super) state: StoreState,
    pub(super) place: Place,
    pub(super) me: Me,
    /// What is to be done about files that are not whole.
    pub(super) restore: Option<Restore>,
    /// Intents that have another number in the database than they were given out with: a database that took the place of
    /// the one before had used that number.
    pub(super) renumbered: HashMap<i64, i64>,
    /// Intents that were written and refused all the same: nothing of them was sent.
    pub(super) refused: Vec<i64>,
    /// What could not be written down while the files were not whole.
    pub(super) pending_outcomes: Vec<(WriteId, Outcome)>,
}

/// Why a change was not made.
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Record(RecordError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl Open {
    /// Does it in one transaction, or not at all. The write lock is taken at once: two that first read and then write
    /// could not both go on.
    pub(super) fn change<T>(
        &mut self,
        me: &Me,
        work: impl FnOnce(&Transaction<'_>, &Me) -> Result<T, Failure>,
    ) -> Result<T, RecordError> {
        self.guard.check()?;
        let changed = (|| {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&tx, me)?;
            tx.commit()?;
            Ok(value)
        })();
        let value = changed.map_err(|failure| match failure {
            Failure::Sql(error) => RecordError::sql(&self.files.main, &error),
            Failure::Record(error) => error,
        })?;
        self.guard.check()?;
        if !self.has_log()? {
            return Err(self.overwritten());
        }
        Ok(value)
    }

    /// Whether the log begins as one, so that what is in it is read at the next start.
    fn has_log(&self) -> Result<bool, RecordError> {
        let mut head = Vec::with_capacity(wal::HEAD);
        let read = File::open(&self.files.wal).and_then(|log| log.take(wal::HEAD as u64).read_to_end(&mut head));
        read.map_err(|error| RecordError::io(&self.files.wal, &error))?;
        Ok(wal::begins_well(&head))
    }

    /// The log's bytes are not those that were written, though its name leads to the same file.
    fn overwritten(&mut self) -> RecordError {
        let (path, why) = (self.files.wal.clone(), "was overwritten while it was in use".to_owned());
        let error = RecordError::NotDurable { path, why };
        self.guard.invalidate(&error);
        error
    }

    /// Whether whoever opens the database after this process finds the row in which this text was just written: the log
    /// may have been emptied or overwritten in its place, which `SQLite` does not notice.
    fn finds(&mut self, text: &str) -> Result<(), RecordError> {
        let path = &self.files.wal;
        let bytes = std::fs::read(path).map_err(|error| RecordError::io(path, &error))?;
        let log = wal::read(&bytes);
        let written = log
            .frames
            .iter()
            .take(log.read)
            .rev()
            .any(|frame| frame.page.windows(text.len()).any(|found| found == text.as_bytes()));
        // Another process may have moved all of it into the database since.
        if written || log.is_empty {
            return Ok(());
        }
        Err(self.overwritten())
    }
}

impl Store {
    /// Makes the change in the open database. Where its files are not whole nothing counts as written, and they are seen
    /// to after that.
    pub(super) fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Me) -> Result<T, Failure>,
    ) -> Result<T, RecordError> {
        let StoreState::Open(open) = &mut self.state else { return Err(self.why_closed()) };
        let changed = open.change(&self.me, work);
        match &changed {
            Ok(_) => self.restore = None,
            Err(error) => self.note(error),
        }
        changed
    }

    pub(super) fn intend(&mut self, what: Operation) -> Result<WriteRecord, RecordError> {
        let mut written = None;
        let intended = self.change(|tx, me| {
            let at = (me.clock)();
            let intent = WriteRecord { id: WriteId(INTENT.next_id(tx)?), what, at, stage: WriteState::Intended };
            if matches!(intent.what, Operation::Create(_)) {
                super::drafts::are_before(tx, me, at)?;
                me.saw_create(at);
            }
            let row = IntentRow {
                revision: 1,
                tenant: me.tenant.clone(),
                owner: me.owner.name.clone(),
                operator: me.operator.clone(),
                intent,
                changed_at: at,
                made: None,
                why: None,
                service_request_id: None,
            };
            INTENT.write(tx, &row.row())?;
            note(tx, &row, None)?;
            written = Some(row.intent.id);
            Ok(row.intent)
        });
        let intended = intended.and_then(|intent| match &mut self.state {
            StoreState::Open(open) => open.finds(&time(intent.at)).map(|()| intent),
            StoreState::Closed(_) => Err(self.why_closed()),
        });
        if let Err(error) = &intended {
            self.note(error);
            self.refused.extend(written.map(|id| id.0));
        }
        intended
    }

    pub(super) fn settle(&mut self, id: WriteId, outcome: Outcome) -> Result<(), RecordError> {
        let settled = self.settle_now(id, &outcome);
        if settled.is_err() && self.restore.is_some() {
            self.pending_outcomes.push((id, outcome));
        }
        settled
    }

    pub(super) fn settle_now(&mut self, id: WriteId, outcome: &Outcome) -> Result<(), RecordError> {
        let number = self.number(id);
        self.change(|tx, me| settle(tx, me, number, outcome))
    }

    /// The number of the intent in the database.
    pub(super) fn number(&self, id: WriteId) -> WriteId {
        WriteId(self.renumbered.get(&id.0).copied().unwrap_or(id.0))
    }

    pub(super) fn intent(&self, id: WriteId) -> Result<Option<WriteRecord>, RecordError> {
        let number = self.number(id);
        match self.read(|db| INTENT.row(db, number.0))? {
            None => Ok(None),
            Some(Read::Damaged(_)) => Err(RecordError::DamagedIntent(id)),
            Some(Read::Whole(row)) => {
                let row = IntentRow::of(row).ok_or(RecordError::DamagedIntent(id))?;
                Ok((row.tenant == self.me.tenant).then_some(WriteRecord { id, ..row.intent }))
            }
        }
    }

    pub(super) fn owned(&self, except: WriteId) -> Result<Vec<RequestId>, RecordError> {
        let condition = "kind = 'create' AND request_id IS NOT NULL AND id <> ?1";
        let except = self.number(except);
        let rows = self.read(|db| INTENT.select(db, condition, [except.0]))?;
        Ok(self.of_tenant(rows).filter_map(|row| row.made).collect())
    }

    pub(super) fn unclaimed(&self) -> Result<Vec<Unclaimed>, RecordError> {
        let condition = "kind = 'create' AND request_id IS NULL AND stage NOT IN ('done', 'not done')";
        let rows = self.read(|db| INTENT.select(db, condition, []))?;
        let of = |row: IntentRow| {
            let is_ours = row.owner == self.me.owner.name;
            let WriteRecord { what: Operation::Create(request), at, stage, .. } = row.intent else { return None };
            Some(Unclaimed { request, at, stage, is_ours })
        };
        Ok(self.of_tenant(rows).filter_map(of).collect())
    }

    /// The whole intents of this tenant.
    fn of_tenant(&self, rows: Vec<Read>) -> impl Iterator<Item = IntentRow> {
        let rows = rows.into_iter().filter_map(Read::whole).filter_map(IntentRow::of);
        rows.filter(|row| row.tenant == self.me.tenant)
    }

    pub(super) fn purge(&mut self, before: Timestamp) -> Result<Purged, RecordError> {
        let purged = self.change(|tx, _| Ok(retention::purge(tx, before)?))?;
        if let StoreState::Open(open) = &self.state {
            checkpoint(&open.db);
        }
        Ok(purged)
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, RecordError> {
        let StoreState::Open(open) = &self.state else { return Err(self.why_closed()) };
        read(&open.db).map_err(|error| RecordError::sql(&open.files.main, &error))
    }

    /// Ends the use of the record. The database is closed before the owner's lock is let go: whoever finds the owner
    /// dead may take the files for their own.
    pub(super) fn close(mut self) {
        // Nobody is there any more to be told: what was lost is written anew now, or never.
        self.restore_now();
        let Self { state, me, .. } = self;
        if let StoreState::Open(open) = state {
            finish(open.db);
        }
        drop(me);
    }
}

/// Moves the log into the database and empties it, as far as others let it.
pub(super) fn checkpoint(db: &Connection) {
    if let Err(error) = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::debug!(%error, "the record's log was not moved into it"); // It is as durable where it is.
    }
}

/// Closes the database. The last one to leave moves the log into it; nobody is waited for, because the log is as durable
/// as the database.
pub(super) fn finish(db: Connection) {
    let done = db
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(drop)
        .and_then(|()| db.close().map_err(|(_, error)| error));
    if let Err(error) = done {
        tracing::warn!(%error, "the record was not closed as it should be");
    }
}

fn settle(tx: &Transaction<'_>, me: &Me, id: WriteId, outcome: &Outcome) -> Result<(), Failure> {
    let mut row = match INTENT.row(tx, id.0)? {
        None => return Err(RecordError::UnknownIntent(id).into()),
        Some(Read::Damaged(_)) => return Err(RecordError::DamagedIntent(id).into()),
        Some(Read::Whole(row)) => IntentRow::of(row).ok_or(RecordError::DamagedIntent(id))?,
    };
    if row.tenant != me.tenant {
        return Err(RecordError::UnknownIntent(id).into());
    }
    if row.owner != me.owner.name {
        return Err(RecordError::NotOurs(id).into());
    }
    let (from, to) = (row.intent.stage, outcome.stage);
    if !may_become(from, to) {
        return Err(RecordError::BadStep { id, from, to }.into());
    }
    row.revision += 1;
    row.intent.stage = to;
    row.changed_at = (me.clock)();
    row.why.clone_from(&outcome.why);
    let answer = outcome.service_request_id.as_ref().map(Untrusted::raw);
    row.service_request_id = answer.map(str::to_owned).or(row.service_request_id);
    match (&row.intent.what, to, &outcome.request) {
        (Operation::Create(_), WriteState::Done, None) => return Err(RecordError::NoRequest(id).into()),
        (Operation::Create(sent), WriteState::Done, Some(request)) => {
            if let Some(owner) = owner_of(tx, me, &request.id)? {
                return Err(RecordError::Owned { id, owner }.into());
            }
            row.made = Some(request.id.clone());
            let request = request.clone().with_gaps_from_draft(sent.draft());
            super::requests::told(tx, me, &request, super::requests::Told::OpenedBy(id))?;
            super::drafts::sent(tx, me, sent.draft(), row.intent.at)?;
        }
        (Operation::Create(_), ..) => {}
        (Operation::Close(CloseElevationRequest { id: closes, .. }), ..) => {
            let told: Option<&ElevationRequest> = outcome.request.as_ref().filter(|request| request.id == *closes);
            super::requests::closed(tx, me, closes, told, to == WriteState::Done)?;
        }
    }
    INTENT.write(tx, &row.row())?;
    note(tx, &row, answer)?;
    Ok(())
}

/// Whether the state machine of a write knows a way there. That the bytes go out need not be told: a process that dies
/// before or after leaves the same unknown behind, so nothing would be decided by it.
fn may_become(from: WriteState, to: WriteState) -> bool {
    let steps = |from: WriteState| Transition::ALL.into_iter().any(move |step| from.after(step) == Some(to));
    steps(from) || from.after(Transition::Send).is_some_and(steps)
}

fn owner_of(tx: &Transaction<'_>, me: &Me, request: &RequestId) -> rusqlite::Result<Option<WriteId>> {
    let condition = format!("kind = 'create' AND {SAME_REQUEST}");
    let rows = INTENT.select(tx, &condition, same_request(request))?;
    let mut rows = rows.into_iter().filter_map(Read::whole).filter_map(IntentRow::of);
    let owner = rows.find(|row| row.tenant == me.tenant && row.made.as_ref() == Some(request));
    Ok(owner.map(|row| row.intent.id))
}

/// Rows whose request may be the one that [`same_request`] is of: the same UUID may be written in several ways. Whether it
/// is the same is for [`RequestId`] to say.
pub(super) const SAME_REQUEST: &str = "(request_id = ?1 OR (?2 IS NOT NULL AND ?2 = replace(replace(replace(replace(
     replace(replace(lower(trim(request_id)), 'urn:uuid:', ''), '-', ''), '{', ''), '}', ''), '(', ''), ')', '')))";

/// What [`SAME_REQUEST`] is given.
pub(super) fn same_request(id: &RequestId) -> (String, Option<String>) {
    (id.raw().to_owned(), id.uuid().map(|uuid| format!("{uuid:032x}")))
}

/// Writes down how the intent came to where it stands.
pub(super) fn note(tx: &Transaction<'_>, row: &IntentRow, answer: Option<&str>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO step (intent, at, stage, why, service_request_id) VALUES (?1, ?2, ?3, ?4, ?5)";
    let stage = stage_name(row.intent.stage);
    tx.prepare_cached(sql)?.execute((row.id(), time(row.changed_at), stage, &row.why, answer))?;
    Ok(())
}

impl Read {
    /// The row, if it is whole.
    pub(super) fn whole(self) -> Option<StoredRow> {
        match self {
            Self::Whole(row) => Some(row),
            Self::Damaged(_) => None,
        }
    }
}

/// What the whole rows of a table mean.
pub(super) fn all<T>(tx: &Connection, table: &Table, of: impl Fn(StoredRow) -> Option<T>) -> rusqlite::Result<Vec<T>> {
    let rows = table.rows(tx)?;
    Ok(rows.into_iter().filter_map(Read::whole).filter_map(of).collect())
}
