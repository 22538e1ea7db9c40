//! Translates inputs into messages by the scopes that apply. It applies no message and reads no terminal.

use std::{collections::VecDeque, time::Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{confirmation::Confirmation, pointer::Pointer};
use crate::{
    dashboard::{Message, Model},
    keys::{Action, Key},
    terminal::{Input, InputBatch},
};
use mmd_elevate_core::Problem;

/// The inputs of one read that are not translated yet.
#[derive(Debug)]
pub struct Batch {
    at: Instant,
    items: VecDeque<Item>,
    /// Whether the inputs were typed before the agent could see what they answer: then none of them commits.
    is_typed_ahead: bool,
}

#[derive(Debug)]
enum Item {
    Input(Input),
    /// The key of an unbound Alt chord, after its Esc.
    AfterEscape(KeyEvent),
}

/// The interpretation of an input in the scopes that apply.
enum Interpretation {
    Character(char),
    Message(Message),
    /// A bound key.
    Action(Action),
    /// An unbound Alt chord, which means Esc and then this key.
    EscapeThen(KeyEvent),
    Nothing,
}

impl Batch {
    /// Makes a batch of inputs.
    #[must_use]
    pub fn new(batch: InputBatch) -> Self {
        Self { at: batch.at, items: batch.inputs.into_iter().map(Item::Input).collect(), is_typed_ahead: false }
    }

    /// Marks the remaining inputs as typed while another program had the terminal.
    pub(super) fn into_typed_ahead(self) -> Self {
        Self { is_typed_ahead: true, ..self }
    }

    /// Returns the next message for the model as the messages before have left it. Characters that follow one another make
    /// one message.
    pub fn next(&mut self, model: &Model, confirmation: &mut Confirmation, pointer: &mut Pointer) -> Option<Message> {
        confirmation.update_question(model);
        let mut text = String::new();
        while let Some(item) = self.items.front() {
            let interpretation = match item {
                Item::Input(Input::Mouse(event)) => {
                    // Behind an editor's screen nobody saw what was hit.
                    let hit = pointer.message(*event, self.at).filter(|_| model.mouse.is_on && !self.is_typed_ahead);
                    hit.map_or(Interpretation::Nothing, Interpretation::Message)
                }
                item => interpret(item, model),
            };
            // The text has to be applied first, because it may change the meaning of this input.
            if !text.is_empty() && !matches!(interpretation, Interpretation::Character(_) | Interpretation::Nothing) {
                break;
            }
            let may_commit = match item {
                Item::Input(Input::Key(event)) => !self.is_typed_ahead && confirmation.allows(event, self.at),
                // A key after Esc was meant for what Esc has left.
                Item::AfterEscape(_) | Item::Input(_) => false,
            };
            let item = self.items.pop_front();
            if let Some(Item::Input(Input::Key(event)) | Item::AfterEscape(event)) = item {
                confirmation.record_key(Key::from(event), self.at);
            }
            match interpretation {
                Interpretation::Character(c) => text.push(c),
                Interpretation::Message(message) => {
                    pointer.record(&message, self.at);
                    return Some(message);
                }
                Interpretation::Action(action) if may_commit || !model.commits(action) => {
                    return Some(Message::Act(action));
                }
                Interpretation::Action(_) | Interpretation::Nothing => {}
                Interpretation::EscapeThen(key) => {
                    self.items.push_front(Item::AfterEscape(key));
                    self.items.push_front(Item::Input(Input::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE))));
                }
            }
        }
        (!text.is_empty()).then_some(Message::Text(text))
    }
}

fn interpret(item: &Item, model: &Model) -> Interpretation {
    let (event, is_after_escape) = match item {
        Item::Input(Input::Key(event)) => (event, false),
        Item::AfterEscape(event) => (event, true),
        Item::Input(Input::Paste(text)) => return Interpretation::Message(Message::Paste(text.clone())),
        Item::Input(Input::NotUtf8) => {
            let what = "The terminal sends bytes that are not UTF-8; each is shown as a replacement character";
            let hint = "set the terminal to UTF-8, and correct the text";
            return Interpretation::Message(Message::Warning(Problem::new(what, hint)));
        }
        Item::Input(Input::Resize(..) | Input::Mouse(_) | Input::Focus(_) | Input::Reply(_)) => {
            return Interpretation::Nothing;
        }
    };
    let key = Key::from(*event);
    let action = model.keymap.action(model.scopes(), key);
    let is_bound_or_chord = action.is_some() || key.has_alt();
    match (action, key.character()) {
        _ if is_bound_or_chord && event.kind == KeyEventKind::Repeat && !key.may_repeat() => Interpretation::Nothing,
        // Enter confirms every question, so that Enter right after Esc may be an accident.
        _ if is_after_escape && key.is_enter() => Interpretation::Nothing,
        (Some(action), _) => Interpretation::Action(action),
        (None, Some(c)) if model.takes_text() => Interpretation::Character(c),
        (None, _) if key.has_alt() => {
            Interpretation::EscapeThen(KeyEvent { modifiers: event.modifiers - KeyModifiers::ALT, ..*event })
        }
        (None, _) => Interpretation::Nothing,
    }
}
