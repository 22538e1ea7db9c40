//! Warns of device names that are likely to be mistakes. It never refuses a name: only the service knows which exist.

use std::fmt;

use unicode_security::{
    MixedScript as _, RestrictionLevel, RestrictionLevelDetection as _, confusable_detection::skeleton,
};

use super::{Patterns, invisible_characters};

/// How many characters of a name are checked: no device's name is as long, and a paste may hold anything.
const MAX_CHECKED: usize = 256;

/// The shortest part of a name, in characters, that is taken for a number if it is all digits except for an O, I or l.
/// Shorter serial numbers often mix letters and digits.
const MIN_NUMBER: usize = 8;

/// Why a device's name may not be the intended one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceNameWarning {
    /// The number of characters that cannot be seen.
    Hidden(usize),
    /// A character that is not the ASCII text that it looks like, and that text.
    LooksLike(char, String),
    /// The first letter that belongs to another script than the letters before it.
    MixedScripts(char),
    /// A letter in a part that is a number otherwise, and the digit that it looks like.
    LetterForDigit(char, char),
    /// The name has the form of a ticket number.
    TicketNumber,
    /// The name matches none of the device patterns of the settings.
    NotADevice,
    /// The name equals the agent's ticket.
    SameAsTicket,
}

impl DeviceNameWarning {
    /// Returns the most serious warning about a device's name that was typed beside this ticket. Blanks around the name
    /// cause no warning: they are removed before it is sent.
    #[must_use]
    pub fn check(device: &str, ticket: &str, patterns: &Patterns) -> Option<Self> {
        let device = device.trim();
        let name: String = device.chars().take(MAX_CHECKED).collect();
        if name.trim().is_empty() {
            return None;
        }
        let hidden = invisible_characters(&name);
        if hidden > 0 {
            return Some(Self::Hidden(hidden));
        }
        look_alike(&name).or_else(|| mixed_scripts(&name)).or_else(|| letter_for_digit(&name)).or_else(|| {
            if device == ticket.trim() {
                Some(Self::SameAsTicket)
            } else if patterns.looks_like_ticket(&name) {
                Some(Self::TicketNumber)
            } else {
                patterns.excludes_device(&name).then_some(Self::NotADevice)
            }
        })
    }
}

impl fmt::Display for DeviceNameWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden(1) => write!(f, "1 character in it cannot be seen"),
            Self::Hidden(count) => write!(f, "{count} characters in it cannot be seen"),
            Self::LooksLike(c, ascii) => write!(f, "{c} (U+{:04X}) only looks like {ascii}", u32::from(*c)),
            Self::MixedScripts(c) => write!(f, "{c} (U+{:04X}) is of another alphabet than the rest", u32::from(*c)),
            Self::LetterForDigit(letter, digit) => write!(f, "the letter {letter} stands where a {digit} may be meant"),
            Self::TicketNumber => write!(f, "it looks like a ticket's number"),
            Self::NotADevice => write!(f, "it does not look like the names of devices ([patterns] in the settings)"),
            Self::SameAsTicket => write!(f, "it is the same as the ticket"),
        }
    }
}

/// Finds a character that a reader takes for ASCII. If the whole name cannot be read as ASCII, its letters belong to
/// another script and are no look-alikes; a character that looks like a hyphen still is one.
fn look_alike(name: &str) -> Option<DeviceNameWarning> {
    if name.is_ascii() {
        return None;
    }
    let all = skeleton(name).all(|c| c.is_ascii());
    name.chars().filter(|c| !c.is_ascii() && (all || !c.is_alphanumeric())).find_map(|c| {
        let seen: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
        let is_ascii = !seen.is_empty() && seen.is_ascii();
        is_ascii.then(|| DeviceNameWarning::LooksLike(c, ascii_look_alike(c, &seen).map_or(seen, String::from)))
    })
}

/// Returns the ASCII character that a reader takes `c` for. The prototypes of UTS 39 ignore case and digits: the one of `І`
/// is `l`, and the one of `𝟎` is `O`.
fn ascii_look_alike(c: char, seen: &str) -> Option<char> {
    let letters = ('A'..='Z').chain('a'..='z');
    let candidates: Vec<char> =
        if c.is_numeric() { ('0'..='9').chain(letters).collect() } else { letters.chain('0'..='9').collect() };
    candidates.into_iter().find(|ascii| skeleton(ascii.encode_utf8(&mut [0; 4])).eq(seen.chars()))
}

/// Finds letters of several scripts, as UTS 39 defines it below "highly restrictive": Latin beside Japanese, Chinese or
/// Korean is usual.
fn mixed_scripts(name: &str) -> Option<DeviceNameWarning> {
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    if letters.is_ascii()
        || letters.as_str().is_single_script()
        || letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive)
    {
        return None;
    }
    let other_script = letters.char_indices().find(|(at, c)| !letters[..at + c.len_utf8()].is_single_script());
    other_script.map(|(_, c)| DeviceNameWarning::MixedScripts(c))
}

/// Finds an O, I or l in a part that is digits otherwise.
fn letter_for_digit(name: &str) -> Option<DeviceNameWarning> {
    let digit_for = |c: char| match c {
        'O' | 'o' => Some('0'),
        'I' | 'l' => Some('1'),
        _ => None,
    };
    let mut numbers = name.split('-').filter(|part| {
        part.len() >= MIN_NUMBER
            && part.chars().all(|c| c.is_ascii_digit() || digit_for(c).is_some())
            && part.chars().filter(char::is_ascii_digit).count() * 2 > part.len()
    });
    numbers.find_map(|part| {
        part.chars().find_map(|c| digit_for(c).map(|digit| DeviceNameWarning::LetterForDigit(c, digit)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(device: &str) -> Option<DeviceNameWarning> {
        DeviceNameWarning::check(device, "INC-1", &Patterns::default())
    }

    #[test]
    fn names_as_devices_have_them_raise_no_doubt() {
        for name in [
            "",
            "  ",
            "MMD-03690457680",
            "MMD-7Q2XK9",
            "MMD-5O1I0",
            "MMD-OIL",
            "DeviceName",
            "Kiosk-Lobby-01",
            "Kiosk-Reception-2",
            "Kiosk-Küche",
            "Kiosk-受付",
            "Киоск-Вход",
            "MMD-1465058",
        ] {
            assert_eq!(check(name), None, "{name}");
        }
    }

    #[test]
    fn names_that_are_not_what_they_seem_are_told_apart() {
        let like = |c: char, ascii: &str| DeviceNameWarning::LooksLike(c, ascii.to_owned());
        for (name, doubt) in [
            ("MMD-\u{200b}1", DeviceNameWarning::Hidden(1)),
            ("MMD-\u{202e}1\u{2066}", DeviceNameWarning::Hidden(2)),
            ("ММD-1", like('М', "M")),
            ("MMD\u{2010}1", like('\u{2010}', "-")),
            ("Kiosk\u{2010}Küche", like('\u{2010}', "-")),
            ("МОСТ", like('М', "M")),
            ("KІOSK", like('І', "I")),
            ("MMD-𝟎1", like('𝟎', "0")),
            ("MMD-дом", DeviceNameWarning::MixedScripts('д')),
            ("Kiosk-Küсhe", DeviceNameWarning::MixedScripts('с')),
            ("MMD-O3690457680", DeviceNameWarning::LetterForDigit('O', '0')),
            ("MMD-0369045768l", DeviceNameWarning::LetterForDigit('l', '1')),
            ("MMD-1465058-R5V8P", DeviceNameWarning::TicketNumber),
            ("INC-4711", DeviceNameWarning::TicketNumber),
            ("ritm0012345", DeviceNameWarning::TicketNumber),
            ("INC-1", DeviceNameWarning::SameAsTicket),
            (" INC-1 ", DeviceNameWarning::SameAsTicket),
        ] {
            assert_eq!(check(name), Some(doubt), "{name:?}");
        }
    }

    #[test]
    fn patterns_of_the_settings_say_what_is_a_ticket_and_what_is_a_device() {
        let pattern = |text: &str| Some(vec![crate::Pattern::new(text).unwrap()]);
        let patterns = Patterns::new(pattern(r"[A-Z]{2}\d{4}"), pattern(r"MMD-.*|ZZ\d+"));
        for (name, doubt) in [
            ("AB1234", Some(DeviceNameWarning::TicketNumber)),
            ("ZZ1234", None),
            ("MMD-1", None),
            ("Kiosk-1", Some(DeviceNameWarning::NotADevice)),
            ("INC-4711", Some(DeviceNameWarning::NotADevice)),
        ] {
            assert_eq!(DeviceNameWarning::check(name, "INC-1", &patterns), doubt, "{name}");
        }
    }

    #[test]
    fn a_doubt_is_told_without_what_it_is_about() {
        for name in ["MMD-\u{202e}1", "MMD-1\u{301}\u{200d}", "\u{1b}[2J"] {
            let told = check(name).unwrap().to_string();
            assert_eq!(invisible_characters(&told), 0, "{told:?}");
        }
    }

    #[test]
    fn of_a_paste_only_as_much_is_looked_at_as_a_name_may_have() {
        assert_eq!(check(&format!("{}д", "M".repeat(1_000_000))), None);
    }
}
