//! Parses the bytes of a terminal into [`Input`]: a state machine over bytes and time that does no I/O.
//!
//! A reply of the terminal never becomes a key: it is skipped up to its terminator. Each state is bounded in bytes and in
//! time, and Ctrl-C is a key in all of them, so that a sequence without an end never keeps the keys from working. An invalid
//! byte never affects the characters around it.

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    Input,
    key::{character, control},
    paste::{Paste, PasteOutput, decode},
    reply,
    sequence::{self, DecodedSequence},
    state::ParserState,
};

/// The length, in bytes, at which a sequence or a string counts as ended.
const MAX_LENGTH: usize = 64 * 1024;
/// How many bytes of a sequence or a string are stored: more than any known one has.
const MAX_STORED: usize = 256;

const ESC: u8 = 0x1b;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const BEL: u8 = 0x07;
const CTRL_C: u8 = 0x03;

/// Parses bytes into inputs. Call [`Parser::feed`] with the bytes of each read, and [`Parser::idle`] at
/// [`Parser::deadline`].
#[derive(Debug, Default)]
pub struct Parser {
    state: ParserState,
    /// When the last byte came.
    last: Option<Instant>,
    /// The bytes of the current sequence, string or character, at most [`MAX_STORED`].
    buffer: Vec<u8>,
    /// How many bytes the current sequence or string has.
    length: usize,
    /// Whether an ESC came before it, so that it is an Alt chord.
    alt: bool,
    /// Whether a string was aborted, so that its terminator may still come.
    is_string_aborted: bool,
    paste: Paste,
    /// Whether invalid UTF-8 was reported.
    is_invalid_reported: bool,
}

impl Parser {
    /// Parses bytes that were read at this time. Returns the inputs that they complete.
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

    /// Handles that no byte came until this time. Returns the inputs that this completes.
    pub fn idle(&mut self, now: Instant) -> Vec<Input> {
        let mut inputs = Vec::new();
        // Several times, because the bytes after a paste may be parsed again and be due too.
        while self.deadline().is_some_and(|deadline| deadline <= now) {
            self.time_out(&mut inputs);
        }
        inputs
    }

    /// Ends the current sequence, as if enough time had passed. Returns the inputs that this completes.
    pub fn flush(&mut self) -> Vec<Input> {
        let mut inputs = Vec::new();
        while self.deadline().is_some() {
            self.time_out(&mut inputs);
        }
        inputs
    }

    /// Returns when [`Parser::idle`] is due if no byte comes, or `None` if nothing is incomplete.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let timeout = match self.state {
            ParserState::Paste => self.paste.timeout(),
            state => state.timeout(),
        };
        Some(self.last? + timeout?)
    }

    fn take(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match self.state {
            ParserState::Ground => self.ground(byte, inputs),
            ParserState::Character => self.character(byte, inputs),
            ParserState::Escape => self.escape(byte, inputs),
            ParserState::String(kind) => self.string(kind, byte, inputs),
            ParserState::StringEscape(_) if byte == b'\\' => self.end_string(inputs),
            ParserState::StringEscape(_) => {
                self.is_string_aborted = true;
                self.begin(ParserState::Escape, false);
                self.escape(byte, inputs);
            }
            ParserState::Csi | ParserState::Ss3 | ParserState::LinuxFunction | ParserState::X10Mouse(_) => {
                self.sequence(byte, inputs);
            }
            ParserState::Paste => {
                let output = self.paste.take(byte);
                self.apply_paste(output, inputs);
            }
        }
    }

    /// Enters a state with an empty buffer.
    fn begin(&mut self, state: ParserState, alt: bool) {
        self.state = state;
        self.alt = alt;
        self.buffer.clear();
        self.length = 0;
    }

    fn push(&mut self, code: KeyCode, modifiers: KeyModifiers, inputs: &mut Vec<Input>) {
        let alt = if self.alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
        inputs.push(Input::Key(KeyEvent::new(code, modifiers | alt)));
    }

    fn ground(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        self.begin(ParserState::Ground, false);
        self.start(byte, inputs);
    }

    /// Handles a byte that is a key, or that begins a character or a sequence.
    fn start(&mut self, byte: u8, inputs: &mut Vec<Input>) {
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

    /// Handles a byte of a character. A byte that does not continue the character is handled by itself.
    fn character(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        self.buffer.push(byte);
        match std::str::from_utf8(&self.buffer) {
            Ok(text) => {
                let complete = text.chars().next();
                self.state = ParserState::Ground;
                if let Some(c) = complete {
                    let (code, modifiers) = character(c);
                    self.push(code, modifiers, inputs);
                }
            }
            Err(error) if error.error_len().is_none() => {}
            Err(_) if self.buffer.len() == 1 => self.invalid(inputs),
            Err(_) => {
                self.buffer.pop();
                self.invalid(inputs);
                self.ground(byte, inputs);
            }
        }
    }

    /// Replaces each byte of an invalid character.
    fn invalid(&mut self, inputs: &mut Vec<Input>) {
        if self.alt {
            self.alt = false;
            self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
        }
        for _ in 0..self.buffer.len() {
            self.push(KeyCode::Char(char::REPLACEMENT_CHARACTER), KeyModifiers::NONE, inputs);
        }
        self.begin(ParserState::Ground, false);
        self.report_invalid(inputs);
    }

    fn report_invalid(&mut self, inputs: &mut Vec<Input>) {
        if !self.is_invalid_reported {
            self.is_invalid_reported = true;
            inputs.push(Input::NotUtf8);
        }
    }

    fn escape(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        let is_second = self.alt;
        let is_string_aborted = std::mem::take(&mut self.is_string_aborted);
        match byte {
            ESC if !is_second => self.begin(ParserState::Escape, true),
            // The terminator of an aborted string.
            b'\\' if is_string_aborted && !is_second => self.begin(ParserState::Ground, false),
            b'[' => self.begin(ParserState::Csi, is_second),
            b'O' => self.begin(ParserState::Ss3, is_second),
            _ => {
                // The first of two is a key of its own, and so is one before Ctrl-C, which is never part of a chord.
                if is_second || byte == CTRL_C {
                    self.begin(ParserState::Ground, false);
                    self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
                }
                match byte {
                    CTRL_C if is_second => {
                        self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
                        self.start(byte, inputs);
                    }
                    CTRL_C => self.start(byte, inputs),
                    ESC => self.begin(ParserState::Escape, true),
                    b']' | b'P' | b'X' | b'^' | b'_' => self.begin(ParserState::String(byte), false),
                    _ => {
                        self.begin(ParserState::Ground, true);
                        self.start(byte, inputs);
                    }
                }
            }
        }
    }

    fn sequence(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match (self.state, byte) {
            (_, CAN | SUB) => self.begin(ParserState::Ground, false),
            (ParserState::X10Mouse(left), 0x20..) => {
                self.state = if left > 1 { ParserState::X10Mouse(left - 1) } else { ParserState::Ground };
            }
            (_, 0..0x20 | 0x7f..) => {
                self.abandon(inputs);
                self.ground(byte, inputs);
            }
            (ParserState::LinuxFunction, _) => {
                let meaning = sequence::linux_function(byte);
                self.finish(meaning, inputs);
            }
            (ParserState::Csi, b'[') if self.buffer.is_empty() => self.state = ParserState::LinuxFunction,
            (ParserState::Csi, b'M') if self.buffer.is_empty() => self.state = ParserState::X10Mouse(3),
            (ParserState::Csi, b'$') => match sequence::rxvt_shift(&self.buffer) {
                Some(meaning) => self.finish(meaning, inputs),
                None => self.store(byte),
            },
            (ParserState::Csi, 0x40..) => {
                let meaning = sequence::csi(&self.buffer, byte);
                self.finish(meaning, inputs);
            }
            (ParserState::Ss3, 0x3c.. | b' ') => {
                let meaning = sequence::ss3(&self.buffer, byte);
                self.finish(meaning, inputs);
            }
            _ => self.store(byte),
        }
    }

    /// Stores a byte of a sequence or a string.
    fn store(&mut self, byte: u8) {
        self.length += 1;
        if self.buffer.len() < MAX_STORED {
            self.buffer.push(byte);
        }
        if self.length >= MAX_LENGTH {
            self.is_string_aborted = matches!(self.state, ParserState::String(_));
            self.begin(ParserState::Ground, false);
        }
    }

    fn finish(&mut self, meaning: DecodedSequence, inputs: &mut Vec<Input>) {
        // A sequence that was not stored completely has no meaning.
        let is_complete = self.length <= MAX_STORED;
        let alt = self.alt;
        self.begin(ParserState::Ground, false);
        match meaning {
            DecodedSequence::Key(mut key) if is_complete => {
                if alt {
                    key.modifiers |= KeyModifiers::ALT;
                }
                inputs.push(Input::Key(key));
            }
            DecodedSequence::Input(input) if is_complete => inputs.push(input),
            DecodedSequence::BeginPaste if is_complete => {
                self.state = ParserState::Paste;
                self.paste.begin();
            }
            DecodedSequence::Key(_)
            | DecodedSequence::Input(_)
            | DecodedSequence::BeginPaste
            | DecodedSequence::Unknown => {}
        }
    }

    /// Ends a sequence without its final byte. If only its first bytes came, they were an Alt chord.
    fn abandon(&mut self, inputs: &mut Vec<Input>) {
        let introducer = self.state.introducer().filter(|_| self.length == 0);
        let is_second = self.alt;
        self.begin(ParserState::Ground, false);
        if let Some(introducer) = introducer {
            if is_second {
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
                self.is_string_aborted = true;
                self.begin(ParserState::Ground, false);
            }
            CTRL_C => {
                self.is_string_aborted = true;
                self.abandon(inputs);
                self.ground(byte, inputs);
            }
            _ => self.store(byte),
        }
    }

    /// Handles the terminator of a string.
    fn end_string(&mut self, inputs: &mut Vec<Input>) {
        let is_command = matches!(self.state, ParserState::String(b']') | ParserState::StringEscape(b']'));
        if is_command && self.length <= MAX_STORED {
            inputs.extend(reply::osc(&self.buffer).map(Input::Reply));
        }
        self.begin(ParserState::Ground, false);
    }

    fn apply_paste(&mut self, output: PasteOutput, inputs: &mut Vec<Input>) {
        let PasteOutput { text, keys, is_end } = output;
        if !text.is_empty() {
            let (text, is_valid) = decode(&text);
            inputs.push(Input::Paste(text));
            if !is_valid {
                self.report_invalid(inputs);
            }
        }
        if is_end || !keys.is_empty() {
            self.begin(ParserState::Ground, false);
        }
        for byte in keys {
            self.take(byte, inputs);
        }
        if !is_end {
            self.state = ParserState::Paste;
        }
    }

    /// Handles that no byte came in time.
    fn time_out(&mut self, inputs: &mut Vec<Input>) {
        match self.state {
            ParserState::Ground => {}
            ParserState::Character => self.invalid(inputs),
            ParserState::Escape => {
                let is_second = self.alt;
                self.begin(ParserState::Ground, false);
                for _ in 0..=u8::from(is_second) {
                    self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
                }
            }
            ParserState::StringEscape(_) => {
                self.is_string_aborted = true;
                self.begin(ParserState::Ground, false);
                self.push(KeyCode::Esc, KeyModifiers::NONE, inputs);
            }
            ParserState::String(_) => {
                self.is_string_aborted = self.length > 0;
                self.abandon(inputs);
            }
            ParserState::Csi | ParserState::Ss3 | ParserState::LinuxFunction | ParserState::X10Mouse(_) => {
                self.abandon(inputs);
            }
            ParserState::Paste => {
                let output = self.paste.time_out();
                self.apply_paste(output, inputs);
            }
        }
    }
}
