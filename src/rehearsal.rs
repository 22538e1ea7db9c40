//! Panics on purpose, so that tests can see what becomes of the terminal and of the calls when the real program has a
//! fault: nothing that is typed or answered is known to make it panic. Debug builds alone can; a release build has
//! nothing of this.

use std::env;

/// Panics where `MMD_ELEVATE_PANIC` names this place: `loop`, `input` or `call`.
pub(crate) fn panic_if_asked(place: &str) {
    let asked = cfg!(debug_assertions) && env::var_os("MMD_ELEVATE_PANIC").is_some_and(|asked| asked == place);
    assert!(!asked, "asked to panic: {place}");
}
