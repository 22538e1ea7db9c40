//! The messages between the dashboard's loop and the worker, as plain data.

use std::fmt;

use jiff::Timestamp;

use crate::{
    CallError, Device, Draft, DraftTarget, ElevationRequest, Gaps, MatchResult, Operation, Problem, Query, Recovered,
    RequestId, SignIn, Untrusted, WriteId,
};

/// How many calls may wait for the worker. The loop never waits for room: a full channel is a fault of that call.
pub const CALLS_WAITING: usize = 64;

/// Ties a call to its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}", self.0)
    }
}

/// Something to do that takes time: at the service, in the record, or both. It is owed exactly one [`Reply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Send an operation. It is durable in the record before anything is sent. A create whose outcome is unknown is
    /// looked for, a close is read back.
    Send(Operation),
    /// List requests. Each page comes as progress.
    List(Query),
    /// Search devices by a part of their name, serial number or user.
    SearchDevices(String),
    /// Look once more for a write of unknown outcome: a create is looked for, a close is read back. Where that fails,
    /// the outcome is as unknown as before, whatever the fault says of itself.
    Look(WriteId),
    /// Stop asking for a create of unknown outcome.
    SetAside(WriteId),
    /// A request that looking found is the agent's: it settles the intent.
    Adopt(WriteId, Box<ElevationRequest>),
    /// See what the service holds of these requests.
    Check(Vec<(RequestId, Untrusted)>),
}

/// What a call came to where it could be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallResult {
    /// The request that the service opened, as it tells it.
    Created {
        /// The request.
        request: Box<ElevationRequest>,
        /// Others that equal it, where it had to be looked for.
        surplus: Vec<ElevationRequest>,
    },
    /// The service took the close.
    Closed(ReadBack),
    /// Looking has not found it for sure: the outcome stays unknown.
    Looked {
        /// What was seen: never [`MatchResult::Found`], which is [`CallResult::Created`].
        seen: MatchResult,
        /// When.
        at: Timestamp,
        /// Why the outcome is unknown.
        error: CallError,
    },
    /// A close of unknown outcome was read back, and the request is still open: it was not done.
    StillOpen(Box<ElevationRequest>),
    /// The intent is asked for no more.
    SetAside,
    /// All pages of a query were read, or as many as could be. Their requests came as progress.
    Listed {
        /// What was not seen of the list.
        gaps: Gaps,
        /// When.
        at: Timestamp,
    },
    /// The devices that a search found.
    Devices(Vec<Device>),
    /// The requests as the service holds them, as far as it lists them.
    Checked {
        /// The requests.
        listed: Vec<ElevationRequest>,
        /// Those that a list which was seen whole did not hold. Of any other one nothing was learnt.
        missing: Vec<RequestId>,
        /// What was not seen of the lists.
        gaps: Gaps,
        /// Others that a create which was set aside may have made, and that no write owns.
        surplus: Vec<ElevationRequest>,
        /// When.
        at: Timestamp,
    },
}

/// What reading back after a close has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadBack {
    /// The service lists the request as closed, with our text or without any.
    Verified(Box<ElevationRequest>),
    /// The same, with our text in another form, such as shortened or escaped.
    StoredDifferently(Box<ElevationRequest>),
    /// It is listed as closed with another text: by our close or by somebody else's.
    PerhapsOurs(Box<ElevationRequest>),
    /// The service took the close and does not show it yet, or could not be asked. Until a list shows it, the request counts
    /// as open.
    NotYetVisible,
}

/// The one reply that the worker owes for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The call it is for.
    pub call_id: CallId,
    /// What came of it.
    pub result: Result<CallResult, CallError>,
}

/// How far a call has come. There may be none or many before its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The intent is durable; from here on the record knows it by this name.
    Recorded(WriteId),
    /// It goes out again by itself then.
    Waiting {
        /// When.
        until: Timestamp,
        /// Which attempt that will be; the first was 1.
        attempt: u32,
        /// Why.
        error: CallError,
    },
    /// Its outcome is unknown and is being looked for.
    Looking(CallError),
    /// The service asked to wait, and the wait is over: the device is listed before the create goes out again.
    LookingFirst,
    /// The service took the close; it is being read back.
    ReadingBack,
    /// What was to be read back could not be, and this is why. The reply follows.
    NotRead(CallError),
    /// A page of a list.
    Page(Vec<ElevationRequest>),
    /// "Already closed": who closed it and when, where the service lists that. The reply follows.
    ClosedBy(Box<ElevationRequest>),
}

/// What the loop tells the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Do this, and reply once.
    Do(CallId, Call),
    /// Abandon this call. Its reply still comes: what may have been sent is unknown, and is looked for.
    Abandon(CallId),
    /// Save these drafts; nothing where a text is empty means that its draft has ended.
    Save(Vec<(DraftTarget, Option<Draft>)>),
    /// Fetch a new token now, whatever there is.
    SignIn,
}

/// What the worker tells the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The record is open, and this is what it holds for the tenant; or it could not be opened. Where it was written anew
    /// under the running program, what was found in its place.
    Recovered(Box<Recovered>),
    /// The service can be called now.
    Ready,
    /// Where signing in stands, as of now.
    SignIn(SignIn),
    /// The service could not be made ready; every call will fail with this.
    NotReady(CallError),
    /// A call has come a step further.
    Progress(CallId, Progress),
    /// A call has come to its end.
    Reply(Reply),
    /// Something the agent should know that belongs to no call.
    Warning(Problem),
    /// Drafts or an outcome could not be saved.
    NotSaved(Problem),
    /// What was told as not saved is saved now, and so is everything since.
    Saved,
}
