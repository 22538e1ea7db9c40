//! Decides what the end of an editor means for the text and for its file. A file whose content is nowhere else is never
//! deleted.

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

use super::saved_file::SavedFile;
use crate::platform::Termination;
use mmd_elevate_core::Problem;

/// An editor that ends sooner without a change may have passed the file to another process.
const MIN_EDIT_TIME: Duration = Duration::from_secs(1);

/// How an editor ended.
#[derive(Debug)]
pub(super) enum EditorEnd {
    Success,
    /// Successfully, but too soon for an edit.
    ImmediateSuccess,
    /// With an error, as `:cq` does. The text describes it.
    Failed(String),
    /// By this signal.
    Killed(i32),
}

impl EditorEnd {
    pub(super) fn new(status: io::Result<ExitStatus>, after: Duration) -> Self {
        match status {
            Ok(status) if status.success() && after < MIN_EDIT_TIME => Self::ImmediateSuccess,
            Ok(status) if status.success() => Self::Success,
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => Self::Failed(format!("exit code {code}")),
                (None, Some(signal)) => Self::Killed(signal),
                (None, None) => Self::Failed(status.to_string()),
            },
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

/// The consequences of an editor's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EditOutcome {
    /// Whether the saved text is used.
    pub(super) use_text: bool,
    /// What to tell the agent, if anything. The hint is empty if only the kept file matters.
    pub(super) problem: Option<Problem>,
    /// Whether the file has to be kept, because it holds something that is nowhere else, or may do so later.
    pub(super) keep_file: bool,
}

/// Decides what the end of an editor means. A saved text is used, unless the editor reported an error. `has_other_files` is
/// whether the editor's folder holds more than the file, `was_empty` whether the text was empty before.
pub(super) fn decide(
    editor: &str,
    end: &EditorEnd,
    saved: &SavedFile,
    has_other_files: bool,
    was_empty: bool,
) -> EditOutcome {
    const EDIT_AGAIN: &str = "save and leave the editor without an error to change the text";
    let outcome = |use_text, what: String, hint: &str, keep_file| EditOutcome {
        use_text,
        problem: Some(Problem::new(what, hint)),
        keep_file,
    };
    let unused = |what: String| {
        let keep_file = has_other_files || !matches!(saved, SavedFile::Unchanged | SavedFile::Missing);
        outcome(false, what, if keep_file { "" } else { EDIT_AGAIN }, keep_file)
    };
    match (end, saved) {
        (EditorEnd::Failed(error), _) => {
            unused(format!("{editor} ended with an error ({error}): the text is unchanged"))
        }
        // An empty file may be what an interrupted save has left.
        (EditorEnd::Killed(signal), SavedFile::Text(text) | SavedFile::Guessed(text))
            if was_empty || !text.is_empty() =>
        {
            let what = format!("{editor} was ended by {}; what it had saved is used", Termination::Signal(*signal));
            outcome(true, what, "undo restores the text before it", true)
        }
        (EditorEnd::Killed(signal), _) => {
            unused(format!("{editor} was ended by {}: the text is unchanged", Termination::Signal(*signal)))
        }
        (EditorEnd::Success | EditorEnd::ImmediateSuccess, SavedFile::Text(_)) => {
            EditOutcome { use_text: true, problem: None, keep_file: false }
        }
        (EditorEnd::Success | EditorEnd::ImmediateSuccess, SavedFile::Guessed(_)) => {
            let what = format!("Not all that {editor} saved is UTF-8: the rest was read as Latin-1");
            outcome(true, what, "check the letters", true)
        }
        (EditorEnd::ImmediateSuccess, SavedFile::Unchanged) => {
            let what = format!("{editor} ended at once: does it need --wait? The text is unchanged");
            outcome(false, what, "what is saved there now is not read", true)
        }
        (EditorEnd::Success, SavedFile::Unchanged) if has_other_files => {
            outcome(false, format!("{editor} left the text unchanged, and other files beside it"), "", true)
        }
        (EditorEnd::Success, SavedFile::Unchanged) => EditOutcome { use_text: false, problem: None, keep_file: false },
        (EditorEnd::Success | EditorEnd::ImmediateSuccess, SavedFile::Missing) => {
            let hint = if has_other_files { "" } else { "save it under its name to change the text" };
            outcome(false, format!("{editor} left no file: the text is unchanged"), hint, has_other_files)
        }
        (EditorEnd::Success | EditorEnd::ImmediateSuccess, SavedFile::Unusable(reason)) => {
            outcome(false, format!("The file of {editor} {reason}: the text is unchanged"), "", true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SavedFile {
        SavedFile::Text(text.to_owned())
    }

    #[test]
    fn file_with_unique_content_is_kept() {
        let failed = || EditorEnd::Failed("exit code 1".to_owned());
        let unusable = || SavedFile::Unusable("is a folder now".to_owned());
        for (end, saved, has_other_files, use_text, keep_file) in [
            (EditorEnd::Success, text("new"), false, true, false),
            (EditorEnd::Success, text(""), false, true, false),
            (EditorEnd::Success, text("new"), true, true, false), // A backup of the old text.
            (EditorEnd::Success, SavedFile::Guessed("new".to_owned()), false, true, true),
            (EditorEnd::Success, SavedFile::Unchanged, false, false, false),
            (EditorEnd::Success, SavedFile::Unchanged, true, false, true), // Saved under another name.
            (EditorEnd::Success, SavedFile::Missing, false, false, false),
            (EditorEnd::Success, SavedFile::Missing, true, false, true),
            (EditorEnd::Success, unusable(), false, false, true),
            (EditorEnd::ImmediateSuccess, text("new"), false, true, false),
            (EditorEnd::ImmediateSuccess, SavedFile::Unchanged, false, false, true),
            (failed(), SavedFile::Unchanged, false, false, false),
            (failed(), SavedFile::Unchanged, true, false, true), // A swap file.
            (failed(), text("new"), false, false, true),
            (failed(), text(""), false, false, true),
            (failed(), SavedFile::Missing, false, false, false),
            (failed(), unusable(), false, false, true),
            (EditorEnd::Killed(15), text("new"), false, true, true),
            (EditorEnd::Killed(9), SavedFile::Guessed("new".to_owned()), false, true, true),
            (EditorEnd::Killed(9), text(""), false, false, true), // Cut while it saved.
            (EditorEnd::Killed(1), SavedFile::Unchanged, false, false, false),
            (EditorEnd::Killed(1), SavedFile::Unchanged, true, false, true),
            (EditorEnd::Killed(6), unusable(), true, false, true),
        ] {
            let outcome = decide("vi", &end, &saved, has_other_files, false);
            let case = format!("{end:?} {saved:?} {has_other_files}");
            assert_eq!((outcome.use_text, outcome.keep_file), (use_text, keep_file), "{case}");
            assert!(!keep_file || outcome.problem.is_some(), "a kept file is named: {case}");
        }
    }
}
