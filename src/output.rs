//! Prints before and after the dashboard, and for commands. Nothing else may print: a line that is printed into the dashboard
//! spoils the screen.

use std::{
    error::Error,
    io::{self, IsTerminal as _, Write as _, stderr, stdout},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use clap::Args;
use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::redact::redact;

use crate::exit::Exit;

/// The flags that say how results are printed.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct OutputFlags {
    /// Print results as JSON, for programs
    #[arg(long, global = true, conflicts_with = "plain")]
    pub json: bool,
    /// Print one line for each result, its fields separated by two blanks
    #[arg(long, global = true)]
    pub plain: bool,
    /// Print no progress and no messages but problems
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Print no colours; the variable `NO_COLOR` does the same
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// The names of the flags, in the order of [`OutputFlags`].
pub(crate) const OUTPUT_FLAG_NAMES: [&str; 4] = ["--json", "--plain", "--quiet", "--no-color"];

impl OutputFlags {
    /// Returns the names of the flags that are given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let Self { json, plain, quiet, no_color } = *self;
        OUTPUT_FLAG_NAMES
            .into_iter()
            .zip([json, plain, quiet, no_color])
            .filter(|(_, is_given)| *is_given)
            .map(|(flag, _)| flag)
            .collect()
    }
}

/// The form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputForm {
    /// Sentences and tables for people, on a terminal.
    Human,
    /// One line for each result: where nobody said otherwise and there is no terminal.
    Plain,
    /// JSON.
    Json,
}

/// How a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// The form of results.
    pub form: OutputForm,
    /// Whether only problems are told beside results.
    pub quiet: bool,
}

impl Output {
    /// Returns how this process prints with these flags.
    #[must_use]
    pub fn new(flags: &OutputFlags) -> Self {
        let form = match flags {
            OutputFlags { json: true, .. } => OutputForm::Json,
            OutputFlags { plain: true, .. } => OutputForm::Plain,
            OutputFlags { .. } if stdout().is_terminal() => OutputForm::Human,
            OutputFlags { .. } => OutputForm::Plain,
        };
        Self { form, quiet: flags.quiet }
    }

    /// Prints what is under way to standard error, if that is a terminal.
    pub fn progress(self, text: &str) {
        if !self.quiet && stderr().is_terminal() {
            print_error(&format!("{text}\n"));
        }
    }

    /// Prints a message to standard error.
    pub fn message(self, text: &str) {
        if !self.quiet {
            print_error(&format!("mmd-elevate: {text}\n"));
        }
    }
}

/// Prints something that is wrong, and does not keep the command from going on, to standard error.
pub fn warn(problem: &impl Error) {
    print_error(&format!("mmd-elevate: {problem}\n"));
}

/// Returns a line of plain fields: visible and harmless, each with single blanks only, separated by two. An empty one is `-`.
#[must_use]
pub fn plain_line<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let field = |field: &str| {
        let words: Vec<_> = field.split_whitespace().map(visible).collect();
        if words.is_empty() { "-".to_owned() } else { words.join(" ") }
    };
    let fields: Vec<_> = fields.into_iter().map(field).collect();
    format!("{}\n", fields.join("  "))
}

/// Removes secrets, and marks whatever a terminal would act on: errors repeat paths, arguments and settings.
fn sanitize(text: &str) -> String {
    redact(text).lines().flat_map(|line| [visible(line), "\n".into()]).collect()
}

/// Prints sanitized text to standard error. Unlike `eprintln!`, it does not panic if the reader is gone.
pub fn print_error(text: &str) {
    let _ = stderr().write_all(sanitize(text).as_bytes());
}

/// Prints a [`Problem`], or an error that displays several, and returns the exit code.
#[must_use]
pub fn fail(exit: Exit, error: &impl Error) -> ExitCode {
    print_error(&format!("mmd-elevate: {error}\n"));
    exit.into()
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

/// Prints what came of a write and returns the exit code. Where it cannot be printed, `summary` says what came of it all the same.
#[must_use]
pub fn print_outcome(text: &str, code: ExitCode, summary: &str) -> ExitCode {
    let Err(error) = print(text) else { return code };
    if error.kind() != io::ErrorKind::BrokenPipe {
        print_error(&format!("mmd-elevate: {summary}\n"));
    }
    exit_code_after(&error, code)
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
    fail(Exit::Failed, &Problem::new(format!("failed to print: {reason}"), hint))
}

/// Whether `--no-color` is given.
static COLOUR_OFF: AtomicBool = AtomicBool::new(false);

/// Turns colours off for this process.
pub fn turn_colour_off() {
    COLOUR_OFF.store(true, Ordering::Relaxed);
}

/// Returns whether the command line or the environment turns colours off (no-color.org).
#[must_use]
pub fn is_colour_off() -> bool {
    COLOUR_OFF.load(Ordering::Relaxed) || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
