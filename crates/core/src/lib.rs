//! Elevation requests, the rules of a write, and text that cannot act on a terminal.
//!
//! Pure types and rules that the program, the engine and the practice tenant share. Nothing here does I/O, reads a clock
//! or knows a wire format; the lints below, with the lists of `clippy.toml`, hold that.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod device_name;
mod draft;
mod error;
mod matching;
mod operation;
mod patterns;
mod problem;
mod protocol;
mod record;
mod request;
mod service_time;
mod sign_in;
mod status;
mod stored_text;
mod ticket_url;
mod untrusted;
mod write;

pub use device_name::DeviceNameWarning;
pub use draft::{Draft, Field, FieldProblem, NewElevationRequest, is_edge_blank};
pub use error::{CallError, Disposition, ErrorCode, RequestIds};
pub use matching::{Gaps, MatchResult, SentCreate, are_equivalent, match_listed, normal_device_name};
pub use operation::{CloseElevationRequest, Device, Operation, Query};
pub use patterns::{Pattern, Patterns};
pub use problem::Problem;
pub use protocol::{CALLS_WAITING, Call, CallId, CallResult, Command, Event, Progress, ReadBack, Reply};
pub use record::{
    DraftTarget, EndedRequest, HistoryStep, Left, Outcome, RecordChanges, Recovered, SavedDraft, WriteHistory, WriteId,
    WriteRecord,
};
pub use request::{ElevationRequest, RequestId, uuid};
pub use service_time::ServiceTime;
pub use sign_in::SignIn;
pub use stored_text::ClosedBy;
pub use ticket_url::TicketUrl;
pub use untrusted::{Untrusted, invisible_characters, visible};
pub use write::{Transition, WriteState};
