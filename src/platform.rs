//! Everything that belongs to Unix: the terminal device, signals, job control, programs without our terminal, the time zone and the watch for a vanished terminal.
//!
//! The rest of the program asks this module and names no system call of its own, but where it opens private files.

#[cfg(not(unix))]
compile_error!(
    "mmd-elevate needs a Unix terminal: another platform gets a module beside `platform`, not changes in the rest"
);

mod core_dump;
mod detached;
mod ending;
mod job;
mod tty;
mod user;
mod zone;

pub use core_dump::forbid_core_files;
pub(crate) use detached::{DetachedError, MOST_PRINTED, Printed, run_detached};
pub use ending::{Ending, Loan, SystemEvent, watch};
pub(crate) use job::wake_reader;
pub use job::{has_shell, stop_until_continued};
pub use tty::{Output, can_print, give_back, is_ours, missing_terminal, size};
pub(crate) use tty::{forget_settings, lend, take};
pub use user::user;
pub(crate) use zone::time_zone;
