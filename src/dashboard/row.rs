//! One request of the session: where it stands, and what is known of it.

use std::borrow::Cow;

use jiff::Timestamp;

use super::TextField;
use mmd_elevate_core::{
    CallError, CallId, Draft, ElevationRequest, Field, MatchResult, RequestId, Untrusted, WriteId, visible,
};

/// How much of a device's name or of a ticket stands in a sentence, in characters: Windows names have 15.
const LONGEST_NAME: usize = 20;

/// A row's name within this run. It is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(pub u64);

/// How a request came to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closure {
    /// The service took our close, and lists the request as closed.
    Verified,
    /// The same, with our text in another form.
    StoredDifferently,
    /// A close of ours was sent, and the request is listed as closed with another text.
    PerhapsOurs,
    /// The service said that it was closed already.
    Already,
    /// The service said that there is no such request, and a complete list has none.
    Gone,
    /// Seen as closed when the service was asked; nobody closed it from here.
    Elsewhere,
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

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowState {
    /// The create is under way.
    Sending(CallId),
    /// The service did not take the create; the row keeps the draft.
    Refused,
    /// Nobody knows whether the create happened, and it is being looked for.
    Looking(CallId),
    /// Nobody knows whether the create happened; the row keeps the draft.
    Unknown,
    /// Nobody knows whether the create happened, and the agent asks no more.
    SetAside,
    /// A draft that waits to be taken up again.
    Draft,
    /// Open.
    Open,
    /// The close is under way.
    Closing(CallId),
    /// Nobody knows whether the close happened. Repeating it is harmless.
    CloseUnknown,
    /// The service took the close, and no list has shown the request as closed yet: it counts as open until one does.
    Accepted,
    /// Closed.
    Closed(Closure),
}

impl RowState {
    /// The state of a request that the service lists.
    pub(super) const fn of(request: &ElevationRequest) -> Self {
        if request.closed.is_some() { Self::Closed(Closure::Elsewhere) } else { Self::Open }
    }

    /// The state in a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
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

    /// Whether the service holds the request open, as far as anybody knows.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::CloseUnknown | Self::Accepted)
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
            Self::Sending(call) | Self::Looking(call) | Self::Closing(call) => Some(call),
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

/// One request of this session.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub id: RowId,
    /// What was sent.
    pub draft: Draft,
    /// What the service made of it, once it has.
    pub request: Option<ElevationRequest>,
    /// Where it stands.
    pub state: RowState,
    /// What went wrong with it last.
    pub fault: Option<CallError>,
    /// Its name in the record, once its create is durable there.
    pub intent: Option<WriteId>,
    /// What looking for it has seen last, and when.
    pub seen: Option<(MatchResult, Timestamp)>,
    /// Another request that equals one which had to be looked for: it counts against the device's limit.
    pub surplus: bool,
    /// No write of ours is known to have made it.
    pub unclaimed: bool,
    /// When the service was asked for it last and did not list it.
    pub unlisted: Option<Timestamp>,
    /// Why it could not be read back after a close.
    pub unread: Option<CallError>,
    /// What was typed in its close dialog, as long as the service is not seen to have stored it.
    pub actions_taken: Option<Box<TextField>>,
    /// A close of it that the service took or may have taken, until a list shows what came of it.
    pub sent_close: Option<SentClose>,
    /// When its state was learnt.
    pub as_of: Timestamp,
    /// When it was opened, or sent as long as that is not known. `None`: the service does not say, in a way that can be read.
    pub since: Option<Timestamp>,
}

impl Row {
    /// A row for a draft that was sent or waits.
    pub(super) fn of_draft(id: RowId, draft: Draft, state: RowState, now: Timestamp) -> Self {
        Self {
            id,
            draft,
            request: None,
            state,
            fault: None,
            intent: None,
            seen: None,
            surplus: false,
            unclaimed: false,
            unlisted: None,
            unread: None,
            actions_taken: None,
            sent_close: None,
            as_of: now,
            since: Some(now),
        }
    }

    /// A row for a request that the service holds.
    pub(super) fn of_request(id: RowId, request: ElevationRequest, now: Timestamp) -> Self {
        let since = request.created.as_ref().and_then(|created| created.at);
        let row = Self::of_draft(id, Draft::default(), RowState::of(&request), now);
        Self { since, request: Some(request), ..row }
    }

    /// Takes what the service tells of the request. What it leaves blank is as it was known.
    pub(super) fn take_request(&mut self, request: ElevationRequest) {
        self.request = Some(match &self.request {
            Some(known) => request.with_gaps_from(known),
            None => request,
        });
        if let Some(at) = self.request.as_ref().and_then(|request| request.created.as_ref()?.at) {
            self.since = Some(at);
        }
    }

    /// The state of a request that is not closed and of which no call is under way.
    pub(super) const fn at_rest(&self) -> RowState {
        match &self.sent_close {
            Some(SentClose { accepted: Some(_), .. }) => RowState::Accepted,
            Some(_) => RowState::CloseUnknown,
            None => RowState::Open,
        }
    }

    /// The requests that looking has seen and that may be this one.
    #[must_use]
    pub fn possible(&self) -> &[ElevationRequest] {
        match &self.seen {
            Some((MatchResult::Possible(possible), _)) => possible,
            _ => &[],
        }
    }

    /// Ticket, device, title, …: in the service's words where there are any, else as typed; harmless to a terminal.
    #[must_use]
    pub fn text(&self, field: Field) -> Cow<'_, str> {
        let told = self.request.as_ref().map(|request| request.text(field)).filter(|text| !text.is_blank());
        let text = told.map_or_else(|| visible(self.draft.get(field)), Untrusted::visible);
        // A row is known by its ticket and its device: where nobody knows them, a sign stands for them.
        let is_missing = self.request.is_some() && matches!(field, Field::Ticket | Field::Device);
        if is_missing && text.trim().is_empty() { Cow::Borrowed("–") } else { text }
    }

    /// The device by which the service is asked for it: in the service's words where there are any, else as typed.
    pub(super) fn device(&self) -> Untrusted {
        let told = self.request.as_ref().map(|request| request.device.clone()).filter(|device| !device.is_blank());
        told.unwrap_or_else(|| Untrusted::new(self.draft.get(Field::Device)))
    }

    /// The service's id, once there is one.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.request.as_ref().map(|request| &request.id)
    }

    /// The text of the close that the service did not store, and never will: what it has stored is not kept here.
    #[must_use]
    pub fn unsent_text(&self) -> Option<&TextField> {
        let closed = matches!(self.state, RowState::Closed(_));
        self.actions_taken.as_deref().filter(|text| closed && !text.is_blank())
    }

    /// "MMD-1 (INC-1)": how a sentence names it. What is too long for a name is cut, or nobody would see the rest of the
    /// sentence.
    #[must_use]
    pub fn name(&self) -> String {
        let [device, ticket] = [Field::Device, Field::Ticket].map(|field| {
            let text = self.text(field);
            match text.char_indices().nth(LONGEST_NAME) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text.into_owned(),
            }
        });
        format!("{device} ({ticket})")
    }

    /// Whether every word of the filter is in the row. A row that is past has to be asked for by its state, from "clo" on.
    pub(super) fn matches(&self, words: &[String]) -> bool {
        let state = self.state.word();
        let by_state = |word: &String| word.len() >= 3 && state.starts_with(word.as_str());
        let asked_for = !self.state.is_past() || words.iter().any(by_state);
        let contains = |word: &String| {
            by_state(word)
                || [Field::Ticket, Field::Device, Field::Title]
                    .iter()
                    .any(|f| self.text(*f).to_lowercase().contains(word))
        };
        asked_for && words.iter().all(contains)
    }
}
