//! Gives the terminal back when a panic ends the program. It never hides the report of the panic.

use std::{
    panic::{self, PanicHookInfo},
    thread,
};

use super::input;
use crate::platform;

/// Installs a hook that runs before the present one (color-eyre's), so install that one first.
///
/// A panic of the loop or of the input thread ends the program: the terminal is given back, then the report is printed. On
/// any other thread it is the failure of one call, which the owner of the task reports: while the dashboard has the
/// terminal, only the log gets the place and the message.
pub fn install_panic_hook() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let ends_the_program = matches!(thread::current().name(), Some("main" | input::THREAD_NAME));
        if platform::is_taken() && !ends_the_program {
            tracing::error!(at = place(info), message = message(info), "a task panicked");
        } else {
            platform::give_back();
            // A hook that cannot print panics, which aborts the process before guards are dropped.
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
