//! Colours as settings write them.

use std::fmt;

use super::{Refused, document::suggest};
use mmd_elevate_engine::redact::quoted;

/// The terminal's own sixteen, by their ANSI number.
const NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "dark-gray",
    "light-red",
    "light-green",
    "light-yellow",
    "light-blue",
    "light-magenta",
    "light-cyan",
    "white",
];

/// A colour: one of the terminal's own, or an exact one. Shown as it is written in settings, which is also how the
/// screen library reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// One of the terminal's sixteen, 0 to 15.
    Ansi(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

impl Color {
    /// The default accent.
    pub const CYAN: Self = Self::Ansi(6);

    /// Reads a name, or `#rrggbb`.
    ///
    /// # Errors
    /// [`Refused`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let named = || (0..).zip(NAMES).find(|(_, name)| *name == text).map(|(number, _)| Self::Ansi(number));
        let exact = || {
            let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
            Some(Self::Rgb(red, green, blue))
        };
        named().or_else(exact).ok_or_else(|| {
            let hint = format!("name one of the terminal's colours ({}) or write #rrggbb", NAMES.join(", "));
            Refused::new(format!("{} is not a colour", quoted(text)), suggest(text, NAMES, &hint))
        })
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ansi(number) => f.write_str(NAMES[usize::from(number % 16)]),
            Self::Rgb(red, green, blue) => write!(f, "#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_shown_as_it_is_written_and_the_screen_reads_it() {
        for name in NAMES.into_iter().chain(["#00ff7f"]) {
            assert_eq!(Color::parse(name).unwrap().to_string(), name);
            assert!(name.parse::<ratatui::style::Color>().is_ok(), "{name}");
        }
        assert_eq!(Color::parse("cyan").unwrap(), Color::CYAN);
        for wrong in ["", "Cyan", "cyanide", "#fff", "#12345g", "#1234567", "#+12345", "#€€", "6"] {
            assert!(Color::parse(wrong).is_err(), "{wrong}");
        }
    }
}
