//! Reopens the record if one of its files is not the one that was opened (removed, replaced, moved with its folder), or if the
//! database is damaged.
//!
//! Nothing is written to lost files until they are back, or a record with the same contents is open in their place. The database
//! can still read the lost files, because they are open. Tools that copy or synchronize a folder may put a file back a moment
//! later, so this is waited for first.

use std::time::Duration;

use super::{
    owner::OpeningLock,
    recover, schema,
    store::{Store, StoreState},
};
use mmd_elevate_core::Recovered;

impl Store {
    /// Reopens the record if its files are lost or damaged. Returns its contents and warnings if it was replaced.
    pub(super) fn restore_now(&mut self) -> Option<Recovered> {
        if let StoreState::Open(database) = &mut self.state {
            match database.guard.check_written() {
                Ok(()) if self.damage().is_some() => {}
                Ok(()) => {
                    self.restore = None;
                    self.settle_pending();
                    return None;
                }
                Err(error) => self.schedule_restore(&error),
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
                tracing::warn!(%error, "the record was not reopened");
                self.restore.as_mut()?.postpone(error);
                None
            }
        }
    }

    /// Closes the database, then releases the owner's lock, in this order: whoever finds the owner dead may take over the
    /// files.
    ///
    /// Closing may remove the log. Whoever opens the record meanwhile would find an owner that lives and no log, and take it for
    /// lost, so nobody does: the opening lock is held. Where somebody else holds it, the log stays.
    pub(super) fn close(mut self) {
        // This is the last chance for lost files. Damage in an open database waits for the next start, which reports it.
        if self.damage().is_none() || matches!(self.state, StoreState::Closed(_)) {
            self.restore_now();
        }
        let Self { state, context, .. } = self;
        let StoreState::Open(database) = state else { return };
        let lock = OpeningLock::acquire(&database.files.owners, Duration::ZERO);
        match &lock {
            Ok(_) => schema::close(database.db),
            Err(error) => {
                tracing::debug!(%error, "the log of the record stays, because somebody else opens the record");
                drop(database);
            }
        }
        drop(context);
        drop(lock);
    }
}
