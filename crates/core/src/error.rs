//! The error of a call: what it means for a write, what acts on it, and its words.
//!
//! Every error says whether the service may have acted ([`Disposition`]); nothing else decides that.

use std::time::Duration;

use super::status::refusal;
use crate::{Problem, Untrusted};

/// A wait that is longer than this, in seconds, is shown without a number: a hundred years.
const LONGEST_COUNTED_WAIT: u64 = 3_155_760_000;

/// The hint of an error after which the service may have acted all the same.
const LOOK_FIRST: &str = "it may have been done all the same: look before you send it again";

/// Why a call did not come to a [`CallResult`](super::CallResult).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// Whether the service may have acted, and whether the call may go out again by itself.
    pub disposition: Disposition,
    /// The error as far as anything acts on it.
    pub code: Option<ErrorCode>,
    /// The program's own words for it. `what` is a whole sentence.
    pub problem: Box<Problem>,
    /// The service's own words, where it had any. They may name people and devices.
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

/// What a failed call means for what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Nothing was done.
    NotDone,
    /// Nothing was done, and the same call may go out again by itself: no connection was made, or the service asked to
    /// wait for the time given.
    Repeat(Option<Duration>),
    /// It is unknown whether the service did it.
    Unknown,
}

/// The errors that something acts on: the worker, the dashboard or `doctor`. Every other error is told by its words alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The device has as many open requests as it may have.
    TooManyOpen,
    /// The service does not know the device.
    NoSuchDevice,
    /// The request is closed already, or is listed as closed.
    AlreadyClosed,
    /// The service says that the request does not exist. In a reply a complete list bears that out too.
    NoSuchRequest,
    /// The service declines for a reason that it gives.
    Declined,
    /// The service, or something in its place, did not take the call for what it is about.
    NotAccepted,
    /// The service does not accept the token.
    NotSignedIn,
    /// There is no token, because signing in failed. Nothing was sent.
    SignInFailed,
    /// The token does not allow it.
    NotAllowed,
    /// The service asks to wait.
    Throttled,
    /// No connection was made. Nothing was sent.
    NotConnected,
    /// No whole answer came in the time that a call is given.
    TimedOut,
    /// The agent abandoned the call.
    Abandoned,
    /// The answer says success and cannot be used.
    BrokenAnswer,
    /// The program itself failed during the call.
    Crashed,
}

impl CallError {
    /// An error of which nobody acts on more than its disposition.
    #[must_use]
    pub fn new(disposition: Disposition, what: impl Into<String>, hint: impl Into<String>) -> Self {
        let problem = Box::new(Problem::new(what, hint));
        Self { disposition, code: None, problem, words: None, ids: RequestIds::default() }
    }

    fn coded(code: ErrorCode, disposition: Disposition, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: Some(code), ..Self::new(disposition, what, hint) }
    }

    /// Returns the same error with another hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.problem.hint = hint.into();
        self
    }

    /// Returns the same error with the service's words.
    #[must_use]
    pub fn with_words(self, words: Option<Untrusted>) -> Self {
        Self { words, ..self }
    }

    /// The device has too many open requests.
    #[must_use]
    pub fn too_many_open() -> Self {
        let hint = "close a request that is open for this device, or take another device";
        let what = "This device has too many open elevation requests.";
        Self::coded(ErrorCode::TooManyOpen, Disposition::NotDone, what, hint)
    }

    /// The service does not know the device.
    #[must_use]
    pub fn no_such_device() -> Self {
        let hint = "check the device's name; a ticket's number looks much like it";
        Self::coded(ErrorCode::NoSuchDevice, Disposition::NotDone, "This device does not exist.", hint)
    }

    /// The request is closed already.
    #[must_use]
    pub fn already_closed() -> Self {
        let hint = "nothing is left to do; your text was not stored by the service";
        let what = "This elevation request was already closed.";
        Self::coded(ErrorCode::AlreadyClosed, Disposition::NotDone, what, hint)
    }

    /// The request does not exist.
    #[must_use]
    pub fn no_such_request() -> Self {
        let hint = "nothing is left to close; your text was not stored by the service";
        let what = "This elevation request does not exist.";
        Self::coded(ErrorCode::NoSuchRequest, Disposition::NotDone, what, hint)
    }

    /// The service says that the request does not exist, but a list holds it or was not seen whole.
    #[must_use]
    pub fn absence_unproven() -> Self {
        let hint = "it counts as open, because the service's list holds it or was not seen whole; refresh, then close it again";
        let what = "This elevation request does not exist.";
        Self::coded(ErrorCode::NotAccepted, Disposition::NotDone, what, hint)
    }

    /// The service declines, in words of its own.
    #[must_use]
    pub fn declined() -> Self {
        let hint = "the service gave this reason; ask whoever runs it what it wants instead";
        Self::coded(ErrorCode::Declined, Disposition::NotDone, "The service declined.", hint)
    }

    /// The service, or something in its place, answered a status of 4xx that has no error of its own.
    #[must_use]
    pub fn not_accepted(status: u16, words: Option<Untrusted>) -> Self {
        let (what, hint) = refusal(status);
        let hint = match (status, &words) {
            (403..=405 | 410, Some(_)) => {
                "the service or something on the way gave this reason; if it does not fit, check the base URL and the tenant"
            }
            _ => hint,
        };
        let what = format!("{} (HTTP {status}).", what.unwrap_or("The service did not accept the call"));
        Self::coded(ErrorCode::NotAccepted, Disposition::NotDone, what, hint).with_words(words)
    }

    /// The service does not accept the token.
    #[must_use]
    pub fn not_signed_in() -> Self {
        let hint = "check the tenant and the scope of the sign-in; a token from MMD_ELEVATE_TOKEN may have ended: start again with a fresh one";
        let what = "The service does not accept the token.";
        Self::coded(ErrorCode::NotSignedIn, Disposition::NotDone, what, hint)
    }

    /// Signing in failed. `problem.what` is a sentence without its full stop.
    #[must_use]
    pub fn sign_in_failed(problem: &Problem) -> Self {
        let what = format!("Not signed in: {}.", problem.what);
        Self::coded(ErrorCode::SignInFailed, Disposition::NotDone, what, &problem.hint)
    }

    /// The token does not allow the call.
    #[must_use]
    pub fn not_allowed() -> Self {
        let hint = "ask for the application role MmdSupport.ReadWrite, then get a fresh token";
        Self::coded(ErrorCode::NotAllowed, Disposition::NotDone, "The token does not allow this.", hint)
    }

    /// The service asks to wait, for the time given where it names one.
    #[must_use]
    pub fn throttled(retry_after: Option<Duration>) -> Self {
        let what = retry_after.map_or_else(
            || "The service has too many calls just now.".to_owned(),
            |after| format!("The service has too many calls and asks to wait {}.", wait_words(after)),
        );
        let hint = if retry_after.is_some_and(|after| after.as_secs() > 120) {
            "that is too long to be waited for here: send it again after that time"
        } else {
            "wait a little, then try again"
        };
        Self::coded(ErrorCode::Throttled, Disposition::Repeat(retry_after), what, hint)
    }

    /// No connection was made, and another try may make one. `reason` is part of a sentence, and names no secret.
    #[must_use]
    pub fn not_reached(reason: &str) -> Self {
        let what = format!("The service could not be reached: {reason}.");
        let hint = "check the network and the base URL, then try again";
        Self::coded(ErrorCode::NotConnected, Disposition::Repeat(None), what, hint)
    }

    /// No connection was made, and another try will not change that: the certificate is not trusted, or a proxy declined.
    #[must_use]
    pub fn not_connected(reason: &str, hint: impl Into<String>) -> Self {
        let what = format!("The service could not be reached: {reason}.");
        Self::coded(ErrorCode::NotConnected, Disposition::NotDone, what, hint)
    }

    /// The call could not be sent, for a reason that is part of a sentence.
    #[must_use]
    pub fn not_sent(reason: &str) -> Self {
        Self::new(Disposition::NotDone, format!("Nothing was sent: {reason}."), "try again")
    }

    /// The write could not be recorded, so it was not sent. `problem.what` begins in lower case.
    #[must_use]
    pub fn not_recorded(problem: Problem) -> Self {
        Self::new(Disposition::NotDone, format!("Nothing was sent: {}.", problem.what), problem.hint)
    }

    /// The agent abandoned the call; `sent`: its bytes may have left before that.
    #[must_use]
    pub fn abandoned(sent: bool) -> Self {
        if sent {
            let what = "It was abandoned after it may have been sent.";
            Self::coded(ErrorCode::Abandoned, Disposition::Unknown, what, LOOK_FIRST)
        } else {
            let what = "It was abandoned before anything was sent.";
            Self::coded(ErrorCode::Abandoned, Disposition::NotDone, what, "try again")
        }
    }

    /// No whole answer came in time.
    #[must_use]
    pub fn timed_out() -> Self {
        Self::coded(ErrorCode::TimedOut, Disposition::Unknown, "No answer came in time.", LOOK_FIRST)
    }

    /// The connection broke before the answer was whole.
    #[must_use]
    pub fn cut() -> Self {
        Self::new(Disposition::Unknown, "The connection broke before the answer came.", LOOK_FIRST)
    }

    /// The service failed with this HTTP status.
    #[must_use]
    pub fn server_failed(status: u16) -> Self {
        Self::new(Disposition::Unknown, format!("The service failed (HTTP {status})."), LOOK_FIRST)
    }

    /// The service points elsewhere with this HTTP status. A redirect is not followed, so that the token goes to the
    /// configured origin alone. A service that answers a write with 303 may have done it; the others send the same call
    /// elsewhere.
    #[must_use]
    pub fn redirected(status: u16) -> Self {
        let what = format!("The service points to another address (HTTP {status}).");
        if status == 303 {
            return Self::new(Disposition::Unknown, what, LOOK_FIRST);
        }
        let hint = "check the base URL; redirects are not followed, so that the token stays where it belongs";
        Self::new(Disposition::NotDone, what, hint)
    }

    /// The answer says success and cannot be used, for a reason that is part of a sentence.
    #[must_use]
    pub fn broken_answer(reason: &str) -> Self {
        let what = format!("The answer cannot be used: {reason}.");
        Self::coded(ErrorCode::BrokenAnswer, Disposition::Unknown, what, LOOK_FIRST)
    }

    /// The program itself failed during the call.
    #[must_use]
    pub fn crashed() -> Self {
        Self::coded(ErrorCode::Crashed, Disposition::Unknown, "The program failed during the call.", LOOK_FIRST)
    }

    /// Whether the service may have done what was asked all the same. Otherwise nothing was done.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        self.disposition == Disposition::Unknown
    }

    /// Whether the service, or something in its place, has looked at the call and refused it for what it is about. What it
    /// is about may then be in another state than was thought.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self.code,
            Some(ErrorCode::Declined | ErrorCode::AlreadyClosed | ErrorCode::NoSuchRequest | ErrorCode::NotAccepted)
        )
    }

    /// Returns how long the service asks to wait, where it does.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.disposition {
            Disposition::Repeat(after) => after,
            Disposition::NotDone | Disposition::Unknown => None,
        }
    }

    /// Returns what happened, in one sentence for the agent, harmless to a terminal: the service's words where it had any.
    #[must_use]
    pub fn what(&self) -> String {
        let own = &self.problem.what;
        match self.words.as_ref().filter(|words| !words.is_blank()) {
            None => own.clone(),
            // The words alone would hide that the outcome is unknown.
            Some(words) if self.code == Some(ErrorCode::BrokenAnswer) => format!("{own} It says: {}", words.visible()),
            Some(words) => words.visible().into_owned(),
        }
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.problem.hint
    }
}

/// Returns a wait as it was asked for, and in a larger unit where that says more.
fn wait_words(wait: Duration) -> String {
    let seconds = wait.as_secs();
    match seconds {
        0..=120 => format!("{seconds} s"),
        121..7_200 => format!("{seconds} s ({} min)", seconds / 60),
        7_200..172_800 => format!("{seconds} s ({} h)", seconds / 3_600),
        172_800..LONGEST_COUNTED_WAIT => format!("{seconds} s ({} days)", seconds / 86_400),
        LONGEST_COUNTED_WAIT.. => "more than a hundred years".to_owned(),
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
            let error = CallError::throttled(Some(Duration::from_secs(seconds)));
            assert_eq!(error.what(), format!("The service has too many calls and asks to wait {told}."));
        }
    }

    #[test]
    fn hint_belongs_to_the_refusal_that_was_given() {
        let words = || Some(Untrusted::new("words"));
        for (error, part) in [
            (CallError::too_many_open(), "close a request"),
            (CallError::no_such_device(), "check the device's name"),
            (CallError::declined(), "the service gave this reason"),
            (CallError::not_allowed(), "MmdSupport.ReadWrite"),
            (CallError::not_accepted(400, words()), "check the fields"),
            (CallError::not_accepted(404, words()), "gave this reason"),
            (CallError::not_accepted(409, words()), "look at what is there now"),
            (CallError::not_accepted(499, words()), "whoever runs the service"),
            (CallError::redirected(302), "redirects are not followed"),
            (CallError::redirected(303), "look before you send it again"),
            (CallError::absence_unproven(), "it counts as open"),
        ] {
            assert!(error.hint().contains(part), "{error:?}");
        }
    }

    #[test]
    fn each_error_says_whether_the_service_may_have_acted() {
        for (error, disposition) in [
            (CallError::not_reached("refused"), Disposition::Repeat(None)),
            (CallError::throttled(Some(Duration::MAX)), Disposition::Repeat(Some(Duration::MAX))),
            (CallError::redirected(303), Disposition::Unknown),
            (CallError::server_failed(408), Disposition::Unknown),
            (CallError::server_failed(503), Disposition::Unknown),
            (CallError::broken_answer("it is empty"), Disposition::Unknown),
            (CallError::timed_out(), Disposition::Unknown),
            (CallError::cut(), Disposition::Unknown),
            (CallError::crashed(), Disposition::Unknown),
            (CallError::abandoned(true), Disposition::Unknown),
            (CallError::redirected(302), Disposition::NotDone),
            (CallError::redirected(307), Disposition::NotDone),
            (CallError::not_accepted(404, None), Disposition::NotDone),
            (CallError::not_accepted(409, None), Disposition::NotDone),
            (CallError::not_signed_in(), Disposition::NotDone),
            (CallError::not_allowed(), Disposition::NotDone),
            (CallError::declined(), Disposition::NotDone),
            (CallError::too_many_open(), Disposition::NotDone),
            (CallError::no_such_device(), Disposition::NotDone),
            (CallError::no_such_request(), Disposition::NotDone),
            (CallError::absence_unproven(), Disposition::NotDone),
            (CallError::already_closed(), Disposition::NotDone),
            (CallError::not_connected("the proxy declined", "ask"), Disposition::NotDone),
            (CallError::not_sent("the queue is full"), Disposition::NotDone),
            (CallError::abandoned(false), Disposition::NotDone),
        ] {
            assert_eq!(error.disposition, disposition, "{error:?}");
            assert_eq!(error.may_have_happened(), disposition == Disposition::Unknown);
        }
    }
}
