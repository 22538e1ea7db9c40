//! Job control: stops the program as a shell expects, and continues it. It never touches the terminal.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::process::{Signal, getpgrp, getsid, kill_current_process_group};
use signal_hook::{consts::SIGSTOP, low_level::raise};

/// Whether the SIGTSTP that this process sent to its own group has not arrived yet.
static OWN_STOP: AtomicBool = AtomicBool::new(false);

/// Whether this process has stopped itself, so that the SIGCONT that follows is no news.
static OWN_CONTINUATION: AtomicBool = AtomicBool::new(false);

/// Returns whether a shell with job control can continue a stopped program. Such a shell gives each job a process group of
/// its own. In the group of the session leader (`xterm -e`, a new tmux window, a container) there is nobody to type `fg`.
#[must_use]
pub fn has_shell() -> bool {
    getsid(None).is_ok_and(|session| session != getpgrp())
}

/// Stops the whole job, as Ctrl-Z does, and returns when it is continued.
///
/// The signal goes to the whole group, because a shell that runs `cargo run` or a script waits for the group. This process
/// itself stops by SIGSTOP, because the handler of SIGTSTP replaces the default action.
///
/// # Errors
/// The signal cannot be sent.
pub fn stop_until_continued() -> io::Result<()> {
    OWN_STOP.store(true, Ordering::SeqCst);
    kill_current_process_group(Signal::TSTP)?;
    stop_process()
}

fn stop_process() -> io::Result<()> {
    OWN_CONTINUATION.store(true, Ordering::SeqCst);
    let stopped = raise(SIGSTOP);
    if stopped.is_err() {
        OWN_CONTINUATION.store(false, Ordering::SeqCst);
    }
    stopped
}

/// Stops this process only: the rest of the group received the same SIGTSTP.
pub(super) fn stop_with_group() {
    if has_shell() {
        let _ = stop_process();
    }
}

/// Returns whether a SIGTSTP is the one that this process sent, and resets that.
pub(super) fn take_own_stop() -> bool {
    OWN_STOP.swap(false, Ordering::SeqCst)
}

/// Returns whether a SIGCONT ends the stop of this process by itself, and resets that.
pub(super) fn take_own_continuation() -> bool {
    OWN_CONTINUATION.swap(false, Ordering::SeqCst)
}
