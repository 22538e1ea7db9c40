//! A failure as data, and what to say of it.

use std::time::Duration;

use crate::domain::Untrusted;

/// Why a call did not come to an [`Answer`](super::Answer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// The service's own words, where it had any.
    pub words: Option<Untrusted>,
    /// What to quote to whoever runs the service.
    pub ids: RequestIds,
}

/// The ids under which a call can be found in the logs of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestIds {
    /// `client-request-id`: made by the client for each call.
    pub client: Option<String>,
    /// `x-ms-request-id` or `request-id`: given by the service.
    pub service: Option<Untrusted>,
}

/// The ways in which a call can fail. Each says for itself whether the service may have acted: see
/// [`FaultKind::may_have_happened`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// 403 in the documented envelope: the device has too many open requests, or the service declines for a reason
    /// that it tells.
    Declined,
    /// 404 in the documented envelope, to a create: the device does not exist.
    NoSuchDevice,
    /// 400 "already closed", to a close.
    AlreadyClosed,
    /// 404 in the documented envelope, to a close: the request does not exist.
    NoSuchRequest,
    /// Any other 4xx: the service did not take the call.
    NotAccepted {
        /// The HTTP status.
        status: u16,
    },
    /// 401: the token is bad or has ended (inferred).
    NotSignedIn,
    /// There is no token, because signing in failed: nothing was sent.
    SignInFailed {
        /// What happened, in a sentence without its full stop; no secret is in it.
        what: Box<str>,
        /// What to do about it.
        hint: Box<str>,
    },
    /// 403 without words: the token lacks the role (inferred).
    NotAllowed,
    /// 429: too many calls (inferred). That the call was not processed is an assumption.
    Throttled {
        /// When the service asks to be tried again.
        retry_after: Option<Duration>,
    },
    /// 3xx: redirects are not followed, so that the token goes to the configured origin alone.
    Redirected {
        /// The HTTP status.
        status: u16,
    },
    /// The connection could not be made: nothing was sent.
    NotReached {
        /// Why, in a few words that name the host and no secret.
        reason: String,
    },
    /// The connection could not be made, and another try will not change that: the certificate is not trusted, or a
    /// proxy declined. Nothing was sent.
    NotConnected {
        /// Why, in a few words that name the host and no secret.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The call could not be made ready to send, or the worker had no room for it: nothing was sent.
    NotSent {
        /// Why, in a few words.
        reason: String,
    },
    /// The intent could not be made durable in the record: nothing was sent.
    NotRecorded {
        /// What happened, in words that begin small.
        what: String,
        /// What to do about it.
        hint: String,
    },
    /// The agent abandoned the call.
    Abandoned {
        /// Whether its bytes may have left before that.
        sent: bool,
    },
    /// No whole answer came in the time a call is given.
    TimedOut,
    /// The connection broke before the answer was whole.
    Cut,
    /// 408 or 5xx.
    ServerFailed {
        /// The HTTP status.
        status: u16,
    },
    /// The answer says success and cannot be used: no id, not JSON, too long.
    BrokenAnswer {
        /// What is wrong with it, in a few words.
        reason: String,
    },
    /// The program itself failed during the call.
    Crashed,
}

impl FaultKind {
    /// Whether the service may have done what was asked all the same. Only then is the outcome unknown; otherwise
    /// nothing was done.
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::TimedOut | Self::Cut | Self::ServerFailed { .. } | Self::BrokenAnswer { .. } | Self::Crashed => true,
            Self::Abandoned { sent } => *sent,
            Self::Declined
            | Self::NoSuchDevice
            | Self::AlreadyClosed
            | Self::NoSuchRequest
            | Self::NotAccepted { .. }
            | Self::NotSignedIn
            | Self::SignInFailed { .. }
            | Self::NotAllowed
            | Self::Throttled { .. }
            | Self::Redirected { .. }
            | Self::NotReached { .. }
            | Self::NotConnected { .. }
            | Self::NotSent { .. }
            | Self::NotRecorded { .. } => false,
        }
    }
}

impl Fault {
    /// A fault without words or ids.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, words: None, ids: RequestIds::default() }
    }

    /// What happened, in one sentence for the agent, harmless to a terminal.
    #[must_use]
    pub fn what(&self) -> String {
        if let Some(words) = &self.words
            && !words.is_blank()
        {
            return words.visible().into_owned();
        }
        match &self.kind {
            FaultKind::Declined => "The service declined.".to_owned(),
            FaultKind::NoSuchDevice => "This device does not exist.".to_owned(),
            FaultKind::AlreadyClosed => "This elevation request was already closed.".to_owned(),
            FaultKind::NoSuchRequest => "This elevation request does not exist.".to_owned(),
            FaultKind::NotAccepted { status } => format!("The service did not accept the call (HTTP {status})."),
            FaultKind::NotSignedIn => "The service does not accept the token.".to_owned(),
            FaultKind::SignInFailed { what, .. } => format!("Not signed in: {what}."),
            FaultKind::NotAllowed => "The token does not allow this.".to_owned(),
            FaultKind::Throttled { retry_after: None } => "The service has too many calls just now.".to_owned(),
            FaultKind::Throttled { retry_after: Some(after) } => {
                format!("The service has too many calls and asks to wait {} s.", after.as_secs())
            }
            FaultKind::Redirected { status } => format!("The service points to another address (HTTP {status})."),
            FaultKind::NotReached { reason } | FaultKind::NotConnected { reason, .. } => {
                format!("The service could not be reached: {reason}.")
            }
            FaultKind::NotSent { reason } => format!("Nothing was sent: {reason}."),
            FaultKind::NotRecorded { what, .. } => format!("Nothing was sent: {what}."),
            FaultKind::Abandoned { sent: false } => "It was abandoned before anything was sent.".to_owned(),
            FaultKind::Abandoned { sent: true } => "It was abandoned after it may have been sent.".to_owned(),
            FaultKind::TimedOut => "No answer came in time.".to_owned(),
            FaultKind::Cut => "The connection broke before the answer came.".to_owned(),
            FaultKind::ServerFailed { status } => format!("The service failed (HTTP {status})."),
            FaultKind::BrokenAnswer { reason } => format!("The answer cannot be used: {reason}."),
            FaultKind::Crashed => "The program failed during the call.".to_owned(),
        }
    }

    /// What to do about it. It stands behind `hint: `.
    #[must_use]
    pub const fn hint(&self) -> &str {
        match &self.kind {
            FaultKind::Declined => "close a request that is open for this device, or take another device",
            FaultKind::NoSuchDevice => "check the device's name; a ticket's number looks much like it",
            FaultKind::AlreadyClosed => "nothing is left to do; your text was not stored by the service",
            FaultKind::NoSuchRequest => "nothing is left to close; your text was not stored by the service",
            FaultKind::NotAccepted { status: 404 | 405 } => "check the base URL and the tenant in the configuration",
            FaultKind::NotAccepted { status: 403 } => {
                "something on the way declined, not the service: check the base URL and the network"
            }
            FaultKind::NotAccepted { .. } => "check the fields, then send it again",
            FaultKind::NotSignedIn => {
                "check the tenant and the scope of the sign-in; a token from MMD_ELEVATE_TOKEN may have ended: start again with a fresh one"
            }
            FaultKind::NotAllowed => "ask for the application role MmdSupport.ReadWrite, then get a fresh token",
            FaultKind::Throttled { .. } => "wait a little, then send it again",
            FaultKind::Redirected { .. } => {
                "check the base URL; redirects are not followed, so that the token stays where it belongs"
            }
            FaultKind::NotReached { .. } => "check the network and the base URL, then send it again",
            FaultKind::NotConnected { hint, .. } => hint,
            FaultKind::NotSent { .. } | FaultKind::Abandoned { sent: false } => "send it again",
            FaultKind::NotRecorded { hint, .. } => hint.as_str(),
            FaultKind::SignInFailed { hint, .. } => hint,
            FaultKind::TimedOut
            | FaultKind::Abandoned { sent: true }
            | FaultKind::Cut
            | FaultKind::ServerFailed { .. }
            | FaultKind::BrokenAnswer { .. }
            | FaultKind::Crashed => "it may have been done all the same: look before you send it again",
        }
    }
}
