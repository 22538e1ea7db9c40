//! What is done once a file that the record rests on is not the one that was opened: removed, replaced, moved away with
//! its folder.
//!
//! Nothing is written until the files are back or a record is open in their place that holds all that this one held. The
//! database still reads what it wrote, for it has the files open. A file that is put back a moment later, as tools do that
//! copy or synchronize a folder, is the same again, so that is waited for first.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use tokio::sync::mpsc::UnboundedSender;

use super::{
    Job, RecordError, recover,
    store::{Store, StoreState},
};
use mmd_elevate_core::{Problem, Recovered};

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
        if matches!(error, RecordError::NotDurable { .. }) && self.restore.is_none() {
            tracing::error!(%error, "the record's files are not whole");
            self.restore = Some(Restore::new(error));
        }
    }

    /// Why there is no open database.
    pub(super) fn why_closed(&self) -> RecordError {
        self.restore.as_ref().map_or(RecordError::Ended, |restore| restore.why.clone())
    }

    /// Opens the record anew in its place where its files are not whole. Tells what was found there, and what happened.
    pub(super) fn restore_now(&mut self) -> Option<Recovered> {
        if let StoreState::Open(open) = &mut self.state {
            match open.guard.check() {
                Ok(()) => {
                    self.restore = None;
                    self.settle_pending();
                    return None;
                }
                Err(error) => self.note(&error),
            }
        }
        let reopened = recover::reopen(self);
        let restore = self.restore.as_mut()?;
        match reopened {
            Ok((mut recovered, is_whole)) => {
                let how = if is_whole { "with all that it held" } else { "with what could still be read of it" };
                let what = format!("The record was written anew, {how}: {}.", restore.cause.of_the_file());
                let hint = "what was not sent meanwhile can be sent now; find out what changes files there";
                recovered.warnings.insert(0, Problem::new(what, hint));
                self.restore = None;
                self.settle_pending();
                Some(recovered)
            }
            Err(error) => {
                tracing::warn!(%error, "the record was not opened anew");
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
