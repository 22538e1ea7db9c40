//! Prints before and after the dashboard, and for commands. Nothing else may print: a line that is printed into the dashboard
//! spoils the screen.

use std::{
    error::Error,
    io::{self, Write as _, stderr, stdout},
    process::ExitCode,
};

use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::redact::redact;

/// Removes secrets, and marks whatever a terminal would act on: errors repeat paths, arguments and settings.
fn sanitize(text: &str) -> String {
    redact(text).lines().flat_map(|line| [visible(line), "\n".into()]).collect()
}

/// Prints sanitized text to standard error. Unlike `eprintln!`, it does not panic if the reader is gone.
pub fn print_error(text: &str) {
    let _ = stderr().write_all(sanitize(text).as_bytes());
}

/// Prints a [`Problem`], or an error that displays several, and returns exit code 1.
#[must_use]
pub fn fail(error: &impl Error) -> ExitCode {
    print_error(&format!("mmd-elevate: {error}\n"));
    ExitCode::FAILURE
}

/// Prints to standard output.
///
/// # Errors
/// Standard output does not take all of the text.
pub fn print(text: &str) -> io::Result<()> {
    let mut output = stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Prints the result of a command and returns its exit code.
#[must_use]
pub fn print_result(text: &str, code: ExitCode) -> ExitCode {
    print(text).map_or_else(|error| exit_code_after(&error, code), |()| code)
}

/// Returns the exit code of a command whose output was not taken. A closed pipe is no failure: its reader has read enough.
/// Any other error is printed.
#[must_use]
pub fn exit_code_after(error: &io::Error, code: ExitCode) -> ExitCode {
    let (reason, hint) = match error.kind() {
        io::ErrorKind::BrokenPipe => return code,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ("the disk is full".to_owned(), "make room, or print to another place")
        }
        io::ErrorKind::FileTooLarge => (
            "the limit on the size of files is reached".to_owned(),
            "raise the limit (ulimit -f), or print to another place",
        ),
        _ => (error.to_string(), "print to another place"),
    };
    fail(&Problem::new(format!("failed to print: {reason}"), hint))
}

/// Returns whether the environment turns colours off (no-color.org).
#[must_use]
pub fn is_colour_off() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
