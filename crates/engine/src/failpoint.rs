//! Panics and deaths on purpose, so that tests can see what becomes of the terminal, of the calls and of the record when
//! the real program has a fault or is killed: nothing that is typed or answered is known to make it panic. Debug builds
//! alone can; a release build has nothing of this.

use std::env;

/// Panics where `MMD_ELEVATE_PANIC` names this place: `loop`, `input` or `call`.
///
/// # Panics
/// On purpose, in debug builds alone.
pub fn panic_if_asked(place: &str) {
    assert!(!is_asked("MMD_ELEVATE_PANIC", place), "asked to panic: {place}");
}

/// The process is gone at once, as with `kill -9`, where `MMD_ELEVATE_DIE` names this moment of a write: `before-intent`,
/// `after-intent` (nothing has been sent) or `after-answer` (the record does not know of it).
pub fn die_if_asked(moment: &str) {
    if is_asked("MMD_ELEVATE_DIE", moment) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal ends every thread, though not before this one goes on.
        loop {
            std::thread::park();
        }
    }
}

fn is_asked(variable: &str, place: &str) -> bool {
    cfg!(debug_assertions) && env::var_os(variable).is_some_and(|asked| asked == place)
}
