//! The contents of the record, as plain data.

use std::fmt;

use jiff::Timestamp;

use super::WriteState;
use crate::{Draft, ElevationRequest, Operation, Problem, RequestId, Untrusted};

/// The record's name for an intent. It is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WriteId(pub i64);

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "intent {}", self.0)
    }
}

/// An intent as the record holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteRecord {
    /// Its name.
    pub id: WriteId,
    /// What the agent confirmed.
    pub operation: Operation,
    /// When it was made durable: nothing of it was sent before.
    pub at: Timestamp,
    /// Where it stands. One that a dead process left behind is `Unknown`.
    pub state: WriteState,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where it stands now.
    pub state: WriteState,
    /// What the service made or holds of it, where it said.
    pub request: Option<ElevationRequest>,
    /// Why, in words, where it is not done or unknown.
    pub why: Option<String>,
    /// The service's id of the answer, to quote to whoever runs it.
    pub service_request_id: Option<Untrusted>,
}

/// Which text a draft is of. The record keeps one for each, for each process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DraftTarget {
    /// The form.
    Form,
    /// A refused request that waits to be taken up again; the number tells several apart.
    Refused(u64),
    /// The close dialog of this request.
    Close(RequestId),
}

/// A text that is being typed. A close dialog's text stands in the plan of action, beside its request's ticket, device and
/// title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedDraft {
    /// Which text.
    pub target: DraftTarget,
    /// The text.
    pub draft: Draft,
    /// When it was saved last.
    pub at: Timestamp,
}

/// What the record holds for the tenant at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Intents of dead processes that nobody has settled.
    pub unresolved: Vec<WriteRecord>,
    /// Requests opened from this record that are not known to be closed.
    pub open: Vec<ElevationRequest>,
    /// Closes of some of them that the service took, and that no list has shown yet. The newest is the last.
    pub accepted: Vec<WriteRecord>,
    /// Drafts of dead processes.
    pub drafts: Vec<SavedDraft>,
    /// Whether the record could not be opened, so that nothing can be sent or kept yet; the warnings say why. Where that
    /// may pass, what the record holds follows as soon as it is open.
    pub unusable: bool,
    /// How many other dashboards use the record now.
    pub others: usize,
    /// What the agent should know: a damaged file was set aside, and where it is.
    pub warnings: Vec<Problem>,
}
