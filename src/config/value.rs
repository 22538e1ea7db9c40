//! Checks single values of flags, variables and the file. It never repeats a value that may be a secret.

use std::time::Duration;

use jiff::SignedDuration;
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

use super::suggest::suggest;
use mmd_elevate_core::{Problem, invisible_characters};
use mmd_elevate_engine::{
    auth::{self, Token},
    http::BaseUrl,
    redact::{self, Kind, quoted},
};

/// The names of the log levels, the quietest first.
pub const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Parses the URL of a service. The error does not repeat it, because it may hold a password.
pub(super) fn base_url(text: &str) -> Result<BaseUrl, Problem> {
    BaseUrl::parse(text)
}

/// The length of the longest domain name (RFC 1035), which is the longest id.
const MAX_ID_LENGTH: usize = 253;

/// Checks a tenant's id, which must be one path segment that needs no encoding. A text that looks like a token is not
/// accepted, because the id is shown on every screen.
pub(super) fn tenant_id(text: &str) -> Result<String, Problem> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_segment = (1..=MAX_ID_LENGTH).contains(&text.len()) && text != "." && text != "..";
    if is_segment && text.chars().all(is_allowed) && !redact::looks_secret(text) {
        return Ok(text.to_owned());
    }
    let what = format!("{} cannot be a tenant id", quoted(text));
    Err(Problem::new(what, "write it as the portal shows it: a GUID, or a domain name"))
}

/// Returns what looks wrong with an id that is accepted, such as a GUID that was copied only in part. The text continues
/// a sentence whose subject is the id.
pub(super) fn id_defect(id: &str) -> Option<&'static str> {
    const GUID: usize = 36;
    let is_hex = id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && id.contains(|c: char| c.is_ascii_digit());
    match Uuid::try_parse(id) {
        Ok(id) if id.is_nil() => Some("is a GUID of zeros only"),
        Ok(_) if id.len() == GUID => None,
        Ok(_) => Some("is a GUID without its hyphens"),
        Err(_) if is_hex && id.len() < GUID => Some("looks like a GUID with a part missing"),
        Err(_) if is_hex || id.matches('-').count() == 4 => Some("looks like a GUID but is not one"),
        Err(_) if id.contains('.') && !id.starts_with('.') && !id.ends_with('.') => None,
        Err(_) => Some("is neither a GUID nor a domain name"),
    }
}

/// Checks a name that is shown: it must be readable, without invisible characters.
pub(super) fn name(text: &str) -> Result<String, Problem> {
    if text.trim().is_empty() {
        return Err(Problem::new("a name is empty", "give it a name, or leave it out"));
    }
    if invisible_characters(text) > 0 || text.contains('\n') {
        let what = format!("{} holds characters that cannot be seen", quoted(text));
        return Err(Problem::new(what, "type the name again"));
    }
    if redact::looks_secret(text) {
        return Err(Problem::new(format!("{} cannot be a name", quoted(text)), "give it a name that can be read"));
    }
    Ok(text.to_owned())
}

/// Checks that a token can be sent in a header. The error never repeats it.
pub(super) fn token(text: &str) -> Result<Token, Problem> {
    redact::register(Kind::Token, text);
    let text = auth::parse_token(text)
        .map_err(|unfit| Problem::new(format!("the token cannot be used: {unfit}"), unfit.hint()))?;
    Token::with_end_from_jwt(text).map_err(|_| {
        let hint = "set only the token, as it was issued: ASCII letters, digits and signs";
        Problem::new("the token holds a character that no token has, or is too long", hint)
    })
}

/// Parses a log level.
///
/// # Errors
/// Any text but one of [`LEVELS`].
pub fn level(text: &str) -> Result<LevelFilter, Problem> {
    let known = LEVELS.into_iter().find(|name| name.eq_ignore_ascii_case(text));
    known.and_then(|name| name.parse().ok()).ok_or_else(|| {
        let what = format!("{} is not a log level", quoted(text));
        Problem::new(what, suggest(text, LEVELS, &format!("use one of {}", LEVELS.join(", "))))
    })
}

/// Parses `true` or `false`.
pub(super) fn switch(text: &str) -> Result<bool, Problem> {
    let parsed = text.trim().to_ascii_lowercase().parse();
    parsed.map_err(|_| Problem::new(format!("{} is not true or false", quoted(text)), "set it to true or false"))
}

/// The longest age that can be set: a year.
const MAX_AGE: Duration = Duration::from_secs(366 * 24 * 3_600);

/// Parses the age of a request, such as `90m` or `1h 30m`, as the setting of this name.
pub(super) fn age(name: &str, text: &str) -> Result<Duration, Problem> {
    let example = "write hours and minutes, such as \"90m\", \"2h\" or \"1h 30m\"";
    let Ok(duration) = text.trim().parse::<SignedDuration>() else {
        return Err(Problem::new(format!("{} is not a duration", quoted(text)), example));
    };
    match Duration::try_from(duration) {
        Ok(age) if !age.is_zero() && age <= MAX_AGE => Ok(age),
        _ => {
            let hint = format!("{example}; more than nothing, and at most {}", duration_text(MAX_AGE));
            Err(Problem::new(format!("{} is out of range for `{name}`", quoted(text)), hint))
        }
    }
}

/// Returns the duration as the settings write it, such as `1h 30m`.
pub(super) fn duration_text(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| String::new(), |duration| format!("{duration:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_id_is_one_path_segment() {
        for id in ["7f3c0000-0000-4000-8000-000000006677", "contoso.onmicrosoft.com", "a~b_c"] {
            assert_eq!(tenant_id(id).as_deref(), Ok(id));
        }
        let token = "eyJhbGciOi.eyJzdWIi.c2ln";
        for id in ["", ".", "..", "a/b", "a b", "a%2fb", "a\nb", "é", "a?b", "a\u{fffd}", token, &"a".repeat(254)] {
            assert!(tenant_id(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn cut_or_odd_guid_has_a_defect() {
        for id in ["7f3c0000-0000-4000-8000-000000006677", "7F3C0000-0000-4000-8000-000000006677", "contoso.example"] {
            assert_eq!(id_defect(id), None, "{id}");
        }
        for (id, defect) in [
            ("7f3c0000-0000-4000-8000-00000000667", "missing"),
            ("7f3c0000-0000-4000-8000", "missing"),
            ("f3c0000-0000-4000-8000-000000006677", "missing"),
            ("7f3c0000-0000-4000-8000-0000000066770", "is not one"),
            ("7f3c0000-0000-4000-8000-00000000667g", "is not one"),
            ("7f3c0000000040008000000000006677", "hyphens"),
            ("00000000-0000-0000-0000-000000000000", "zeros"),
            ("contoso", "neither"),
            ("contoso.", "neither"),
        ] {
            assert!(id_defect(id).is_some_and(|text| text.contains(defect)), "{id}: {:?}", id_defect(id));
        }
    }

    #[test]
    fn age_is_a_duration_of_hours_and_minutes() {
        let minutes = |text: &str| age("warn", text).map(|age| age.as_secs() / 60);
        for (text, expected) in [("90m", 90), ("2h", 120), ("1h 30m", 90), (" 1h30m ", 90), ("366h", 21_960)] {
            assert_eq!(minutes(text), Ok(expected), "{text}");
        }
        for wrong in
            ["", "2", "h", "2 hoorah", "soon", "1d", "0", "0m", "-2h", "2h ago", "8785h", "99999999999999999999h"]
        {
            assert!(age("warn", wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration_text(Duration::from_secs(5_400)), "1h 30m");
    }

    #[test]
    fn log_level_is_a_name_and_no_number() {
        assert_eq!(level("debug"), Ok(LevelFilter::DEBUG));
        assert_eq!(level("OFF"), Ok(LevelFilter::OFF));
        assert!(level("5").is_err());
        assert!(level("").is_err());
    }
}
