//! The errors of starting the practice tenant.

use std::{io, net::SocketAddr, path::PathBuf};

use mmd_elevate_core::visible;

/// Why the practice tenant cannot be served. The text follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum PracticeError {
    /// The address can be reached from other machines.
    #[error("serve the practice tenant on {listen}: it is for this machine alone, so the address must be loopback")]
    NotLoopback {
        /// The requested address.
        listen: SocketAddr,
    },
    /// The address cannot be bound.
    #[error("serve the practice tenant on {listen}")]
    Unavailable {
        /// The requested address.
        listen: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The embedded data cannot be parsed: a mistake in the build.
    #[error("read the data of the practice tenant")]
    Data(#[source] serde_json::Error),
    /// The tenant cannot be stored in the folder.
    #[error("keep the practice tenant in {}", visible(&.folder.to_string_lossy()))]
    Storage {
        /// The folder.
        folder: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl PracticeError {
    /// Returns what the user can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotLoopback { .. } => Some("use 127.0.0.1 or [::1]"),
            Self::Unavailable { .. } => Some("take another port, or 0 for any that is free"),
            Self::Storage { .. } => {
                Some("see whether the state folder can be written, or name another with --state-dir")
            }
            Self::Data(_) => None,
        }
    }
}
