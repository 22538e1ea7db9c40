//! The record as the worker uses it: it may not be open yet, and its errors are told as Problems.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;

use crate::record::{Record, RecordError, Unclaimed};
use mmd_elevate_core::{
    CallError, Draft, DraftTarget, ElevationRequest, Operation, Outcome, Problem, RequestId, WriteId, WriteRecord,
};

/// Why the record did not do it.
#[derive(Clone, Debug)]
pub(super) struct RecordRefusal {
    /// What happened, in words that begin in lower case.
    pub(super) problem: Problem,
    /// Another write owns the request that was to settle this one.
    pub(super) is_owned: bool,
}

impl RecordRefusal {
    pub(super) fn read_only() -> Self {
        let problem = Problem::new("this session is read-only", "open the tenant without read_only to send anything");
        Self { problem, is_owned: false }
    }

    pub(super) fn crashed() -> Self {
        Self {
            problem: Problem::new("the program failed while it used the record", "look into the log, then start again"),
            is_owned: false,
        }
    }
}

impl From<RecordError> for RecordRefusal {
    fn from(error: RecordError) -> Self {
        Self {
            problem: Problem::new(format!("failed to {error}"), error.hint()),
            is_owned: matches!(error, RecordError::RequestOwned { .. }),
        }
    }
}

impl From<RecordRefusal> for CallError {
    fn from(RecordRefusal { problem, .. }: RecordRefusal) -> Self {
        Self::not_recorded(problem)
    }
}

/// Nothing while the record is being opened.
pub(super) type Opened = Option<Result<Record, RecordRefusal>>;

/// Tells of each time that there is a record again.
pub(super) struct Openings(watch::Receiver<Opened>);

impl Openings {
    /// Waits for the next time; for ever where there will be none.
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
    /// Whether something was told that it did not take, and nothing since that it did.
    failing: Arc<AtomicBool>,
}

impl RecordHandle {
    pub(super) fn new(opened: watch::Receiver<Opened>) -> Self {
        Self { opened, failing: Arc::default() }
    }

    /// Whether it was ever there to write to.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.opened.borrow(), Some(Ok(_)))
    }

    /// Tells when the record is opened, or written anew, after now.
    pub(super) fn openings(&self) -> Openings {
        let mut opened = self.opened.clone();
        opened.mark_unchanged();
        Openings(opened)
    }

    /// Has the record written anew now where its files are lost, rather than in a moment.
    pub(super) async fn restore(&self) {
        let Some(Ok(record)) = self.opened.borrow().clone() else { return };
        if let Err(error) = record.restore().await {
            tracing::debug!(%error, "the record is closed already");
        }
    }

    /// Whether it has failed before and has just taken something: that is to be told, once.
    pub(super) fn keeps_again(&self) -> bool {
        self.failing.swap(false, Ordering::Relaxed)
    }

    /// Notes whether it has failed.
    fn noted<T>(&self, result: Result<T, RecordRefusal>) -> Result<T, RecordRefusal> {
        if result.as_ref().is_err_and(|refused| !refused.is_owned) {
            self.failing.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Waits until it is open, or known not to be.
    pub(super) async fn opened(&self) -> Result<Record, RecordRefusal> {
        match self.opened.clone().wait_for(Option::is_some).await.as_deref() {
            Ok(Some(record)) => record.clone(),
            Ok(None) | Err(_) => Err(RecordRefusal::crashed()),
        }
    }

    /// Makes the write durable.
    pub(super) async fn begin(&self, what: &Operation) -> Result<WriteRecord, RecordRefusal> {
        Ok(self.opened().await?.begin(what).await?)
    }

    pub(super) async fn settle(&self, id: WriteId, outcome: Outcome) -> Result<(), RecordRefusal> {
        let settled = async { Ok(self.opened().await?.settle(id, outcome).await?) };
        self.noted(settled.await)
    }

    pub(super) async fn write(&self, id: WriteId) -> Result<Option<WriteRecord>, RecordRefusal> {
        Ok(self.opened().await?.write(id).await?)
    }

    /// The requests that other writes own.
    pub(super) async fn owned_requests(&self, except: WriteId) -> Result<HashSet<RequestId>, RecordRefusal> {
        Ok(self.opened().await?.owned_requests(except).await?.into_iter().collect())
    }

    /// The creates of all processes that may have made a request which nobody has claimed.
    pub(super) async fn unclaimed_creates(&self) -> Result<Vec<Unclaimed>, RecordRefusal> {
        Ok(self.opened().await?.unclaimed_creates().await?)
    }

    /// What the service was seen to hold. Whoever saw it needs no record to know it, so one that is not open is none.
    pub(super) async fn update_requests(&self, listed: Vec<ElevationRequest>) -> Result<(), RecordRefusal> {
        let Some(Ok(record)) = self.opened.borrow().clone() else { return Ok(()) };
        self.noted(record.update_requests(listed).await.map(drop).map_err(RecordRefusal::from))
    }

    /// The request is not open any more, though no list says so.
    pub(super) async fn end_request(&self, id: &RequestId) -> Result<(), RecordRefusal> {
        let ended = async { Ok(self.opened().await?.end_request(id).await?) };
        self.noted(ended.await)
    }

    pub(super) async fn save(&self, drafts: Vec<(DraftTarget, Option<Draft>)>) -> Result<(), RecordRefusal> {
        let saved = async { Ok(self.opened().await?.save(drafts).await?) };
        self.noted(saved.await)
    }

    /// Ends the use of the record, where it is open: what was written is moved into the database.
    pub(super) async fn close(&self) {
        let Some(Ok(record)) = self.opened.borrow().clone() else { return };
        record.close().await;
    }
}
