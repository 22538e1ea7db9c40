//! The lines that say what just happened.

use mmd_elevate_core::{CallError, Problem};

/// How a notice is meant: the view shows it by sign and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something to know.
    Info,
    /// What was asked for is done.
    Success,
    /// Doubt: something may or may not be so.
    Doubt,
    /// Something failed and needs the agent.
    Failure,
}

impl Tone {
    /// Whether the notice goes by itself: there is nothing to do about it.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Info | Self::Success)
    }
}

/// What happened, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// What happened, harmless to a terminal.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Notice {
    /// Something to know.
    pub fn info(text: impl Into<String>) -> Self {
        Self { tone: Tone::Info, text: text.into(), hint: None }
    }

    /// What was asked for is done.
    pub fn success(text: impl Into<String>) -> Self {
        Self { tone: Tone::Success, text: text.into(), hint: None }
    }

    /// Something that may or may not be so.
    pub fn doubt(text: impl Into<String>) -> Self {
        Self { tone: Tone::Doubt, text: text.into(), hint: None }
    }

    /// A problem, in this tone.
    #[must_use]
    pub fn from_problem(tone: Tone, problem: Problem) -> Self {
        Self { tone, text: problem.what, hint: Some(problem.hint) }
    }

    /// A call that failed: what it was about, what happened, and what to do.
    #[must_use]
    pub fn from_error(about: &str, error: &CallError) -> Self {
        let tone = if error.may_have_happened() { Tone::Doubt } else { Tone::Failure };
        Self { tone, text: format!("{about}: {}", error.what()), hint: Some(error.hint().to_owned()) }
    }

    /// The same notice with another hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
