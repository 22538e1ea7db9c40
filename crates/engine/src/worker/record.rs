//! The record as the worker uses it: it may not be open yet, and its errors are problems for the agent.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;

use crate::record::{IfUnknown, Record, RecordError, Unclaimed};
use mmd_elevate_core::{
    CallError, Draft, DraftTarget, ElevationRequest, Operation, Outcome, Problem, RecordChanges, RequestId,
    WriteHistory, WriteId, WriteRecord,
};

/// Why the record could not be used.
#[derive(Clone, Debug)]
pub(super) struct RecordRefusal {
    /// What happened; `what` begins in lower case.
    pub(super) problem: Problem,
    /// The other write that is in the way.
    conflict: Option<Conflict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conflict {
    /// It owns the request that was to settle this one.
    OwnsRequest,
    /// It equals the create that was to be sent, and its outcome is unknown.
    EqualsUnknown(WriteId),
}

impl RecordRefusal {
    pub(super) fn read_only() -> Self {
        let problem = Problem::new(
            "this session is read-only",
            "start without --read-only and without the setting `read_only` to send anything",
        );
        Self { problem, conflict: None }
    }

    /// The record is not open yet.
    pub(super) fn opening() -> Self {
        Self { problem: Problem::new("the record is being opened", "wait a moment, then try again"), conflict: None }
    }

    /// Returns whether another write owns the request that was to settle this one.
    pub(super) fn is_owned(&self) -> bool {
        self.conflict == Some(Conflict::OwnsRequest)
    }

    pub(super) fn crashed() -> Self {
        Self {
            problem: Problem::new("the program failed while it used the record", "look into the log, then start again"),
            conflict: None,
        }
    }
}

impl From<RecordError> for RecordRefusal {
    fn from(error: RecordError) -> Self {
        let conflict = match error {
            RecordError::RequestOwned { .. } => Some(Conflict::OwnsRequest),
            RecordError::EqualsUnknown(write) => Some(Conflict::EqualsUnknown(write)),
            _ => None,
        };
        Self { problem: Problem::new(format!("failed to {error}"), error.hint()), conflict }
    }
}

impl From<RecordRefusal> for CallError {
    fn from(RecordRefusal { problem, conflict }: RecordRefusal) -> Self {
        match conflict {
            Some(Conflict::EqualsUnknown(write)) => Self::equals_unknown(write),
            Some(Conflict::OwnsRequest) | None => Self::not_recorded(problem),
        }
    }
}

/// `None` while the record is being opened.
pub(super) type Opened = Option<Result<Record, RecordRefusal>>;

/// Notifies each time that the record is opened.
pub(super) struct Openings(watch::Receiver<Opened>);

impl Openings {
    /// Waits for the next opening; forever if there will be none.
    pub(super) async fn next(&mut self) {
        loop {
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            if matches!(*self.0.borrow_and_update(), Some(Ok(_))) {
                return;
            }
        }
    }
}

/// The record, open or not yet.
#[derive(Clone)]
pub(super) struct RecordHandle {
    opened: watch::Receiver<Opened>,
    /// Whether nothing is written to it.
    is_read_only: bool,
    /// Whether a write to the record has failed since the last success.
    has_failed: Arc<AtomicBool>,
}

impl RecordHandle {
    pub(super) fn new(opened: watch::Receiver<Opened>) -> Self {
        Self { opened, is_read_only: false, has_failed: Arc::default() }
    }

    /// Makes a handle that writes nothing: a write of the agent is refused, and what was learnt is not saved.
    pub(super) fn read_only(opened: watch::Receiver<Opened>) -> Self {
        Self { is_read_only: true, ..Self::new(opened) }
    }

    /// Returns whether nothing may be sent, and nothing is written.
    pub(super) const fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Returns whether the record has been opened.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.opened.borrow(), Some(Ok(_)))
    }

    /// Returns notifications of later openings and replacements of the record.
    pub(super) fn openings(&self) -> Openings {
        let mut opened = self.opened.clone();
        opened.mark_unchanged();
        Openings(opened)
    }

    /// Replaces lost files of the record now, instead of after the usual wait.
    pub(super) async fn restore(&self) {
        let Some(Ok(record)) = self.opened.borrow().clone() else { return };
        if let Err(error) = record.restore().await {
            tracing::debug!(%error, "the record is closed already");
        }
    }

    /// Returns whether a write has failed before, and resets this.
    pub(super) fn take_failure(&self) -> bool {
        self.has_failed.swap(false, Ordering::Relaxed)
    }

    /// Notes a failed write.
    fn note_failure<T>(&self, result: Result<T, RecordRefusal>) -> Result<T, RecordRefusal> {
        if result.as_ref().is_err_and(|refused| !refused.is_owned()) {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Waits until the record is open or opening it has failed.
    pub(super) async fn opened(&self) -> Result<Record, RecordRefusal> {
        match self.opened.clone().wait_for(Option::is_some).await.as_deref() {
            Ok(Some(record)) => record.clone(),
            Ok(None) | Err(_) => Err(RecordRefusal::crashed()),
        }
    }

    /// Returns the record without waiting for it to be opened.
    fn open_now(&self) -> Result<Record, RecordRefusal> {
        self.opened.borrow().clone().unwrap_or_else(|| Err(RecordRefusal::opening()))
    }

    /// Makes the write durable.
    pub(super) async fn begin(&self, what: &Operation, if_unknown: IfUnknown) -> Result<WriteRecord, RecordRefusal> {
        if self.is_read_only {
            return Err(RecordRefusal::read_only());
        }
        Ok(self.opened().await?.begin_or_refuse(what, if_unknown).await?)
    }

    /// Saves an outcome. In a read-only session it is known to this process alone.
    pub(super) async fn settle(&self, id: WriteId, outcome: Outcome) -> Result<(), RecordRefusal> {
        if self.is_read_only {
            return Ok(());
        }
        let settled = async { Ok(self.opened().await?.settle(id, outcome).await?) };
        self.note_failure(settled.await)
    }

    pub(super) async fn write(&self, id: WriteId) -> Result<Option<WriteRecord>, RecordRefusal> {
        Ok(self.opened().await?.write(id).await?)
    }

    /// Returns how writes went. It does not wait for the record to be opened.
    pub(super) async fn history(
        &self,
        request: Option<RequestId>,
        write: Option<WriteId>,
    ) -> Result<Vec<WriteHistory>, RecordRefusal> {
        Ok(self.open_now()?.history(request, write).await?)
    }

    /// Returns the requests that other writes own.
    pub(super) async fn owned_requests(&self, except: WriteId) -> Result<HashSet<RequestId>, RecordRefusal> {
        Ok(self.opened().await?.owned_requests(except).await?.into_iter().collect())
    }

    /// Returns the creates of all processes that may have made a request which no write has claimed.
    pub(super) async fn unclaimed_creates(&self) -> Result<Vec<Unclaimed>, RecordRefusal> {
        Ok(self.opened().await?.unclaimed_creates().await?)
    }

    /// Returns what other processes have changed in the record since this was called last.
    pub(super) async fn changes(&self) -> Option<RecordChanges> {
        let record = self.open_now().ok()?;
        match record.changes().await {
            Ok(changes) => changes.filter(|changes| !changes.is_empty()),
            Err(error) => {
                // It is read again with the next refresh, and what is written meanwhile says what is wrong.
                tracing::debug!(%error, "the changes of other processes were not read");
                None
            }
        }
    }

    /// Updates known requests. It does nothing if the record is not open, because the list is valid without it.
    pub(super) async fn update_requests(&self, listed: Vec<ElevationRequest>) -> Result<(), RecordRefusal> {
        let Some(Ok(record)) = self.opened.borrow().clone().filter(|_| !self.is_read_only) else { return Ok(()) };
        self.note_failure(record.update_requests(listed).await.map(drop).map_err(RecordRefusal::from))
    }

    /// Ends a request that is closed although no list shows this.
    pub(super) async fn end_request(&self, id: &RequestId) -> Result<(), RecordRefusal> {
        if self.is_read_only {
            return Ok(());
        }
        let ended = async { Ok(self.opened().await?.end_request(id).await?) };
        self.note_failure(ended.await)
    }

    /// Ends a request on the agent's word. Returns `false` if no close of it was accepted.
    pub(super) async fn take_as_closed(&self, id: &RequestId) -> Result<bool, RecordRefusal> {
        if self.is_read_only {
            return Err(RecordRefusal::read_only());
        }
        Ok(self.open_now()?.take_as_closed(id).await?)
    }

    /// Saves drafts. A read-only session has none of its own.
    pub(super) async fn save(&self, drafts: Vec<(DraftTarget, Option<Draft>)>) -> Result<(), RecordRefusal> {
        if self.is_read_only {
            return Ok(());
        }
        let saved = async { Ok(self.opened().await?.save(drafts).await?) };
        self.note_failure(saved.await)
    }

    /// Closes the record if it is open.
    pub(super) async fn close(&self, is_left: bool) {
        let Some(Ok(record)) = self.opened.borrow().clone() else { return };
        if is_left {
            record.note_left().await;
        }
        record.close().await;
    }
}
