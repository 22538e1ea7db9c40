//! Opens the record anew once a file that it rests on is not the one that was opened (removed, replaced, moved away with
//! its folder), or the database turns out to be damaged.
//!
//! On lost files nothing is written until they are back or a record is open in their place that holds all that this one
//! held. The database still reads what it wrote, for it has the files open. A file that is put back a moment later, as
//! tools do that copy or synchronize a folder, is the same again, so that is waited for first.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use tokio::sync::mpsc::UnboundedSender;

use super::{
    Job, RecordError, recover,
    store::{Store, StoreState},
};
use mmd_elevate_core::Recovered;

/// How long files that are gone are waited for, and the first wait after a try that failed.
const FIRST: Duration = Duration::from_secs(1);

/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(8);

/// When the record is opened anew, and what is in its way.
pub(super) struct Restore {
    due: Instant,
    wait: Duration,
    /// What became of the files, for the agent to read once they are replaced.
    cause: RecordError,
    /// Why the record cannot be written to now.
    why: RecordError,
}

impl Restore {
    fn new(cause: &RecordError) -> Self {
        Self { due: Instant::now() + FIRST, wait: FIRST, cause: cause.clone(), why: cause.clone() }
    }
}

impl Store {
    /// Does the jobs as they come, until there are no more handles or one says that it is enough.
    pub(super) fn serve(mut self, work: &Receiver<Job>, news: &UnboundedSender<Recovered>) {
        loop {
            let job = match &self.restore {
                None => work.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(restore) => work.recv_timeout(restore.due.saturating_duration_since(Instant::now())),
            };
            match job {
                Ok(Some(job)) => job(&mut self),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(None) | Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.restore.as_ref().is_some_and(|restore| restore.due <= Instant::now())
                && let Some(recovered) = self.restore_now()
            {
                // Whoever would read it may be gone.
                let _ = news.send(recovered);
            }
            if self.restore.is_none() {
                self.settle_pending();
            }
        }
        self.close();
    }

    /// Takes note of an error that is about the files.
    pub(super) fn note(&mut self, error: &RecordError) {
        if matches!(error, RecordError::NotDurable { .. } | RecordError::Damaged { .. }) && self.restore.is_none() {
            tracing::error!(%error, "the record's files are not whole");
            self.restore = Some(Restore::new(error));
        }
    }

    /// The damage that was met in the open database.
    pub(super) fn damage(&self) -> Option<&RecordError> {
        self.restore.as_ref().map(|restore| &restore.cause).filter(|cause| matches!(cause, RecordError::Damaged { .. }))
    }

    /// Why there is no open database.
    pub(super) fn why_closed(&self) -> RecordError {
        self.restore.as_ref().map_or(RecordError::Ended, |restore| restore.why.clone())
    }

    /// Opens the record anew in its place where its files are not whole. Tells what was found there, and what happened.
    pub(super) fn restore_now(&mut self) -> Option<Recovered> {
        if let StoreState::Open(open) = &mut self.state {
            match open.guard.check_written() {
                Ok(()) if self.damage().is_some() => {}
                Ok(()) => {
                    self.restore = None;
                    self.settle_pending();
                    return None;
                }
                Err(error) => self.note(&error),
            }
        }
        let cause = self.restore.as_ref()?.cause.clone();
        match recover::reopen(self, &cause) {
            Ok(recovered) => {
                self.restore = None;
                self.settle_pending();
                Some(recovered)
            }
            Err(error) => {
                tracing::warn!(%error, "the record was not opened anew");
                let restore = self.restore.as_mut()?;
                restore.why = error;
                restore.due = Instant::now() + restore.wait;
                restore.wait = (restore.wait * 2).min(LONGEST);
                None
            }
        }
    }

    /// Writes down the outcomes that came while the files were not whole.
    fn settle_pending(&mut self) {
        for (id, outcome) in std::mem::take(&mut self.pending_outcomes) {
            if let Err(error) = self.settle_now(id, &outcome) {
                tracing::warn!(%error, "an outcome was not written down afterwards");
            }
        }
    }
}
