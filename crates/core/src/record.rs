//! The contents of the record, as plain data.

use std::fmt;

use jiff::Timestamp;

use super::WriteState;
use crate::{Draft, ElevationRequest, Operation, Problem, RequestId, Untrusted};

/// The id of a write in the record. It is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WriteId(pub i64);

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write {}", self.0)
    }
}

/// A write as the record holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteRecord {
    /// Its id.
    pub id: WriteId,
    /// The operation that the agent confirmed.
    pub operation: Operation,
    /// When it was made durable. Nothing of it was sent before.
    pub at: Timestamp,
    /// Its state: `Unknown` for a write that a dead process left.
    pub state: WriteState,
}

/// What the record holds of the course of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteHistory {
    /// Its id.
    pub id: WriteId,
    /// The kind of its operation, as [`Operation::kind`] returns it.
    pub kind: &'static str,
    /// The local user who confirmed it.
    pub operator: Untrusted,
    /// Its states, the oldest first.
    pub steps: Vec<HistoryStep>,
}

/// A state of a write that was recorded. `Sending` is not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryStep {
    /// Since when, by this machine's clock.
    pub at: Timestamp,
    /// The state. It can be the state before, with another reason.
    pub state: WriteState,
    /// The reason of a state that is not done or unknown, or a note.
    pub why: Option<Untrusted>,
    /// The service's id of the call, to quote to its operator.
    pub service_request_id: Option<Untrusted>,
}

/// The outcome of a write, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The new state.
    pub state: WriteState,
    /// The request as the service returned it.
    pub request: Option<ElevationRequest>,
    /// The reason for a write that is not done or unknown.
    pub why: Option<String>,
    /// The service's id of the call, to quote to its operator.
    pub service_request_id: Option<Untrusted>,
}

/// The text of which a draft is. The record holds one draft per target and process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DraftTarget {
    /// The form.
    Form,
    /// A refused request that the agent may edit again, with a number that tells several apart.
    Refused(u64),
    /// The close dialog of this request.
    Close(RequestId),
}

/// A draft as the record holds it. The text of a close dialog is in the plan of action, beside the ticket, device and title
/// of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedDraft {
    /// What it is a draft of.
    pub target: DraftTarget,
    /// The texts.
    pub draft: Draft,
    /// When it was saved last.
    pub at: Timestamp,
}

/// A request that is known to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRequest {
    /// The request, as the service showed it last.
    pub request: ElevationRequest,
    /// Since when it is known to be closed, by this machine's clock.
    pub at: Timestamp,
    /// Whether the agent said so, and no list has shown it.
    pub on_word: bool,
}

/// What the record holds for the tenant at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Unsettled writes of dead processes.
    pub unresolved: Vec<WriteRecord>,
    /// Requests opened from this record that are not known to be closed.
    pub open: Vec<ElevationRequest>,
    /// Closes of these requests that the service accepted and no list has shown yet; the newest is the last.
    pub accepted: Vec<WriteRecord>,
    /// Requests opened or closed from this record that are known to be closed since at most [`Recovered::CLOSED_DAYS`], the
    /// newest first; at most [`Recovered::MOST_CLOSED`].
    pub closed: Vec<EndedRequest>,
    /// Drafts of dead processes.
    pub drafts: Vec<SavedDraft>,
    /// Whether the record could not be opened, so that nothing can be sent or saved yet; the warnings say why. If opening it
    /// succeeds later, its contents follow.
    pub unusable: bool,
    /// How many other dashboards use the record now.
    pub others: usize,
    /// How the record was left before this start, as far as that is known.
    pub left: Option<Left>,
    /// Warnings for the agent, such as where a damaged file was set aside.
    pub warnings: Vec<Problem>,
}

/// How a record was left by the processes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The agent left the last dashboard by choice, then.
    Plainly(Timestamp),
    /// A process died. This is when it wrote last, if it has left anything.
    Died(Option<Timestamp>),
}

/// What other processes have changed in the record while this one uses it. What they type is not in it, nor what they send
/// as long as its outcome is not known: they settle that themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordChanges {
    /// Requests that they opened, and open ones of which they learnt something.
    pub open: Vec<ElevationRequest>,
    /// Their closes of open requests that the service accepted and no list has shown yet; the newest is the last.
    pub accepted: Vec<WriteRecord>,
    /// Requests that are known to be closed now, the newest first.
    pub closed: Vec<EndedRequest>,
}

impl RecordChanges {
    /// Whether there is nothing to tell.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.open.is_empty() && self.accepted.is_empty() && self.closed.is_empty()
    }
}

impl Recovered {
    /// For how many days a closed request is recovered. A record that keeps settled rows for less time holds fewer.
    pub const CLOSED_DAYS: u32 = 90;

    /// The most closed requests that are recovered: they are held in memory, and no agent reads more.
    pub const MOST_CLOSED: usize = 5_000;
}
