//! Parses colours as the settings write them: fewer notations than ratatui parses, so that each colour has one name.

use ratatui::style::Color;

use super::suggest::suggest;
use mmd_elevate_core::Problem;
use mmd_elevate_engine::redact::quoted;

/// The terminal's own sixteen.
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

/// Parses a name or `#rrggbb`.
///
/// # Errors
/// Any other text.
pub(super) fn color(text: &str) -> Result<Color, Problem> {
    let is_exact = |digits: &str| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let color =
        if NAMES.contains(&text) || text.strip_prefix('#').is_some_and(is_exact) { text.parse().ok() } else { None };
    color.ok_or_else(|| {
        let hint = format!("name one of the terminal's colours ({}) or write #rrggbb", NAMES.join(", "));
        Problem::new(format!("{} is not a colour", quoted(text)), suggest(text, NAMES, &hint))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_read_as_it_is_written_and_in_no_other_way() {
        let colors = NAMES.map(|name| color(name).unwrap());
        assert!((1..16).all(|n| !colors[..n].contains(&colors[n])), "{colors:?}");
        assert_eq!(color("#00ff7f").unwrap(), Color::Rgb(0, 255, 127));
        for wrong in ["", "Cyan", "cyanide", "#fff", "#12345g", "#1234567", "#+12345", "#€€", "6"] {
            assert!(color(wrong).is_err(), "{wrong}");
        }
    }
}
