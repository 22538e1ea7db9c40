//! What a program did to a terminal: its settings, and the modes it switched.

use std::{collections::BTreeMap, fs::File};

use rustix::termios::{Termios, tcgetattr};

/// The terminal's settings, to be compared.
pub(crate) fn settings(tty: &File) -> String {
    let Termios { input_modes, output_modes, control_modes, local_modes, special_codes, .. } = tcgetattr(tty).unwrap();
    format!("{input_modes:?} {output_modes:?} {control_modes:?} {local_modes:?} {special_codes:?}")
}

/// Per private mode what was done to it, as in `?2004` → `hl`.
pub(crate) fn switched_modes(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut modes: BTreeMap<String, String> = BTreeMap::new();
    for sequence in text.split("\x1b[?").skip(1) {
        let end = sequence.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(sequence.len());
        if let Some(last @ ('h' | 'l')) = sequence[end..].chars().next() {
            for number in sequence[..end].split(';') {
                modes.entry(format!("?{number}")).or_default().push(last);
            }
        }
    }
    modes
}
