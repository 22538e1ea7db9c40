//! The error of reading settings. It holds every mistake that was found as text for people, and never a secret value.

use std::fmt;

use mmd_elevate_core::Problem;

/// Why the settings cannot be used: every mistake that was found, and at least one.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<Problem>);

impl ConfigError {
    /// Makes one error of all problems, of which there is at least one.
    pub(super) const fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// Returns every mistake, in the order in which it was found.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.0
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [problem] => problem.fmt(f),
            problems => {
                write!(f, "{} mistakes were found", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n{problem}"))
            }
        }
    }
}
