//! Where a token comes from and how it stays fresh. It knows the settings of a sign-in, and neither the service, the
//! screen nor the state.
//!
//! A [`Method`] is what the settings say; a [`Source`] fetches one token in that way; a [`TokenSession`] holds the token,
//! renews it, and has one fetch under way at most. Tokens live in memory only.

mod assertion;
mod command;
mod due;
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
pub use method::{Application, CertificateFiles, DEFAULT_AUTHORITY, DEFAULT_SCOPE, Method, SecretFrom};
pub use session::{Renewal, TokenSession};
pub use source::Source;
pub use text::{SecretTextError, client_secret, token};
pub use token::Token;
