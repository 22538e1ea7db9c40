//! Decides when a key may commit to something. One rule holds for every question: it was drawn before the key was read, and
//! the key is not being held.

use std::time::{Duration, Instant};

use crossterm::event::{KeyEvent, KeyEventKind};

use crate::{
    dashboard::{Model, Question},
    keys::Key,
};

/// The same key within this time is being held or was pressed twice by mistake: terminals do not distinguish the two.
const REPEAT_WINDOW: Duration = Duration::from_millis(500);

/// The current question and the last key, from which follows whether a key may commit.
#[derive(Clone, Debug, Default)]
pub struct Confirmation {
    question: Option<Question>,
    /// When the question was first drawn.
    drawn: Option<Instant>,
    last_key: Option<(Key, Instant)>,
}

impl Confirmation {
    /// Records that the model was drawn. `at` is a moment before the frame reached the terminal.
    pub fn record_draw(&mut self, model: &Model, at: Instant) {
        self.update_question(model);
        self.drawn.get_or_insert(at);
    }

    /// Records the current question. A question that went away and came back counts as a new one.
    pub(super) fn update_question(&mut self, model: &Model) {
        let question = model.question();
        if question != self.question {
            self.question = question;
            self.drawn = None;
        }
    }

    /// Forgets the question: another dashboard is shown, whose question is another one even if it is the same.
    pub(super) fn forget_question(&mut self) {
        (self.question, self.drawn) = (None, None);
    }

    /// Records a key, whatever it does.
    pub(super) fn record_key(&mut self, key: Key, at: Instant) {
        self.last_key = Some((key, at));
    }

    /// Returns whether this key, read at this moment, may commit.
    pub(super) fn allows(&self, event: &KeyEvent, at: Instant) -> bool {
        let key = Key::from(*event);
        let is_seen = self.question.is_none() || self.drawn.is_some_and(|drawn| drawn < at);
        let is_held = event.kind == KeyEventKind::Repeat
            || self
                .last_key
                .is_some_and(|(last, when)| last == key && at.saturating_duration_since(when) < REPEAT_WINDOW);
        is_seen && !is_held
    }
}
