//! Collects a bracketed paste within bounds of size and time. Pasted text is never a key, and a paste without an end never
//! keeps the keys from working.
//!
//! The text is delivered at the end of the paste, after a second without a byte, or whenever it is 1 MiB long. In the last
//! two cases the end may still come, and the bytes before it are still text. So the following bytes are collected for a
//! moment: they are text if an end is among them, or if several characters came at once, which is too fast for typing. A
//! single key is a key and ends the paste. Ctrl-C is a key unless more text follows at once.

use std::time::Duration;

/// The sequence that ends a paste.
const END: &[u8] = b"\x1b[201~";
/// How long the next byte of a paste may take.
const BYTE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the next byte after a Ctrl-C may take. Without one, the Ctrl-C was typed.
const CTRL_C_TIMEOUT: Duration = Duration::from_millis(100);
/// How long bytes after a paste without an end are collected.
const COLLECT_TIMEOUT: Duration = Duration::from_millis(50);
/// The length, in bytes, at which a part of a paste is delivered.
const MAX_LENGTH: usize = 1024 * 1024;

const CTRL_C: u8 = 0x03;

/// The paste that is being read.
#[derive(Debug, Default)]
pub(super) struct Paste {
    text: Vec<u8>,
    /// Whether the paste timed out without an end. `text` then holds the bytes that are collected after it.
    has_timed_out: bool,
}

/// The result of a byte or of a time-out.
#[derive(Debug, Default)]
pub(super) struct PasteOutput {
    /// The text to deliver.
    pub(super) text: Vec<u8>,
    /// Bytes that are keys and not part of the paste. If the paste goes on, they can only be Ctrl-C.
    pub(super) keys: Vec<u8>,
    /// Whether the paste has ended.
    pub(super) is_end: bool,
}

impl Paste {
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.has_timed_out = false;
    }

    /// Returns how long the next byte may take, or `None` without a limit.
    pub(super) fn timeout(&self) -> Option<Duration> {
        match (self.has_timed_out, self.text.last()) {
            (true, None) => None,
            (true, Some(_)) => Some(COLLECT_TIMEOUT),
            (false, Some(&CTRL_C)) => Some(CTRL_C_TIMEOUT),
            (false, _) => Some(BYTE_TIMEOUT),
        }
    }

    pub(super) fn take(&mut self, byte: u8) -> PasteOutput {
        if self.has_timed_out && self.text.is_empty() && byte == CTRL_C {
            return PasteOutput { keys: vec![byte], ..PasteOutput::default() };
        }
        self.text.push(byte);
        if byte == b'~' && self.text.ends_with(END) {
            self.text.truncate(self.text.len() - END.len());
            return PasteOutput { text: std::mem::take(&mut self.text), is_end: true, ..PasteOutput::default() };
        }
        if self.text.len() >= MAX_LENGTH {
            let rest = self.text.split_off(deliverable(&self.text));
            return PasteOutput { text: std::mem::replace(&mut self.text, rest), ..PasteOutput::default() };
        }
        PasteOutput::default()
    }

    /// Handles a time-out.
    pub(super) fn time_out(&mut self) -> PasteOutput {
        let mut text = std::mem::take(&mut self.text);
        let typed = text.iter().rev().take_while(|byte| **byte == CTRL_C).count();
        let keys = text.split_off(text.len() - typed);
        if self.has_timed_out && !is_pasted(&text) {
            text.extend(keys);
            return PasteOutput { keys: text, is_end: true, ..PasteOutput::default() };
        }
        // A part of the end sequence is not text.
        text.truncate(text.len() - partial_end(&text));
        self.has_timed_out = true;
        PasteOutput { text, keys, is_end: false }
    }
}

/// Returns whether bytes that came together after a paste are text: several characters, and no other key.
fn is_pasted(bytes: &[u8]) -> bool {
    let is_text = |byte: &u8| !matches!(byte, 0..0x20 | 0x7f) || matches!(byte, b'\r' | b'\n' | b'\t');
    bytes.iter().all(is_text) && decode(bytes).0.chars().nth(1).is_some()
}

/// Returns how many bytes of a long paste can be delivered without cutting a character or the end sequence.
fn deliverable(text: &[u8]) -> usize {
    let length = text.len() - partial_end(text);
    // A character has at most four bytes, so that up to three of an incomplete one may be there.
    let tail = length.saturating_sub(3);
    let start = (tail..length).rev().find(|at| text[*at] >= 0xc0);
    match start {
        Some(at) if std::str::from_utf8(&text[at..length]).is_err_and(|error| error.error_len().is_none()) => at,
        _ => length,
    }
}

/// Returns how many of the last bytes may be the beginning of the end sequence.
fn partial_end(text: &[u8]) -> usize {
    (1..END.len()).rev().find(|length| text.ends_with(&END[..*length])).unwrap_or(0)
}

/// Decodes UTF-8, with a replacement character for each invalid byte. Returns whether all bytes were valid.
pub(super) fn decode(bytes: &[u8]) -> (String, bool) {
    let (mut text, mut is_valid) = (String::with_capacity(bytes.len()), true);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for _ in chunk.invalid() {
            text.push(char::REPLACEMENT_CHARACTER);
            is_valid = false;
        }
    }
    (text, is_valid)
}
