//! Single values: what makes one fit for use, and what to say when it is not.

use tracing::level_filters::LevelFilter;

use super::Refused;
use crate::{
    api::BaseUrl,
    auth::Token,
    domain::{invisible_characters, visible},
};

/// The names of the levels of logging, least first.
pub const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Reads where a service answers. What is refused is not repeated: it may hold a password.
pub(super) fn base_url(text: &str) -> Result<BaseUrl, Refused> {
    BaseUrl::parse(text).map_err(|error| Refused::new(error.to_string(), error.hint()))
}

/// Checks a tenant's id: one segment of a path that no encoding changes.
pub(super) fn tenant_id(text: &str) -> Result<String, Refused> {
    let fit = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if !text.is_empty() && text != "." && text != ".." && text.chars().all(fit) {
        return Ok(text.to_owned());
    }
    let what = format!("`{}` cannot be a tenant id", visible(text));
    Err(Refused::new(what, "write it as the portal shows it: a GUID, or a domain name"))
}

/// Checks a name that is shown, and sent or chosen by: something to read, and nothing that hides.
pub(super) fn name(text: &str) -> Result<String, Refused> {
    if text.trim().is_empty() {
        return Err(Refused::new("a name is empty", "give it a name, or leave it out"));
    }
    if invisible_characters(text) > 0 || text.contains('\n') {
        let what = format!("`{}` holds characters that cannot be seen", visible(text));
        return Err(Refused::new(what, "type the name again"));
    }
    Ok(text.to_owned())
}

/// Checks that a token can stand in a header. What it holds is never repeated.
pub(super) fn token(text: &str) -> Result<Token, Refused> {
    let hint = "set the token alone: no `Bearer`, no blank, no line end";
    let refused = |_| Refused::new("the token holds a character that no token has", hint);
    Token::that_may_tell_its_end(text).map_err(refused)
}

/// Reads a level of logging.
///
/// # Errors
/// [`Refused`] for anything but one of [`LEVELS`].
pub fn level(text: &str) -> Result<LevelFilter, Refused> {
    let known = LEVELS.into_iter().find(|name| name.eq_ignore_ascii_case(text));
    known.and_then(|name| name.parse().ok()).ok_or_else(|| {
        let what = format!("`{}` is not a level of logging", visible(text));
        Refused::new(what, format!("use one of {}", LEVELS.join(", ")))
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
        for id in ["", ".", "..", "a/b", "a b", "a%2fb", "a\nb", "é", "a?b", "a\u{fffd}"] {
            assert!(tenant_id(id).is_err(), "{id:?}");
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
