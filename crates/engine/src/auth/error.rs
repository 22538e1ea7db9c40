//! The error of signing in, and whether a retry may succeed. It never holds a secret.

use std::time::Duration;

use crate::redact::redact;
use mmd_elevate_core::{CallError, Problem};

/// Why signing in failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SignInError {
    /// What happened, as a sentence without its full stop, and what to do.
    pub problem: Problem,
    /// Whether a retry may succeed.
    pub is_transient: bool,
    /// How long the token endpoint asks to wait.
    pub retry_after: Option<Duration>,
}

impl SignInError {
    /// Makes an error that stays until the user acts.
    pub(super) fn permanent(what: impl Into<String>, hint: impl Into<String>) -> Self {
        let problem = Problem::new(redact(&what.into()), redact(&hint.into()));
        Self { problem, is_transient: false, retry_after: None }
    }

    /// Makes an error for which a retry may succeed.
    pub(super) fn transient(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { is_transient: true, ..Self::permanent(what, hint) }
    }

    /// Converts it to the error of a call that has no token.
    #[must_use]
    pub fn to_call_error(&self) -> CallError {
        CallError::sign_in_failed(&self.problem)
    }
}

/// The codes of Microsoft Entra ID, each with its text and hint (documented by Microsoft; contract).
const AADSTS: [(u64, &str, &str); 8] = [
    (
        7_000_215,
        "the client secret is wrong",
        "hand over the secret's value as the portal showed it once, not the secret's id",
    ),
    (7_000_222, "the client secret has expired", "have a new secret made for the application, and use that"),
    (
        700_016,
        "the application is not known in the tenant",
        "check client_id and the tenant's id; the application must have been added to that tenant",
    ),
    (90_002, "the tenant is not known", "check the tenant's id, and the authority where one is set"),
    (
        500_011,
        "the service is not known in the tenant",
        "check the scope; a service other than Microsoft's own, which is retired, has a scope of its own",
    ),
    (70_011, "the scope will not do", "check the scope; it ends in /.default"),
    (
        700_027,
        "the signature with the certificate is not accepted",
        "check that this certificate is registered for the application, and that the key belongs to it",
    ),
    (
        65_001,
        "nobody has consented to what the application may do",
        "have an administrator of the tenant grant it the application role MmdSupport.ReadWrite",
    ),
];

/// Returns the text and the hint for a code that has its own.
pub(super) fn text_for_code(code: u64) -> Option<(&'static str, &'static str)> {
    AADSTS.iter().find(|(known, ..)| *known == code).map(|(_, what, hint)| (*what, *hint))
}

/// Returns the hint for an error of OAuth 2.0 (RFC 6749, section 5.2) whose code has no hint of its own.
pub(super) fn hint_for(error: &str) -> &'static str {
    match error {
        "invalid_client" => "check client_id, and the secret or certificate",
        "unauthorized_client" => "check that the application may sign in by itself (client credentials) in this tenant",
        "invalid_scope" => "check the scope; it ends in /.default",
        "invalid_request" | "unsupported_grant_type" => "check the authority and the tenant's id",
        _ => "check the tenant's sign-in in the settings, then sign in again",
    }
}
