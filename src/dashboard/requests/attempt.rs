//! What this process tries to do, and how far each attempt has come. What the service holds is kept elsewhere.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::row_map::RowId;
use crate::dashboard::TextField;
use mmd_elevate_core::{CallError, CallId, Draft, MatchResult, WriteId};

/// How far opening a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CreateState {
    /// A draft that waits to be taken up again.
    Draft,
    /// Before it is sent, the device's requests are being listed.
    Checking(CallId),
    /// The create is under way.
    Sending(CallId),
    /// The service did not take it.
    Refused,
    /// It is unknown whether it happened, and it is being looked for.
    Looking(CallId),
    /// It is unknown whether it happened.
    Unknown,
    /// It is unknown whether it happened, and the agent asks no more.
    SetAside,
    /// The service has opened the request: it stands in the store under the same row.
    Opened,
}

/// An attempt to open a request, from the draft on.
#[derive(Clone, Debug)]
pub struct CreateAttempt {
    /// What was typed.
    pub draft: Draft,
    /// How far it has come.
    pub state: CreateState,
    /// What the record calls the write, once it is durable there.
    pub write: Option<WriteId>,
    /// What went wrong with it last.
    pub error: Option<CallError>,
    /// What looking for it has seen last, and when.
    pub seen: Option<(MatchResult, Timestamp)>,
    /// When it was sent, or came to wait.
    pub since: Timestamp,
    /// When its state was learnt.
    pub as_of: Timestamp,
}

impl CreateAttempt {
    /// An attempt in this state, as of now.
    pub(in crate::dashboard) const fn new(draft: Draft, state: CreateState, now: Timestamp) -> Self {
        Self { draft, state, write: None, error: None, seen: None, since: now, as_of: now }
    }
}

/// A close that the service took or may have taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentClose {
    /// Its text.
    pub text: String,
    /// When it went out first.
    pub at: Timestamp,
    /// When the service took it, where it said so.
    pub accepted: Option<Timestamp>,
    /// When a list showed the request as open last, after the service took the close.
    pub listed_open: Option<Timestamp>,
}

/// An attempt to close a request, from the first letter of its text on.
#[derive(Clone, Debug, Default)]
pub struct CloseAttempt {
    /// What was typed in the close dialog, as long as the service is not seen to have stored it.
    pub text: Option<Box<TextField>>,
    /// The call that is under way.
    pub call: Option<CallId>,
    /// What was sent, until a list shows what came of it.
    pub sent: Option<SentClose>,
    /// What went wrong with it last.
    pub error: Option<CallError>,
    /// Why the request could not be read back after the close.
    pub unread: Option<CallError>,
}

impl CloseAttempt {
    /// Whether nothing is attempted, and nothing is left of an attempt.
    pub(super) const fn is_empty(&self) -> bool {
        let Self { text, call, sent, error, unread } = self;
        text.is_none() && call.is_none() && sent.is_none() && error.is_none() && unread.is_none()
    }

    /// The text of the dialog, for typing in.
    pub(in crate::dashboard) fn text(&mut self) -> &mut TextField {
        self.text.get_or_insert_with(|| Box::new(TextField::multi_line()))
    }
}

/// The attempts of this process: at most one create and one close for each row.
#[derive(Clone, Debug, Default)]
pub struct Attempts {
    /// Attempts to open a request, by their rows. One that succeeded stays: it says from which draft the request came.
    pub(super) creates: BTreeMap<RowId, CreateAttempt>,
    /// Attempts to close the request of a row.
    pub(super) closes: BTreeMap<RowId, CloseAttempt>,
}

impl Attempts {
    /// Attempts to open requests, with their rows.
    pub fn creates(&self) -> impl Iterator<Item = (RowId, &CreateAttempt)> {
        self.creates.iter().map(|(row, create)| (*row, create))
    }

    /// The attempt to open this row's request.
    #[must_use]
    pub fn create(&self, row: RowId) -> Option<&CreateAttempt> {
        self.creates.get(&row)
    }

    /// The attempt to close this row's request.
    #[must_use]
    pub fn close(&self, row: RowId) -> Option<&CloseAttempt> {
        self.closes.get(&row)
    }
}
