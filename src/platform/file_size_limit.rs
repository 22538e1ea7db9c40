//! Handles the limit on the size of files (`ulimit -f`) like a full disk.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{consts::SIGXFSZ, flag};

/// Makes a write beyond the limit fail instead of ending the process by a signal. Call it before anything is written.
///
/// # Errors
/// The handler cannot be installed.
pub fn handle_file_size_limit() -> io::Result<()> {
    // A handler, because child processes would inherit an ignored signal.
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(drop)
}
