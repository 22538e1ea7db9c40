//! Single values: what makes one fit for use, and what to say when it is not.

use tracing::level_filters::LevelFilter;
use uuid::Uuid;

use super::{Refused, document::suggest};
use mmd_elevate_core::invisible_characters;
use mmd_elevate_engine::{
    auth::{self, Token},
    http::BaseUrl,
    redact::{self, Kind, quoted},
};

/// The names of the levels of logging, least first.
pub const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Reads where a service answers. What is refused is not repeated: it may hold a password.
pub(super) fn base_url(text: &str) -> Result<BaseUrl, Refused> {
    BaseUrl::parse(text).map_err(|error| Refused::new(error.what, error.hint))
}

/// The longest id: as long as the longest domain name (RFC 1035).
const LONGEST_ID: usize = 253;

/// Checks a tenant's id: one segment of a path that no encoding changes. It is shown on every screen, so that what looks
/// like a token in its place is none.
pub(super) fn tenant_id(text: &str) -> Result<String, Refused> {
    let fit = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_fit = !text.is_empty() && text.len() <= LONGEST_ID && text != "." && text != ".." && text.chars().all(fit);
    if is_fit && !redact::looks_secret(text) {
        return Ok(text.to_owned());
    }
    let what = format!("{} cannot be a tenant id", quoted(text));
    Err(Refused::new(what, "write it as the portal shows it: a GUID, or a domain name"))
}

/// Why an id may not be the one that was meant, in words that follow its name: a GUID is long, and copied in part.
pub(super) fn id_doubt(id: &str) -> Option<&'static str> {
    const GUID: usize = 36;
    let is_hex = id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && id.contains(|c: char| c.is_ascii_digit());
    match Uuid::try_parse(id) {
        Ok(id) if id.is_nil() => Some("is a GUID of zeros alone"),
        Ok(_) if id.len() == GUID => None,
        Ok(_) => Some("is a GUID without its hyphens"),
        Err(_) if is_hex && id.len() < GUID => Some("looks like a GUID of which a part is missing"),
        Err(_) if is_hex || id.matches('-').count() == 4 => Some("looks like a GUID and is none"),
        Err(_) if id.contains('.') && !id.starts_with('.') && !id.ends_with('.') => None,
        Err(_) => Some("is neither a GUID nor a domain name"),
    }
}

/// Checks a name that is shown, and sent or chosen by: something to read, and nothing that hides.
pub(super) fn name(text: &str) -> Result<String, Refused> {
    if text.trim().is_empty() {
        return Err(Refused::new("a name is empty", "give it a name, or leave it out"));
    }
    if invisible_characters(text) > 0 || text.contains('\n') {
        let what = format!("{} holds characters that cannot be seen", quoted(text));
        return Err(Refused::new(what, "type the name again"));
    }
    if redact::looks_secret(text) {
        return Err(Refused::new(format!("{} cannot be a name", quoted(text)), "give it a name that can be read"));
    }
    Ok(text.to_owned())
}

/// Checks that a token can stand in a header. What it holds is never repeated.
pub(super) fn token(text: &str) -> Result<Token, Refused> {
    redact::register(Kind::Token, text);
    let text =
        auth::token(text).map_err(|unfit| Refused::new(format!("the token cannot be used: {unfit}"), unfit.hint()))?;
    let refused = |_| {
        let hint = "set the token alone, as it was given out: letters, digits and signs of ASCII";
        Refused::new("the token holds a character that no token has, or is too long", hint)
    };
    Token::with_end_from_jwt(text).map_err(refused)
}

/// Reads a level of logging.
///
/// # Errors
/// [`Refused`] for anything but one of [`LEVELS`].
pub fn level(text: &str) -> Result<LevelFilter, Refused> {
    let known = LEVELS.into_iter().find(|name| name.eq_ignore_ascii_case(text));
    known.and_then(|name| name.parse().ok()).ok_or_else(|| {
        let what = format!("{} is not a level of logging", quoted(text));
        Refused::new(what, suggest(text, LEVELS, &format!("use one of {}", LEVELS.join(", "))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_id_is_one_segment_of_a_path() {
        for id in ["7f3c0000-0000-4000-8000-000000006677", "contoso.onmicrosoft.com", "a~b_c"] {
            assert_eq!(tenant_id(id).as_deref(), Ok(id));
        }
        let token = "eyJhbGciOi.eyJzdWIi.c2ln";
        for id in ["", ".", "..", "a/b", "a b", "a%2fb", "a\nb", "é", "a?b", "a\u{fffd}", token, &"a".repeat(254)] {
            assert!(tenant_id(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn a_cut_or_odd_guid_is_doubted() {
        for id in ["7f3c0000-0000-4000-8000-000000006677", "7F3C0000-0000-4000-8000-000000006677", "contoso.example"] {
            assert_eq!(id_doubt(id), None, "{id}");
        }
        for (id, doubt) in [
            ("7f3c0000-0000-4000-8000-00000000667", "missing"),
            ("7f3c0000-0000-4000-8000", "missing"),
            ("f3c0000-0000-4000-8000-000000006677", "missing"),
            ("7f3c0000-0000-4000-8000-0000000066770", "is none"),
            ("7f3c0000-0000-4000-8000-00000000667g", "is none"),
            ("7f3c0000000040008000000000006677", "hyphens"),
            ("00000000-0000-0000-0000-000000000000", "zeros"),
            ("contoso", "neither"),
            ("contoso.", "neither"),
        ] {
            assert!(id_doubt(id).is_some_and(|said| said.contains(doubt)), "{id}: {:?}", id_doubt(id));
        }
    }

    #[test]
    fn a_level_has_a_name_and_no_number() {
        assert_eq!(level("debug"), Ok(LevelFilter::DEBUG));
        assert_eq!(level("OFF"), Ok(LevelFilter::OFF));
        assert!(level("5").is_err());
        assert!(level("").is_err());
    }
}
