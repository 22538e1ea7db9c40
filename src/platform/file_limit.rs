//! A limit on the size of files (`ulimit -f`), which is met like a full disk.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{consts::SIGXFSZ, flag};

/// Has a write beyond the limit fail, where it would end the process by a signal. Call it before anything is written.
///
/// # Errors
/// Where no handler can be had.
pub fn survive_file_limit() -> io::Result<()> {
    // A handler that does nothing to speak of: ignoring the signal would be handed on to the programs that are started.
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(drop)
}
