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
    sequence::{self, SequenceMeaning},
    state::ParserState,
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
    state: ParserState,
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
            ParserState::Paste => self.paste.patience(),
            state => state.patience(),
        };
        Some(self.last? + patience?)
    }

    fn take(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match self.state {
            ParserState::Ground => self.ground(byte, inputs),
            ParserState::Character => self.character(byte, inputs),
            ParserState::Escape => self.escape(byte, inputs),
            ParserState::String(kind) => self.string(kind, byte, inputs),
            ParserState::StringEscape(_) if byte == b'\\' => self.end_string(inputs),
            ParserState::StringEscape(_) => {
                self.cut = true;
                self.begin(ParserState::Escape, false);
                self.escape(byte, inputs);
            }
            ParserState::Csi | ParserState::Ss3 | ParserState::LinuxFunction | ParserState::OldMouse(_) => {
                self.sequence(byte, inputs);
            }
            ParserState::Paste => {
                let step = self.paste.take(byte);
                self.paste_step(step, inputs);
            }
        }
    }

    fn begin(&mut self, state: ParserState, alt: bool) {
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
        self.begin(ParserState::Ground, false);
        self.single(byte, inputs);
    }

    /// A byte that is a key by itself, or begins a character or a sequence.
    fn single(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match byte {
            ESC => self.begin(ParserState::Escape, false),
            0x20..=0x7e => {
                let (code, modifiers) = character(char::from(byte));
                self.push(code, modifiers, inputs);
            }
            0x80.. => {
                self.state = ParserState::Character;
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
                self.state = ParserState::Ground;
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
        self.begin(ParserState::Ground, false);
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
            ESC if !twice => self.begin(ParserState::Escape, true),
            // The terminator of a string that was given up.
            b'\\' if cut && !twice => self.begin(ParserState::Ground, false),
            b'[' => self.begin(ParserState::Csi, twice),
            b'O' => self.begin(ParserState::Ss3, twice),
            _ => {
                // Of two, the first was a key of its own. So was an only one before Ctrl-C, which is no part of a chord.
                if twice || byte == CTRL_C {
                    self.begin(ParserState::Ground, false);
                    self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
                }
                match byte {
                    CTRL_C if twice => {
                        self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
                        self.single(byte, inputs);
                    }
                    CTRL_C => self.single(byte, inputs),
                    ESC => self.begin(ParserState::Escape, true),
                    b']' | b'P' | b'X' | b'^' | b'_' => self.begin(ParserState::String(byte), false),
                    _ => {
                        self.begin(ParserState::Ground, true);
                        self.single(byte, inputs);
                    }
                }
            }
        }
    }

    fn sequence(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match (self.state, byte) {
            (_, CAN | SUB) => self.begin(ParserState::Ground, false),
            (ParserState::OldMouse(left), 0x20..) => {
                self.state = if left > 1 { ParserState::OldMouse(left - 1) } else { ParserState::Ground };
            }
            (_, 0..0x20 | 0x7f..) => {
                self.abandon(inputs);
                self.ground(byte, inputs);
            }
            (ParserState::LinuxFunction, _) => {
                let found = sequence::linux_function(byte);
                self.conclude(found, inputs);
            }
            (ParserState::Csi, b'[') if self.begun.is_empty() => self.state = ParserState::LinuxFunction,
            (ParserState::Csi, b'M') if self.begun.is_empty() => self.state = ParserState::OldMouse(3),
            (ParserState::Csi, b'$') => match sequence::rxvt_shift(&self.begun) {
                Some(found) => self.conclude(found, inputs),
                None => self.keep(byte),
            },
            (ParserState::Csi, 0x40..) => {
                let found = sequence::csi(&self.begun, byte);
                self.conclude(found, inputs);
            }
            (ParserState::Ss3, 0x3c.. | b' ') => {
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
            self.cut = matches!(self.state, ParserState::String(_));
            self.begin(ParserState::Ground, false);
        }
    }

    fn conclude(&mut self, found: SequenceMeaning, inputs: &mut Vec<Input>) {
        // What was not kept whole is not understood.
        let whole = self.length <= KEPT;
        let alt = self.alt;
        self.begin(ParserState::Ground, false);
        match found {
            SequenceMeaning::Key(mut key) if whole => {
                if alt {
                    key.modifiers |= KeyModifiers::ALT;
                }
                inputs.push(Input::Key(key));
            }
            SequenceMeaning::Input(input) if whole => inputs.push(input),
            SequenceMeaning::BeginPaste if whole => {
                self.state = ParserState::Paste;
                self.paste.begin();
            }
            SequenceMeaning::Key(_)
            | SequenceMeaning::Input(_)
            | SequenceMeaning::BeginPaste
            | SequenceMeaning::Nothing => {}
        }
    }

    /// What has begun has no end. The beginning alone was an Alt chord, and anything longer was no key.
    fn abandon(&mut self, inputs: &mut Vec<Input>) {
        let introducer = self.state.introducer().filter(|_| self.length == 0);
        let twice = self.alt;
        self.begin(ParserState::Ground, false);
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
            ESC => self.state = ParserState::StringEscape(kind),
            CAN | SUB => {
                self.cut = true;
                self.begin(ParserState::Ground, false);
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
        let is_command = matches!(self.state, ParserState::String(b']') | ParserState::StringEscape(b']'));
        if is_command && self.length <= KEPT {
            inputs.extend(reply::osc(&self.begun).map(Input::Reply));
        }
        self.begin(ParserState::Ground, false);
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
            self.begin(ParserState::Ground, false);
        }
        for byte in keys {
            self.take(byte, inputs);
        }
        if !ended {
            self.state = ParserState::Paste;
        }
    }

    /// No byte has come in time.
    fn expire(&mut self, inputs: &mut Vec<Input>) {
        match self.state {
            ParserState::Ground => {}
            ParserState::Character => self.invalid(inputs),
            ParserState::Escape => {
                let twice = self.alt;
                self.begin(ParserState::Ground, false);
                for _ in 0..=u8::from(twice) {
                    self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
                }
            }
            ParserState::StringEscape(_) => {
                self.cut = true;
                self.begin(ParserState::Ground, false);
                self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
            }
            ParserState::String(_) => {
                self.cut = self.length > 0;
                self.abandon(inputs);
            }
            ParserState::Csi | ParserState::Ss3 | ParserState::LinuxFunction | ParserState::OldMouse(_) => {
                self.abandon(inputs);
            }
            ParserState::Paste => {
                let step = self.paste.expire();
                self.paste_step(step, inputs);
            }
        }
    }
}
