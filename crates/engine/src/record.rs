//! The record on disk: every write is durable here before it is sent, and drafts are saved within a second. It never sends
//! anything, and never keeps a secret.
//!
//! It is one `SQLite` database, which several processes use at once. Each process owns its writes and drafts while it lives.
//! One thread holds the connection; [`Record`] is a handle to it, so that only callers that ask for it wait for the disk.
//! `schema.rs` describes the tables.
//!
//! | file | contents |
//! |---|---|
//! | `record.db`, `-wal`, `-shm` | the database |
//! | `record.db.damaged-<UTC>` | a database that was damaged, or that lost its other files, as it was found; never written again |
//! | `record.db.unread-<UTC>` | the same, until its rows are in another database |
//! | `owners/<uuid>.lock` | the lock of a living process |
//! | `owners/gate.lock` | the lock that is held while the record is being opened |
//!
//! If one of the files is not the one that was opened, nothing is written, so that nothing is sent (`guard.rs`), and the
//! record is restored in its place with the same contents (`restore.rs`). A database that fails `SQLite`'s check is set aside, and its
//! readable rows are copied into a new one (`recover.rs`, `snapshot.rs`).

mod changes;
mod claim;
mod context;
mod drafts;
mod error;
mod files;
mod guard;
mod history;
mod jobs;
mod owner;
mod place;
mod recover;
mod requests;
mod restore;
mod retention;
mod rows;
mod schedule;
mod schema;
mod snapshot;
mod store;
mod table;
mod tenant;
mod writes;

use std::{
    fmt, io,
    path::Path,
    sync::{Arc, mpsc},
    thread,
};

pub use error::RecordError;
use jiff::Timestamp;
use place::OpenMode;
pub use place::Place;
pub use retention::Purged;
use rusqlite::{Connection, Transaction};
use tokio::sync::{
    Mutex,
    mpsc::{UnboundedReceiver, unbounded_channel},
    oneshot,
};

use context::ProcessContext;
use jobs::{Job, WriteJob};
use mmd_elevate_core::{
    Draft, DraftTarget, ElevationRequest, NewElevationRequest, Operation, Outcome, RecordChanges, Recovered, RequestId,
    SavedDraft, Untrusted, WriteHistory, WriteId, WriteRecord,
};
use store::Store;
pub use tenant::TenantKey;
pub use writes::Unclaimed;

/// What becomes of a create that equals one of unknown outcome, of any process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfUnknown {
    /// It is recorded, and may be sent.
    Send,
    /// It is refused with [`RecordError::EqualsUnknown`].
    Refuse,
}

/// A handle to the record, which is closed when the last handle is dropped.
#[derive(Clone)]
pub struct Record {
    jobs: mpsc::Sender<Job>,
    /// Ends with the thread.
    done: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
    news: Arc<Mutex<Option<UnboundedReceiver<Recovered>>>>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").finish_non_exhaustive()
    }
}

impl Record {
    /// Opens the record for a dashboard: sets a damaged database aside, takes over the rows that dead processes of this tenant
    /// left, and deletes settled rows that are older than the limit.
    ///
    /// # Errors
    /// [`RecordError`] if there is no record to write to. Nothing may be sent then.
    pub async fn open(place: Place, clock: fn() -> Timestamp) -> Result<(Self, Recovered), RecordError> {
        Self::start(place, clock, OpenMode::TakeOver).await
    }

    /// Opens the record for a command, which runs beside dashboards: the rows of dead processes stay for a dashboard, and
    /// nothing is deleted. A damaged database is set aside nevertheless, because it cannot be written.
    ///
    /// # Errors
    /// [`RecordError`] if there is no record to write to. Nothing may be sent then.
    pub async fn join(place: Place, clock: fn() -> Timestamp) -> Result<(Self, Recovered), RecordError> {
        Self::start(place, clock, OpenMode::Join).await
    }

    /// Opens the record for a dashboard that sends nothing: reads what [`Record::open`] would take over, and leaves it to the next
    /// dashboard. A damaged database is set aside nevertheless.
    ///
    /// # Errors
    /// [`RecordError`] if there is no record to read.
    pub async fn look(place: Place, clock: fn() -> Timestamp) -> Result<(Self, Recovered), RecordError> {
        Self::start(place, clock, OpenMode::Look).await
    }

    async fn start(place: Place, clock: fn() -> Timestamp, mode: OpenMode) -> Result<(Self, Recovered), RecordError> {
        let (jobs, job_receiver) = mpsc::channel::<Job>();
        let (opened, open_result) = oneshot::channel();
        let (ended, done) = oneshot::channel();
        let (news_sender, news) = unbounded_channel();
        let state_dir = place.state_dir.clone();
        let run = move || {
            match recover::open(place, clock, mode) {
                Ok((store, recovered)) => {
                    // If the caller is gone, there are no handles either, and the jobs end at once.
                    let _ = opened.send(Ok(recovered));
                    store.run_jobs(&job_receiver, &news_sender);
                }
                Err(error) => drop(opened.send(Err(error))),
            }
            let _ = ended.send(());
        };
        let spawned = thread::Builder::new().name("record".to_owned()).spawn(run);
        spawned.map_err(|error: io::Error| RecordError::io(&state_dir, &error))?;
        let recovered = open_result.await.map_err(|_| RecordError::Ended)??;
        let (done, news) = (Arc::new(Mutex::new(Some(done))), Arc::new(Mutex::new(Some(news))));
        Ok((Self { jobs, done, news }, recovered))
    }

    /// Gives the record's thread a job that sends its result. It is completed even if the caller stops waiting.
    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<Result<T, RecordError>>) -> Job) -> Result<T, RecordError> {
        let (sender, result) = oneshot::channel();
        self.jobs.send(job(sender)).map_err(|_| RecordError::Ended)?;
        result.await.map_err(|_| RecordError::Ended)?
    }

    /// Runs a job on the record's thread.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, RecordError> + Send + 'static,
    ) -> Result<T, RecordError> {
        self.ask(|sender| Job::Run(Box::new(move |store| drop(sender.send(job(store)))))).await
    }

    /// Makes a change on the record's thread.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction<'_>, &ProcessContext) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, RecordError> {
        self.run(move |store| store.change(|tx, context| Ok(change(tx, context)?))).await
    }

    /// Reads on the record's thread.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &ProcessContext) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, RecordError> {
        self.ask(|sender| Job::Read(Box::new(move |store| drop(sender.send(store.read(read)))))).await
    }

    /// Makes a write durable. Nothing of it may be sent before this returns.
    ///
    /// # Errors
    /// [`RecordError`]: nothing may be sent.
    pub async fn begin(&self, operation: &Operation) -> Result<WriteRecord, RecordError> {
        self.begin_or_refuse(operation, IfUnknown::Send).await
    }

    /// Makes a write durable as [`Self::begin`] does, if what is said of an equal create of unknown outcome lets it.
    ///
    /// # Errors
    /// As for [`Self::begin`], and [`RecordError::EqualsUnknown`].
    pub async fn begin_or_refuse(
        &self,
        operation: &Operation,
        if_unknown: IfUnknown,
    ) -> Result<WriteRecord, RecordError> {
        let operation = operation.clone();
        self.ask(|sender| Job::Write(Box::new(WriteJob::Begin { operation, if_unknown, sender }))).await
    }

    /// Takes over the writes of dead processes, so that this process can look for them and settle them: for a command, which has
    /// joined the record. Drafts and all else stay for a dashboard.
    ///
    /// # Errors
    /// [`RecordError`] if they could not be taken over.
    pub async fn take_over_writes(&self) -> Result<Vec<WriteRecord>, RecordError> {
        self.run(Store::take_over_writes).await
    }

    /// Returns the writes of unknown outcome, the oldest first: those that dead processes left, and those of living ones that
    /// could not find theirs. Nothing changes.
    ///
    /// # Errors
    /// [`RecordError`] if they could not be read.
    pub async fn unresolved(&self) -> Result<Vec<WriteRecord>, RecordError> {
        self.run(Store::unresolved).await
    }

    /// Saves the outcome of a write of this process. The state `Sending` need not be saved.
    ///
    /// The request of a create that is done counts as open from now on. A close that is done ends its request if the outcome
    /// shows the request as closed; otherwise the service has accepted the close and does not show it yet, and the request counts
    /// as open. In any case the outcome updates a known request.
    ///
    /// # Errors
    /// [`RecordError::InvalidTransition`] if the state machine of a write does not allow the change,
    /// [`RecordError::RequestOwned`] if another write has made the request, [`RecordError::NotOwner`] if another process owns
    /// the write, and other errors if it could not be written.
    pub async fn settle(&self, id: WriteId, outcome: Outcome) -> Result<(), RecordError> {
        self.ask(|sender| Job::Write(Box::new(WriteJob::Settle { id, outcome, sender }))).await
    }

    /// Returns the write with this id, of any process.
    ///
    /// # Errors
    /// [`RecordError::UnreadableWrite`] if its row is invalid, and other errors if it could not be read.
    pub async fn write(&self, id: WriteId) -> Result<Option<WriteRecord>, RecordError> {
        self.run(move |store| store.write(id)).await
    }

    /// Returns how the create and the closes of a request went, and a write, the oldest first: their newest 200 steps. They may be
    /// of any process.
    ///
    /// # Errors
    /// [`RecordError`] if they could not be read.
    pub async fn history(
        &self,
        request: Option<RequestId>,
        write: Option<WriteId>,
    ) -> Result<Vec<WriteHistory>, RecordError> {
        self.run(move |store| store.history(request.as_ref(), write)).await
    }

    /// Returns the requests that other writes of all processes have made. They settle no other write.
    ///
    /// # Errors
    /// [`RecordError`] if they could not be read.
    pub async fn owned_requests(&self, except: WriteId) -> Result<Vec<RequestId>, RecordError> {
        self.run(move |store| store.owned_requests(except)).await
    }

    /// Returns the creates of all processes whose requests no write has claimed: those that are in flight, unknown or set aside.
    ///
    /// # Errors
    /// [`RecordError`] if they could not be read.
    pub async fn unclaimed_creates(&self) -> Result<Vec<Unclaimed>, RecordError> {
        self.read(writes::unclaimed_creates).await
    }

    /// Returns a create of unknown outcome that equals this one, of any process: one of [`Self::unresolved`].
    ///
    /// # Errors
    /// [`RecordError`] if they could not be read.
    pub async fn unknown_create(&self, new: &NewElevationRequest) -> Result<Option<WriteId>, RecordError> {
        let new = new.clone();
        self.ask(|sender| Job::Read(Box::new(move |store| drop(sender.send(store.unknown_create(&new)))))).await
    }

    /// Returns what other processes have changed since this was called last, or since the record was opened: `None` if nobody
    /// else has written. Only one caller gets each change.
    ///
    /// # Errors
    /// [`RecordError`] if it could not be read.
    pub async fn changes(&self) -> Result<Option<RecordChanges>, RecordError> {
        self.run(Store::changes).await
    }

    /// Returns the last known state of a request.
    ///
    /// # Errors
    /// [`RecordError`] if it could not be read.
    pub async fn request(&self, id: &RequestId) -> Result<Option<ElevationRequest>, RecordError> {
        let id = id.clone();
        self.read(move |db, context| requests::request(db, context, &id)).await
    }

    /// Updates known requests from a list, and adds a request that was opened elsewhere if an accepted close of this record has
    /// closed it; other requests are not saved. Returns the requests that were open and are closed now: they were closed
    /// elsewhere.
    ///
    /// # Errors
    /// [`RecordError`] if it could not be written.
    pub async fn update_requests(&self, listed: Vec<ElevationRequest>) -> Result<Vec<RequestId>, RecordError> {
        self.change(move |tx, context| requests::update(tx, context, &listed)).await
    }

    /// Marks a request as closed although no list shows it: the service has answered that it is already closed, or that it does
    /// not exist.
    ///
    /// # Errors
    /// [`RecordError`] if it could not be written.
    pub async fn end_request(&self, id: &RequestId) -> Result<(), RecordError> {
        let id = id.clone();
        self.change(move |tx, context| requests::end(tx, context, &id)).await
    }

    /// Marks a request as closed on the agent's word, and notes this with the newest close of it that the service accepted. A
    /// request that is known to be closed stays as it is. A request that was opened elsewhere is added with what the close
    /// tells. Returns whether the request is closed now: `false` if the record holds no accepted close of it.
    ///
    /// # Errors
    /// [`RecordError`] if it could not be written.
    pub async fn take_as_closed(&self, id: &RequestId) -> Result<bool, RecordError> {
        let id = id.clone();
        self.change(move |tx, context| requests::take_as_closed(tx, context, &id)).await
    }

    /// Saves drafts, all or none. An empty or missing text deletes its draft.
    ///
    /// A recovered draft is deleted only when its text is saved again for any target. What is typed meanwhile does not replace
    /// it.
    ///
    /// # Errors
    /// [`RecordError`] if it could not be written.
    pub async fn save(&self, drafts: Vec<(DraftTarget, Option<Draft>)>) -> Result<(), RecordError> {
        self.change(move |tx, context| drafts::save(tx, context, drafts)).await
    }

    /// Deletes a recovered draft that the agent has discarded.
    ///
    /// # Errors
    /// [`RecordError`] if it could not be written.
    pub async fn discard(&self, recovered: SavedDraft) -> Result<(), RecordError> {
        self.change(move |tx, context| drafts::discard(tx, context, &recovered)).await
    }

    /// Returns what later restores find: the warnings, and the contents of the record that was found in place of a lost one.
    /// Only the first caller gets it.
    pub async fn news(&self) -> Option<UnboundedReceiver<Recovered>> {
        self.news.lock().await.take()
    }

    /// Restores a record with lost or damaged files now, instead of after the usual wait.
    ///
    /// # Errors
    /// [`RecordError::Ended`] if it is closed.
    pub async fn restore(&self) -> Result<(), RecordError> {
        self.run(|store| {
            store.restore_now();
            Ok(())
        })
        .await
    }

    /// Notes that the agent leaves by choice now. Nothing depends on it but what the next start says.
    pub async fn note_left(&self) {
        let noted = self.run(|store| {
            store.context.note_left();
            Ok(())
        });
        if let Err(error) = noted.await {
            tracing::debug!(%error, "the time of leaving was not noted");
        }
    }

    /// Completes the jobs before this one, moves the log into the database and closes the record, also for other handles. The
    /// caller limits the time.
    pub async fn close(self) {
        let _ = self.jobs.send(Job::Close);
        if let Some(done) = self.done.lock().await.take() {
            let _ = done.await;
        }
    }
}

/// Deletes rows of all tenants that were settled before a time from the record in a folder. Dashboards may use it meanwhile.
///
/// # Errors
/// [`RecordError`] if it could not be read or written.
pub fn purge(state_dir: &Path, before: Timestamp) -> Result<Purged, RecordError> {
    recover::purge(state_dir, before, false)
}

/// Counts what [`purge`] would delete, and deletes nothing.
///
/// # Errors
/// [`RecordError`] if it could not be read.
pub fn count_purged(state_dir: &Path, before: Timestamp) -> Result<Purged, RecordError> {
    recover::purge(state_dir, before, true)
}

/// A write as the record holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedWrite {
    /// The tenant.
    pub tenant: TenantKey,
    /// The local user who confirmed it.
    pub operator: String,
    /// The write. Its state is that of the record, also if its process has died.
    pub write: WriteRecord,
    /// When its state changed last.
    pub changed_at: Timestamp,
    /// The request that a create has made.
    pub made: Option<RequestId>,
    /// Why it is in its state, if there is a reason.
    pub why: Option<Untrusted>,
    /// The service's id of the last answer.
    pub service_request_id: Option<Untrusted>,
}

/// Returns the writes of all tenants in the record in a folder, the oldest first. Dashboards may use it meanwhile.
///
/// # Errors
/// [`RecordError`] if it could not be read.
pub fn writes(state_dir: &Path) -> Result<Vec<RecordedWrite>, RecordError> {
    let rows = recover::writes(state_dir)?.into_iter();
    Ok(rows
        .map(|row| RecordedWrite {
            tenant: row.tenant,
            operator: row.operator,
            write: row.write,
            changed_at: row.changed_at,
            made: row.made,
            why: row.why.map(Untrusted::new),
            service_request_id: row.service_request_id.map(Untrusted::new),
        })
        .collect())
}
