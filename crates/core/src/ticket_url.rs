//! The address of a ticket in the agent's own ticket system. A ticket can be any text, and never becomes another address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Position, Url};

use super::{Problem, Untrusted, invisible_characters, is_edge_blank};

/// What stands for the ticket.
const PLACE: &str = "{ticket}";
/// A ticket that needs no encoding and occurs in no address by chance.
const SAMPLE: &str = "ticket-0f8e6b7c";
const EXAMPLE: &str = "write it like \"https://tickets.example.com/{ticket}\"";

/// What is not encoded: the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest ticket in an address, encoded, in bytes: browsers and programs that open addresses take no more.
const LONGEST: usize = 2_000;

/// The form of the addresses of tickets: an http or https URL with a place for the ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketUrl(String);

impl TicketUrl {
    /// Parses the form, such as `https://tickets.example.com/{ticket}`.
    ///
    /// # Errors
    /// The text is no http or https URL, holds a user name or a password, or has no place for the ticket after its host.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let problem = |what: &str| Err(Problem::new(what, EXAMPLE));
        if text.contains(|c: char| c.is_whitespace() || c == '\\') || invisible_characters(text) > 0 {
            return problem("the address of tickets holds a blank, a backslash or a character that cannot be seen");
        }
        let is_http = |start: &str| text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
        if !is_http("https://") && !is_http("http://") {
            return problem("the address of tickets does not begin with https:// or http://");
        }
        if !text.contains(PLACE) {
            return problem("the address of tickets has no place for the ticket: {ticket}");
        }
        let (Some(sample), Some(other)) = (with(text, SAMPLE), with(text, "0")) else {
            return problem("the address of tickets is not a URL");
        };
        if !sample.username().is_empty() || sample.password().is_some() {
            return problem("the address of tickets holds a user name or a password");
        }
        if sample[..Position::BeforePath] != other[..Position::BeforePath] {
            return problem("the address of tickets has {ticket} in the name of its host");
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the address of a ticket, in ASCII. The ticket is encoded as one part of a path or of a query.
    ///
    /// # Errors
    /// Why it has no address; continues a sentence.
    pub fn address(&self, ticket: &Untrusted) -> Result<String, &'static str> {
        let ticket = ticket.raw().trim_matches(is_edge_blank);
        if ticket.is_empty() {
            return Err("it has no ticket");
        }
        let encoded = utf8_percent_encode(ticket, ENCODED).to_string();
        if encoded.len() > LONGEST {
            return Err("its ticket is too long for an address");
        }
        // As a part of a path, `..` would go up.
        let expected = with(&self.0, SAMPLE).map(|url| url.as_str().replace(SAMPLE, &encoded));
        let address = with(&self.0, &encoded).map(String::from);
        address.filter(|address| Some(address) == expected.as_ref()).ok_or("its ticket cannot be a part of an address")
    }
}

fn with(form: &str, ticket: &str) -> Option<Url> {
    Url::parse(&form.replace(PLACE, ticket)).ok().filter(Url::has_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_is_a_web_address_with_a_place_for_the_ticket() {
        for form in [
            "https://tickets.example.com/{ticket}",
            "HTTP://tickets.example.com:8080/a?id={ticket}&x=1",
            "https://tickets.example.com/#/{ticket}",
            "https://t.example/{ticket}/{ticket}",
        ] {
            assert!(TicketUrl::parse(form).is_ok(), "{form}");
        }
        for (form, why) in [
            ("", "https://"),
            ("tickets.example.com/{ticket}", "https://"),
            ("file:///{ticket}", "https://"),
            ("javascript:{ticket}", "https://"),
            ("ftp://t.example/{ticket}", "https://"),
            ("https://t.example/", "{ticket}"),
            ("https://t.example/{TICKET}", "{ticket}"),
            ("https:///{ticket}", "host"),
            ("https://{ticket}/", "host"),
            ("https://{ticket}.t.example/", "host"),
            ("https://t.example:{ticket}/", "URL"),
            ("https://{ticket}@t.example/", "user name"),
            ("https://me:{ticket}@t.example/{ticket}", "user name"),
            ("https://t.example/ {ticket}", "blank"),
            ("https://t.example\\{ticket}", "backslash"),
            ("https://t.example/\u{200b}{ticket}", "cannot be seen"),
        ] {
            let problem = TicketUrl::parse(form).unwrap_err();
            assert!(problem.what.contains(why), "{form}: {problem}");
            assert!(problem.hint.contains("https://tickets.example.com/{ticket}"), "{problem}");
        }
    }

    #[test]
    fn ticket_is_one_part_of_the_address_whatever_it_holds() {
        let path = TicketUrl::parse("https://t.example/a/{ticket}/b").unwrap();
        let query = TicketUrl::parse("https://t.example/?id={ticket}&x=1").unwrap();
        for (ticket, encoded) in [
            ("INC-10442", "INC-10442"),
            (" INC 1\n", "INC%201"),
            ("../../admin", "..%2F..%2Fadmin"),
            ("a&x=2#y", "a%26x%3D2%23y"),
            ("@evil.example", "%40evil.example"),
            ("--version", "--version"),
            ("a\u{1b}]0;b\u{7}", "a%1B%5D0%3Bb%07"),
            ("%2e%2e", "%252e%252e"),
            ("Störung", "St%C3%B6rung"),
        ] {
            let ticket = Untrusted::new(ticket);
            assert_eq!(path.address(&ticket), Ok(format!("https://t.example/a/{encoded}/b")));
            assert_eq!(query.address(&ticket), Ok(format!("https://t.example/?id={encoded}&x=1")));
        }
        for (ticket, why) in [("", "no ticket"), (" \u{a0}\n", "no ticket"), (".", "a part"), ("..", "a part")] {
            assert!(path.address(&Untrusted::new(ticket)).unwrap_err().contains(why), "{ticket}");
        }
        assert_eq!(query.address(&Untrusted::new("..")).as_deref(), Ok("https://t.example/?id=..&x=1"));
        assert!(path.address(&Untrusted::new("é".repeat(400))).unwrap_err().contains("too long"));
    }
}
