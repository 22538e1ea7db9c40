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
    /// Held alone from reading the owners of requests until one of the requests is claimed.
    claims: Arc<tokio::sync::RwLock<()>>,
}

impl InFlight {
    /// Ignores poisoning: no change is left half done by a panic.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the claims, so that nobody claims a request while this call decides which it claims.
    pub(super) async fn lock_claims(&self) -> tokio::sync::RwLockWriteGuard<'_, ()> {
        self.claims.write().await
    }

    /// Claims the request that an answer has named, beside other calls that do so; calls that decide wait meanwhile. Returns `None`
    /// if a write of this process owns it.
    pub(super) async fn claim<'a>(&'a self, request: &'a RequestId) -> Option<Claim<'a>> {
        let claims = self.claims.read().await;
        let is_new = self.lock().owned.insert(request.clone());
        is_new.then(|| Claim { in_flight: self, request, is_settled: false, _claims: claims })
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

/// The claim of a request by one call. It ends with it, unless the write was settled.
pub(super) struct Claim<'a> {
    in_flight: &'a InFlight,
    request: &'a RequestId,
    is_settled: bool,
    _claims: tokio::sync::RwLockReadGuard<'a, ()>,
}

impl Claim<'_> {
    /// Removes the settled write, which owns the request from now on.
    pub(super) fn settle(mut self, id: WriteId) {
        self.is_settled = true;
        self.in_flight.settle(id, Some(self.request));
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.in_flight.lock().owned.remove(self.request);
        }
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
