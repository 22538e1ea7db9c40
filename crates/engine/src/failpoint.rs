//! Failpoints for tests: places where the program panics or is killed on request, so that tests can check the terminal, the
//! calls and the record afterwards. They exist in debug builds only.

use std::env;

/// Panics if `MMD_ELEVATE_PANIC` names this place: `loop`, `input` or `call`.
///
/// # Panics
/// On request, in debug builds only.
pub fn panic_if_asked(place: &str) {
    assert!(!is_asked("MMD_ELEVATE_PANIC", place), "asked to panic: {place}");
}

/// Kills the process with SIGKILL if `MMD_ELEVATE_DIE` names this moment of a write: `before-recording`, `after-recording` (nothing
/// has been sent) or `after-answer` (the outcome is not recorded); or of setting a damaged record aside: `while-setting-aside` or
/// `after-setting-aside`.
pub fn die_if_asked(moment: &str) {
    if is_asked("MMD_ELEVATE_DIE", moment) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal ends all threads, but this one may continue for a moment.
        loop {
            std::thread::park();
        }
    }
}

fn is_asked(variable: &str, place: &str) -> bool {
    cfg!(debug_assertions) && env::var_os(variable).is_some_and(|asked| asked == place)
}
