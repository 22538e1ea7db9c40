//! Decides which create may claim which request while several equal ones are under way: no request may settle two writes.
//!
//! The record knows the owner of a request once it is settled; calls of this process that are still open are known here.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use mmd_elevate_core::{
    CloseElevationRequest, NewElevationRequest, Operation, RequestId, WriteId, WriteRecord, are_equivalent,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Create {
    /// What it makes can be listed before its answer says whose it is.
    InFlight,
    Lost,
}

#[derive(Default)]
struct Known {
    creates: HashMap<WriteId, (NewElevationRequest, Create)>,
    owned: HashSet<RequestId>,
    busy: HashSet<WriteId>,
    /// Requests of which a close was lost, and when the first one that was went out.
    lost_closes: HashMap<RequestId, Timestamp>,
}

#[derive(Clone, Default)]
pub(super) struct InFlight {
    known: Arc<Mutex<Known>>,
    /// Held from asking whose requests are until one of them is claimed.
    deciding: Arc<tokio::sync::Mutex<()>>,
}

impl InFlight {
    /// No change stops half way, so what a lock was poisoned over is still whole.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One at a time decides what it has found.
    pub(super) async fn lock_claims(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.deciding.lock().await
    }

    /// A create is about to be sent.
    pub(super) fn mark_sent(&self, id: WriteId, request: &NewElevationRequest) {
        self.lock().creates.insert(id, (request.clone(), Create::InFlight));
    }

    /// Its outcome is unknown.
    pub(super) fn mark_lost(&self, id: WriteId, request: &NewElevationRequest) {
        self.lock().creates.insert(id, (request.clone(), Create::Lost));
    }

    /// The outcome of this write is unknown.
    pub(super) fn mark_write_lost(&self, write: &WriteRecord) {
        match &write.operation {
            Operation::Create(new) => self.mark_lost(write.id, new),
            Operation::Close(CloseElevationRequest { id, .. }) => {
                self.lock().lost_closes.entry(id.clone()).or_insert(write.at);
            }
        }
    }

    /// When the first close of this request went out that was lost: the service may have done it, so that a later refusal
    /// may be the work of our own.
    pub(super) fn lost_close(&self, request: &RequestId) -> Option<Timestamp> {
        self.lock().lost_closes.get(request).copied()
    }

    /// It has come to its end; the request, where there is one, is its own.
    pub(super) fn settle(&self, id: WriteId, request: Option<&RequestId>) {
        let mut known = self.lock();
        known.creates.remove(&id);
        known.owned.extend(request.cloned());
    }

    /// Adds what was claimed in this process, should the record not know it.
    pub(super) fn add_owned(&self, owned: &mut HashSet<RequestId>) {
        owned.extend(self.lock().owned.iter().cloned());
    }

    /// Whether a write of this process has made the request.
    pub(super) fn owns(&self, request: &RequestId) -> bool {
        self.lock().owned.contains(request)
    }

    /// Whether another equal create is being sent: what is listed may be that one's.
    pub(super) fn may_be_anothers(&self, id: WriteId, request: &NewElevationRequest) -> bool {
        self.others(id, request, Create::InFlight) > 0
    }

    /// How many other equal creates are lost: so many that look like surplus may be theirs.
    pub(super) fn lost_alike(&self, id: WriteId, request: &NewElevationRequest) -> usize {
        self.others(id, request, Create::Lost)
    }

    fn others(&self, id: WriteId, request: &NewElevationRequest, state: Create) -> usize {
        let known = self.lock();
        let others = known.creates.iter().filter(|(other, _)| **other != id);
        others.filter(|(_, (other, its))| *its == state && are_equivalent(other, request)).count()
    }

    /// Reserves a write for one call. Returns nothing where another call has it.
    pub(super) fn reserve(&self, id: WriteId) -> Option<Reservation> {
        self.lock().busy.insert(id).then(|| Reservation { in_flight: self.clone(), id })
    }
}

/// A write that one call is busy with, until this is dropped.
pub(super) struct Reservation {
    in_flight: InFlight,
    id: WriteId,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.in_flight.lock().busy.remove(&self.id);
    }
}
