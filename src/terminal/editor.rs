//! A long text in the user's own editor.

use std::{
    env,
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, ExitStatus},
};

use crate::platform::Loan;

/// Where neither variable names one.
const USUAL: &str = "vi";

/// The program and the words that come before the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditorCommand {
    program: String,
    words: Vec<String>,
}

/// Why the editor brought no text. The text fits after "failed to edit: ".
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// The variable cannot be split into words.
    #[error("the editor command has an open quote: {0}")]
    Words(String),
    /// There is no such program, or it may not be run.
    #[error("{program} cannot be started")]
    Start {
        /// The program's name as it was given.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The editor said that it failed, or was ended by a signal.
    #[error("{program} ended with {status}")]
    Status {
        /// The program's name as it was given.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The file could not be written or read.
    #[error("the file for the editor cannot be used")]
    File(#[from] io::Error),
    /// The editor saved bytes that are no text.
    #[error("the edited file is not UTF-8 text")]
    NotText,
}

impl EditorError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Words(_) | Self::Start { .. } => "set VISUAL or EDITOR to a program that is installed",
            Self::Status { .. } => "the text is as it was; save and leave the editor without an error to change it",
            Self::File(_) => "see whether the temporary folder (TMPDIR) has room and may be written",
            Self::NotText => "the text is as it was; save it as UTF-8",
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
}

/// Lets the editor have the text and returns what it saved. Blocks until the editor ends, so call it where blocking is
/// allowed, with the surface suspended.
///
/// The file is the user's alone (0600, in a folder with 0700) and is gone afterwards, with whatever the editor left
/// beside it. Line ends become `\n`, and a final one that the editor added is dropped.
///
/// # Errors
/// Where no text came back; the caller still has the old one.
pub fn edit(text: &str, editor: &EditorCommand) -> Result<String, EditorError> {
    // Declared first, so that it ends last, when the file is gone.
    let loan = Loan::begin();
    let folder =
        tempfile::Builder::new().prefix("mmd-elevate-").permissions(Permissions::from_mode(0o700)).tempdir()?;
    let mut file = tempfile::Builder::new().prefix("text-").suffix(".md").tempfile_in(&folder)?;
    file.write_all(text.as_bytes())?;
    // The path alone is kept: an editor may replace the file by another of the same name.
    let path = file.into_temp_path();
    run(editor, &path, &loan)?;
    let edited = String::from_utf8(fs::read(&path)?).map_err(|_| EditorError::NotText)?;
    Ok(tidy(text, &edited))
}

fn run(editor: &EditorCommand, file: &Path, loan: &Loan) -> Result<(), EditorError> {
    let program = editor.program.clone();
    let mut command = Command::new(&program);
    command.args(&editor.words).arg(file);
    let mut child = command.spawn().map_err(|source| EditorError::Start { program: program.clone(), source })?;
    let status = loan.wait_for(&mut child)?;
    if status.success() { Ok(()) } else { Err(EditorError::Status { program, status }) }
}

fn tidy(before: &str, edited: &str) -> String {
    let mut text = edited.replace("\r\n", "\n").replace('\r', "\n");
    if text.ends_with('\n') && !before.ends_with('\n') {
        text.pop();
    }
    text
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

    #[test]
    fn words_are_split_as_a_shell_would_and_nothing_is_expanded() {
        assert_eq!(words(&command("code --wait")), ["code", "--wait"]);
        assert_eq!(
            words(&command("'/opt/my editor/ed' -c 'set tw=72' $HOME *")),
            ["/opt/my editor/ed", "-c", "set tw=72", "$HOME", "*"]
        );
        assert!(matches!(EditorCommand::parse("vi 'oops"), Err(EditorError::Words(_))));
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
        let editor = command(r#"sh -c 'printf "second\r\nthird\n" >>"$0"'"#);
        assert_eq!(edit("first ", &editor).unwrap(), "first second\nthird");
        assert_eq!(edit("kept\n", &command("true")).unwrap(), "kept\n");
        assert_eq!(edit("kept", &command("true")).unwrap(), "kept");
    }

    #[test]
    fn the_file_is_the_users_alone_and_is_gone_afterwards() {
        let editor = command(r#"sh -c 'stat -c "%a %n" "$0" "${0%/*}" >"$0.x"; touch "$0~"; mv "$0.x" "$0"'"#);
        let listing = edit("", &editor).unwrap();
        let lines: Vec<_> = listing.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), ["600", "700"]);
        assert!(lines.iter().all(|line| !fs::exists(line.1).unwrap()), "{listing}");
    }

    #[test]
    fn a_failure_is_told_in_words() {
        let said = |text: &str| edit("kept", &command(text)).unwrap_err().to_string();
        assert_eq!(said("false"), "false ended with exit status: 1");
        assert_eq!(said("no-such-editor -x"), "no-such-editor cannot be started");
        assert_eq!(said(r#"sh -c 'printf "\377" >"$0"'"#), "the edited file is not UTF-8 text");
    }
}
