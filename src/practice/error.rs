//! Why practice is not to be had.

use std::{io, net::SocketAddr};

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
    /// The listening socket failed.
    #[error("go on serving the practice tenant")]
    Stopped(#[source] io::Error),
}
