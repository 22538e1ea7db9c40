//! When a key that commits may count. The one rule for every question: it was drawn before the key was read, and the key
//! is not being held.

use std::time::{Duration, Instant};

use crossterm::event::{KeyEvent, KeyEventKind};

use crate::{
    dashboard::{Model, Question},
    keys::Key,
};

/// A key that comes again sooner than this is being held, or was hit twice. Terminals do not tell holding from hitting.
const RELEASED: Duration = Duration::from_millis(500);

/// What was asked, drawn and pressed last.
#[derive(Clone, Debug, Default)]
pub struct Confirmations {
    /// What is asked, and from when on it has been on the screen.
    question: Option<Question>,
    drawn: Option<Instant>,
    pressed: Option<(Key, Instant)>,
}

impl Confirmations {
    /// Takes note that the model was drawn as it is, with this moment before it reached the terminal.
    pub fn drawn(&mut self, model: &Model, at: Instant) {
        self.notice(model);
        self.drawn.get_or_insert(at);
    }

    /// Takes note of what is asked now. A question that went and came back is a new one.
    pub(super) fn notice(&mut self, model: &Model) {
        let question = model.question();
        if question != self.question {
            self.question = question;
            self.drawn = None;
        }
    }

    /// Takes note of a key, whatever it does.
    pub(super) fn press(&mut self, key: Key, at: Instant) {
        self.pressed = Some((key, at));
    }

    /// Whether this key, read at this moment, may commit to what is asked now.
    pub(super) fn allows(&self, event: &KeyEvent, at: Instant) -> bool {
        let key = Key::from(*event);
        let seen = self.question.is_none() || self.drawn.is_some_and(|drawn| drawn < at);
        let held = event.kind == KeyEventKind::Repeat
            || self.pressed.is_some_and(|(last, when)| last == key && at.saturating_duration_since(when) < RELEASED);
        seen && !held
    }
}
