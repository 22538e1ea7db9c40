//! The messages between the dashboard's loop and the worker, as plain data.

use std::fmt;

use jiff::Timestamp;

use crate::{
    CallError, Device, Draft, DraftTarget, ElevationRequest, Gaps, MatchResult, NewElevationRequest, Operation,
    Problem, Query, RecordChanges, Recovered, RequestId, SignIn, Untrusted, WriteHistory, WriteId,
};

/// How many calls may wait for the worker. The loop never waits for room: if the channel is full, the call fails.
pub const CALLS_WAITING: usize = 64;

/// The id of a call, by which its reply is recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}", self.0)
    }
}

/// Work that takes time: at the service, in the record, or both. The worker sends exactly one [`Reply`] for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Sends an operation, after it is durable in the record. If the outcome of a create is unknown, it is looked up; a close
    /// is read back.
    Send(Operation),
    /// Opens a request as [`Call::Send`] does, unless it is unknown whether an equal one was opened before, by any process:
    /// [`ErrorCode::EqualsUnknown`](crate::ErrorCode::EqualsUnknown).
    SendUnlessUnknown(NewElevationRequest),
    /// Lists requests. Each page is sent as progress.
    List(Query),
    /// Searches devices by a part of their name, serial number or user.
    SearchDevices(String),
    /// Looks up a write of unknown outcome once more. If this fails, the outcome stays unknown, whatever the disposition of
    /// the error.
    Look(WriteId),
    /// Stops looking up a create of unknown outcome.
    SetAside(WriteId),
    /// Settles a create with a request that the agent has chosen from those that were found.
    Adopt(WriteId, Box<ElevationRequest>),
    /// Reads the current state of these requests; each one with its device.
    Check(Vec<(RequestId, Untrusted)>),
    /// Takes a request as closed on the agent's word: the service accepted a close of it, and no list shows it as closed. Nothing
    /// is sent. It fails if the record is not open, or holds no accepted close of the request.
    TakeAsClosed(RequestId),
    /// Reads from the record how writes went. It asks nothing of the service, and fails instead of waiting for the record.
    History {
        /// The create of this request and its closes.
        request: Option<RequestId>,
        /// This write.
        write: Option<WriteId>,
    },
}

impl Call {
    /// Returns whether the call sends no write and settles none: all that a read-only session does.
    #[must_use]
    pub const fn only_reads(&self) -> bool {
        match self {
            Self::Send(_)
            | Self::SendUnlessUnknown(_)
            | Self::SetAside(_)
            | Self::Adopt(..)
            | Self::TakeAsClosed(_) => false,
            Self::List(_) | Self::SearchDevices(_) | Self::Look(_) | Self::Check(_) | Self::History { .. } => true,
        }
    }
}

/// The result of a call that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallResult {
    /// The service opened the request.
    Created {
        /// The request.
        request: Box<ElevationRequest>,
        /// Other requests that equal it, if it had to be looked up.
        surplus: Vec<ElevationRequest>,
    },
    /// The service accepted the close.
    Closed(ReadBack),
    /// A look-up has not found the create for sure: the outcome stays unknown.
    Looked {
        /// What the list showed: never [`MatchResult::Found`], which is [`CallResult::Created`].
        seen: MatchResult,
        /// When it was listed.
        at: Timestamp,
        /// Why the outcome is unknown.
        error: CallError,
    },
    /// A close of unknown outcome was read back, and the request is still open: the close was not done.
    StillOpen(Box<ElevationRequest>),
    /// The write is not looked up any more.
    SetAside,
    /// All pages of a query were read, or as many as possible. Their requests were sent as progress.
    Listed {
        /// What could not be read of the list.
        gaps: Gaps,
        /// When it was listed.
        at: Timestamp,
    },
    /// The devices that a search found.
    Devices(Vec<Device>),
    /// The current state of the requests.
    Checked {
        /// The requests that the service lists.
        listed: Vec<ElevationRequest>,
        /// The requests that a complete list did not hold. The state of all others is unknown.
        missing: Vec<RequestId>,
        /// What could not be read of the lists.
        gaps: Gaps,
        /// Other requests that a create which was set aside may have made, and that no write owns.
        surplus: Vec<ElevationRequest>,
        /// When they were listed.
        at: Timestamp,
    },
    /// The record holds the request as closed, on the agent's word unless a list had shown it already.
    TakenAsClosed,
    /// The writes that the record holds, the oldest first, with their newest steps.
    History(Vec<WriteHistory>),
}

/// What reading back a close has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadBack {
    /// The service lists the request as closed, with the text that was sent or without a text.
    Verified(Box<ElevationRequest>),
    /// The service lists the request as closed, with the text in another form, such as shortened or escaped.
    StoredDifferently(Box<ElevationRequest>),
    /// The service lists the request as closed with another text: by this close or by another one.
    PerhapsOurs(Box<ElevationRequest>),
    /// The service accepted the close and does not show it yet, or could not be asked. Until a list shows it, the request
    /// counts as open.
    NotYetVisible,
}

/// The one reply to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The call.
    pub call_id: CallId,
    /// Its result.
    pub result: Result<CallResult, CallError>,
}

/// The progress of a call, sent any number of times before its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The write is durable, under this id in the record.
    Recorded(WriteId),
    /// The call failed and is repeated automatically.
    Waiting {
        /// When it is repeated.
        until: Timestamp,
        /// The number of the next attempt; the first was 1.
        attempt: u32,
        /// Why the last attempt failed.
        error: CallError,
    },
    /// The outcome is unknown, for this reason, and is being looked up.
    Looking(CallError),
    /// The wait that the service asked for is over: the device is listed before the create is repeated.
    LookingFirst,
    /// The service accepted the close, which is being read back.
    ReadingBack,
    /// The request could not be read back, for this reason. The reply follows.
    NotRead(CallError),
    /// A page of a list.
    Page(Vec<ElevationRequest>),
    /// The request was closed already, as the service lists it. The reply follows.
    ClosedBy(Box<ElevationRequest>),
}

/// A command of the loop to the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Does a call and sends one reply.
    Do(CallId, Call),
    /// Abandons a call. Its reply still follows: an operation that may have been sent is looked up.
    Abandon(CallId),
    /// Saves these drafts; `None` deletes a draft.
    Save(Vec<(DraftTarget, Option<Draft>)>),
    /// Fetches a new token now, even if there is one.
    SignIn,
    /// Reads what other processes have changed in the record since it was read last. Only where there is something, an event
    /// follows.
    ReadChanges,
    /// The agent leaves by choice: the next start tells since when, once the record is closed.
    Leave,
}

/// An event of the worker for the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What the record holds for the tenant, or why it could not be opened. It is sent again if the record had to be
    /// replaced while the program runs.
    Recovered(Box<Recovered>),
    /// What other processes have changed in the record.
    RecordChanged(Box<RecordChanges>),
    /// The service can be called now.
    Ready,
    /// The state of signing in.
    SignIn(SignIn),
    /// The service could not be made ready; every call fails with this error.
    NotReady(CallError),
    /// A call has made progress.
    Progress(CallId, Progress),
    /// A call has ended.
    Reply(Reply),
    /// A warning that belongs to no call.
    Warning(Problem),
    /// Drafts or an outcome could not be saved.
    NotSaved(Problem),
    /// Everything that could not be saved is saved now.
    Saved,
}
