//! From the bytes of a terminal to [`Input`]: a state machine that gets bytes and the time and does no I/O.
//!
//! What a terminal answers to a question is never a key: replies are swallowed to their terminator. Each state has a
//! bound in bytes and one in time, and Ctrl-C is a key in all of them, so that no sequence that lacks its end keeps the
//! keys from working. Invalid UTF-8 costs no neighbour.

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    Input,
    key::{character, control},
    paste::{Paste, Step, decode},
    reply,
    sequence::{self, Meaning},
    state::State,
};

/// How many bytes a sequence or a string may have before it counts as ended.
const LONGEST: usize = 64 * 1024;
/// How much of a sequence or a string is kept: more than any that is understood has.
const KEPT: usize = 256;

const ESC: u8 = 0x1b;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const BEL: u8 = 0x07;
const CTRL_C: u8 = 0x03;

/// Turns bytes into inputs. Feed it what was read; at [`Parser::deadline`] tell it that nothing came.
#[derive(Debug, Default)]
pub struct Parser {
    state: State,
    /// When the last byte came.
    last: Option<Instant>,
    /// The sequence, the string or the character so far, up to [`KEPT`] bytes.
    begun: Vec<u8>,
    /// How many bytes it has.
    length: usize,
    /// Whether an ESC stood before it, so that it is an Alt chord.
    alt: bool,
    /// A string was ended without its terminator, which may still come.
    cut: bool,
    paste: Paste,
    /// Whether invalid UTF-8 was told of.
    told: bool,
}

impl Parser {
    /// Takes bytes that were read at this time. Returns what they complete.
    pub fn feed(&mut self, bytes: &[u8], now: Instant) -> Vec<Input> {
        let mut inputs = Vec::new();
        if !bytes.is_empty() {
            self.last = Some(now);
        }
        for byte in bytes {
            self.take(*byte, &mut inputs);
        }
        inputs
    }

    /// Takes note that no byte has come up to this time. Returns what that completes.
    pub fn idle(&mut self, now: Instant) -> Vec<Input> {
        let mut inputs = Vec::new();
        // What ends may leave something behind that is due as well: a paste that was none is read anew.
        while self.deadline().is_some_and(|deadline| deadline <= now) {
            self.expire(&mut inputs);
        }
        inputs
    }

    /// Ends whatever is begun, as if enough time had gone by.
    pub fn flush(&mut self) -> Vec<Input> {
        let mut inputs = Vec::new();
        while self.deadline().is_some() {
            self.expire(&mut inputs);
        }
        inputs
    }

    /// Until when the next byte has to come; without one, [`Parser::idle`] is due. `None` while nothing is begun.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let patience = match self.state {
            State::Paste => self.paste.patience(),
            state => state.patience(),
        };
        Some(self.last? + patience?)
    }

    fn take(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match self.state {
            State::Ground => self.ground(byte, inputs),
            State::Character => self.character(byte, inputs),
            State::Escape => self.escape(byte, inputs),
            State::String(kind) => self.string(kind, byte, inputs),
            State::StringEscape(_) if byte == b'\\' => self.end_string(inputs),
            State::StringEscape(_) => {
                self.cut = true;
                self.begin(State::Escape, false);
                self.escape(byte, inputs);
            }
            State::Csi | State::Ss3 | State::LinuxFunction | State::OldMouse(_) => self.sequence(byte, inputs),
            State::Paste => {
                let step = self.paste.take(byte);
                self.paste_step(step, inputs);
            }
        }
    }

    fn begin(&mut self, state: State, alt: bool) {
        self.state = state;
        self.alt = alt;
        self.begun.clear();
        self.length = 0;
    }

    fn push(&mut self, code: KeyCode, modifiers: KeyModifiers, inputs: &mut Vec<Input>) {
        let alt = if self.alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
        inputs.push(Input::Key(KeyEvent::new(code, modifiers | alt)));
    }

    fn ground(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        self.begin(State::Ground, false);
        self.single(byte, inputs);
    }

    /// A byte that is a key by itself, or begins a character or a sequence.
    fn single(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match byte {
            ESC => self.begin(State::Escape, false),
            0x20..=0x7e => {
                let (code, modifiers) = character(char::from(byte));
                self.push(code, modifiers, inputs);
            }
            0x80.. => {
                self.state = State::Character;
                self.character(byte, inputs);
            }
            _ => {
                let (code, modifiers) = control(byte);
                self.push(code, modifiers, inputs);
            }
        }
    }

    /// One more byte of a character. A byte that does not continue it stands for itself.
    fn character(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        self.begun.push(byte);
        match std::str::from_utf8(&self.begun) {
            Ok(text) => {
                let complete = text.chars().next();
                self.state = State::Ground;
                if let Some(c) = complete {
                    let (code, modifiers) = character(c);
                    self.push(code, modifiers, inputs);
                }
            }
            Err(error) if error.error_len().is_none() => {}
            Err(_) if self.begun.len() == 1 => self.invalid(inputs),
            Err(_) => {
                self.begun.pop();
                self.invalid(inputs);
                self.ground(byte, inputs);
            }
        }
    }

    /// Each byte that is begun is no UTF-8.
    fn invalid(&mut self, inputs: &mut Vec<Input>) {
        if self.alt {
            self.alt = false;
            self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
        }
        for _ in 0..self.begun.len() {
            self.push(KeyCode::Char(char::REPLACEMENT_CHARACTER), KeyModifiers::NONE, inputs);
        }
        self.begin(State::Ground, false);
        self.tell(inputs);
    }

    fn tell(&mut self, inputs: &mut Vec<Input>) {
        if !self.told {
            self.told = true;
            inputs.push(Input::NotUtf8);
        }
    }

    fn escape(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        let twice = self.alt;
        let cut = std::mem::take(&mut self.cut);
        match byte {
            ESC if !twice => self.begin(State::Escape, true),
            // The terminator of a string that was given up.
            b'\\' if cut && !twice => self.begin(State::Ground, false),
            b'[' => self.begin(State::Csi, twice),
            b'O' => self.begin(State::Ss3, twice),
            _ => {
                // Of two, the first was a key of its own. So was an only one before Ctrl-C, which is no part of a chord.
                if twice || byte == CTRL_C {
                    self.begin(State::Ground, false);
                    self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
                }
                match byte {
                    CTRL_C if twice => {
                        self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
                        self.single(byte, inputs);
                    }
                    CTRL_C => self.single(byte, inputs),
                    ESC => self.begin(State::Escape, true),
                    b']' | b'P' | b'X' | b'^' | b'_' => self.begin(State::String(byte), false),
                    _ => {
                        self.begin(State::Ground, true);
                        self.single(byte, inputs);
                    }
                }
            }
        }
    }

    fn sequence(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match (self.state, byte) {
            (_, CAN | SUB) => self.begin(State::Ground, false),
            (State::OldMouse(left), 0x20..) => {
                self.state = if left > 1 { State::OldMouse(left - 1) } else { State::Ground };
            }
            (_, 0..0x20 | 0x7f..) => {
                self.abandon(inputs);
                self.ground(byte, inputs);
            }
            (State::LinuxFunction, _) => {
                let found = sequence::linux_function(byte);
                self.conclude(found, inputs);
            }
            (State::Csi, b'[') if self.begun.is_empty() => self.state = State::LinuxFunction,
            (State::Csi, b'M') if self.begun.is_empty() => self.state = State::OldMouse(3),
            (State::Csi, b'$') => match sequence::rxvt_shift(&self.begun) {
                Some(found) => self.conclude(found, inputs),
                None => self.keep(byte),
            },
            (State::Csi, 0x40..) => {
                let found = sequence::csi(&self.begun, byte);
                self.conclude(found, inputs);
            }
            (State::Ss3, 0x3c.. | b' ') => {
                let found = sequence::ss3(&self.begun, byte);
                self.conclude(found, inputs);
            }
            _ => self.keep(byte),
        }
    }

    /// One more byte of a sequence or a string.
    fn keep(&mut self, byte: u8) {
        self.length += 1;
        if self.begun.len() < KEPT {
            self.begun.push(byte);
        }
        if self.length >= LONGEST {
            self.cut = matches!(self.state, State::String(_));
            self.begin(State::Ground, false);
        }
    }

    fn conclude(&mut self, found: Meaning, inputs: &mut Vec<Input>) {
        // What was not kept whole is not understood.
        let whole = self.length <= KEPT;
        let alt = self.alt;
        self.begin(State::Ground, false);
        match found {
            Meaning::Key(mut key) if whole => {
                if alt {
                    key.modifiers |= KeyModifiers::ALT;
                }
                inputs.push(Input::Key(key));
            }
            Meaning::Input(input) if whole => inputs.push(input),
            Meaning::BeginPaste if whole => {
                self.state = State::Paste;
                self.paste.begin();
            }
            Meaning::Key(_) | Meaning::Input(_) | Meaning::BeginPaste | Meaning::Nothing => {}
        }
    }

    /// What has begun has no end. The beginning alone was an Alt chord, and anything longer was no key.
    fn abandon(&mut self, inputs: &mut Vec<Input>) {
        let introducer = self.state.introducer().filter(|_| self.length == 0);
        let twice = self.alt;
        self.begin(State::Ground, false);
        if let Some(introducer) = introducer {
            if twice {
                self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
            }
            self.alt = true;
            let (code, modifiers) = character(char::from(introducer));
            self.push(code, modifiers, inputs);
            self.alt = false;
        }
    }

    fn string(&mut self, kind: u8, byte: u8, inputs: &mut Vec<Input>) {
        match byte {
            BEL if kind == b']' => self.end_string(inputs),
            ESC => self.state = State::StringEscape(kind),
            CAN | SUB => {
                self.cut = true;
                self.begin(State::Ground, false);
            }
            CTRL_C => {
                self.cut = true;
                self.abandon(inputs);
                self.ground(byte, inputs);
            }
            _ => self.keep(byte),
        }
    }

    /// The terminator of a string has come.
    fn end_string(&mut self, inputs: &mut Vec<Input>) {
        let is_command = matches!(self.state, State::String(b']') | State::StringEscape(b']'));
        if is_command && self.length <= KEPT {
            inputs.extend(reply::osc(&self.begun).map(Input::Reply));
        }
        self.begin(State::Ground, false);
    }

    fn paste_step(&mut self, step: Step, inputs: &mut Vec<Input>) {
        let Step { text, keys, ended } = step;
        if !text.is_empty() {
            let (text, valid) = decode(&text);
            inputs.push(Input::Paste(text));
            if !valid {
                self.tell(inputs);
            }
        }
        if ended || !keys.is_empty() {
            self.begin(State::Ground, false);
        }
        for byte in keys {
            self.take(byte, inputs);
        }
        if !ended {
            self.state = State::Paste;
        }
    }

    /// No byte has come in time.
    fn expire(&mut self, inputs: &mut Vec<Input>) {
        match self.state {
            State::Ground => {}
            State::Character => self.invalid(inputs),
            State::Escape => {
                let twice = self.alt;
                self.begin(State::Ground, false);
                for _ in 0..=u8::from(twice) {
                    self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
                }
            }
            State::StringEscape(_) => {
                self.cut = true;
                self.begin(State::Ground, false);
                self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
            }
            State::String(_) => {
                self.cut = self.length > 0;
                self.abandon(inputs);
            }
            State::Csi | State::Ss3 | State::LinuxFunction | State::OldMouse(_) => self.abandon(inputs),
            State::Paste => {
                let step = self.paste.expire();
                self.paste_step(step, inputs);
            }
        }
    }
}
