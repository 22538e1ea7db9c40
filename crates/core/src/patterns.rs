//! Regular expressions for the names of tickets and devices. They only warn: they never keep anything from being sent.

use std::fmt;

use regex_lite::Regex;

/// How widely used ticket systems write their numbers, and the service itself (contract, seen). Names of devices that
/// look like these are rare, and a doubt costs one key.
const TICKETS: [&str; 4] = [
    r"MMD-\d+-[A-Z0-9]{5}",
    r"(INC|REQ|RITM|TASK|SCTASK|CHG|CTASK|PRB|CS|TKT|TICKET|CASE|SR|WO|IR|HD|ITSM|HELP|SUP|SUPPORT)[-_ #]?\d{3,}",
    r"#\d{3,}",
    r"T\d{8}\.\d{4,}",
];

/// One regular expression, which has to fit the whole of a text, in any letter case.
#[derive(Clone)]
pub struct Pattern {
    written: String,
    whole: Regex,
}

/// A text is no regular expression; why, in a few words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(String);

impl Pattern {
    /// Reads a regular expression.
    ///
    /// # Errors
    /// [`BadPattern`] where it is none, or is too large.
    pub fn new(written: &str) -> Result<Self, BadPattern> {
        let bad = |error: regex_lite::Error| BadPattern(error.to_string());
        // By itself first: `a)|(b` would become one within the other's brackets.
        Regex::new(written).map_err(bad)?;
        let whole = Regex::new(&format!(r"(?i)\A(?:{written})\z")).map_err(bad)?;
        Ok(Self { written: written.to_owned(), whole })
    }

    /// Whether it fits the whole text.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.written)
    }
}

/// What tickets and devices look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patterns {
    ticket: Vec<Pattern>,
    device: Vec<Pattern>,
}

impl Default for Patterns {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl Patterns {
    /// What is not given is built in: usual forms of tickets, and no form of devices.
    #[must_use]
    pub fn new(ticket: Option<Vec<Pattern>>, device: Option<Vec<Pattern>>) -> Self {
        let built_in = || TICKETS.into_iter().filter_map(|written| Pattern::new(written).ok()).collect();
        Self { ticket: ticket.unwrap_or_else(built_in), device: device.unwrap_or_default() }
    }

    /// Whether a device's name is a ticket's. What a pattern says is a device is one.
    pub(super) fn is_ticket(&self, device: &str) -> bool {
        self.ticket.iter().any(|pattern| pattern.fits(device)) && !self.is_device(device)
    }

    /// Whether devices have patterns, and none of them fits this name.
    pub(super) fn is_no_device(&self, device: &str) -> bool {
        !self.device.is_empty() && !self.is_device(device)
    }

    fn is_device(&self, device: &str) -> bool {
        self.device.iter().any(|pattern| pattern.fits(device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_patterns_fit_usual_tickets_and_no_usual_device() {
        assert_eq!(Patterns::default().ticket.len(), TICKETS.len());
        for ticket in [
            "INC-4711",
            "inc4711",
            "RITM0012345",
            "SR 1234",
            "CHG#00123",
            "#4711",
            "MMD-1465058-R5V8P",
            "T20240731.0012",
        ] {
            assert!(Patterns::default().is_ticket(ticket), "{ticket}");
        }
        for device in [
            "MMD-03690457680",
            "MMD-7Q2XK9",
            "INC",
            "Kiosk-Lobby-01",
            "Kiosk-INC-4711",
            "LT-INC4711-X",
            "SRV-1234",
            "4711",
        ] {
            assert!(!Patterns::default().is_ticket(device), "{device}");
        }
    }

    #[test]
    fn a_pattern_fits_the_whole_text_or_not_at_all() {
        let pattern = Pattern::new("a|bc").unwrap();
        for (text, fits) in [("a", true), ("BC", true), ("abc", false), ("xa", false), ("a\n", false)] {
            assert_eq!(pattern.fits(text), fits, "{text:?}");
        }
        for wrong in ["(", "a)|(b", "[", "*", "a{99999}{99999}"] {
            assert!(Pattern::new(wrong).is_err(), "{wrong}");
        }
    }
}
