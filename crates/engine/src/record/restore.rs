//! Reopens the record if one of its files is not the one that was opened (removed, replaced, moved with its folder), or if the
//! database is damaged.
//!
//! Nothing is written to lost files until they are back, or a record with the same contents is open in their place. The database
//! can still read the lost files, because they are open. Tools that copy or synchronize a folder may put a file back a moment
//! later, so this is waited for first.

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

/// How long lost files are waited for, and the first wait after a failed attempt.
const FIRST_WAIT: Duration = Duration::from_secs(1);

const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// The next attempt to reopen the record, and the errors.
pub(super) struct Restore {
    due: Instant,
    wait: Duration,
    /// What happened to the files, which the agent is shown once they are replaced.
    cause: RecordError,
    /// Why the record cannot be written now.
    why: RecordError,
}

impl Restore {
    fn new(cause: &RecordError) -> Self {
        Self { due: Instant::now() + FIRST_WAIT, wait: FIRST_WAIT, cause: cause.clone(), why: cause.clone() }
    }
}

impl Store {
    /// Runs jobs until all handles are dropped or one of them closes the record.
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
                // The receiver may be dropped.
                let _ = news.send(recovered);
            }
            if self.restore.is_none() {
                self.settle_pending();
            }
        }
        self.close();
    }

    /// Schedules a restore after an error of the files.
    pub(super) fn note(&mut self, error: &RecordError) {
        if matches!(error, RecordError::NotDurable { .. } | RecordError::Damaged { .. }) && self.restore.is_none() {
            tracing::error!(%error, "the record's files are not whole");
            self.restore = Some(Restore::new(error));
        }
    }

    /// Returns the error of damage in the open database.
    pub(super) fn damage(&self) -> Option<&RecordError> {
        self.restore.as_ref().map(|restore| &restore.cause).filter(|cause| matches!(cause, RecordError::Damaged { .. }))
    }

    /// Returns why there is no open database.
    pub(super) fn why_closed(&self) -> RecordError {
        self.restore.as_ref().map_or(RecordError::Ended, |restore| restore.why.clone())
    }

    /// Reopens the record if its files are lost or damaged. Returns its contents and warnings if it was replaced.
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
                restore.wait = (restore.wait * 2).min(LONGEST_WAIT);
                None
            }
        }
    }

    /// Saves the outcomes that arrived while the record could not be written.
    fn settle_pending(&mut self) {
        for (id, outcome) in std::mem::take(&mut self.pending_outcomes) {
            if let Err(error) = self.settle_now(id, &outcome) {
                tracing::warn!(%error, "an outcome was not written down afterwards");
            }
        }
    }
}
