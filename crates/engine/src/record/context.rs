//! The context of a process that uses the record: its owner, its tenant and its clock. It reads and writes no row.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};

use super::{
    owner::Owner,
    place::{OpenMode, Place},
    tenant::TenantKey,
};

/// The context of this process.
pub(super) struct ProcessContext {
    pub(super) owner: Owner,
    pub(super) place: Place,
    pub(super) clock: fn() -> Timestamp,
    pub(super) mode: OpenMode,
    /// The time of the newest create of this process.
    newest_create: Cell<Timestamp>,
}

impl ProcessContext {
    pub(super) const fn new(owner: Owner, place: Place, clock: fn() -> Timestamp, mode: OpenMode) -> Self {
        Self { owner, place, clock, mode, newest_create: Cell::new(Timestamp::MIN) }
    }

    /// Returns the tenant, to which all rows of this process belong.
    pub(super) const fn tenant(&self) -> &TenantKey {
        &self.place.tenant
    }

    /// Returns the time of day.
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Returns the time for a draft that is saved now. It is later than every create, even if the clock has been set back: the
    /// times tell a new draft from one that was sent.
    pub(super) fn draft_time(&self) -> Timestamp {
        let after = self.newest_create.get().saturating_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
        self.now().max(after)
    }

    /// Notes that the agent leaves by choice, if this is a dashboard.
    pub(super) fn note_left(&self) {
        if self.mode == OpenMode::TakeOver {
            self.owner.note_left(self.now());
        }
    }

    /// Notes the time of a create of this process.
    pub(super) fn note_create(&self, at: Timestamp) {
        self.newest_create.set(self.newest_create.get().max(at));
    }
}
