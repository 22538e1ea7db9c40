//! The record on disk: every write is durable here before it is sent, and what was typed is here within a second.
//!
//! One `SQLite` database that several processes use at once, each of which owns its own writes and drafts for as long
//! as it lives. A thread alone has the connection; [`Record`] is a handle to it, so that nothing waits for the disk
//! that does not ask for it. What is in it and how to ask it is told in `schema.rs`.
//!
//! | file | what it is |
//! |---|---|
//! | `record.db`, `-wal`, `-shm` | the database |
//! | `record.db.damaged-<UTC>` | one that was damaged or lost its other files, as it was found; never written again |
//! | `owners/<uuid>.lock` | held by a process that lives |
//! | `owners/gate.lock` | held while the record is being opened |
//!
//! Where one of the files is not the one that was opened, nothing is written and so nothing is sent (`guard.rs`), and the
//! record is written anew in its place with all that it held (`restore.rs`). A database that fails the check of `SQLite`
//! is set aside, and what `SQLite` can still read of it is taken over (`recover.rs`, `snapshot.rs`).

mod claim;
mod drafts;
mod error;
mod files;
mod guard;
mod owner;
mod recover;
mod requests;
mod restore;
mod retention;
mod rows;
mod schema;
mod snapshot;
mod store;
mod table;

use std::{
    fmt,
    hash::{Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

pub use error::RecordError;
use jiff::Timestamp;
pub use retention::Purged;
use store::Store;
use tokio::sync::{
    Mutex,
    mpsc::{UnboundedReceiver, unbounded_channel},
    oneshot,
};

use mmd_elevate_core::{
    Draft, DraftTarget, ElevationRequest, NewElevationRequest, Operation, Outcome, Recovered, RequestId, SavedDraft,
    WriteId, WriteRecord, WriteState, uuid,
};

/// Which tenant a row is of.
///
/// Two keys are the same where they mean the same service and tenant, however they are written: a tenant's UUID in
/// capitals or in braces, a domain's name, host and default port of the base URL. What is written and sent stays as it is
/// in the settings, so that rows of an earlier spelling are found too.
#[derive(Clone, Debug)]
pub struct TenantKey {
    /// The service's base URL; of the practice tenant its name, because its port is another each time.
    pub base_url: String,
    /// The tenant's id.
    pub tenant_id: String,
}

impl TenantKey {
    /// What is compared.
    fn canonical(&self) -> (String, String) {
        let id = uuid(&self.tenant_id).map_or_else(|| self.tenant_id.trim().to_lowercase(), |id| format!("{id:032x}"));
        (canonical_url(&self.base_url), id)
    }
}

impl PartialEq for TenantKey {
    fn eq(&self, other: &Self) -> bool {
        let is_written_alike = self.base_url == other.base_url && self.tenant_id == other.tenant_id;
        is_written_alike || self.canonical() == other.canonical()
    }
}

impl Eq for TenantKey {}

impl Hash for TenantKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

fn canonical_url(url: &str) -> String {
    let Some((scheme, rest)) = url.trim().split_once("://") else { return url.trim().to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (scheme, authority) = (scheme.to_lowercase(), authority.to_lowercase());
    let default = if scheme == "http" { ":80" } else { ":443" };
    let authority = authority.strip_suffix(default).unwrap_or(&authority).replace(".:", ":");
    format!("{scheme}://{}{}", authority.trim_end_matches('.'), path.trim_end_matches('/'))
}

/// A create of which nobody has claimed what it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    /// What was sent.
    pub request: NewElevationRequest,
    /// When it was made durable.
    pub at: Timestamp,
    /// Where it stands: neither done nor not done.
    pub state: WriteState,
    /// Whether this process owns it.
    pub is_ours: bool,
}

/// Where the record is, and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The state folder.
    pub state_dir: PathBuf,
    /// The tenant.
    pub tenant: TenantKey,
    /// The local user.
    pub operator: String,
    /// How many days what is settled is kept.
    pub keep_days: u32,
}

/// What becomes of that which dead processes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// It stays.
    Join,
    /// This process takes it over.
    TakeOver,
}

/// A piece of work for the thread. Nothing: the record is to be closed.
type Job = Option<Box<dyn FnOnce(&mut Store) + Send>>;

/// A handle to the record. The record is closed when the last one is dropped.
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
    /// Opens the record as a dashboard does: sets aside what is damaged, takes over what dead processes left for this
    /// tenant, and deletes what is settled and older than it is to be kept.
    ///
    /// # Errors
    /// [`RecordError`] where there is no record to write to. Nothing may be sent then.
    pub async fn open(place: Place, clock: fn() -> Timestamp) -> Result<(Self, Recovered), RecordError> {
        Self::start(place, clock, Opening::TakeOver).await
    }

    /// Opens the record as a command does, which runs beside dashboards: what dead processes left stays for a dashboard,
    /// and nothing is deleted. What is damaged is set aside all the same, because nothing could be written otherwise.
    ///
    /// # Errors
    /// [`RecordError`] where there is no record to write to. Nothing may be sent then.
    pub async fn join(place: Place, clock: fn() -> Timestamp) -> Result<(Self, Recovered), RecordError> {
        Self::start(place, clock, Opening::Join).await
    }

    async fn start(place: Place, clock: fn() -> Timestamp, opening: Opening) -> Result<(Self, Recovered), RecordError> {
        let (jobs, work) = mpsc::channel::<Job>();
        let (opened, recovered) = oneshot::channel();
        let (ended, done) = oneshot::channel();
        let (to_worker, news) = unbounded_channel();
        let state_dir = place.state_dir.clone();
        let run = move || {
            match recover::open(place, clock, opening) {
                Ok((store, recovered)) => {
                    // Whoever asked may be gone; then there are no handles either, and serving ends at once.
                    let _ = opened.send(Ok(recovered));
                    store.serve(&work, &to_worker);
                }
                Err(error) => drop(opened.send(Err(error))),
            }
            let _ = ended.send(());
        };
        let spawned = thread::Builder::new().name("record".to_owned()).spawn(run);
        spawned.map_err(|error: io::Error| RecordError::io(&state_dir, &error))?;
        let recovered = recovered.await.map_err(|_| RecordError::Ended)??;
        let (done, news) = (Arc::new(Mutex::new(Some(done))), Arc::new(Mutex::new(Some(news))));
        Ok((Self { jobs, done, news }, recovered))
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, RecordError> + Send + 'static,
    ) -> Result<T, RecordError> {
        let (reply, answer) = oneshot::channel();
        // Work that nobody waits for any more is done all the same.
        let job: Job = Some(Box::new(move |store| drop(reply.send(work(store)))));
        self.jobs.send(job).map_err(|_| RecordError::Ended)?;
        answer.await.map_err(|_| RecordError::Ended)?
    }

    /// Makes a write durable. Nothing of it may be sent before this returns it.
    ///
    /// # Errors
    /// [`RecordError`]: nothing may be sent.
    pub async fn begin(&self, what: &Operation) -> Result<WriteRecord, RecordError> {
        let what = what.clone();
        self.ask(move |store| store.begin(what)).await
    }

    /// Writes down what became of a write of this process. That its bytes go out need not be told.
    ///
    /// A create that is done has made the request of the outcome: it counts as open from here on. A close that is done
    /// ends its request where the outcome shows it as closed; where not, the service took the close and shows it nowhere
    /// yet, and the request counts as open. What else the outcome holds of a request that is known updates it.
    ///
    /// # Errors
    /// [`RecordError::InvalidTransition`] where the state machine of a write does not know the step, [`RecordError::RequestOwned`]
    /// where another write has made the request, [`RecordError::NotOwner`] where another process owns the write, and
    /// the rest where it could not be written.
    pub async fn settle(&self, id: WriteId, outcome: Outcome) -> Result<(), RecordError> {
        self.ask(move |store| store.settle(id, outcome)).await
    }

    /// The write of this name, of any process.
    ///
    /// # Errors
    /// [`RecordError::UnreadableWrite`] where its row cannot be read, and the rest where it could not be read.
    pub async fn write(&self, id: WriteId) -> Result<Option<WriteRecord>, RecordError> {
        self.ask(move |store| store.write(id)).await
    }

    /// The requests that other writes than this one have made, of all processes: they settle nothing else.
    ///
    /// # Errors
    /// [`RecordError`] where they could not be read.
    pub async fn owned_requests(&self, except: WriteId) -> Result<Vec<RequestId>, RecordError> {
        self.ask(move |store| store.owned_requests(except)).await
    }

    /// The creates of all processes of which nobody has claimed what they made: those that are under way, unknown or set
    /// aside.
    ///
    /// # Errors
    /// [`RecordError`] where they could not be read.
    pub async fn unclaimed_creates(&self) -> Result<Vec<Unclaimed>, RecordError> {
        self.ask(Store::unclaimed_creates).await
    }

    /// What the record knows of a request.
    ///
    /// # Errors
    /// [`RecordError`] where it could not be read.
    pub async fn request(&self, id: &RequestId) -> Result<Option<ElevationRequest>, RecordError> {
        let id = id.clone();
        self.ask(move |store| store.request(&id)).await
    }

    /// Takes what the service lists. Of what the record does not know nothing is kept. Tells which requests that were
    /// open are closed now: they were closed elsewhere.
    ///
    /// # Errors
    /// [`RecordError`] where it could not be written.
    pub async fn update_requests(&self, listed: Vec<ElevationRequest>) -> Result<Vec<RequestId>, RecordError> {
        self.ask(move |store| store.update_requests(&listed)).await
    }

    /// The request is not open any more, though no list says so: "already closed", or it does not exist.
    ///
    /// # Errors
    /// [`RecordError`] where it could not be written.
    pub async fn end_request(&self, id: &RequestId) -> Result<(), RecordError> {
        let id = id.clone();
        self.ask(move |store| store.end_request(&id)).await
    }

    /// Saves what is being typed, all of it or nothing. A text that is empty or gone has ended.
    ///
    /// A draft that was recovered ends when its text is saved again for whatever target, and not before: it is not
    /// overwritten by what is typed meanwhile.
    ///
    /// # Errors
    /// [`RecordError`] where it could not be written.
    pub async fn save(&self, drafts: Vec<(DraftTarget, Option<Draft>)>) -> Result<(), RecordError> {
        self.ask(move |store| store.save(drafts)).await
    }

    /// The agent lets go of a draft that was recovered.
    ///
    /// # Errors
    /// [`RecordError`] where it could not be written.
    pub async fn discard(&self, recovered: SavedDraft) -> Result<(), RecordError> {
        self.ask(move |store| store.discard(&recovered)).await
    }

    /// What comes to be known after the opening: the record was lost under the running program and is written anew, and
    /// what was found in its place. The first who asks has it.
    pub async fn news(&self) -> Option<UnboundedReceiver<Recovered>> {
        self.news.lock().await.take()
    }

    /// Writes the record anew now, where a file of it is not whole, rather than in a moment.
    ///
    /// # Errors
    /// [`RecordError::Ended`] where it is closed.
    pub async fn restore(&self) -> Result<(), RecordError> {
        self.ask(|store| {
            store.restore_now();
            Ok(())
        })
        .await
    }

    /// Does what was asked before, moves the log into the database and lets go of the record. Other handles find it
    /// closed. How long to wait for it is the caller's to say.
    pub async fn close(self) {
        let _ = self.jobs.send(None);
        if let Some(done) = self.done.lock().await.take() {
            let _ = done.await;
        }
    }
}

/// Deletes what was settled before then from the record in this folder, of all tenants. Dashboards may use it meanwhile.
///
/// # Errors
/// [`RecordError`] where it could not be read or written.
pub fn purge(state_dir: &Path, before: Timestamp) -> Result<Purged, RecordError> {
    recover::purge(state_dir, before)
}
