//! A request that came to no answer: what that proves, and why.

use std::{error::Error, io, iter, time::Duration};

use crate::{domain::visible, port::FaultKind};

/// The longest text of a service's or of a library's that is shown, in characters.
pub(crate) const LONGEST_TEXT: usize = 500;

/// Reads the client's error. `authority` is whom the call was for, `connect` how long connecting was given.
pub(crate) fn kind(error: &reqwest::Error, authority: &str, connect: Duration) -> FaultKind {
    if error.is_builder() {
        return FaultKind::NotSent { reason: "the request could not be made".to_owned() };
    }
    // Nothing else proves that nothing was sent: a time-out before it must not hide it.
    if error.is_connect() {
        return FaultKind::NotReached { reason: not_reached(error, authority, connect) };
    }
    if error.is_timeout() {
        return FaultKind::TimedOut;
    }
    // Libraries tell these by their words alone. Should the words change, it is a cut: as unknown as this.
    let said = |words: &str| chain(error).any(|cause| cause.to_string().contains(words));
    if said("parsed") || said("too large") {
        FaultKind::BrokenAnswer { reason: "it is not HTTP".to_owned() }
    } else if io_kinds(error).any(|kind| matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)) {
        FaultKind::BrokenAnswer { reason: "its compression is damaged".to_owned() }
    } else {
        FaultKind::Cut
    }
}

fn not_reached(error: &reqwest::Error, authority: &str, connect: Duration) -> String {
    if error.is_timeout() {
        return format!("{authority} took no connection within {} s", connect.as_secs_f64());
    }
    if chain(error).any(|cause| cause.to_string().contains("dns error")) {
        return format!("no address is known for {authority}");
    }
    if io_kinds(error).any(|kind| kind == io::ErrorKind::ConnectionRefused) {
        return format!("{authority} refused the connection");
    }
    // The first cause says it all, and no library puts the URL there.
    let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
    let cause = visible(&cause);
    if cause.contains("certificate") {
        format!("the certificate of {authority} is not trusted ({cause})")
    } else {
        format!("no connection to {authority} ({cause})")
    }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(error.source(), |cause| (*cause).source())
}

fn io_kinds(error: &reqwest::Error) -> impl Iterator<Item = io::ErrorKind> {
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
