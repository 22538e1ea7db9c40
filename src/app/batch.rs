//! What a batch of inputs means: the way from keys to messages, and nothing else of the loop.

use std::{iter::Peekable, vec::IntoIter};

use crossterm::event::KeyEventKind;

use crate::{
    key::Key,
    state::{Message, Model},
    terminal::Input,
};

/// Inputs that came at once, to be turned into messages one after the other.
#[derive(Debug)]
pub struct Batch(Peekable<IntoIter<Input>>);

/// What one input means in the scopes that apply to it.
enum Meaning {
    Types(char),
    Is(Message),
    Nothing,
}

impl Batch {
    /// A batch of which nothing has been applied.
    #[must_use]
    pub fn new(inputs: Vec<Input>) -> Self {
        Self(inputs.into_iter().peekable())
    }

    /// The next message, for the model as the messages before have left it. Typing that came at once is one message.
    pub fn next(&mut self, model: &Model) -> Option<Message> {
        let mut typed = String::new();
        while let Some(input) = self.0.peek() {
            match meaning(input, model) {
                Meaning::Types(c) => typed.push(c),
                Meaning::Nothing => {}
                // The typing comes first, and may change what this one means.
                Meaning::Is(_) if !typed.is_empty() => break,
                Meaning::Is(message) => {
                    self.0.next();
                    return Some(message);
                }
            }
            self.0.next();
        }
        (!typed.is_empty()).then_some(Message::Text(typed))
    }
}

fn meaning(input: &Input, model: &Model) -> Meaning {
    let event = match input {
        Input::Key(event) => event,
        Input::Paste(text) => return Meaning::Is(Message::Paste(text.clone())),
        Input::Resize(..) => return Meaning::Nothing,
    };
    let key = Key::from(*event);
    match (model.keymap.action(model.scopes(), key), key.typed()) {
        (Some(_), _) if event.kind == KeyEventKind::Repeat && !key.repeats() => Meaning::Nothing,
        (Some(action), _) => Meaning::Is(Message::Act(action)),
        (None, Some(c)) if model.takes_text() => Meaning::Types(c),
        (None, _) => Meaning::Nothing,
    }
}
