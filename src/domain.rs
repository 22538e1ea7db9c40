//! What the program is about: elevation requests, the drafts they begin as, and text nobody vouches for.
//!
//! Nothing here does I/O, knows a wire format, or names another module of the program.

mod confusable;
mod draft;
mod patterns;
mod request;
mod service_time;
mod sighting;
mod stored_text;
mod untrusted;

pub use confusable::Doubt;
pub use draft::{Draft, Field, NewElevationRequest, Problem, is_edge_blank};
pub use patterns::{BadPattern, Pattern, Patterns};
pub(crate) use request::uuid;
pub use request::{ElevationRequest, RequestId, UnusableId};
pub use service_time::ServiceTime;
pub use sighting::{Gaps, Sent, Sighting, are_alike, sighting};
pub use stored_text::ClosedBy;
pub use untrusted::{Untrusted, invisible_characters, visible};
