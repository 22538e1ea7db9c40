//! Classifies an error of the HTTP library: why no answer came, and whether the request may have been sent.

use std::{error::Error, io, iter, time::Duration};

use super::unreached;
use mmd_elevate_core::{CallError, Problem};

/// The longest text of a service's or of a library's that is shown, in characters.
pub(crate) const LONGEST_TEXT: usize = 500;

/// Why no answer came, or none that is HTTP. Reasons are parts of a sentence; they name the host and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The request could not be made ready to send.
    NotSent(String),
    /// No connection was made; another try may make one.
    NotReached(String),
    /// No connection was made; somebody has to act before another try makes one.
    NotConnected(Problem),
    /// No whole answer came in time.
    TimedOut,
    /// The connection broke before the answer was whole.
    Cut,
    /// What came cannot be read.
    Broken(String),
}

impl From<NoAnswer> for CallError {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::NotSent(reason) => Self::not_sent(&reason),
            NoAnswer::NotReached(reason) => Self::not_reached(&reason),
            NoAnswer::NotConnected(Problem { what, hint }) => Self::not_connected(&what, hint),
            NoAnswer::TimedOut => Self::timed_out(),
            NoAnswer::Cut => Self::cut(),
            NoAnswer::Broken(reason) => Self::broken_answer(&reason),
        }
    }
}

/// Classifies the client's error. `authority` is whom the call was for, `connect` how long connecting was given.
pub(crate) fn no_answer(error: &reqwest::Error, authority: &str, connect: Duration) -> NoAnswer {
    if error.is_builder() {
        return NoAnswer::NotSent("the request could not be made".to_owned());
    }
    // Nothing else proves that nothing was sent: a time-out before it must not hide it.
    if error.is_connect() {
        return unreached::no_connection(error, authority, connect);
    }
    if error.is_timeout() {
        return NoAnswer::TimedOut;
    }
    // Libraries tell these by their words alone. Should the words change, it is a cut: as unknown as this.
    let said = |words: &str| chain(error).any(|cause| cause.to_string().contains(words));
    if said("parsed") || said("too large") {
        NoAnswer::Broken("it is not HTTP".to_owned())
    } else if io_kinds(error).any(|kind| matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)) {
        NoAnswer::Broken("its compression is damaged".to_owned())
    } else {
        NoAnswer::Cut
    }
}

pub(super) fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(error.source(), |cause| (*cause).source())
}

pub(super) fn io_kinds(error: &reqwest::Error) -> impl Iterator<Item = io::ErrorKind> {
    chain(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind)
}

/// Cuts a text that is longer than anybody reads.
pub(crate) fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT) {
        text.truncate(end);
        text.push('…');
    }
    text
}
