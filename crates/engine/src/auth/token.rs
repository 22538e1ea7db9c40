//! A bearer token. It is held in memory only, and is never shown.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::redact::{self, Kind};
use mmd_elevate_core::Problem;

/// The longest token that is sent, in bytes. Most servers refuse a longer header (inferred).
const LONGEST: usize = 32 << 10;

/// A bearer token that can be the value of a header.
#[derive(Clone, Debug)]
pub struct Token {
    secret: SecretString,
    ends: Option<Timestamp>,
}

impl Token {
    /// Makes a token from a text, with its expiry if it is known.
    ///
    /// # Errors
    /// The text cannot be sent in a header. The problem does not repeat it.
    pub fn new(secret: impl Into<SecretString>, ends: Option<Timestamp>) -> Result<Self, Problem> {
        let secret = secret.into();
        let text = secret.expose_secret();
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let what =
                "the token is empty, too long, or holds a space, a line's end or another character that no token has";
            return Err(Problem::new(what, "give the token itself, and nothing else"));
        }
        redact::register(Kind::Token, text);
        Ok(Self { secret, ends })
    }

    /// Makes a token from a text, with the expiry of its `exp` claim if it is a JWT. The claim is not verified. That tokens
    /// for this service are such JWTs is inferred; only the display and the time of renewal depend on it.
    ///
    /// # Errors
    /// As for [`Token::new`].
    pub fn with_end_from_jwt(secret: impl Into<SecretString>) -> Result<Self, Problem> {
        let mut token = Self::new(secret, None)?;
        token.ends = end_of_jwt(token.secret.expose_secret());
        Ok(token)
    }

    /// Returns when the token expires, if this is known.
    #[must_use]
    pub const fn ends(&self) -> Option<Timestamp> {
        self.ends
    }

    /// Returns the token, which must be sent to the service only.
    #[must_use]
    pub const fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Returns whether both have the same text.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.secret.expose_secret() == other.secret.expose_secret()
    }
}

fn end_of_jwt(text: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct TokenClaims {
        exp: i64,
    }
    let mut parts = text.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let claims: TokenClaims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Timestamp::from_second(claims.exp).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_header_can_hold_is_a_token_and_it_is_never_shown() {
        for text in ["", "canary token", "canary\n", "canary\u{e9}", "canary\u{0}", &"canary".repeat(9999)] {
            let error = Token::new(text, None).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        assert!(!format!("{:?}", Token::new("canary", None).unwrap()).contains("canary"));
    }

    #[test]
    fn a_jwt_tells_its_end_and_nothing_else_does() {
        let ends = |claims: &str| {
            let text = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
            Token::with_end_from_jwt(text).unwrap().ends()
        };
        assert_eq!(ends(r#"{"exp": 1700000000, "upn": "a@x"}"#), Timestamp::from_second(1_700_000_000).ok());
        for claims in [r#"{"exp": "soon"}"#, r#"{"exp": 99999999999999999}"#, "{}", "[", r#"{"exp": 1.5}"#] {
            assert_eq!(ends(claims), None, "{claims}");
        }
        for text in ["opaque", "a.b", "a.b.c", "a.b.c.d", "..", "practice.x.y"] {
            assert_eq!(Token::with_end_from_jwt(text).unwrap().ends(), None, "{text}");
        }
    }
}
