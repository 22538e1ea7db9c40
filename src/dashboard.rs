//! The pure middle: every behaviour of the dashboard as `(&mut Model, Message) -> Vec<Effect>`.
//!
//! It does no I/O, reads no clock, holds no lock and cannot fail. The text area times its own edits, to know where a run
//! of typing ends for undo: the one exception.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod available;
mod begin;
mod clipboard;
mod close;
mod close_result;
mod close_round;
mod create;
mod create_result;
mod devices;
mod drafts;
mod draw;
mod form;
mod fuzzy;
mod guard;
mod help;
mod history;
mod intake;
mod leaving;
mod listing;
mod message;
mod model;
mod mouse;
mod names;
mod notice;
mod notices;
mod palette;
mod paste;
mod question;
mod queue;
mod record_changes;
mod recovery;
mod recovery_panel;
mod refresh;
mod report;
mod requests;
mod sign_in;
mod suggest;
mod template_picker;
mod tenants;
mod text_field;
mod ticket;
mod unknown;
mod unsent;
mod update;
pub mod view;
mod word;
mod worker;

pub use close::CloseDialog;
pub use close_round::CloseRound;
pub use form::{Category, Form};
pub use help::Help;
pub use leaving::Remains;
pub use message::{CopiedTo, EditTarget, Effect, HandedOver, Message, ReportFile, ScrollLimits};
pub use model::{
    Model, Overlay, Pane, PendingCall, Preferences, RecordState, Recovery, ServiceState, Setup, Subject, Tenant,
};
pub use mouse::{Gesture, Mouse, PointerTarget, Regions};
pub use notice::{Notice, Tone};
pub use notices::Notices;
pub use palette::ActionPalette;
pub use question::Question;
pub use report::ReportPanel;
pub use requests::{
    Age, Ages, Attempts, CloseAttempt, Closure, CreateAttempt, CreateState, List, Request, RequestFilter, RequestStore,
    Requests, Row, RowId, RowState, SentClose, Sort,
};
pub use suggest::Suggestion;
pub use tenants::{TenantEntry, TenantNumber, TenantPanel, TenantState, TenantSummary, Tenants};
pub use text_field::TextField;
pub(crate) use text_field::blanks;
pub use update::update;
pub use view::short_id;
