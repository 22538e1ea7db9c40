//! Everything that is specific to Unix: the terminal device, signals, job control, tmux, the browser, the time zone and the user.
//!
//! The rest of the program makes no system call of its own, except to open private files.

#[cfg(not(unix))]
compile_error!(
    "mmd-elevate needs a Unix terminal: another platform gets a module beside `platform`, not changes in the rest"
);

mod browser;
mod core_dump;
mod file_size_limit;
mod job;
mod reader;
mod signals;
mod tmux;
mod tty;
mod user;
mod zone;

pub(crate) use browser::{Opener, open_address, openers};
pub use core_dump::disable_core_dumps;
pub use file_size_limit::handle_file_size_limit;
pub use job::{has_shell, stop_until_continued};
pub(crate) use reader::{TerminalReader, Waker, terminal_reader};
pub use signals::{ForegroundProgram, SystemEvent, Termination, end_on_signals, watch};
pub(crate) use tmux::{TmuxCopy, copy_in_tmux, is_in_tmux};
pub use tty::{TtyOutput, can_draw, can_print, give_back, is_taken, missing_terminal, size};
pub(crate) use tty::{capture_mouse, flush, forget_settings, is_behind, lend, set_title, take, writable};
pub use user::user;
pub(crate) use zone::time_zone;
