//! Everything that belongs to Unix: the terminal device, signals, job control, programs without our terminal, the time zone and the watch for a vanished terminal.
//!
//! The rest of the program asks this module and names no system call of its own, but where it opens private files.

#[cfg(not(unix))]
compile_error!(
    "mmd-elevate needs a Unix terminal: another platform gets a module beside `platform`, not changes in the rest"
);

mod core_dump;
mod ending;
mod file_limit;
mod job;
mod reader;
mod tmux;
mod tty;
mod user;
mod zone;

pub use core_dump::forbid_core_files;
pub use ending::{Ending, Loan, SystemEvent, watch};
pub use file_limit::survive_file_limit;
pub use job::{has_shell, stop_until_continued};
pub(crate) use reader::{TerminalReader, Waker, terminal_reader};
pub(crate) use tmux::{InTmux, copy_in_tmux, is_in_tmux};
pub use tty::{Output, can_draw, can_print, give_back, is_ours, missing_terminal, size};
pub(crate) use tty::{catch_up, forget_settings, is_behind, lend, room, take};
pub use user::user;
pub(crate) use zone::time_zone;
