//! Runs the record's thread.
//!
//! What is asked for while the disk is busy waits together. Of that, all new writes and outcomes are made durable together, in one
//! transaction with one sync.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Instant,
};

use tokio::sync::{mpsc::UnboundedSender, oneshot};

use super::{IfUnknown, error::RecordError, store::Store};
use mmd_elevate_core::{Operation, Outcome, Recovered, WriteId, WriteRecord};

/// The most writes and outcomes that are made durable together.
const MOST_TOGETHER: usize = 16;

/// A job for the record's thread.
pub(super) enum Job {
    /// Adds a write, or saves an outcome.
    Write(Box<WriteJob>),
    /// Reads, at any time after the jobs before it.
    Read(StoreJob),
    /// Does anything else, after the jobs before it and before those after it.
    Run(StoreJob),
    /// Closes the record.
    Close,
}

pub(super) type StoreJob = Box<dyn FnOnce(&mut Store) + Send>;

/// A change of a write, with the one who waits for it. It is durable when its result is sent.
pub(super) enum WriteJob {
    Begin { operation: Operation, if_unknown: IfUnknown, sender: oneshot::Sender<Result<WriteRecord, RecordError>> },
    Settle { id: WriteId, outcome: Outcome, sender: oneshot::Sender<Result<(), RecordError>> },
}

impl WriteJob {
    /// Returns whether it is refused if it equals a create of unknown outcome.
    pub(super) const fn may_be_refused(&self) -> bool {
        matches!(self, Self::Begin { operation: Operation::Create(_), if_unknown: IfUnknown::Refuse, .. })
    }

    /// Sends that it is durable; a new write is the next of those that were added. Nobody may wait any more.
    pub(super) fn succeed(self, begun: &mut impl Iterator<Item = WriteRecord>) {
        match self {
            Self::Begin { sender, .. } => {
                if let Some(write) = begun.next() {
                    let _ = sender.send(Ok(write));
                }
            }
            Self::Settle { sender, .. } => drop(sender.send(Ok(()))),
        }
    }
}

impl Store {
    /// Runs jobs until all handles are dropped or one of them closes the record.
    pub(super) fn run_jobs(mut self, jobs: &Receiver<Job>, news: &UnboundedSender<Recovered>) {
        let mut next = None;
        loop {
            let job = match (next.take(), &self.restore) {
                (Some(job), _) => Ok(job),
                (None, None) => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                (None, Some(restore)) => jobs.recv_timeout(restore.due.saturating_duration_since(Instant::now())),
            };
            match job {
                Ok(Job::Write(first)) => next = self.write_together(*first, jobs),
                Ok(Job::Read(job) | Job::Run(job)) => job(&mut self),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Job::Close) | Err(RecvTimeoutError::Disconnected) => break,
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

    /// Does this job, and those that wait behind it, together. Returns the first one behind them that has to be done by itself.
    fn write_together(&mut self, first: WriteJob, jobs: &Receiver<Job>) -> Option<Job> {
        let (mut writes, mut reads, mut next) = (vec![first], Vec::new(), None);
        while next.is_none() && writes.len() < MOST_TOGETHER {
            match jobs.try_recv() {
                Ok(Job::Write(job)) => writes.push(*job),
                Ok(Job::Read(job)) => reads.push(job),
                Ok(job @ (Job::Run(_) | Job::Close)) => next = Some(job),
                Err(_) => break,
            }
        }
        self.change_writes(writes);
        for read in reads {
            read(self);
        }
        next
    }
}
