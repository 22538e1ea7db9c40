//! The pure middle: every behaviour of the dashboard as `(&mut Model, Message) -> Vec<Effect>`.
//!
//! It does no I/O, reads no clock, holds no lock and cannot fail. The text area times its own edits, to know where a run
//! of typing ends for undo: the one exception.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod available;
mod cleaning;
mod close_reply;
mod closing;
mod drafts;
mod form;
mod leaving;
mod message;
mod model;
mod notice;
mod opening;
mod question;
mod recovery;
mod replies;
mod requests;
mod row;
mod sign_in;
mod text_field;
mod unknown;
mod update;
pub mod view;

pub use form::{Category, Form};
pub use leaving::Remains;
pub use message::{CopiedTo, EditTarget, Effect, Message};
pub use model::{Model, Overlay, Pane, PendingCall, RecordState, ScrollLimits, ServiceState, Setup, Subject, Tenant};
pub use notice::{Notice, Tone};
pub use question::Question;
pub use recovery::Recovery;
pub use requests::{Requests, Sort};
pub use row::{Closure, Row, RowId, RowState, SentClose};
pub use text_field::TextField;
pub use update::update;
