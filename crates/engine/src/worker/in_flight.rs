//! Decides which create may claim a request while several equal ones are in flight: no request may settle two writes.
//!
//! The record holds the owners of requests after settlement; this module holds the unsettled creates of this process.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use mmd_elevate_core::{
    CloseElevationRequest, NewElevationRequest, Operation, RequestId, WriteId, WriteRecord, are_equivalent,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum CreateStatus {
    /// Its request may be listed before its answer arrives.
    InFlight,
    Lost,
}

#[derive(Default)]
struct Known {
    creates: HashMap<WriteId, (NewElevationRequest, CreateStatus)>,
    owned: HashSet<RequestId>,
    busy: HashSet<WriteId>,
    /// Requests with a close of unknown outcome, and when the first such close was recorded.
    lost_closes: HashMap<RequestId, Timestamp>,
}

#[derive(Clone, Default)]
pub(super) struct InFlight {
    known: Arc<Mutex<Known>>,
    /// Held from reading the owners of requests until one of the requests is claimed.
    claims: Arc<tokio::sync::Mutex<()>>,
}

impl InFlight {
    /// Ignores poisoning: no change is left half done by a panic.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the claims, so that only one call at a time claims a request.
    pub(super) async fn lock_claims(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.claims.lock().await
    }

    /// Marks a create that is about to be sent.
    pub(super) fn mark_sent(&self, id: WriteId, request: &NewElevationRequest) {
        self.lock().creates.insert(id, (request.clone(), CreateStatus::InFlight));
    }

    /// Marks a create whose outcome is unknown.
    pub(super) fn mark_lost(&self, id: WriteId, request: &NewElevationRequest) {
        self.lock().creates.insert(id, (request.clone(), CreateStatus::Lost));
    }

    /// Returns whether this is an unsettled create of this process.
    pub(super) fn has_create(&self, id: WriteId) -> bool {
        self.lock().creates.contains_key(&id)
    }

    /// Marks a write whose outcome is unknown.
    pub(super) fn mark_write_lost(&self, write: &WriteRecord) {
        match &write.operation {
            Operation::Create(new) => self.mark_lost(write.id, new),
            Operation::Close(CloseElevationRequest { id, .. }) => {
                self.lock().lost_closes.entry(id.clone()).or_insert(write.at);
            }
        }
    }

    /// Returns when the first close of unknown outcome of this request was recorded: a later refusal may be due to it.
    pub(super) fn lost_close(&self, request: &RequestId) -> Option<Timestamp> {
        self.lock().lost_closes.get(request).copied()
    }

    /// Removes a settled write. It owns the request, if one is given.
    pub(super) fn settle(&self, id: WriteId, request: Option<&RequestId>) {
        let mut known = self.lock();
        known.creates.remove(&id);
        known.owned.extend(request.cloned());
    }

    /// Adds the requests that were claimed in this process: the record may lack them.
    pub(super) fn add_owned(&self, owned: &mut HashSet<RequestId>) {
        owned.extend(self.lock().owned.iter().cloned());
    }

    /// Returns whether a write of this process owns the request.
    pub(super) fn owns(&self, request: &RequestId) -> bool {
        self.lock().owned.contains(request)
    }

    /// Returns whether another equal create is in flight, to which a listed request may belong.
    pub(super) fn may_be_anothers(&self, id: WriteId, request: &NewElevationRequest) -> bool {
        self.count_others(id, request, CreateStatus::InFlight) > 0
    }

    /// Returns how many other equal creates have an unknown outcome: as many listed requests may belong to them.
    pub(super) fn count_equal_lost(&self, id: WriteId, request: &NewElevationRequest) -> usize {
        self.count_others(id, request, CreateStatus::Lost)
    }

    fn count_others(&self, id: WriteId, request: &NewElevationRequest, state: CreateStatus) -> usize {
        let known = self.lock();
        let others = known.creates.iter().filter(|(other, _)| **other != id);
        others.filter(|(_, (other, its))| *its == state && are_equivalent(other, request)).count()
    }

    /// Reserves a write for one call. Returns `None` if another call has reserved it.
    pub(super) fn reserve(&self, id: WriteId) -> Option<Reservation> {
        self.lock().busy.insert(id).then(|| Reservation { in_flight: self.clone(), id })
    }
}

/// The reservation of a write by one call, until it is dropped.
pub(super) struct Reservation {
    in_flight: InFlight,
    id: WriteId,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.in_flight.lock().busy.remove(&self.id);
    }
}
