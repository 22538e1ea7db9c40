//! The local user.

use std::env;

/// Returns the local user's name for the record, or the user id if the environment has no name.
#[must_use]
pub fn user() -> String {
    ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|user| !user.trim().is_empty()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::geteuid().as_raw()))
}
