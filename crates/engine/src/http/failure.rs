//! Why no answer came, and whether the request may have been sent.

use std::{error::Error, io, iter};

use mmd_elevate_core::{CallError, Problem};

/// The longest text of a service or a library that is shown, in characters.
pub(crate) const LONGEST_TEXT: usize = 500;

/// Why no answer came, or none that is HTTP. Reasons are parts of a sentence, and name the host and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The request could not be prepared.
    NotSent(String),
    /// No connection was made; a retry may succeed.
    NotReached(String),
    /// No connection was made, and a retry will fail until somebody acts.
    NotConnected(Problem),
    /// No complete answer came in time.
    TimedOut,
    /// The connection broke before the answer was complete.
    Cut,
    /// The answer cannot be read.
    Broken(String),
}

impl From<NoAnswer> for CallError {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::NotSent(reason) => Self::not_sent(&reason),
            NoAnswer::NotReached(reason) => Self::not_reached(&reason),
            NoAnswer::NotConnected(Problem { what, hint }) => Self::not_connected(&what, hint),
            NoAnswer::TimedOut => Self::timed_out(),
            NoAnswer::Cut => Self::connection_broken(),
            NoAnswer::Broken(reason) => Self::broken_answer(&reason),
        }
    }
}

/// Returns the causes of an error, the direct one first.
pub(super) fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(error.source(), |cause| (*cause).source())
}

/// Returns whether the message of a cause contains a text: libraries distinguish some errors by their messages only.
pub(super) fn mentions(error: &reqwest::Error, text: &str) -> bool {
    causes(error).any(|cause| cause.to_string().contains(text))
}

pub(super) fn io_kinds(error: &reqwest::Error) -> impl Iterator<Item = io::ErrorKind> {
    causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind)
}

/// Truncates a text that is too long to show.
pub(crate) fn truncate(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT) {
        text.truncate(end);
        text.push('…');
    }
    text
}
