//! What an editor's end means for the text and for the file.

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

use super::saved::Saved;
use crate::platform::Ending;

/// An editor that ends sooner and has changed nothing may have left the work to another process.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How an editor ended.
#[derive(Debug)]
pub(super) enum EditorEnd {
    Well,
    /// Well, and so soon that a person can hardly have edited anything.
    AtOnce,
    /// With an error, as `:cq` does; in words.
    Failed(String),
    /// By this signal.
    Killed(i32),
}

impl EditorEnd {
    pub(super) fn from(status: io::Result<ExitStatus>, after: Duration) -> Self {
        match status {
            Ok(status) if status.success() && after < AT_ONCE => Self::AtOnce,
            Ok(status) if status.success() => Self::Well,
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => Self::Failed(format!("exit code {code}")),
                (None, Some(signal)) => Self::Killed(signal),
                (None, None) => Self::Failed(status.to_string()),
            },
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

/// What an editor's end means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EditorVerdict {
    /// Whether the text is taken over.
    pub(super) takes: bool,
    /// What happened, and what to do.
    pub(super) told: Option<(String, &'static str)>,
    /// Whether the file holds something that is nowhere else, or will.
    pub(super) keeps: bool,
}

/// The rule: what was saved is taken over, unless the editor said that it failed; the file is deleted only where nothing
/// in it is missing from the text. `company` is whether there is more than the file, `was_empty` whether the text was.
pub(super) fn judge(editor: &str, ended: &EditorEnd, saved: &Saved, company: bool, was_empty: bool) -> EditorVerdict {
    const AGAIN: &str = "save and leave the editor without an error to change the text";
    const LETTERS: &str = "check the letters";
    let verdict = |takes, told, keeps| EditorVerdict { takes, told: Some(told), keeps };
    match (ended, saved) {
        (EditorEnd::Failed(how), saved) => {
            let what = format!("{editor} ended with an error ({how}): the text is as it was");
            let keeps = company || !matches!(saved, Saved::AsWritten | Saved::Missing);
            verdict(false, (what, if keeps { "" } else { AGAIN }), keeps)
        }
        // A file that was emptied and not written is what is left of a save.
        (EditorEnd::Killed(signal), Saved::Text(text) | Saved::Guessed(text)) if was_empty || !text.is_empty() => {
            let signal = Ending::Signal(*signal);
            let what = format!("{editor} was ended by {signal}; what it had saved is taken over");
            verdict(true, (what, "undo brings the text before it back"), true)
        }
        (EditorEnd::Killed(signal), saved) => {
            let what = format!("{editor} was ended by {}: the text is as it was", Ending::Signal(*signal));
            let keeps = company || !matches!(saved, Saved::AsWritten | Saved::Missing);
            verdict(false, (what, if keeps { "" } else { AGAIN }), keeps)
        }
        (EditorEnd::Well | EditorEnd::AtOnce, Saved::Text(_)) => {
            EditorVerdict { takes: true, told: None, keeps: false }
        }
        (EditorEnd::Well | EditorEnd::AtOnce, Saved::Guessed(_)) => {
            let what = format!("Not all that {editor} saved is UTF-8: the rest was read as Latin-1");
            verdict(true, (what, LETTERS), true)
        }
        (EditorEnd::AtOnce, Saved::AsWritten) => {
            let what = format!("{editor} ended at once: does it need --wait? The text is as it was");
            verdict(false, (what, "what is saved there now is not read"), true)
        }
        (EditorEnd::Well, Saved::AsWritten) if company => {
            let what = format!("{editor} left the text as it was, and other files beside it");
            verdict(false, (what, ""), true)
        }
        (EditorEnd::Well, Saved::AsWritten) => EditorVerdict { takes: false, told: None, keeps: false },
        (EditorEnd::Well | EditorEnd::AtOnce, Saved::Missing) => {
            let what = format!("{editor} left no file: the text is as it was");
            verdict(false, (what, if company { "" } else { "save it under its name to change the text" }), company)
        }
        (EditorEnd::Well | EditorEnd::AtOnce, Saved::Unusable(why)) => {
            verdict(false, (format!("What {editor} left {why}: the text is as it was"), ""), true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Saved {
        Saved::Text(text.to_owned())
    }

    /// Nothing that is in the file alone is deleted, whatever the end.
    #[test]
    fn only_a_file_that_holds_nothing_of_its_own_is_deleted() {
        let failed = || EditorEnd::Failed("exit code 1".to_owned());
        let unusable = || Saved::Unusable("is a folder now".to_owned());
        for (ended, saved, company, takes, keeps) in [
            (EditorEnd::Well, text("new"), false, true, false),
            (EditorEnd::Well, text(""), false, true, false),
            (EditorEnd::Well, text("new"), true, true, false), // A backup of the old text.
            (EditorEnd::Well, Saved::Guessed("new".to_owned()), false, true, true),
            (EditorEnd::Well, Saved::AsWritten, false, false, false),
            (EditorEnd::Well, Saved::AsWritten, true, false, true), // Saved under another name.
            (EditorEnd::Well, Saved::Missing, false, false, false),
            (EditorEnd::Well, Saved::Missing, true, false, true),
            (EditorEnd::Well, unusable(), false, false, true),
            (EditorEnd::AtOnce, text("new"), false, true, false),
            (EditorEnd::AtOnce, Saved::AsWritten, false, false, true),
            (failed(), Saved::AsWritten, false, false, false),
            (failed(), Saved::AsWritten, true, false, true), // A swap file.
            (failed(), text("new"), false, false, true),
            (failed(), text(""), false, false, true),
            (failed(), Saved::Missing, false, false, false),
            (failed(), unusable(), false, false, true),
            (EditorEnd::Killed(15), text("new"), false, true, true),
            (EditorEnd::Killed(9), Saved::Guessed("new".to_owned()), false, true, true),
            (EditorEnd::Killed(9), text(""), false, false, true), // Cut while it saved.
            (EditorEnd::Killed(1), Saved::AsWritten, false, false, false),
            (EditorEnd::Killed(1), Saved::AsWritten, true, false, true),
            (EditorEnd::Killed(6), unusable(), true, false, true),
        ] {
            let verdict = judge("vi", &ended, &saved, company, false);
            assert_eq!((verdict.takes, verdict.keeps), (takes, keeps), "{ended:?} {saved:?} {company}");
            assert!(!keeps || verdict.told.is_some(), "what is kept is named: {ended:?} {saved:?} {company}");
        }
    }
}
