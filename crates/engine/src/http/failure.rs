//! A request that came to no answer: what that proves, and why.

use std::{error::Error, io, iter, time::Duration};

use super::unreached;
use mmd_elevate_core::CallErrorKind;

/// The longest text of a service's or of a library's that is shown, in characters.
pub(crate) const LONGEST_TEXT: usize = 500;

/// Reads the client's error. `authority` is whom the call was for, `connect` how long connecting was given.
pub(crate) fn kind(error: &reqwest::Error, authority: &str, connect: Duration) -> CallErrorKind {
    if error.is_builder() {
        return CallErrorKind::NotSent { reason: "the request could not be made".to_owned() };
    }
    // Nothing else proves that nothing was sent: a time-out before it must not hide it.
    if error.is_connect() {
        return unreached::kind(error, authority, connect);
    }
    if error.is_timeout() {
        return CallErrorKind::TimedOut;
    }
    // Libraries tell these by their words alone. Should the words change, it is a cut: as unknown as this.
    let said = |words: &str| chain(error).any(|cause| cause.to_string().contains(words));
    if said("parsed") || said("too large") {
        CallErrorKind::BrokenAnswer { reason: "it is not HTTP".to_owned() }
    } else if io_kinds(error).any(|kind| matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)) {
        CallErrorKind::BrokenAnswer { reason: "its compression is damaged".to_owned() }
    } else {
        CallErrorKind::Cut
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
