//! The state of signing in. It never holds a token.

use jiff::Timestamp;

use super::CallError;

/// Where signing in stands. The worker tells each change; a token itself never leaves the part that fetches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// There is no token yet, and one is being fetched: calls wait for it.
    SigningIn,
    /// There is a token.
    SignedIn {
        /// When it ends, where its source tells that.
        until: Option<Timestamp>,
    },
    /// There is a token, and a new one is being fetched.
    Renewing {
        /// When the one that there is ends, where its source tells that.
        until: Option<Timestamp>,
    },
    /// There is a token, and the last try to renew it has failed.
    NotRenewed {
        /// When the one that there is ends, where its source tells that.
        until: Option<Timestamp>,
        /// Why there is no new one.
        error: CallError,
    },
    /// There is no token that the service takes.
    SignedOut(CallError),
}
