//! What happened and what to do about it: the one form in which an error reaches a person.

/// A problem and a hint for the agent. Neither text holds a secret or a control character.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{what}\nhint: {hint}")]
pub struct Problem {
    /// What happened.
    pub what: String,
    /// What to do about it. It is shown after `hint: `.
    pub hint: String,
}

impl Problem {
    /// Makes a problem from what happened and a hint.
    #[must_use]
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}
