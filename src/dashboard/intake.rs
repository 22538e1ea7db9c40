//! What a pasted ticket says: its number, the device and a title, as far as they are recognized. It guesses little: what is not
//! recognized is typed.

use super::devices::Devices;
use mmd_elevate_core::{Field, Patterns, is_edge_blank};

/// How much of a paste is looked at, in bytes: a ticket with its history, not a log file.
const LONGEST: usize = 64 * 1024;

/// What the field with the ticket's number is called in usual ticket systems.
const TICKET_LABELS: [&str; 8] =
    ["ticket", "ticket number", "ticket id", "incident", "incident number", "number", "case", "case number"];

/// What the field with the device is called there.
const DEVICE_LABELS: [&str; 16] = [
    "affected ci",
    "asset",
    "asset tag",
    "ci",
    "computer",
    "computer name",
    "configuration item",
    "device",
    "device name",
    "host",
    "host name",
    "hostname",
    "laptop",
    "machine",
    "pc",
    "workstation",
];

/// What the field with the title is called there.
const TITLE_LABELS: [&str; 5] = ["short description", "subject", "summary", "title", "betreff"];

/// What was recognized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recognized {
    ticket: Option<String>,
    device: Option<String>,
    title: Option<String>,
}

impl Recognized {
    /// The fields that were recognized; none where neither a ticket nor a device was: a title alone may be anything.
    pub(super) fn fields(&self) -> Vec<(Field, &str)> {
        if self.ticket.is_none() && self.device.is_none() {
            return Vec::new();
        }
        let all = [(Field::Ticket, &self.ticket), (Field::Device, &self.device), (Field::Title, &self.title)];
        all.into_iter().filter_map(|(field, text)| Some((field, text.as_deref()?))).collect()
    }
}

/// Looks for a ticket, a device and a title: by the patterns of the settings and by the names of devices that are known, then
/// by what stands behind usual labels.
pub(super) fn recognize(text: &str, patterns: &Patterns, devices: &Devices) -> Recognized {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // Terminals paste a line end as a carriage return.
    let lines: Vec<_> = text[..end].split(['\n', '\r']).map(|line| line.trim_matches(is_edge_blank)).collect();
    let words: Vec<_> = lines.iter().flat_map(|line| words(line)).collect();
    let labelled = |labels: &[&str]| lines.iter().find_map(|line| value(line, labels));
    let first_word = |labels: &[&str]| labelled(labels).and_then(|value| words_of(value).next());

    let is_ticket = |word: &str| patterns.matches_ticket(word) && !patterns.matches_device(word);
    // "SR 1234" is one number in two words.
    let pairs = words.windows(2).map(|pair| format!("{} {}", pair[0], pair[1])).find(|pair| is_ticket(pair));
    let ticket = words.iter().find(|word| is_ticket(word)).map(|word| (*word).to_owned()).or(pairs);
    let ticket = ticket.or_else(|| first_word(&TICKET_LABELS).map(str::to_owned));

    let is_other = |word: &&&str| ticket.as_deref() != Some(**word);
    let by_pattern = words.iter().filter(is_other).find(|word| patterns.matches_device(word)).copied();
    let known = || words.iter().find_map(|word| devices.spelling(word));
    let by_label = || first_word(&DEVICE_LABELS).filter(|word| ticket.as_deref() != Some(*word));
    let by_form = || words.iter().filter(is_other).find(|word| is_managed_device(word)).copied();
    let device = by_pattern.or_else(known).or_else(by_label).or_else(by_form).map(str::to_owned);

    let title = labelled(&TITLE_LABELS).filter(|title| !title.is_empty()).map(str::to_owned);
    Recognized { ticket, device, title }
}

/// Whether this is a name as the service's own documents give to devices: `MMD-` and digits.
fn is_managed_device(word: &str) -> bool {
    word.strip_prefix("MMD-").is_some_and(|rest| rest.len() >= 6 && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What stands behind one of these labels, if the line begins with one: "Device: MMD-1", or with a tab between them.
fn value<'a>(line: &'a str, labels: &[&str]) -> Option<&'a str> {
    let (label, value) = line.split_once([':', '\t', '='])?;
    let label = label.trim_matches(is_edge_blank).to_lowercase();
    labels.contains(&label.as_str()).then(|| value.trim_matches(is_edge_blank))
}

/// The words of a line, without the marks around them. The parts of an address are words too.
fn words(line: &str) -> Vec<&str> {
    words_of(line).collect()
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let is_between = |c: char| {
        c.is_whitespace() || c.is_control() || is_edge_blank(c) || matches!(c, ',' | ';' | '/' | '?' | '=' | '&' | '|')
    };
    let marks: &[char] = &['(', ')', '[', ']', '{', '}', '<', '>', '"', '\'', '“', '”', '„', '.', ':', '!', '*', '`'];
    text.split(is_between).map(move |word| word.trim_matches(marks)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mmd_elevate_core::Pattern;

    fn found(text: &str, patterns: &Patterns) -> [Option<String>; 3] {
        let Recognized { ticket, device, title } = recognize(text, patterns, &Devices::default());
        [ticket, device, title]
    }

    #[test]
    fn a_pasted_ticket_says_what_it_is_about() {
        for (text, ticket, device, title) in [
            ("INC-10442", Some("INC-10442"), None, None),
            ("MMD-03690457680\n", None, Some("MMD-03690457680"), None),
            ("INC-1000 MMD-03690457680", Some("INC-1000"), Some("MMD-03690457680"), None),
            ("MMD-03690457680 MMD-1465058-R5V8P", Some("MMD-1465058-R5V8P"), Some("MMD-03690457680"), None),
            (
                "https://desk.example/browse/INC-4711?tab=all\r\nComputer name:\tKiosk-Lobby-01\r\nShort description: Excel: add-in crashes",
                Some("INC-4711"),
                Some("Kiosk-Lobby-01"),
                Some("Excel: add-in crashes"),
            ),
            ("INC-1000\rDevice: PC-7\rSubject: Slow\r", Some("INC-1000"), Some("PC-7"), Some("Slow")),
            ("Please see SR 12345 (device \"MMD-000123\").", Some("SR 12345"), Some("MMD-000123"), None),
            ("Number: 4711\nCI: LT-9\u{1b}[2J", Some("4711"), Some("LT-9"), None),
            ("Device: INC-4711", Some("INC-4711"), None, None),
            ("hello world", None, None, None),
            ("", None, None, None),
        ] {
            let wanted = [ticket, device, title].map(|text| text.map(str::to_owned));
            assert_eq!(found(text, &Patterns::default()), wanted, "{text:?}");
        }
    }

    #[test]
    fn patterns_of_the_settings_decide_first() {
        let pattern = |source| Some(vec![Pattern::new(source).unwrap()]);
        let patterns = Patterns::new(pattern(r"T\d+"), pattern("LAP-.+|T1"));
        let wanted = [Some("T2".to_owned()), Some("T1".to_owned()), None];
        assert_eq!(found("T1 T2 INC-4711 MMD-03690457680", &patterns), wanted);
    }

    #[test]
    fn only_the_beginning_of_a_huge_paste_is_looked_at() {
        let text = format!("{}INC-4711", "é ".repeat(LONGEST));
        assert_eq!(found(&text, &Patterns::default()), [None, None, None]);
    }

    #[test]
    fn a_title_alone_is_no_ticket() {
        assert!(recognize("Subject: hello", &Patterns::default(), &Devices::default()).fields().is_empty());
    }
}
