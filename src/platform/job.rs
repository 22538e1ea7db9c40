//! Job control: stopping as the shell's user expects.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::process::{Signal, getpgrp, getsid, kill_current_process_group};
use signal_hook::{consts::SIGSTOP, low_level::raise};

/// Set while the SIGTSTP that we send to our own group is on its way back to us.
static OWN_STOP: AtomicBool = AtomicBool::new(false);

/// Set while we have stopped ourselves: who continues us then need not be told of.
static OWN_CONTINUATION: AtomicBool = AtomicBool::new(false);

/// Whether a shell with job control is there to continue a stopped program. Such a shell gives each job a group of its
/// own. In the group of the session's leader (`xterm -e`, a new tmux window, a container) nobody would ever say `fg`.
#[must_use]
pub fn has_shell() -> bool {
    getsid(None).is_ok_and(|session| session != getpgrp())
}

/// Stops the whole job, as Ctrl-Z does, and returns when it is continued.
///
/// The group is told, because a shell that runs `cargo run` or a script waits for that and not for us. We ourselves stop
/// by SIGSTOP, because SIGTSTP has a handler and its default action cannot be had back.
///
/// # Errors
/// Where the system refuses the signal.
pub fn stop_until_continued() -> io::Result<()> {
    OWN_STOP.store(true, Ordering::SeqCst);
    kill_current_process_group(Signal::TSTP)?;
    stop()
}

fn stop() -> io::Result<()> {
    OWN_CONTINUATION.store(true, Ordering::SeqCst);
    let stopped = raise(SIGSTOP);
    if stopped.is_err() {
        OWN_CONTINUATION.store(false, Ordering::SeqCst);
    }
    stopped
}

/// Stops this process alone: the rest of the group got the same SIGTSTP that we got.
pub(super) fn stop_along() {
    if has_shell() {
        let _ = stop();
    }
}

/// Whether a SIGTSTP is the echo of our own. Asking uses it up.
pub(super) fn is_own_stop() -> bool {
    OWN_STOP.swap(false, Ordering::SeqCst)
}

/// Whether a SIGCONT ends our own stop. Asking uses it up.
pub(super) fn is_own_continuation() -> bool {
    OWN_CONTINUATION.swap(false, Ordering::SeqCst)
}
