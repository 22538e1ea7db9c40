//! The record of this process, as its thread holds it. Each change is one short transaction that is durable when it returns;
//! a change in files that are not those which were opened is never reported as made.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    IfUnknown,
    changes::{self, SeenRequests},
    claim,
    context::ProcessContext,
    error::{RecordError, TransactionError},
    files::Files,
    guard::Guard,
    history,
    jobs::WriteJob,
    owner::{OpeningLock, find_owners},
    recover::LOCK_TIMEOUT,
    rows::WriteRow,
    schedule::RestoreSchedule,
    snapshot::Snapshot,
    table::Entry,
    writes,
};
use mmd_elevate_core::{
    NewElevationRequest, Operation, Outcome, RecordChanges, RequestId, WriteHistory, WriteId, WriteRecord,
};

pub(super) struct OpenDatabase {
    pub(super) db: Connection,
    pub(super) files: Files,
    pub(super) guard: Guard,
    pub(super) seen: SeenRequests,
}

/// Where the rows are.
pub(super) enum StoreState {
    /// In the open database.
    Open(Box<OpenDatabase>),
    /// In memory: the files of the database were lost, and no others could be opened yet.
    Closed(Snapshot),
}

/// The record of this process.
pub(super) struct Store {
    pub(super) state: StoreState,
    pub(super) context: ProcessContext,
    /// Set while the files are lost or damaged.
    pub(super) restore: Option<RestoreSchedule>,
    /// The new numbers of writes whose numbers were used already in the database that replaced theirs. Callers keep the old
    /// numbers.
    pub(super) renumbered: HashMap<i64, i64>,
    /// The outcomes that could not be saved while the files were lost or damaged.
    pending_outcomes: Vec<(WriteId, Outcome)>,
}

impl OpenDatabase {
    /// Makes a change in one transaction. It takes the write lock at once: of two transactions that read before they write,
    /// one would fail.
    pub(super) fn change<T>(
        &mut self,
        context: &ProcessContext,
        change: impl FnOnce(&Transaction<'_>, &ProcessContext) -> Result<T, TransactionError>,
    ) -> Result<T, RecordError> {
        self.guard.check()?;
        let changed = (|| {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = change(&tx, context)?;
            tx.commit()?;
            Ok(value)
        })();
        let value = changed.map_err(|error| match error {
            TransactionError::Sql(error) => self.files.to_error(&error),
            TransactionError::Record(error) => error,
        })?;
        self.guard.check_written()?;
        Ok(value)
    }
}

impl Store {
    pub(super) fn new(database: OpenDatabase, context: ProcessContext) -> Self {
        let state = StoreState::Open(Box::new(database));
        Self { state, context, restore: None, renumbered: HashMap::new(), pending_outcomes: Vec::new() }
    }

    /// Makes a change in the open database. If its files turn out to be lost or damaged, the change counts as not made, and a
    /// restore is scheduled.
    pub(super) fn change<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>, &ProcessContext) -> Result<T, TransactionError>,
    ) -> Result<T, RecordError> {
        let StoreState::Open(database) = &mut self.state else { return Err(self.why_closed()) };
        let changed = database.change(&self.context, change);
        match &changed {
            Ok(_) if self.damage().is_some() => {}
            Ok(_) => self.restore = None,
            Err(error) => self.schedule_restore(error),
        }
        changed
    }

    /// Reads from the open database.
    pub(super) fn read<T>(
        &mut self,
        read: impl FnOnce(&Connection, &ProcessContext) -> rusqlite::Result<T>,
    ) -> Result<T, RecordError> {
        let StoreState::Open(database) = &self.state else { return Err(self.why_closed()) };
        let read = read(&database.db, &self.context).map_err(|error| database.files.to_error(&error));
        if let Err(error) = &read {
            self.schedule_restore(error);
        }
        read
    }

    /// Returns what other processes have changed since this was called last, or since the record was opened.
    pub(super) fn changes(&mut self) -> Result<Option<RecordChanges>, RecordError> {
        let StoreState::Open(database) = &mut self.state else { return Err(self.why_closed()) };
        let OpenDatabase { db, files, seen, .. } = &mut **database;
        let changes = changes::read(db, &self.context, seen).map_err(|error| files.to_error(&error));
        if let Err(error) = &changes {
            self.schedule_restore(error);
        }
        changes
    }

    /// Adds writes and saves outcomes in one transaction, and sends each its result. If that fails, it may be the fault of one, so
    /// that each is done by itself.
    pub(super) fn change_writes(&mut self, jobs: Vec<WriteJob>) {
        match self.try_writes(&jobs, None) {
            Ok(begun) => {
                let mut begun = begun.into_iter();
                for job in jobs {
                    job.succeed(&mut begun);
                }
            }
            // The files are lost for all of them.
            Err(error @ RecordError::NotDurable { .. }) => {
                for job in jobs {
                    self.fail_write(job, &error);
                }
            }
            Err(error) => {
                let is_alone = jobs.len() == 1;
                for job in jobs {
                    if is_alone && !job.may_be_refused() {
                        self.fail_write(job, &error);
                    } else {
                        self.change_write(job);
                    }
                }
            }
        }
    }

    /// Does this by itself. Which processes live is known then, and with it whether a create is refused: the lock that says so is
    /// taken before a transaction, never within one.
    fn change_write(&mut self, job: WriteJob) {
        let living = match job.may_be_refused().then(|| self.living()).transpose() {
            Ok(living) => living,
            Err(error) => return self.fail_write(job, &error),
        };
        match self.try_writes(std::slice::from_ref(&job), living.as_ref().map(|(_, living)| living)) {
            Ok(begun) => job.succeed(&mut begun.into_iter()),
            Err(error) => self.fail_write(job, &error),
        }
    }

    /// Adds writes and saves outcomes in one transaction: all or none. Returns the writes that were added. Without knowing which
    /// processes live, a create is refused if an equal one may be of unknown outcome.
    fn try_writes(
        &mut self,
        jobs: &[WriteJob],
        living: Option<&HashSet<String>>,
    ) -> Result<Vec<WriteRecord>, RecordError> {
        let (mut begun, renumbered) = (Vec::new(), self.renumbered.clone());
        let changed = self.change(|tx, context| {
            for job in jobs {
                match job {
                    WriteJob::Begin { operation, if_unknown, .. } => {
                        if let (Operation::Create(new), IfUnknown::Refuse) = (operation, if_unknown)
                            && let Some(other) = writes::unknown_create(tx, context, new, living)?
                        {
                            return Err(RecordError::EqualsUnknown(other).into());
                        }
                        begun.push(writes::begin(tx, context, operation.clone())?);
                    }
                    WriteJob::Settle { id, outcome, .. } => {
                        writes::settle(tx, context, stored_id(&renumbered, *id), outcome)?;
                    }
                }
            }
            Ok(())
        });
        let Err(error) = changed else { return Ok(begun) };
        for write in begun {
            self.cancel(write.id);
        }
        Err(error)
    }

    /// Marks a write as not done that failed to be recorded: the files may hold it nevertheless, and nothing of it is sent.
    fn cancel(&self, id: WriteId) {
        if let StoreState::Open(database) = &self.state
            && let Err(error) = writes::cancel(&database.db, &self.context, id)
        {
            tracing::debug!(%error, "a write that failed to be recorded was not cancelled");
        }
    }

    /// Sends the error. An outcome that cannot be saved because files are lost or damaged is saved later.
    fn fail_write(&mut self, job: WriteJob, error: &RecordError) {
        match job {
            WriteJob::Begin { sender, .. } => drop(sender.send(Err(error.clone()))),
            WriteJob::Settle { id, outcome, sender } => {
                if self.restore.is_some() {
                    self.pending_outcomes.push((id, outcome));
                }
                drop(sender.send(Err(error.clone())));
            }
        }
    }

    /// Saves the outcomes that arrived while the files were lost or damaged.
    pub(super) fn settle_pending(&mut self) {
        for (id, outcome) in std::mem::take(&mut self.pending_outcomes) {
            let id = self.stored_id(id);
            if let Err(error) = self.change(|tx, context| writes::settle(tx, context, id, &outcome)) {
                tracing::warn!(%error, "an outcome was not saved afterwards");
            }
        }
    }

    /// Returns the number of the write in the database.
    fn stored_id(&self, id: WriteId) -> WriteId {
        stored_id(&self.renumbered, id)
    }

    /// Returns a write of any process of the tenant.
    pub(super) fn write(&mut self, id: WriteId) -> Result<Option<WriteRecord>, RecordError> {
        let stored_id = self.stored_id(id);
        let Some(row) = self.read(|db, _| WriteRow::TABLE.row(db, stored_id.0))? else { return Ok(None) };
        let row = WriteRow::parse(&row).ok_or(RecordError::UnreadableWrite(id))?;
        Ok((row.tenant == *self.context.tenant()).then_some(WriteRecord { id, ..row.write }))
    }

    /// Takes over the tenant's writes of dead processes.
    pub(super) fn take_over_writes(&mut self) -> Result<Vec<WriteRecord>, RecordError> {
        let (_lock, living) = self.living()?;
        self.change(|tx, context| Ok(claim::claim_writes(tx, context, &living)?))
    }

    /// Returns the tenant's writes of unknown outcome.
    pub(super) fn unresolved(&mut self) -> Result<Vec<WriteRecord>, RecordError> {
        let (_lock, living) = self.living()?;
        self.read(|db, context| claim::unresolved(db, context, &living))
    }

    /// Returns a create of unknown outcome that equals this one.
    pub(super) fn unknown_create(&mut self, new: &NewElevationRequest) -> Result<Option<WriteId>, RecordError> {
        if self.read(|db, context| writes::unknown_create(db, context, new, None))?.is_none() {
            return Ok(None);
        }
        let (_lock, living) = self.living()?;
        self.read(|db, context| writes::unknown_create(db, context, new, Some(&living)))
    }

    /// Returns the names of the living owners, this process among them, and the lock that keeps others from becoming one.
    fn living(&self) -> Result<(OpeningLock, HashSet<String>), RecordError> {
        let files = Files::create_in(&self.context.place.state_dir)?;
        let lock = OpeningLock::acquire(&files.owners, LOCK_TIMEOUT)?;
        let mut living = find_owners(&files.owners, true, &lock)?.living;
        living.insert(self.context.owner.name.clone());
        Ok((lock, living))
    }

    /// Returns the requests that other writes own.
    pub(super) fn owned_requests(&mut self, except: WriteId) -> Result<Vec<RequestId>, RecordError> {
        let except = self.stored_id(except);
        self.read(|db, context| writes::owned_requests(db, context, except))
    }

    /// Returns how the writes of a request, and a write, went.
    pub(super) fn history(
        &mut self,
        request: Option<&RequestId>,
        write: Option<WriteId>,
    ) -> Result<Vec<WriteHistory>, RecordError> {
        let write = write.map(|id| self.stored_id(id));
        let mut histories = self.read(|db, context| history::history(db, context, request, write))?;
        for history in &mut histories {
            let stored = history.id.0;
            let known = self.renumbered.iter().find(|(_, current)| **current == stored);
            history.id = match known {
                Some((number, _)) => WriteId(*number),
                None if self.renumbered.contains_key(&stored) => self.add_number(history.id),
                None => history.id,
            };
        }
        Ok(histories)
    }

    /// Returns a new number for a write of the database whose own number means another write to callers. No database has negative
    /// ones.
    pub(super) fn add_number(&mut self, stored: WriteId) -> WriteId {
        let number = self.renumbered.keys().fold(0, |lowest, number| lowest.min(*number)) - 1;
        self.renumbered.insert(number, stored.0);
        WriteId(number)
    }

    /// Schedules a restore if the error means that the files are lost or damaged.
    pub(super) fn schedule_restore(&mut self, error: &RecordError) {
        if matches!(error, RecordError::NotDurable { .. } | RecordError::Damaged { .. }) && self.restore.is_none() {
            tracing::error!(%error, "the files of the record are lost or damaged");
            self.restore = Some(RestoreSchedule::new(error));
        }
    }

    /// Returns the error of damage in the open database.
    pub(super) fn damage(&self) -> Option<&RecordError> {
        self.restore.as_ref().map(|restore| &restore.cause).filter(|cause| matches!(cause, RecordError::Damaged { .. }))
    }

    /// Returns why there is no open database.
    fn why_closed(&self) -> RecordError {
        self.restore.as_ref().map_or(RecordError::Ended, |restore| restore.why.clone())
    }
}

fn stored_id(renumbered: &HashMap<i64, i64>, id: WriteId) -> WriteId {
    WriteId(renumbered.get(&id.0).copied().unwrap_or(id.0))
}
