//! Signs in and renews tokens. It does not depend on the service, the screen or the state folder.
//!
//! A [`Method`] is the configured way to sign in, a [`Source`] fetches one token, and a [`TokenSession`] holds the token and
//! renews it, with at most one fetch at a time. Tokens are held in memory only.

mod assertion;
mod command;
mod deadline;
mod entra;
mod error;
mod method;
mod secret;
mod session;
mod source;
mod text;
mod token;

#[doc(hidden)]
pub use entra::read_token_answer;
pub use error::SignInError;
pub use method::{Application, CertificateFiles, ClientSecretSource, DEFAULT_AUTHORITY, DEFAULT_SCOPE, Method};
pub use session::{Renewal, TokenSession};
pub use source::Source;
pub use text::{SecretTextError, parse_client_secret, parse_token};
pub use token::Token;
