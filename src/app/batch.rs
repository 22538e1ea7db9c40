//! What a batch of inputs means: the way from keys to messages, and nothing else of the loop.

use mmd_elevate_core::Problem;
use std::{collections::VecDeque, time::Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::confirm::Confirmations;
use crate::{
    dashboard::{Message, Model},
    keys::{Action, Key},
    terminal::{Input, InputBatch},
};

/// Inputs that came at once, to be turned into messages one after the other.
#[derive(Debug)]
pub struct Batch {
    at: Instant,
    items: VecDeque<Item>,
    /// Typed ahead of something whose outcome nobody had seen: nothing in it commits.
    ahead: bool,
}

#[derive(Debug)]
enum Item {
    Input(Input),
    /// The second half of an Alt chord that nothing binds.
    BehindEscape(KeyEvent),
}

/// What one input means in the scopes that apply to it.
enum KeyMeaning {
    Types(char),
    Is(Message),
    /// A key that is bound.
    Does(Action),
    /// Esc, then a key: an Alt chord that nothing binds.
    Chord(KeyEvent),
    Nothing,
}

impl Batch {
    /// A batch of which nothing has been applied.
    #[must_use]
    pub fn new(batch: InputBatch) -> Self {
        Self { at: batch.at, items: batch.inputs.into_iter().map(Item::Input).collect(), ahead: false }
    }

    /// The rest of a batch that has waited for another program to end.
    pub(super) fn typed_ahead(self) -> Self {
        Self { ahead: true, ..self }
    }

    /// The next message, for the model as the messages before have left it. Typing that came at once is one message.
    pub fn next(&mut self, model: &Model, confirmations: &mut Confirmations) -> Option<Message> {
        confirmations.notice(model);
        let mut typed = String::new();
        while let Some(item) = self.items.front() {
            let meaning = meaning(item, model);
            // The typing comes first, and may change what this one means.
            if !typed.is_empty() && !matches!(meaning, KeyMeaning::Types(_) | KeyMeaning::Nothing) {
                break;
            }
            let may_commit = match item {
                Item::Input(Input::Key(event)) => !self.ahead && confirmations.allows(event, self.at),
                // What was pressed right behind Esc was meant for what Esc has left.
                Item::BehindEscape(_) | Item::Input(_) => false,
            };
            let item = self.items.pop_front();
            if let Some(Item::Input(Input::Key(event)) | Item::BehindEscape(event)) = item {
                confirmations.press(Key::from(event), self.at);
            }
            match meaning {
                KeyMeaning::Types(c) => typed.push(c),
                KeyMeaning::Is(message) => return Some(message),
                KeyMeaning::Does(action) if may_commit || !model.commits(action) => return Some(Message::Act(action)),
                KeyMeaning::Does(_) | KeyMeaning::Nothing => {}
                KeyMeaning::Chord(behind) => {
                    self.items.push_front(Item::BehindEscape(behind));
                    self.items.push_front(Item::Input(Input::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE))));
                }
            }
        }
        (!typed.is_empty()).then_some(Message::Text(typed))
    }
}

fn meaning(item: &Item, model: &Model) -> KeyMeaning {
    let (event, behind_escape) = match item {
        Item::Input(Input::Key(event)) => (event, false),
        Item::BehindEscape(event) => (event, true),
        Item::Input(Input::Paste(text)) => return KeyMeaning::Is(Message::Paste(text.clone())),
        Item::Input(Input::NotUtf8) => return KeyMeaning::Is(not_utf8()),
        Item::Input(Input::Resize(..) | Input::Mouse(_) | Input::Focus(_) | Input::Reply(_)) => {
            return KeyMeaning::Nothing;
        }
    };
    let key = Key::from(*event);
    let action = model.keymap.action(model.scopes(), key);
    let bound_or_chord = action.is_some() || key.has_alt();
    match (action, key.typed()) {
        _ if bound_or_chord && event.kind == KeyEventKind::Repeat && !key.repeats() => KeyMeaning::Nothing,
        // Enter confirms wherever something is asked.
        _ if behind_escape && key.is_enter() => KeyMeaning::Nothing,
        (Some(action), _) => KeyMeaning::Does(action),
        (None, Some(c)) if model.takes_text() => KeyMeaning::Types(c),
        (None, _) if key.has_alt() => {
            KeyMeaning::Chord(KeyEvent { modifiers: event.modifiers - KeyModifiers::ALT, ..*event })
        }
        (None, _) => KeyMeaning::Nothing,
    }
}

fn not_utf8() -> Message {
    let what = "The terminal sends bytes that are not UTF-8; each stands as a replacement character";
    Message::Warning(Problem::new(what, "set the terminal to UTF-8, and correct what was typed"))
}
