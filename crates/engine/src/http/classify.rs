//! Classifies an error of the HTTP library.

use std::{io, time::Duration};

use super::{
    failure::{NoAnswer, io_kinds, mentions},
    unreached,
};

/// Classifies an error of the client. `authority` names the server, and `connect` is the time limit for connecting.
pub(crate) fn classify(error: &reqwest::Error, authority: &str, connect: Duration) -> NoAnswer {
    if error.is_builder() {
        return NoAnswer::NotSent("the request could not be made".to_owned());
    }
    // Only this proves that nothing was sent, so it precedes the check for a time-out.
    if error.is_connect() {
        return unreached::explain(error, authority, connect);
    }
    if error.is_timeout() {
        return NoAnswer::TimedOut;
    }
    // If the library's messages change, these errors count as `Cut`, which is unknown too.
    if mentions(error, "parsed") || mentions(error, "too large") {
        NoAnswer::Broken("it is not HTTP".to_owned())
    } else if io_kinds(error).any(|kind| matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)) {
        NoAnswer::Broken("its compression is damaged".to_owned())
    } else {
        NoAnswer::Cut
    }
}
