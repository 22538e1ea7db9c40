//! What the service holds: each request once, by its id. What this process tries to do about it is kept elsewhere.

use std::{
    cmp::Ordering,
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use jiff::Timestamp;

use super::{
    row_map::{RowId, RowMap},
    sorted,
};
use mmd_elevate_core::{ElevationRequest, RequestId, normal_device_name};

/// How a request came to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closure {
    /// The service took our close, and lists the request as closed.
    Verified,
    /// The same, with our text in another form.
    StoredDifferently,
    /// A close of ours was sent, and the request is listed as closed with another text.
    PerhapsOurs,
    /// The service said that it was closed already.
    Already,
    /// The service said that there is no such request, and a complete list has none.
    Gone,
    /// A list shows it as closed, and it was not closed from here.
    Elsewhere,
    /// The record has it as closed, from before this start or by another process.
    Recorded,
    /// The service took our close, no list has shown it, and the agent said that it is done.
    OnWord,
}

/// A request as the service was last seen to hold it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its row.
    pub row: RowId,
    /// Its texts and times. What the service left blank is as it was known before.
    pub data: ElevationRequest,
    /// Whether the agent answers for it: it was opened from this record, or the agent has taken it for such a one. Only
    /// these are checked, recovered and asked about on leaving.
    pub mine: bool,
    /// How it came to be closed; `None` while it counts as open.
    pub closure: Option<Closure>,
    /// Whether it equals another one that had to be looked for: it counts against the device's limit.
    pub surplus: bool,
    /// Whether no write of this record is known to have made it.
    pub unclaimed: bool,
    /// When the service was asked for it last and did not list it.
    pub unlisted: Option<Timestamp>,
    /// When its state was learnt.
    pub as_of: Timestamp,
}

impl Request {
    /// It is one of the agent's own from here on. That a list of the tenant did not have it is no proof that it is closed: it
    /// counts as open until it is asked for.
    pub(super) fn become_mine(&mut self) {
        if !self.mine && self.data.closed.is_none() {
            self.closure = None;
        }
        self.mine = true;
    }

    /// A request of somebody else's, as it was listed.
    pub(super) fn listed(row: RowId, data: ElevationRequest, as_of: Timestamp) -> Self {
        let closure = data.closed.is_some().then_some(Closure::Elsewhere);
        Self { row, data, mine: false, closure, surplus: false, unclaimed: true, unlisted: None, as_of }
    }

    /// Takes what the service says of the request. What it leaves blank stays as it was known.
    pub(in crate::dashboard) fn take(&mut self, data: ElevationRequest) {
        self.data = data.with_gaps_from(&self.data);
    }
}

/// A request in the order of ids: the first half of its id, so that most comparisons touch nothing else, and its row.
#[derive(Clone, Copy, Debug)]
struct ById {
    head: u64,
    row: RowId,
}

impl ById {
    fn new(request: &Request) -> Self {
        Self { head: head(&request.data.id), row: request.row }
    }
}

/// The first half of an id. It never decreases where ids increase.
fn head(id: &RequestId) -> u64 {
    id.uuid().and_then(|uuid| u64::try_from(uuid >> 64).ok()).unwrap_or_default()
}

/// The requests of the service that are known, each once.
#[derive(Clone, Debug, Default)]
pub struct RequestStore {
    requests: RowMap<Box<Request>>,
    /// All requests, in the order of their ids.
    by_id: Vec<ById>,
    /// The rows of the agent's own requests: there are few of them among many.
    mine: BTreeSet<RowId>,
    /// All rows by the hashes of their devices' names.
    by_device: BTreeSet<(u64, RowId)>,
}

fn device_hash(normal_name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    normal_name.hash(&mut hasher);
    hasher.finish()
}

impl RequestStore {
    /// The request of this row.
    #[must_use]
    pub fn get(&self, row: RowId) -> Option<&Request> {
        self.requests.get(row).map(Box::as_ref)
    }

    /// The request that the service knows by this id.
    #[must_use]
    pub fn find(&self, id: &RequestId) -> Option<&Request> {
        let at = self.place(&self.by_id, id).ok()?;
        self.get(self.by_id.get(at)?.row)
    }

    /// The agent's own requests, in the order in which they came.
    pub fn mine(&self) -> impl Iterator<Item = &Request> {
        self.mine.iter().filter_map(|row| self.get(*row))
    }

    /// Where the request of this id stands, or belongs, among these.
    fn place(&self, by_id: &[ById], id: &RequestId) -> Result<usize, usize> {
        let head = head(id);
        by_id.binary_search_by(|other| match other.head.cmp(&head) {
            Ordering::Equal => self.get(other.row).map(|request| &request.data.id).cmp(&Some(id)),
            decided => decided,
        })
    }

    /// Adds a request whose id is not known yet.
    pub(super) fn insert(&mut self, request: Request) {
        if let Err(at) = self.place(&self.by_id, &request.data.id) {
            self.by_id.insert(at, ById::new(&request));
        }
        self.keep(request);
    }

    /// Adds many requests whose ids are not known yet; of several with one id the first is taken. Returns their rows.
    pub(super) fn insert_all(&mut self, mut requests: Vec<Request>) -> Vec<RowId> {
        requests.sort_by(|one, other| one.data.id.cmp(&other.data.id));
        requests.dedup_by(|one, other| one.data.id == other.data.id);
        let new: Vec<_> = requests.iter().map(ById::new).collect();
        let mut ids = requests.iter().map(|request| &request.data.id);
        self.by_id = sorted::merge(&self.by_id, &new, |others, _| {
            ids.next().map_or(others.len(), |id| self.place(others, id).unwrap_or_else(|at| at))
        });
        for request in requests {
            self.keep(request);
        }
        new.into_iter().map(|new| new.row).collect()
    }

    /// The requests of a device, the oldest row first.
    pub(super) fn on_device(&self, name: &str) -> impl Iterator<Item = &Request> {
        let wanted = normal_device_name(name);
        let hash = device_hash(&wanted);
        let rows = self.by_device.range((hash, RowId(0))..=(hash, RowId(u64::MAX)));
        rows.filter_map(|(_, row)| self.get(*row))
            .filter(move |request| normal_device_name(request.data.device.raw()) == wanted)
    }

    fn keep(&mut self, request: Request) {
        if request.mine {
            self.mine.insert(request.row);
        }
        self.by_device.insert((device_hash(&normal_device_name(request.data.device.raw())), request.row));
        self.requests.insert(request.row, Box::new(request));
    }

    /// Changes a request. Returns whether there is one.
    pub(super) fn change(&mut self, row: RowId, change: impl FnOnce(&mut Request)) -> bool {
        let Some(request) = self.requests.get_mut(row) else { return false };
        let (id, device) = (request.data.id.clone(), request.data.device.clone());
        change(request);
        if request.data.device != device {
            self.by_device.remove(&(device_hash(&normal_device_name(device.raw())), row));
            self.by_device.insert((device_hash(&normal_device_name(request.data.device.raw())), row));
        }
        // The request is found by its id: another spelling of it is taken, another id is not.
        if request.data.id != id {
            request.data.id = id;
        }
        if request.mine {
            self.mine.insert(row);
        } else {
            self.mine.remove(&row);
        }
        true
    }
}
