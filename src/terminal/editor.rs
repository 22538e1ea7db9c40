//! A long text in the user's own editor.
//!
//! The file that the editor had may be the only copy of what was written there: nothing here deletes it but
//! [`EditorFile::discard`], which is called once the text was taken over or is known to be as it was.

mod saved;
mod verdict;

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

use crate::platform::Loan;
use saved::{Saved, read};
use verdict::{EditorEnd, EditorVerdict, judge};

/// Where neither variable names one.
const USUAL: &str = "vi";
/// The name of the file in its folder.
const NAME: &str = "text.md";

/// The program and the words that come before the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditorCommand {
    program: String,
    words: Vec<String>,
}

/// Why no editor was started. The text fits after "the editor was not started: ".
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// The variable cannot be split into words.
    #[error("its command has an open quote: {0}")]
    Words(String),
    /// There is no such program, or it may not be run.
    #[error("{program} {}", why_not_run(source))]
    Start {
        /// The program's name as it was given.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be made.
    #[error("the temporary folder {} {}", folder.display(), why_no_file(source))]
    Folder {
        /// The folder for temporary files.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn why_not_run(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is not there".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be run".to_owned(),
        _ => format!("cannot be run: {error}"),
    }
}

fn why_no_file(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::NotADirectory => "is not a folder".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be written".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "is read-only".to_owned(),
        kind if is_full(kind) => "is full".to_owned(),
        _ => format!("cannot be used: {error}"),
    }
}

fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

impl EditorError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Words(_) => "close the quote in VISUAL or EDITOR",
            Self::Start { .. } => "set VISUAL or EDITOR to a program that is installed",
            Self::Folder { source, .. } if is_full(source.kind()) => "make room there, or set TMPDIR to another folder",
            Self::Folder { .. } => "set TMPDIR to a folder that is there and may be written",
        }
    }
}

impl EditorCommand {
    /// From `VISUAL`, then `EDITOR`, then `vi`.
    ///
    /// # Errors
    /// [`EditorError::Words`].
    pub fn from_environment() -> Result<Self, EditorError> {
        Self::first_of([env::var("VISUAL").ok(), env::var("EDITOR").ok()])
    }

    fn first_of(variables: [Option<String>; 2]) -> Result<Self, EditorError> {
        let named = variables.into_iter().flatten().find(|command| !command.trim().is_empty());
        Self::parse(named.as_deref().unwrap_or(USUAL))
    }

    /// Splits as a shell would (`code --wait`), but no shell runs it: nothing in it is expanded.
    ///
    /// # Errors
    /// [`EditorError::Words`].
    pub fn parse(command: &str) -> Result<Self, EditorError> {
        let mut words = shlex::split(command).unwrap_or_default().into_iter();
        let program = words.next().ok_or_else(|| EditorError::Words(command.into()))?;
        Ok(Self { program, words: words.collect() })
    }

    /// The program as people call it: without its folder.
    fn name(&self) -> &str {
        Path::new(&self.program).file_name().and_then(OsStr::to_str).unwrap_or(&self.program)
    }
}

/// The file of an editor, in a folder of its own (0600 in 0700). Dropped, it stays where it is.
#[derive(Debug)]
#[must_use = "the file stays until it is discarded"]
pub struct EditorFile {
    folder: PathBuf,
    path: PathBuf,
}

impl EditorFile {
    fn create(text: &str) -> Result<Self, EditorError> {
        let temporary = std::path::absolute(env::temp_dir()).unwrap_or_else(|_| env::temp_dir());
        let failed = |source| EditorError::Folder { folder: temporary.clone(), source };
        let mut builder = tempfile::Builder::new();
        builder.prefix("mmd-elevate-").permissions(Permissions::from_mode(0o700));
        let folder = builder.tempdir_in(&temporary).map_err(failed)?.keep();
        let file = Self { path: folder.join(NAME), folder };
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

    /// Its full path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the file, and what the editor left beside it.
    pub fn discard(self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "the editor's file is not deleted");
        }
    }

    /// Whether the editor has left something else than the file: a swap file, a text under another name.
    fn has_company(&self) -> bool {
        let names = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        names.into_iter().any(|entry| entry.file_name() != NAME)
    }

    /// What to name to the agent: the file, or the folder where the file is not all there is.
    fn kept(&self) -> &Path {
        if self.has_company() || fs::symlink_metadata(&self.path).is_err() { &self.folder } else { &self.path }
    }
}

/// What has come of an edit.
#[derive(Debug)]
pub struct Edited {
    /// What the editor saved; `None` where the text stays as it was.
    pub text: Option<String>,
    /// What happened and what to do, where the agent has to know.
    pub told: Option<(String, String)>,
    /// Whether the file holds something that is nowhere else, or will: it is not to be discarded.
    pub keeps: bool,
    /// The file that the editor had.
    pub file: EditorFile,
}

/// Lets the editor have the text and returns what it saved. Blocks until the editor ends, so call it where blocking is
/// allowed, with the surface suspended. Line ends become `\n`, and a final one that the editor added is dropped.
///
/// # Errors
/// Where no editor was started; the caller still has the text.
pub fn edit(text: &str, editor: &EditorCommand) -> Result<Edited, EditorError> {
    // Declared first, so that it ends last.
    let loan = Loan::begin();
    let file = EditorFile::create(text)?;
    tracing::info!(file = %file.path.display(), "an editor has the text");
    let mut command = Command::new(&editor.program);
    command.args(&editor.words).arg(&file.path);
    let started = Instant::now();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(source) => {
            file.discard();
            return Err(EditorError::Start { program: editor.program.clone(), source });
        }
    };
    let ended = EditorEnd::from(loan.wait_for(&mut child), started.elapsed());
    let (saved, company) = (read(&file.path, text), file.has_company());
    let EditorVerdict { takes, told, keeps } = judge(editor.name(), &ended, &saved, company, text.is_empty());
    let told = told.map(|(what, hint)| {
        let kept = if keeps { format!("it is kept: {}", file.kept().display()) } else { String::new() };
        (what, [kept, hint.to_owned()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; "))
    });
    let text = match saved {
        Saved::Text(text) | Saved::Guessed(text) if takes => Some(text),
        _ => None,
    };
    Ok(Edited { text, told, keeps, file })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> EditorCommand {
        EditorCommand::parse(text).unwrap()
    }

    fn words(editor: &EditorCommand) -> Vec<&str> {
        std::iter::once(&editor.program).chain(&editor.words).map(String::as_str).collect()
    }

    fn saved(text: &str, editor: &str) -> String {
        let Edited { text, file, .. } = edit(text, &command(editor)).unwrap();
        file.discard();
        text.unwrap()
    }

    #[test]
    fn words_are_split_as_a_shell_would_and_nothing_is_expanded() {
        assert_eq!(words(&command("code --wait")), ["code", "--wait"]);
        assert_eq!(
            words(&command("'/opt/my editor/ed' -c 'set tw=72' $HOME *")),
            ["/opt/my editor/ed", "-c", "set tw=72", "$HOME", "*"]
        );
        assert!(matches!(EditorCommand::parse("vi 'oops"), Err(EditorError::Words(_))));
        assert_eq!(command("'/opt/my editor/ed' -c").name(), "ed");
    }

    #[test]
    fn visual_comes_before_editor_before_vi_and_a_blank_one_does_not_count() {
        let first = |visual: &str, editor: &str| {
            EditorCommand::first_of([visual, editor].map(|value| Some(value.to_owned()))).unwrap().program
        };
        assert_eq!(first("code -w", "nano"), "code");
        assert_eq!(first(" ", "nano"), "nano");
        assert_eq!(first("", ""), "vi");
        assert_eq!(EditorCommand::first_of([None, None]).unwrap().program, "vi");
    }

    #[test]
    fn what_the_editor_saves_comes_back() {
        assert_eq!(saved("first ", r#"sh -c 'printf "second\r\nthird\n" >>"$0"'"#), "first second\nthird");
        assert_eq!(saved("kept\n", r#"sh -c 'printf "kept\n\n" >"$0"'"#), "kept\n\n");
        assert_eq!(saved("kept", r#"sh -c 'printf "" >"$0"'"#), "");
    }

    #[test]
    fn the_file_is_the_users_alone_and_is_gone_once_it_is_discarded() {
        let listing = saved("", r#"sh -c 'stat -c "%a %n" "$0" "${0%/*}" >"$0.x"; touch "$0~"; mv "$0.x" "$0"'"#);
        let lines: Vec<_> = listing.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), ["600", "700"]);
        assert!(lines.iter().all(|line| !fs::exists(line.1).unwrap()), "{listing}");
    }

    #[test]
    fn an_editor_that_does_not_start_is_told_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        let said = |program: &str| edit("kept", &command(program)).unwrap_err().to_string();
        assert_eq!(said("no-such-editor -x"), "no-such-editor is not there");
        assert_eq!(said(plain.to_str().unwrap()), format!("{} may not be run", plain.display()));
    }
}
