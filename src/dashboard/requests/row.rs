//! A row as it is shown: what the service holds and what this process attempts, side by side.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{
    attempt::{CloseAttempt, CreateAttempt, CreateState, SentClose},
    row_map::RowId,
    store::{Closure, Request},
};
use crate::dashboard::TextField;
use mmd_elevate_core::{
    CallError, CallId, Draft, ElevationRequest, Field, MatchResult, RequestId, Untrusted, WriteId, visible,
};

/// How much of a device's name or of a ticket stands in a sentence, in characters: Windows names have 15.
const LONGEST_NAME: usize = 20;

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowState {
    /// Before it is sent, the device's requests are being listed.
    Checking(CallId),
    /// The create is under way.
    Sending(CallId),
    /// The service did not take the create; the row keeps the draft.
    Refused,
    /// It is unknown whether the create happened, and it is being looked for.
    Looking(CallId),
    /// It is unknown whether the create happened; the row keeps the draft.
    Unknown,
    /// It is unknown whether the create happened, and the agent asks no more.
    SetAside,
    /// A draft that waits to be taken up again.
    Draft,
    /// Open.
    Open,
    /// The close is under way.
    Closing(CallId),
    /// It is unknown whether the close happened. Repeating it is harmless.
    CloseUnknown,
    /// The service took the close, and no list has shown the request as closed yet: it counts as open until one does.
    Accepted,
    /// Closed.
    Closed(Closure),
}

impl RowState {
    /// The state of a request that the service holds, with what is attempted about it.
    fn from_request(request: &Request, close: Option<&CloseAttempt>) -> Self {
        if let Some(call) = close.and_then(|close| close.call) {
            return Self::Closing(call);
        }
        match (request.closure, close.and_then(|close| close.sent.as_ref())) {
            (Some(closure), _) => Self::Closed(closure),
            (None, Some(SentClose { accepted: Some(_), .. })) => Self::Accepted,
            (None, Some(_)) => Self::CloseUnknown,
            (None, None) => Self::Open,
        }
    }

    /// The state of an attempt to open a request, as long as there is no request.
    const fn from_create(create: &CreateAttempt) -> Self {
        match create.state {
            CreateState::Draft => Self::Draft,
            CreateState::Checking(call) => Self::Checking(call),
            CreateState::Sending(call) => Self::Sending(call),
            CreateState::Refused => Self::Refused,
            CreateState::Looking(call) => Self::Looking(call),
            CreateState::Unknown => Self::Unknown,
            CreateState::SetAside => Self::SetAside,
            CreateState::Opened => Self::Open,
        }
    }

    /// The state in a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Checking(_) => "checking",
            Self::Sending(_) => "sending",
            Self::Refused => "refused",
            Self::Looking(_) | Self::Unknown | Self::CloseUnknown => "unknown",
            Self::SetAside => "set aside",
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Closing(_) => "closing",
            Self::Accepted => "accepted",
            Self::Closed(_) => "closed",
        }
    }

    /// Whether the service holds the request open, as far as is known.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::CloseUnknown | Self::Accepted)
    }

    /// Whether the request counts as open: one that is being closed does, until it is closed.
    #[must_use]
    pub const fn counts_as_open(self) -> bool {
        self.is_open() || matches!(self, Self::Closing(_))
    }

    /// Whether a call is under way.
    #[must_use]
    pub const fn in_flight(self) -> bool {
        self.call().is_some()
    }

    /// The call that is under way.
    #[must_use]
    pub const fn call(self) -> Option<CallId> {
        match self {
            Self::Checking(call) | Self::Sending(call) | Self::Looking(call) | Self::Closing(call) => Some(call),
            Self::Refused
            | Self::Unknown
            | Self::SetAside
            | Self::Draft
            | Self::Open
            | Self::CloseUnknown
            | Self::Accepted
            | Self::Closed(_) => None,
        }
    }

    /// Whether nothing is left to do about it: such a row is shown only where the filter asks for its state.
    #[must_use]
    pub const fn is_past(self) -> bool {
        matches!(self, Self::Closed(_) | Self::SetAside)
    }
}

/// A row: a request of the service, an attempt of this process, or both. It is put together where it is read.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What it is called.
    pub id: RowId,
    /// Where it stands.
    pub state: RowState,
    /// Whether it is the agent's own.
    pub mine: bool,
    /// What the service holds, once it holds something.
    pub request: Option<&'a ElevationRequest>,
    /// What was typed to open it, where that was here.
    pub draft: Option<&'a Draft>,
    /// What the record calls the write that opens it.
    pub write: Option<WriteId>,
    /// What went wrong last.
    pub error: Option<&'a CallError>,
    /// What looking for it has seen last, and when.
    pub seen: Option<&'a (MatchResult, Timestamp)>,
    /// Whether it equals another request that had to be looked for.
    pub surplus: bool,
    /// When the service was asked for it last and did not list it.
    pub unlisted: Option<Timestamp>,
    /// What was typed in its close dialog, as long as the service is not seen to have stored it.
    pub actions_taken: Option<&'a TextField>,
    /// A close of it that the service took or may have taken, until a list shows what came of it.
    pub sent_close: Option<&'a SentClose>,
    /// Why it could not be read back after a close.
    pub unread: Option<&'a CallError>,
    /// When its state was learnt.
    pub as_of: Timestamp,
    /// When it was opened, or sent as long as that is not known. `None`: the service does not say, in a way that can be read.
    pub since: Option<Timestamp>,
}

impl<'a> Row<'a> {
    /// The row of a request that the service holds.
    pub(super) fn from_request(
        request: &'a Request,
        create: Option<&'a CreateAttempt>,
        close: Option<&'a CloseAttempt>,
    ) -> Self {
        let created = request.data.created.as_ref().and_then(|created| created.at);
        Self {
            id: request.row,
            state: RowState::from_request(request, close),
            mine: request.mine,
            request: Some(&request.data),
            draft: create.map(|create| &create.draft),
            write: create.and_then(|create| create.write),
            error: close.and_then(|close| close.error.as_ref()),
            seen: create.and_then(|create| create.seen.as_ref()),
            surplus: request.surplus,
            unlisted: request.unlisted,
            actions_taken: close.and_then(|close| close.text.as_deref()),
            sent_close: close.and_then(|close| close.sent.as_ref()),
            unread: close.and_then(|close| close.unread.as_ref()),
            as_of: request.as_of,
            since: created.or(create.map(|create| create.since)),
        }
    }

    /// The row of an attempt to open a request, as long as there is no request.
    pub(super) const fn from_create(id: RowId, create: &'a CreateAttempt) -> Self {
        Self {
            id,
            state: RowState::from_create(create),
            mine: true,
            request: None,
            draft: Some(&create.draft),
            write: create.write,
            error: create.error.as_ref(),
            seen: create.seen.as_ref(),
            surplus: false,
            unlisted: None,
            actions_taken: None,
            sent_close: None,
            unread: None,
            as_of: create.as_of,
            since: Some(create.since),
        }
    }

    /// The requests that looking has seen and that may be this one.
    #[must_use]
    pub fn possible(&self) -> &'a [ElevationRequest] {
        match self.seen {
            Some((MatchResult::Possible(possible), _)) => possible,
            _ => &[],
        }
    }

    /// Ticket, device, title, …: in the service's words where there are any, else as typed; harmless to a terminal.
    #[must_use]
    pub fn text(&self, field: Field) -> Cow<'a, str> {
        let stored = self.request.map(|request| request.text(field)).filter(|text| !text.is_blank());
        let typed = || self.draft.map_or(Cow::Borrowed(""), |draft| visible(draft.get(field)));
        let text = stored.map_or_else(typed, Untrusted::visible);
        // A row is known by its ticket and its device: where they are not known, a sign stands for them.
        let is_missing = self.request.is_some() && matches!(field, Field::Ticket | Field::Device);
        if is_missing && text.trim().is_empty() { Cow::Borrowed("–") } else { text }
    }

    /// Category and subcategory, as far as there are any, with this between them; harmless to a terminal.
    #[must_use]
    pub fn categories(&self, between: &str) -> String {
        let names = [Field::Category, Field::Subcategory].map(|field| self.text(field).into_owned());
        names.into_iter().filter(|name| !name.trim().is_empty()).collect::<Vec<_>>().join(between)
    }

    /// The device by which the service is asked for it: in the service's words where there are any, else as typed.
    pub(in crate::dashboard) fn device(&self) -> Untrusted {
        let stored = self.request.map(|request| request.device.clone()).filter(|device| !device.is_blank());
        stored.unwrap_or_else(|| Untrusted::new(self.draft.map_or("", |draft| draft.get(Field::Device))))
    }

    /// The ticket as it is looked up elsewhere: in the service's words where there are any, else as typed.
    pub(in crate::dashboard) fn ticket(&self) -> Untrusted {
        let stored = self.request.map(|request| request.ticket.clone()).filter(|ticket| !ticket.is_blank());
        stored.unwrap_or_else(|| Untrusted::new(self.draft.map_or("", |draft| draft.get(Field::Ticket))))
    }

    /// The service's id, once there is one.
    #[must_use]
    pub fn request_id(&self) -> Option<&'a RequestId> {
        self.request.map(|request| &request.id)
    }

    /// The text of the close that the service did not store, and never will: what it has stored is not kept here.
    #[must_use]
    pub fn unsent_text(&self) -> Option<&'a TextField> {
        let closed = matches!(self.state, RowState::Closed(_));
        self.actions_taken.filter(|text| closed && !text.is_blank())
    }

    /// "MMD-1 (INC-1)": how a sentence names it. What is too long for a name is cut, so that the rest of the sentence is
    /// seen.
    #[must_use]
    pub fn name(&self) -> String {
        let [device, ticket] = [Field::Device, Field::Ticket].map(|field| {
            let text = self.text(field);
            match text.char_indices().nth(LONGEST_NAME) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text.into_owned(),
            }
        });
        match (device.trim().is_empty(), ticket.trim().is_empty()) {
            (false, false) => format!("{device} ({ticket})"),
            (false, true) => device,
            (true, false) => ticket,
            (true, true) => "no device and no ticket yet".to_owned(),
        }
    }
}
