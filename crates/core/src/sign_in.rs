//! The state of signing in, without the token.

use jiff::Timestamp;

use super::CallError;

/// The state of signing in. The worker sends each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// The first token is being fetched; calls wait for it.
    SigningIn,
    /// There is a token.
    SignedIn {
        /// When it expires, if its source says so.
        until: Option<Timestamp>,
    },
    /// There is a token, and a new one is being fetched.
    Renewing {
        /// When the current token expires, if its source says so.
        until: Option<Timestamp>,
    },
    /// There is a token, and the last renewal has failed.
    NotRenewed {
        /// When the current token expires, if its source says so.
        until: Option<Timestamp>,
        /// Why the renewal failed.
        error: CallError,
    },
    /// There is no token that the service accepts.
    SignedOut(CallError),
}
