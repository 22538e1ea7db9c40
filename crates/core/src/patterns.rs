//! Regular expressions for ticket numbers and device names. They cause warnings and never prevent a request from being sent.

use std::fmt;

use regex_lite::Regex;

use super::Problem;

/// The ticket numbers of widely used systems and of the service itself (contract, seen). Few device names look like these,
/// and a warning costs one key.
const TICKETS: [&str; 4] = [
    r"MMD-\d+-[A-Z0-9]{5}",
    r"(INC|REQ|RITM|TASK|SCTASK|CHG|CTASK|PRB|CS|TKT|TICKET|CASE|SR|WO|IR|HD|ITSM|HELP|SUP|SUPPORT)[-_ #]?\d{3,}",
    r"#\d{3,}",
    r"T\d{8}\.\d{4,}",
];

/// A regular expression that must match a whole text, in any letter case.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a regular expression.
    ///
    /// # Errors
    /// The expression is invalid or too large.
    pub fn new(source: &str) -> Result<Self, Problem> {
        let invalid = |error: regex_lite::Error| {
            Problem::new(error.to_string(), "an example is 'INC-\\d+'; single quotes keep a backslash as it is")
        };
        // The source is compiled alone first: `a)|(b` is valid only within the brackets that are added below.
        Regex::new(source).map_err(invalid)?;
        let regex = Regex::new(&format!(r"(?i)\A(?:{source})\z")).map_err(invalid)?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// Returns whether the pattern matches the whole text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

/// The patterns of ticket numbers and device names.
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
    /// Uses built-in patterns where none are given: usual ticket numbers, and no device names.
    #[must_use]
    pub fn new(ticket: Option<Vec<Pattern>>, device: Option<Vec<Pattern>>) -> Self {
        let built_in = || TICKETS.into_iter().filter_map(|source| Pattern::new(source).ok()).collect();
        Self { ticket: ticket.unwrap_or_else(built_in), device: device.unwrap_or_default() }
    }

    /// Returns whether a device's name matches a ticket pattern and no device pattern.
    pub(super) fn looks_like_ticket(&self, device: &str) -> bool {
        self.matches_ticket(device) && !self.matches_device(device)
    }

    /// Returns whether there are device patterns and the name matches none of them.
    pub(super) fn excludes_device(&self, device: &str) -> bool {
        !self.device.is_empty() && !self.matches_device(device)
    }

    /// Returns whether a text matches a ticket pattern.
    #[must_use]
    pub fn matches_ticket(&self, text: &str) -> bool {
        self.ticket.iter().any(|pattern| pattern.matches(text))
    }

    /// Returns whether there are device patterns and a text matches one of them.
    #[must_use]
    pub fn matches_device(&self, text: &str) -> bool {
        self.device.iter().any(|pattern| pattern.matches(text))
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
            assert!(Patterns::default().looks_like_ticket(ticket), "{ticket}");
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
            assert!(!Patterns::default().looks_like_ticket(device), "{device}");
        }
    }

    #[test]
    fn a_pattern_fits_the_whole_text_or_not_at_all() {
        let pattern = Pattern::new("a|bc").unwrap();
        for (text, fits) in [("a", true), ("BC", true), ("abc", false), ("xa", false), ("a\n", false)] {
            assert_eq!(pattern.matches(text), fits, "{text:?}");
        }
        for wrong in ["(", "a)|(b", "[", "*", "a{99999}{99999}"] {
            assert!(Pattern::new(wrong).is_err(), "{wrong}");
        }
    }
}
