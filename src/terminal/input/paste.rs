//! A bracketed paste and its bounds. Pasted text never acts, and a paste without an end never keeps the keys.
//!
//! A paste is delivered at its end, after a second without a byte, or whenever it is a mebibyte long. In the latter two
//! cases its end may still come, and what comes before it is still text. Until then bytes that come together are held for
//! a moment: an end among them makes all before it text, and so do several characters at once, which nobody types. A
//! single key is a key, and the paste is over with it. Ctrl-C is a key wherever no more text follows it at once.

use std::time::Duration;

/// What ends a paste.
const END: &[u8] = b"\x1b[201~";
/// How long a paste may stop in the middle.
const SILENCE: Duration = Duration::from_secs(1);
/// How long a Ctrl-C at its end stays a part of the text: pasted ones are followed by more at once.
const AFTER_CTRL_C: Duration = Duration::from_millis(100);
/// How long what comes after a paste without an end is held.
const TOGETHER: Duration = Duration::from_millis(50);
/// How long a paste gets before a part of it is delivered.
const LONGEST: usize = 1024 * 1024;

const CTRL_C: u8 = 0x03;

/// The paste that is being read.
#[derive(Debug, Default)]
pub(super) struct Paste {
    text: Vec<u8>,
    /// Whether it stopped without an end. What is held then is not delivered as text yet.
    stopped: bool,
}

/// What a byte, or the lack of one, makes of the paste.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Text to be delivered.
    pub(super) text: Vec<u8>,
    /// Bytes that were no part of it, to be read as keys. Where the paste is not over, they are Ctrl-C and nothing else.
    pub(super) keys: Vec<u8>,
    /// Whether the paste is over.
    pub(super) ended: bool,
}

impl Paste {
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.stopped = false;
    }

    /// How long the next byte may take. `None` where nothing waits for it.
    pub(super) fn patience(&self) -> Option<Duration> {
        match (self.stopped, self.text.last()) {
            (true, None) => None,
            (true, Some(_)) => Some(TOGETHER),
            (false, Some(&CTRL_C)) => Some(AFTER_CTRL_C),
            (false, _) => Some(SILENCE),
        }
    }

    pub(super) fn take(&mut self, byte: u8) -> Step {
        if self.stopped && self.text.is_empty() && byte == CTRL_C {
            return Step { keys: vec![byte], ..Step::default() };
        }
        self.text.push(byte);
        if byte == b'~' && self.text.ends_with(END) {
            self.text.truncate(self.text.len() - END.len());
            return Step { text: std::mem::take(&mut self.text), ended: true, ..Step::default() };
        }
        if self.text.len() >= LONGEST {
            let rest = self.text.split_off(whole(&self.text));
            return Step { text: std::mem::replace(&mut self.text, rest), ..Step::default() };
        }
        Step::default()
    }

    /// No byte has come in time.
    pub(super) fn expire(&mut self) -> Step {
        let mut text = std::mem::take(&mut self.text);
        let typed = text.iter().rev().take_while(|byte| **byte == CTRL_C).count();
        let keys = text.split_off(text.len() - typed);
        if self.stopped && !is_pasted(&text) {
            text.extend(keys);
            return Step { keys: text, ended: true, ..Step::default() };
        }
        // A piece of the end is no text.
        text.truncate(text.len() - beginning_of_end(&text));
        self.stopped = true;
        Step { text, keys, ended: false }
    }
}

/// Whether bytes that came together after a paste are text of it: several characters, and no other key.
fn is_pasted(bytes: &[u8]) -> bool {
    let is_text = |byte: &u8| !matches!(byte, 0..0x20 | 0x7f) || matches!(byte, b'\r' | b'\n' | b'\t');
    bytes.iter().all(is_text) && decode(bytes).0.chars().nth(1).is_some()
}

/// How much of a long paste can be delivered without cutting a character or its end in two.
fn whole(text: &[u8]) -> usize {
    let length = text.len() - beginning_of_end(text);
    // The last character has at most four bytes, so that three of it may be there.
    let tail = length.saturating_sub(3);
    let begins = (tail..length).rev().find(|at| text[*at] >= 0xc0);
    match begins {
        Some(at) if std::str::from_utf8(&text[at..length]).is_err_and(|error| error.error_len().is_none()) => at,
        _ => length,
    }
}

/// How many of the last bytes may be the beginning of the end.
fn beginning_of_end(text: &[u8]) -> usize {
    (1..END.len()).rev().find(|length| text.ends_with(&END[..*length])).unwrap_or(0)
}

/// The text, with a replacement character for each byte that is no UTF-8, and whether there was none.
pub(super) fn decode(bytes: &[u8]) -> (String, bool) {
    let (mut text, mut valid) = (String::with_capacity(bytes.len()), true);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for _ in chunk.invalid() {
            text.push(char::REPLACEMENT_CHARACTER);
            valid = false;
        }
    }
    (text, valid)
}
