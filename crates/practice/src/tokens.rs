//! The tokens that are accepted, and the client secret.

use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// The accepted tokens and the client secret.
pub(super) struct Tokens {
    /// A token that never expires, for callers that are given a token.
    pub(super) permanent: String,
    pub(super) client_secret: String,
    /// The issued tokens, and when each expires.
    issued: HashMap<String, Timestamp>,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self { permanent: new_token(), client_secret: new_token(), issued: HashMap::new() }
    }

    pub(super) fn is_accepted(&self, token: &str) -> bool {
        token == self.permanent || self.issued.get(token).is_some_and(|expires| *expires > Timestamp::now())
    }

    /// Revokes all issued tokens.
    pub(super) fn revoke_all(&mut self) {
        self.issued.clear();
    }

    /// Returns the issued tokens that are still valid.
    pub(super) fn issued(&self) -> Vec<String> {
        self.issued.keys().cloned().collect()
    }

    /// Issues a token.
    pub(super) fn issue(&mut self, lifetime: Duration) -> String {
        let now = Timestamp::now();
        self.issued.retain(|_, expires| *expires > now);
        let lifetime = SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX);
        let token = new_token();
        self.issued.insert(token.clone(), now.saturating_add(lifetime).unwrap_or(Timestamp::MAX));
        token
    }
}

/// Returns a random token of three parts, like a JWT.
fn new_token() -> String {
    let random = || Uuid::new_v4().simple();
    format!("practice.{}{}.{}", random(), random(), random())
}
