//! The states of the parser, and how long each of them waits for its next byte.

use std::time::Duration;

/// How long after an ESC the next byte may come to make one key with it. A terminal writes such keys at once.
const AFTER_ESCAPE: Duration = Duration::from_millis(10);
/// How long a sequence, a string or a character may stop in the middle before it counts as ended.
const SILENCE: Duration = Duration::from_millis(100);

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ParserState {
    #[default]
    Ground,
    /// A character of more than one byte.
    Character,
    /// An ESC, or two of them.
    Escape,
    /// `ESC [`, then parameters.
    Csi,
    /// `ESC [ [`: a function key of the Linux console.
    LinuxFunction,
    /// `ESC [ M`: a mouse report of the oldest kind, and how many of its bytes are to come.
    OldMouse(u8),
    /// `ESC O`, then perhaps a modifier.
    Ss3,
    /// A string, by the byte that introduced it after its ESC.
    String(u8),
    /// An ESC in a string: its end, or its abandonment.
    StringEscape(u8),
    /// A bracketed paste, or the time after one that has no end.
    Paste,
}

impl ParserState {
    /// How long the next byte may take. `None` where none is waited for, or where a paste knows.
    pub(super) const fn patience(self) -> Option<Duration> {
        match self {
            Self::Ground | Self::Paste => None,
            Self::Escape => Some(AFTER_ESCAPE),
            Self::Character
            | Self::Csi
            | Self::LinuxFunction
            | Self::OldMouse(_)
            | Self::Ss3
            | Self::String(_)
            | Self::StringEscape(_) => Some(SILENCE),
        }
    }

    /// The character that with Alt has the same beginning.
    pub(super) const fn introducer(self) -> Option<u8> {
        match self {
            Self::Csi => Some(b'['),
            Self::Ss3 => Some(b'O'),
            Self::String(kind) => Some(kind),
            Self::Ground
            | Self::Character
            | Self::Escape
            | Self::LinuxFunction
            | Self::OldMouse(_)
            | Self::StringEscape(_)
            | Self::Paste => None,
        }
    }
}
