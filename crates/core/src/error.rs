//! A failure as data, and what to say of it.

use std::time::Duration;

use super::status::refusal;
use crate::Untrusted;

/// A wait that is longer than this, in seconds, is told as one that nobody counts: a hundred years.
const BEYOND_COUNTING: u64 = 3_155_760_000;

/// Why a call did not come to an [`CallResult`](super::CallResult).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// What went wrong.
    pub kind: CallErrorKind,
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
/// [`CallErrorKind::may_have_happened`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallErrorKind {
    /// 403 with words that are no documented sentence: the service declines for a reason that it tells.
    Declined,
    /// The documented "too many open elevation requests", to a create.
    TooManyOpen,
    /// The documented "This device does not exist", to a create.
    NoSuchDevice,
    /// The documented "already closed", to a close; or its request is listed as closed.
    AlreadyClosed,
    /// The documented "This elevation request does not exist", to a close. In a reply it means that a complete list bears
    /// this out too.
    NoSuchRequest,
    /// The same, but a list holds the request or was not seen whole: it counts as open.
    AbsenceUnproven,
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
    /// 403 without words, or with words about missing rights: the token lacks the role (inferred).
    NotAllowed,
    /// 429: too many calls (inferred). That the call was not processed is an assumption.
    Throttled {
        /// When the service asks to be tried again.
        retry_after: Option<Duration>,
    },
    /// 3xx: redirects are not followed, so that the token goes to the configured origin alone. A service that answers a
    /// write with 303 may have done it; the others send the same call elsewhere.
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

impl CallErrorKind {
    /// Whether the service may have done what was asked all the same. Only then is the outcome unknown; otherwise
    /// nothing was done.
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::TimedOut | Self::Cut | Self::ServerFailed { .. } | Self::BrokenAnswer { .. } | Self::Crashed => true,
            Self::Abandoned { sent } => *sent,
            Self::Redirected { status } => *status == 303,
            Self::Declined
            | Self::TooManyOpen
            | Self::NoSuchDevice
            | Self::AlreadyClosed
            | Self::NoSuchRequest
            | Self::AbsenceUnproven
            | Self::NotAccepted { .. }
            | Self::NotSignedIn
            | Self::SignInFailed { .. }
            | Self::NotAllowed
            | Self::Throttled { .. }
            | Self::NotReached { .. }
            | Self::NotConnected { .. }
            | Self::NotSent { .. }
            | Self::NotRecorded { .. } => false,
        }
    }

    /// Whether the service, or something in its place, has looked at the call and refused it for what it is about. What it
    /// is about may stand otherwise than was thought.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Declined
                | Self::AlreadyClosed
                | Self::NoSuchRequest
                | Self::AbsenceUnproven
                | Self::NotAccepted { .. }
        )
    }
}

impl CallError {
    /// A fault without words or ids.
    #[must_use]
    pub fn new(kind: CallErrorKind) -> Self {
        Self { kind, words: None, ids: RequestIds::default() }
    }

    /// What happened, in one sentence for the agent, harmless to a terminal.
    #[must_use]
    pub fn what(&self) -> String {
        let own = self.own_words();
        match (self.words.as_ref().filter(|words| !words.is_blank()), &self.kind) {
            (None, _) => own,
            // The words alone would hide that nobody knows what became of the call.
            (Some(words), CallErrorKind::BrokenAnswer { .. }) => format!("{own} It says: {}", words.visible()),
            (Some(words), _) => words.visible().into_owned(),
        }
    }

    fn own_words(&self) -> String {
        match &self.kind {
            CallErrorKind::Declined => "The service declined.".to_owned(),
            CallErrorKind::TooManyOpen => "This device has too many open elevation requests.".to_owned(),
            CallErrorKind::NoSuchDevice => "This device does not exist.".to_owned(),
            CallErrorKind::AlreadyClosed => "This elevation request was already closed.".to_owned(),
            CallErrorKind::NoSuchRequest | CallErrorKind::AbsenceUnproven => {
                "This elevation request does not exist.".to_owned()
            }
            CallErrorKind::NotAccepted { status } => {
                let what = refusal(*status).0.unwrap_or("The service did not accept the call");
                format!("{what} (HTTP {status}).")
            }
            CallErrorKind::NotSignedIn => "The service does not accept the token.".to_owned(),
            CallErrorKind::SignInFailed { what, .. } => format!("Not signed in: {what}."),
            CallErrorKind::NotAllowed => "The token does not allow this.".to_owned(),
            CallErrorKind::Throttled { retry_after: None } => "The service has too many calls just now.".to_owned(),
            CallErrorKind::Throttled { retry_after: Some(after) } => {
                format!("The service has too many calls and asks to wait {}.", wait_words(*after))
            }
            CallErrorKind::Redirected { status } => format!("The service points to another address (HTTP {status})."),
            CallErrorKind::NotReached { reason } | CallErrorKind::NotConnected { reason, .. } => {
                format!("The service could not be reached: {reason}.")
            }
            CallErrorKind::NotSent { reason } => format!("Nothing was sent: {reason}."),
            CallErrorKind::NotRecorded { what, .. } => format!("Nothing was sent: {what}."),
            CallErrorKind::Abandoned { sent: false } => "It was abandoned before anything was sent.".to_owned(),
            CallErrorKind::Abandoned { sent: true } => "It was abandoned after it may have been sent.".to_owned(),
            CallErrorKind::TimedOut => "No answer came in time.".to_owned(),
            CallErrorKind::Cut => "The connection broke before the answer came.".to_owned(),
            CallErrorKind::ServerFailed { status } => format!("The service failed (HTTP {status})."),
            CallErrorKind::BrokenAnswer { reason } => format!("The answer cannot be used: {reason}."),
            CallErrorKind::Crashed => "The program failed during the call.".to_owned(),
        }
    }

    /// What to do about it. It stands behind `hint: `, and is true for what was refused.
    #[must_use]
    pub fn hint(&self) -> &str {
        match &self.kind {
            CallErrorKind::Declined => "the service gave this reason; ask whoever runs it what it wants instead",
            CallErrorKind::TooManyOpen => "close a request that is open for this device, or take another device",
            CallErrorKind::NoSuchDevice => "check the device's name; a ticket's number looks much like it",
            CallErrorKind::AlreadyClosed => "nothing is left to do; your text was not stored by the service",
            CallErrorKind::NoSuchRequest => "nothing is left to close; your text was not stored by the service",
            CallErrorKind::AbsenceUnproven => {
                "it counts as open, because the service's list holds it or was not seen whole; refresh, then close it again"
            }
            CallErrorKind::NotAccepted { status: 403..=405 | 410 } if self.words.is_some() => {
                "the service or something on the way gave this reason; if it does not fit, check the base URL and the tenant"
            }
            CallErrorKind::NotAccepted { status } => refusal(*status).1,
            CallErrorKind::NotSignedIn => {
                "check the tenant and the scope of the sign-in; a token from MMD_ELEVATE_TOKEN may have ended: start again with a fresh one"
            }
            CallErrorKind::NotAllowed => "ask for the application role MmdSupport.ReadWrite, then get a fresh token",
            CallErrorKind::Throttled { retry_after: Some(after) } if after.as_secs() > 120 => {
                "that is too long to be waited for here: send it again after that time"
            }
            CallErrorKind::Throttled { .. } => "wait a little, then send it again",
            CallErrorKind::Redirected { status } if *status != 303 => {
                "check the base URL; redirects are not followed, so that the token stays where it belongs"
            }
            CallErrorKind::NotReached { .. } => "check the network and the base URL, then send it again",
            CallErrorKind::NotConnected { hint, .. } => hint,
            CallErrorKind::NotSent { .. } | CallErrorKind::Abandoned { sent: false } => "send it again",
            CallErrorKind::NotRecorded { hint, .. } => hint.as_str(),
            CallErrorKind::SignInFailed { hint, .. } => hint,
            CallErrorKind::TimedOut
            | CallErrorKind::Abandoned { sent: true }
            | CallErrorKind::Cut
            | CallErrorKind::ServerFailed { .. }
            | CallErrorKind::Redirected { .. }
            | CallErrorKind::BrokenAnswer { .. }
            | CallErrorKind::Crashed => "it may have been done all the same: look before you send it again",
        }
    }

    /// What to do about it where nothing was sent and something was to be read: a list that was looked into.
    #[must_use]
    pub fn hint_to_read(&self) -> &str {
        match &self.kind {
            CallErrorKind::NotReached { .. } => "check the network and the base URL, then look again",
            CallErrorKind::NotAccepted { status: 404 | 405 }
            | CallErrorKind::NotSignedIn
            | CallErrorKind::SignInFailed { .. }
            | CallErrorKind::NotAllowed
            | CallErrorKind::Redirected { .. }
            | CallErrorKind::NotConnected { .. }
            | CallErrorKind::NotRecorded { .. } => self.hint(),
            CallErrorKind::NotAccepted { .. } | CallErrorKind::Declined => {
                "the service refuses this list: quote its words to whoever runs it"
            }
            _ => "look again a little later",
        }
    }
}

/// A wait as it was asked for, and in a larger unit where that says more.
fn wait_words(wait: Duration) -> String {
    let seconds = wait.as_secs();
    match seconds {
        0..=120 => format!("{seconds} s"),
        121..7_200 => format!("{seconds} s ({} min)", seconds / 60),
        7_200..172_800 => format!("{seconds} s ({} h)", seconds / 3_600),
        172_800..BEYOND_COUNTING => format!("{seconds} s ({} days)", seconds / 86_400),
        BEYOND_COUNTING.. => "more than a hundred years".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_told_as_it_was_asked_for() {
        for (seconds, told) in [
            (0, "0 s"),
            (20, "20 s"),
            (120, "120 s"),
            (3_600, "3600 s (60 min)"),
            (86_400, "86400 s (24 h)"),
            (999_999, "999999 s (11 days)"),
            (u64::MAX, "more than a hundred years"),
        ] {
            let kind = CallErrorKind::Throttled { retry_after: Some(Duration::from_secs(seconds)) };
            assert_eq!(CallError::new(kind).what(), format!("The service has too many calls and asks to wait {told}."));
        }
    }

    #[test]
    fn hint_belongs_to_the_refusal_that_was_given() {
        let hint = |kind| CallError { words: Some(Untrusted::new("words")), ..CallError::new(kind) }.hint().to_owned();
        for (kind, part) in [
            (CallErrorKind::TooManyOpen, "close a request"),
            (CallErrorKind::NoSuchDevice, "check the device's name"),
            (CallErrorKind::Declined, "the service gave this reason"),
            (CallErrorKind::NotAllowed, "MmdSupport.ReadWrite"),
            (CallErrorKind::NotAccepted { status: 400 }, "check the fields"),
            (CallErrorKind::NotAccepted { status: 404 }, "gave this reason"),
            (CallErrorKind::NotAccepted { status: 409 }, "look at what is there now"),
            (CallErrorKind::NotAccepted { status: 499 }, "whoever runs the service"),
            (CallErrorKind::Redirected { status: 302 }, "redirects are not followed"),
            (CallErrorKind::Redirected { status: 303 }, "look before you send it again"),
            (CallErrorKind::AbsenceUnproven, "it counts as open"),
        ] {
            let told = hint(kind.clone());
            assert!(told.contains(part), "{kind:?}: {told}");
        }
    }
}
