//! The one line that says what just happened.

use mmd_elevate_core::{CallError, Problem};

/// How a notice is meant, so that it can be told by sign, word and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something to know.
    Info,
    /// What was asked for is done.
    Success,
    /// Doubt: something may or may not be so.
    Doubt,
    /// Something failed and wants the agent.
    Failure,
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

    /// A fault, told as itself: what it was about, what happened, what to do, and the ids to quote.
    #[must_use]
    pub fn of_fault(about: &str, fault: &CallError) -> Self {
        let tone = if fault.may_have_happened() { Tone::Doubt } else { Tone::Failure };
        Self { tone, text: format!("{about}: {}", fault.what()), hint: Some(fault.hint().to_owned()) }
    }

    /// A problem that belongs to no call.
    #[must_use]
    pub fn of_problem(tone: Tone, problem: Problem) -> Self {
        Self { tone, text: problem.what, hint: Some(problem.hint) }
    }

    /// The same notice with other advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
