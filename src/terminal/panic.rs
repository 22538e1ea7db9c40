//! What a panic does to the screen.

use std::{
    panic::{self, PanicHookInfo},
    thread,
};

use super::input;
use crate::platform;

/// Puts itself before the hook that is installed (color-eyre's), so install that one first.
///
/// A panic of the loop or of the input thread is the program's end: the terminal is given back, then the report is
/// printed. On any other thread it is the failure of one call, which its task's owner reports: while the dashboard is on
/// the screen, that is left alone and the log gets place and message.
pub fn install_panic_hook() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let ends_the_program = matches!(thread::current().name(), Some("main" | input::NAME));
        if platform::is_ours() && !ends_the_program {
            tracing::error!(at = place(info), message = message(info), "a task panicked");
        } else {
            platform::give_back();
            // A hook that fails to print panics itself, and that aborts before drop guards have run.
            if platform::can_print() {
                report(info);
            }
        }
    }));
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location().map_or_else(|| "unknown".into(), ToString::to_string)
}

fn message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
