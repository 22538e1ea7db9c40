//! Runs the record's thread.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Instant,
};

use tokio::sync::mpsc::UnboundedSender;

use super::store::Store;
use mmd_elevate_core::Recovered;

/// A job for the record's thread; `None` closes the record.
pub(super) type Job = Option<Box<dyn FnOnce(&mut Store) + Send>>;

impl Store {
    /// Runs jobs until all handles are dropped or one of them closes the record.
    pub(super) fn run_jobs(mut self, jobs: &Receiver<Job>, news: &UnboundedSender<Recovered>) {
        loop {
            let job = match &self.restore {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(restore) => jobs.recv_timeout(restore.due.saturating_duration_since(Instant::now())),
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
}
