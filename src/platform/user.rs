//! Who works here.

use std::env;

/// The local user's name, for the record of who did what; the number where the environment has no name.
#[must_use]
pub fn user() -> String {
    ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|user| !user.trim().is_empty()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::geteuid().as_raw()))
}
