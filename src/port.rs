//! What passes between the loop and the worker: plain data, and nothing else.

mod fault;

use std::fmt;

pub use fault::{Fault, FaultKind, RequestIds};

use crate::domain::{ElevationRequest, NewElevationRequest, RequestId};

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

/// One operation of the service, to be done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Open a request. There is no idempotency key: sending it twice opens two.
    Create(NewElevationRequest),
    /// Close a request. Repeating it is harmless.
    Close {
        /// The request to close.
        id: RequestId,
        /// What was done, exactly as it was typed.
        actions_taken: String,
    },
}

/// What a call came to where the service did as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The request that the service opened, as it tells it.
    Created(Box<ElevationRequest>),
    /// The service took the close. It sends no proof with it.
    Closed,
}

/// The one reply that the worker owes for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The call it is for.
    pub call_id: CallId,
    /// What came of it.
    pub result: Result<Answer, Fault>,
}

/// What the worker tells the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromWorker {
    /// The service can be called now.
    Ready,
    /// The service could not be made ready; every call will fail with this.
    NotReady(Fault),
    /// A call has come to its end.
    Reply(Reply),
}
