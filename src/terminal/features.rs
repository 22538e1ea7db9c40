//! What a terminal can show, by what the environment says of it. It sends the terminal no query.

/// Terminals without lines and signs beyond ASCII, without a title, and with at most 16 colours. Some of them print a
/// sequence that they do not know.
const CONSOLES: [&str; 5] = ["linux", "ansi", "pcansi", "cons25", "sun"];
/// Terminals with more than 16 colours whose names do not say so.
const COLOURFUL: [&str; 9] =
    ["tmux", "screen", "alacritty", "kitty", "foot", "wezterm", "ghostty", "contour", "konsole"];

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalFeatures {
    /// Whether it shows lines and signs beyond ASCII.
    pub unicode: bool,
    /// Whether it has more than 16 colours.
    pub many_colours: bool,
    /// Whether its window has a title.
    pub title: bool,
}

impl TerminalFeatures {
    /// Returns the features by `TERM`, `COLORTERM` and the locale. `env` returns the value of a variable.
    #[must_use]
    pub fn from_environment(env: impl Fn(&str) -> Option<String>) -> Self {
        let term = env("TERM").unwrap_or_default().trim().to_ascii_lowercase();
        let is_console = is_console(&term);
        let is_true_colour = env("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"));
        Self {
            unicode: !is_console && Locale::from_environment(&env).is_some_and(|locale| locale.is_utf8),
            many_colours: !is_console && (is_true_colour || has_colourful_name(&term)),
            title: !is_console,
        }
    }
}

/// The locale of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Locale {
    /// The variable that decides.
    pub(crate) variable: &'static str,
    /// Whether text is UTF-8.
    pub(crate) is_utf8: bool,
}

impl Locale {
    /// Returns the locale of the first of the three variables that is set and not empty (POSIX), or `None`, which means `C`.
    pub(crate) fn from_environment(env: impl Fn(&str) -> Option<String>) -> Option<Self> {
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|variable| {
            let value = env(variable).filter(|value| !value.is_empty())?;
            let is_utf8 = value.to_lowercase().replace('-', "").contains("utf8");
            Some(Self { variable, is_utf8 })
        })
    }
}

/// Returns whether a terminal with this `TERM`, in lower case, is one of the [`CONSOLES`] or a VT.
fn is_console(term: &str) -> bool {
    let name = term.split(['-', '.']).next().unwrap_or_default();
    let is_vt = name.strip_prefix("vt").is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()));
    is_vt || CONSOLES.contains(&name)
}

fn has_colourful_name(term: &str) -> bool {
    let says = |part: &str| term.contains(part);
    says("256color")
        || says("direct")
        || (!says("16color") && term.split(['-', '.']).any(|part| COLOURFUL.contains(&part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(set: &[(&str, &str)]) -> TerminalFeatures {
        TerminalFeatures::from_environment(|name| {
            set.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn first_variable_of_the_locale_that_is_not_empty_decides_on_unicode() {
        for (set, expected) in [
            (&[][..], false),
            (&[("LANG", "")], false),
            (&[("LANG", "C")], false),
            (&[("LANG", "POSIX")], false),
            (&[("LANG", "de_DE")], false),
            (&[("LANG", "de_DE.ISO-8859-1")], false),
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "en_US.utf8")], true),
            (&[("LANG", "de_DE.UTF-8@euro")], true),
            (&[("LC_CTYPE", "UTF-8")], true),
            (&[("LC_CTYPE", "C"), ("LANG", "C.UTF-8")], false),
            (&[("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], true),
            (&[("LC_ALL", "C"), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C.UTF-8")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", ""), ("LANG", "C.UTF-8")], true),
            (&[("LC_ALL", "C.UTF-8"), ("LANG", "C")], true),
        ] {
            let set = [&[("TERM", "xterm")], set].concat();
            assert_eq!(features(&set).unicode, expected, "{set:?}");
        }
    }

    #[test]
    fn console_has_no_unicode_no_title_and_few_colours_whatever_else_is_set() {
        for term in ["linux", "linux-16color", "LINUX", "vt100", "vt220-8bit", "vt52", "ansi", "cons25", "sun-color"] {
            let set = [("TERM", term), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")];
            let nothing = TerminalFeatures { unicode: false, many_colours: false, title: false };
            assert_eq!(features(&set), nothing, "{term}");
        }
        for term in ["xterm", "xterm-256color", "rxvt-unicode", "tmux", "screen", "vte-256color", "eterm-color", "st"] {
            let features = features(&[("TERM", term), ("LANG", "C.UTF-8")]);
            assert!(features.unicode && features.title, "{term}");
        }
    }

    #[test]
    fn more_than_16_colours_are_those_that_a_variable_or_a_known_name_says() {
        for (term, colorterm, expected) in [
            ("xterm", "", false),
            ("xterm", "yes", false),
            ("xterm", "truecolor", true),
            ("xterm", "24bit", true),
            ("xterm-256color", "", true),
            ("xterm-direct", "", true),
            ("xterm-direct256", "", true),
            ("xterm-16color", "", false),
            ("rxvt", "", false),
            ("tmux", "", true),
            ("tmux-16color", "", false),
            ("screen", "", true),
            ("screen.xterm-new", "", true),
            ("alacritty", "", true),
            ("xterm-kitty", "", true),
            ("foot-extra", "", true),
            ("wezterm", "", true),
            ("footer", "", false),
        ] {
            let set = [("TERM", term), ("COLORTERM", colorterm)];
            assert_eq!(features(&set).many_colours, expected, "{set:?}");
        }
    }
}
