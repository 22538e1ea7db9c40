//! What is printed before and after the dashboard, and by commands. Nothing else prints: a line that is printed into the
//! dashboard spoils the screen.

use std::{
    fmt::Display,
    io::{self, Write as _, stderr, stdout},
    process::ExitCode,
};

use mmd_elevate_core::visible;
use mmd_elevate_engine::redact::redact;

/// Text for standard error, without secrets, a mark for whatever a terminal would act on: paths, arguments and settings
/// are repeated there.
fn harmless(text: &str) -> String {
    redact(text).lines().flat_map(|line| [visible(line), "\n".into()]).collect()
}

/// Writes text to standard error, made harmless. `eprintln!` would panic where nobody is left to read it.
pub fn complain(text: &str) {
    let _ = stderr().write_all(harmless(text).as_bytes());
}

/// Tells what happened, then what to do about it. Returns exit code 1.
#[must_use]
pub fn refuse(what: impl Display, hint: Option<&str>) -> ExitCode {
    let hint = hint.map_or_else(String::new, |hint| format!("hint: {hint}\n"));
    complain(&format!("mmd-elevate: {what}\n{hint}"));
    ExitCode::FAILURE
}

/// Prints to standard output, all of it.
///
/// # Errors
/// Where standard output does not take it.
pub fn print(text: &str) -> io::Result<()> {
    let mut output = stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Prints the last that a command has to say, and ends it with this code.
#[must_use]
pub fn finish(text: &str, code: ExitCode) -> ExitCode {
    print(text).map_or_else(|error| unprinted(&error, code), |()| code)
}

/// The end of a command whose output was not taken. Who closes a pipe has read enough: the command ends quietly, with
/// the code that it would have had. Anything else is a failure.
#[must_use]
pub fn unprinted(error: &io::Error, code: ExitCode) -> ExitCode {
    match error.kind() {
        io::ErrorKind::BrokenPipe => code,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            refuse("failed to print: the disk is full", Some("make room, or print to another place"))
        }
        io::ErrorKind::FileTooLarge => refuse(
            "failed to print: the limit on the size of files is reached",
            Some("raise the limit (ulimit -f), or print to another place"),
        ),
        _ => refuse(format!("failed to print: {error}"), Some("print to another place")),
    }
}

/// Whether the person wants no colours (no-color.org).
#[must_use]
pub fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
