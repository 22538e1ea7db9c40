//! Edits a long text in the user's own editor.
//!
//! The editor's file may be the only copy of what was written. Only [`EditorFile::discard`] deletes it, which is called when
//! the text was applied or is known to be unchanged.

mod outcome;
mod saved_file;

use std::{
    env,
    ffi::OsStr,
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use crate::platform::ForegroundProgram;
use mmd_elevate_core::{Problem, visible};
use outcome::{EditOutcome, EditorEnd, decide};
use saved_file::{SavedFile, read};

/// The editor if no variable names one.
const DEFAULT_EDITOR: &str = "vi";
/// The name of the file in its folder.
const FILE_NAME: &str = "text.md";

/// The program and its arguments before the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditorCommand {
    program: String,
    arguments: Vec<String>,
}

fn not_started(reason: &str, hint: &str) -> Problem {
    Problem::new(format!("The editor was not started: {reason}"), hint)
}

fn start_problem(program: &str, error: &io::Error) -> Problem {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "is not executable".to_owned(),
        _ => format!("cannot be run: {error}"),
    };
    let hint = "set VISUAL or EDITOR to a program that is installed";
    not_started(&format!("{} {reason}", visible(program)), hint)
}

fn folder_problem(folder: &Path, error: &io::Error) -> Problem {
    let other_folder = "set TMPDIR to a folder that exists and is writable";
    let (reason, hint) = match error.kind() {
        io::ErrorKind::NotFound => ("does not exist".to_owned(), other_folder),
        io::ErrorKind::NotADirectory => ("is not a folder".to_owned(), other_folder),
        io::ErrorKind::PermissionDenied => ("is not writable".to_owned(), other_folder),
        io::ErrorKind::ReadOnlyFilesystem => ("is read-only".to_owned(), other_folder),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            ("is full".to_owned(), "make room there, or set TMPDIR to another folder")
        }
        _ => (format!("cannot be used: {error}"), other_folder),
    };
    not_started(&format!("the temporary folder {} {reason}", visible(&folder.to_string_lossy())), hint)
}

impl EditorCommand {
    /// Returns the command of `VISUAL`, or else of `EDITOR`, or else `vi`.
    ///
    /// # Errors
    /// The command has an open quote.
    pub fn from_environment() -> Result<Self, Problem> {
        Self::first_of([env::var("VISUAL").ok(), env::var("EDITOR").ok()])
    }

    fn first_of(variables: [Option<String>; 2]) -> Result<Self, Problem> {
        let named = variables.into_iter().flatten().find(|command| !command.trim().is_empty());
        Self::parse(named.as_deref().unwrap_or(DEFAULT_EDITOR))
    }

    /// Splits a command such as `code --wait` like a shell. No shell runs it, and nothing in it is expanded.
    ///
    /// # Errors
    /// The command has an open quote.
    pub fn parse(command: &str) -> Result<Self, Problem> {
        let mut arguments = shlex::split(command).unwrap_or_default().into_iter();
        let program = arguments.next().ok_or_else(|| {
            let reason = format!("its command has an open quote: {}", visible(command));
            not_started(&reason, "close the quote in VISUAL or EDITOR")
        })?;
        Ok(Self { program, arguments: arguments.collect() })
    }

    /// Returns the name of the program without its folder.
    fn name(&self) -> &str {
        Path::new(&self.program).file_name().and_then(OsStr::to_str).unwrap_or(&self.program)
    }
}

/// The file of an editor, in a folder of its own (0600 in 0700). Dropping this does not delete it.
#[derive(Debug)]
#[must_use = "the file exists until it is discarded"]
pub struct EditorFile {
    folder: PathBuf,
    path: PathBuf,
}

impl EditorFile {
    fn create(text: &str) -> Result<Self, Problem> {
        let temporary = std::path::absolute(env::temp_dir()).unwrap_or_else(|_| env::temp_dir());
        let failed = |error| folder_problem(&temporary, &error);
        let mut builder = tempfile::Builder::new();
        builder.prefix("mmd-elevate-").permissions(Permissions::from_mode(0o700));
        let folder = builder.tempdir_in(&temporary).map_err(failed)?.keep();
        let file = Self { path: folder.join(FILE_NAME), folder };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        match options.open(&file.path).and_then(|mut opened| opened.write_all(text.as_bytes())) {
            Ok(()) => Ok(file),
            Err(error) => {
                file.discard();
                Err(failed(error))
            }
        }
    }

    /// Returns the full path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the file and all others in its folder.
    pub fn discard(self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "failed to delete the editor's file");
        }
    }

    /// Returns whether the folder holds other files, such as a swap file or a text under another name.
    fn has_other_files(&self) -> bool {
        let names = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        names.into_iter().any(|entry| entry.file_name() != FILE_NAME)
    }

    /// Returns the path to show to the agent: the file, or its folder if that holds other files.
    fn shown_path(&self) -> &Path {
        if self.has_other_files() || fs::symlink_metadata(&self.path).is_err() { &self.folder } else { &self.path }
    }
}

/// The result of an edit.
#[derive(Debug)]
pub struct EditResult {
    /// The text that the editor saved, or `None` if the text is unchanged.
    pub text: Option<String>,
    /// What to tell the agent, if anything.
    pub problem: Option<Problem>,
    /// Whether the file must not be discarded, because it holds something that is nowhere else, or may do so later.
    pub keep_file: bool,
    /// The editor's file.
    pub file: EditorFile,
}

/// Runs the editor on the text and returns the result. It blocks until the editor ends; the surface must be suspended. Line
/// ends become `\n`, and a final one that the editor added is removed.
///
/// # Errors
/// The editor was not started.
pub fn edit(text: &str, editor: &EditorCommand) -> Result<EditResult, Problem> {
    // Declared first, so that it is dropped last.
    let foreground = ForegroundProgram::begin();
    let file = EditorFile::create(text)?;
    tracing::info!(file = %file.path.display(), "started an editor");
    let mut command = Command::new(&editor.program);
    command.args(&editor.arguments).arg(&file.path);
    let started = Instant::now();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            file.discard();
            return Err(start_problem(&editor.program, &error));
        }
    };
    let end = EditorEnd::new(foreground.wait_for(&mut child), started.elapsed());
    let (saved, has_other_files) = (read(&file.path, text), file.has_other_files());
    let EditOutcome { use_text, mut problem, keep_file } =
        decide(editor.name(), &end, &saved, has_other_files, text.is_empty());
    if let Some(Problem { hint, .. }) = problem.as_mut().filter(|_| keep_file) {
        let separator = if hint.is_empty() { "" } else { "; " };
        *hint = format!("it is kept: {}{separator}{hint}", visible(&file.shown_path().to_string_lossy()));
    }
    let text = match saved {
        SavedFile::Text(text) | SavedFile::Guessed(text) if use_text => Some(text),
        _ => None,
    };
    Ok(EditResult { text, problem, keep_file, file })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> EditorCommand {
        EditorCommand::parse(text).unwrap()
    }

    fn arguments(editor: &EditorCommand) -> Vec<&str> {
        std::iter::once(&editor.program).chain(&editor.arguments).map(String::as_str).collect()
    }

    fn saved(text: &str, editor: &str) -> String {
        let EditResult { text, file, .. } = edit(text, &command(editor)).unwrap();
        file.discard();
        text.unwrap()
    }

    #[test]
    fn command_is_split_like_a_shell_and_nothing_is_expanded() {
        assert_eq!(arguments(&command("code --wait")), ["code", "--wait"]);
        assert_eq!(
            arguments(&command("'/opt/my editor/ed' -c 'set tw=72' $HOME *")),
            ["/opt/my editor/ed", "-c", "set tw=72", "$HOME", "*"]
        );
        assert!(EditorCommand::parse("vi 'oops").unwrap_err().what.contains("open quote"));
        assert_eq!(command("'/opt/my editor/ed' -c").name(), "ed");
    }

    #[test]
    fn visual_precedes_editor_and_a_blank_one_does_not_count() {
        let first = |visual: &str, editor: &str| {
            EditorCommand::first_of([visual, editor].map(|value| Some(value.to_owned()))).unwrap().program
        };
        assert_eq!(first("code -w", "nano"), "code");
        assert_eq!(first(" ", "nano"), "nano");
        assert_eq!(first("", ""), "vi");
        assert_eq!(EditorCommand::first_of([None, None]).unwrap().program, "vi");
    }

    #[test]
    fn saved_text_is_returned() {
        assert_eq!(saved("first ", r#"sh -c 'printf "second\r\nthird\n" >>"$0"'"#), "first second\nthird");
        assert_eq!(saved("kept\n", r#"sh -c 'printf "kept\n\n" >"$0"'"#), "kept\n\n");
        assert_eq!(saved("kept", r#"sh -c 'printf "" >"$0"'"#), "");
    }

    #[test]
    fn file_is_private_and_discard_deletes_it() {
        let listing = saved("", r#"sh -c 'stat -c "%a %n" "$0" "${0%/*}" >"$0.x"; touch "$0~"; mv "$0.x" "$0"'"#);
        let lines: Vec<_> = listing.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), ["600", "700"]);
        assert!(lines.iter().all(|line| !fs::exists(line.1).unwrap()), "{listing}");
    }

    #[test]
    fn editor_that_cannot_start_is_an_error_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        let reason = |program: &str| {
            let what = edit("kept", &command(program)).unwrap_err().what;
            what.strip_prefix("The editor was not started: ").unwrap().to_owned()
        };
        assert_eq!(reason("no-such-editor -x"), "no-such-editor does not exist");
        assert_eq!(reason(plain.to_str().unwrap()), format!("{} is not executable", plain.display()));
    }
}
