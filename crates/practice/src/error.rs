//! Why practice is not to be had.

use std::{io, net::SocketAddr, path::PathBuf};

use mmd_elevate_core::visible;

/// Why the practice tenant cannot be served. The text fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum PracticeError {
    /// The address can be reached from elsewhere.
    #[error("serve the practice tenant on {listen}: it is for this machine alone, so the address must be loopback")]
    NotLoopback {
        /// The address that was asked for.
        listen: SocketAddr,
    },
    /// The address cannot be had.
    #[error("serve the practice tenant on {listen}")]
    Unavailable {
        /// The address that was asked for.
        listen: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The embedded data are not what the program expects: a mistake in the build.
    #[error("read the data of the practice tenant")]
    Data(#[source] serde_json::Error),
    /// The folder cannot keep the tenant.
    #[error("keep the practice tenant in {}", visible(&.folder.to_string_lossy()))]
    Keep {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl PracticeError {
    /// What to do about it, where something can be done.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotLoopback { .. } => Some("use 127.0.0.1 or [::1]"),
            Self::Unavailable { .. } => Some("take another port, or 0 for any that is free"),
            Self::Keep { .. } => Some("see whether the state folder can be written, or name another with --state-dir"),
            Self::Data(_) => None,
        }
    }
}
