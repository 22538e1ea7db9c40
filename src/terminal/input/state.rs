//! The states of the parser, and how long each waits for the next byte. The transitions are in `parser`.

use std::time::Duration;

/// How long the next byte after an ESC may take to be part of the same key. Terminals write such keys at once.
const ESCAPE_TIMEOUT: Duration = Duration::from_millis(10);
/// How long the next byte of a sequence, a string or a character may take.
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(100);

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ParserState {
    #[default]
    Ground,
    /// In a character of several bytes.
    Character,
    /// After an ESC, or two of them.
    Escape,
    /// After `ESC [`, in the parameters.
    Csi,
    /// After `ESC [ [`: a function key of the Linux console.
    LinuxFunction,
    /// After `ESC [ M`: an X10 mouse report, and how many of its bytes are still to come.
    X10Mouse(u8),
    /// After `ESC O`, and perhaps a modifier.
    Ss3,
    /// In a string that this byte introduced after ESC.
    String(u8),
    /// After an ESC in a string, which ends or aborts it.
    StringEscape(u8),
    /// In a bracketed paste, or after one that timed out without an end.
    Paste,
}

impl ParserState {
    /// Returns how long the next byte may take, or `None` without a limit. A paste has limits of its own.
    pub(super) const fn timeout(self) -> Option<Duration> {
        match self {
            Self::Ground | Self::Paste => None,
            Self::Escape => Some(ESCAPE_TIMEOUT),
            Self::Character
            | Self::Csi
            | Self::LinuxFunction
            | Self::X10Mouse(_)
            | Self::Ss3
            | Self::String(_)
            | Self::StringEscape(_) => Some(SEQUENCE_TIMEOUT),
        }
    }

    /// Returns the character that makes the same first bytes when it is typed with Alt.
    pub(super) const fn introducer(self) -> Option<u8> {
        match self {
            Self::Csi => Some(b'['),
            Self::Ss3 => Some(b'O'),
            Self::String(kind) => Some(kind),
            Self::Ground
            | Self::Character
            | Self::Escape
            | Self::LinuxFunction
            | Self::X10Mouse(_)
            | Self::StringEscape(_)
            | Self::Paste => None,
        }
    }
}
