//! What the record does, on its own thread: each change is one short transaction that is durable when it returns.

use std::{cell::Cell, collections::HashMap};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior, config::DbConfig};

use super::{
    Opening, Place, RecordError, TenantKey, Unclaimed,
    files::Files,
    guard::Guard,
    owner::Owner,
    restore::Restore,
    rows::{WriteRow, stage_name, time},
    snapshot::Snapshot,
    table::Entry,
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
    pub(super) opening: Opening,
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
    /// Writes that have another number in the database than they were given out with: a database that took the place of
    /// the one before had used that number.
    pub(super) renumbered: HashMap<i64, i64>,
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
            Failure::Sql(error) => self.files.failed(&error),
            Failure::Record(error) => error,
        })?;
        self.guard.check_written()?;
        Ok(value)
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
            Ok(_) if self.damage().is_some() => {}
            Ok(_) => self.restore = None,
            Err(error) => self.note(error),
        }
        changed
    }

    pub(super) fn read<T>(
        &mut self,
        read: impl FnOnce(&Connection, &Me) -> rusqlite::Result<T>,
    ) -> Result<T, RecordError> {
        let StoreState::Open(open) = &self.state else { return Err(self.why_closed()) };
        let read = read(&open.db, &self.me).map_err(|error| open.files.failed(&error));
        if let Err(error) = &read {
            self.note(error);
        }
        read
    }

    pub(super) fn begin(&mut self, what: Operation) -> Result<WriteRecord, RecordError> {
        let mut written = None;
        let intended = self.change(|tx, me| {
            let at = (me.clock)();
            let id = WriteId(WriteRow::TABLE.next_id(tx)?);
            let write = WriteRecord { id, operation: what, at, state: WriteState::Intended };
            if matches!(write.operation, Operation::Create(_)) {
                super::drafts::are_before(tx, me, at)?;
                me.saw_create(at);
            }
            let row = WriteRow {
                revision: 1,
                tenant: me.tenant.clone(),
                owner: me.owner.name.clone(),
                operator: me.operator.clone(),
                write,
                changed_at: at,
                made: None,
                why: None,
                service_request_id: None,
            };
            row.save(tx)?;
            note(tx, &row, None)?;
            written = Some(id.0);
            Ok(row.write)
        });
        if let (Err(_), Some(id), StoreState::Open(open)) = (&intended, written, &self.state) {
            // It may be in the lost files all the same, and nothing of it is sent.
            let sql = "UPDATE intent SET stage = 'not done', revision = revision + 1 WHERE id = ?1 AND owner = ?2";
            if let Err(error) = open.db.execute(sql, (id, &self.me.owner.name)) {
                tracing::debug!(%error, "a write that was refused is not noted as such");
            }
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

    /// The number of the write in the database.
    pub(super) fn number(&self, id: WriteId) -> WriteId {
        WriteId(self.renumbered.get(&id.0).copied().unwrap_or(id.0))
    }

    pub(super) fn write(&mut self, id: WriteId) -> Result<Option<WriteRecord>, RecordError> {
        let number = self.number(id);
        let Some(row) = self.read(|db, _| WriteRow::TABLE.row(db, number.0))? else { return Ok(None) };
        let row = WriteRow::parse(&row).ok_or(RecordError::UnreadableWrite(id))?;
        Ok((row.tenant == self.me.tenant).then_some(WriteRecord { id, ..row.write }))
    }

    pub(super) fn owned_requests(&mut self, except: WriteId) -> Result<Vec<RequestId>, RecordError> {
        let condition = "kind = 'create' AND request_id IS NOT NULL AND id <> ?1";
        let except = self.number(except);
        let rows = self.read(|db, _| WriteRow::find(db, condition, [except.0]))?;
        Ok(rows.into_iter().filter(|row| row.tenant == self.me.tenant).filter_map(|row| row.made).collect())
    }

    pub(super) fn unclaimed_creates(&mut self) -> Result<Vec<Unclaimed>, RecordError> {
        let condition = "kind = 'create' AND request_id IS NULL AND stage NOT IN ('done', 'not done')";
        let rows = self.read(|db, _| WriteRow::find(db, condition, []))?;
        let unclaimed = |row: WriteRow| {
            let is_ours = row.owner == self.me.owner.name;
            let WriteRecord { operation: Operation::Create(request), at, state, .. } = row.write else { return None };
            Some(Unclaimed { request, at, state, is_ours })
        };
        Ok(rows.into_iter().filter(|row| row.tenant == self.me.tenant).filter_map(unclaimed).collect())
    }

    /// Ends the use of the record. The database is closed before the owner's lock is let go: whoever finds the owner
    /// dead may take the files for their own.
    pub(super) fn close(mut self) {
        // What was lost is written anew now, or never. Damage waits for the next start, which tells of it.
        if self.damage().is_none() {
            self.restore_now();
        }
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
    let row = WriteRow::TABLE.row(tx, id.0)?.ok_or(RecordError::UnknownWrite(id))?;
    let mut row = WriteRow::parse(&row).ok_or(RecordError::UnreadableWrite(id))?;
    if row.tenant != me.tenant {
        return Err(RecordError::UnknownWrite(id).into());
    }
    if row.owner != me.owner.name {
        return Err(RecordError::NotOwner(id).into());
    }
    let (from, to) = (row.write.state, outcome.state);
    if !may_become(from, to) {
        return Err(RecordError::InvalidTransition { id, from, to }.into());
    }
    row.revision += 1;
    row.write.state = to;
    row.changed_at = (me.clock)();
    row.why.clone_from(&outcome.why);
    let answer = outcome.service_request_id.as_ref().map(Untrusted::raw);
    row.service_request_id = answer.map(str::to_owned).or(row.service_request_id);
    match (&row.write.operation, to, &outcome.request) {
        (Operation::Create(_), WriteState::Done, None) => return Err(RecordError::MissingRequest(id).into()),
        (Operation::Create(sent), WriteState::Done, Some(request)) => {
            if let Some(owner) = owner_of(tx, me, &request.id)? {
                return Err(RecordError::RequestOwned { id, owner }.into());
            }
            row.made = Some(request.id.clone());
            let request = request.clone().with_gaps_from_draft(sent.draft());
            super::requests::told(tx, me, &request, super::requests::Told::OpenedBy(id))?;
            super::drafts::sent(tx, me, sent.draft(), row.write.at)?;
        }
        (Operation::Create(_), ..) => {}
        (Operation::Close(CloseElevationRequest { id: closes, .. }), ..) => {
            let told: Option<&ElevationRequest> = outcome.request.as_ref().filter(|request| request.id == *closes);
            super::requests::closed(tx, me, closes, told, to == WriteState::Done)?;
        }
    }
    row.save(tx)?;
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
    let mut rows = WriteRow::find(tx, &condition, same_request(request))?.into_iter();
    let owner = rows.find(|row| row.tenant == me.tenant && row.made.as_ref() == Some(request));
    Ok(owner.map(|row| row.write.id))
}

/// Rows whose request may be the one that [`same_request`] is of: the same UUID may be written in several ways. Whether it
/// is the same is for [`RequestId`] to say.
pub(super) const SAME_REQUEST: &str = "(request_id = ?1 OR (?2 IS NOT NULL AND ?2 = replace(replace(replace(replace(
     replace(replace(lower(trim(request_id)), 'urn:uuid:', ''), '-', ''), '{', ''), '}', ''), '(', ''), ')', '')))";

/// What [`SAME_REQUEST`] is given.
pub(super) fn same_request(id: &RequestId) -> (String, Option<String>) {
    (id.raw().to_owned(), id.uuid().map(|uuid| format!("{uuid:032x}")))
}

/// Writes down how the write came to where it stands.
pub(super) fn note(tx: &Transaction<'_>, row: &WriteRow, answer: Option<&str>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO step (intent, at, stage, why, service_request_id) VALUES (?1, ?2, ?3, ?4, ?5)";
    let state = stage_name(row.write.state);
    tx.prepare_cached(sql)?.execute((row.id(), time(row.changed_at), state, &row.why, answer))?;
    Ok(())
}
