//! Fetches one token by the method that is configured.

use std::time::Duration;

use jiff::Timestamp;

use crate::http::Trust;

use super::{
    CertificateFiles, Method, SecretFrom, SignInError, Token, assertion, command,
    entra::{Endpoint, Proof},
    secret,
};

/// The program that the Azure CLI is called by.
const AZURE_CLI: &str = "az";

/// Where tokens come from.
#[derive(Clone, Debug)]
pub struct Source {
    kind: SourceKind,
    program_limit: Duration,
}

#[derive(Clone, Debug)]
enum SourceKind {
    ClientSecret(Endpoint, SecretFrom),
    Certificate(Endpoint, CertificateFiles),
    AzureCli { scope: String, tenant_id: String },
    Command { program: String, arguments: Vec<String> },
    Environment(Token),
}

impl Source {
    /// Makes the source that a method means. Nothing is sent, read or started yet.
    ///
    /// # Errors
    /// [`SignInError`] where the system lacks what https needs.
    pub fn new(method: Method) -> Result<Self, SignInError> {
        Self::trusting(&Trust::default(), method)
    }

    /// The same, with more certificates to trust.
    ///
    /// # Errors
    /// As for [`Source::new`].
    pub fn trusting(trust: &Trust, method: Method) -> Result<Self, SignInError> {
        let kind = match method {
            Method::ClientSecret(application, secret) => {
                SourceKind::ClientSecret(Endpoint::new(application, trust)?, secret)
            }
            Method::Certificate(application, files) => {
                SourceKind::Certificate(Endpoint::new(application, trust)?, files)
            }
            Method::AzureCli { scope, tenant_id } => SourceKind::AzureCli { scope, tenant_id },
            Method::Command { program, arguments } => SourceKind::Command { program, arguments },
            Method::Environment(token) => SourceKind::Environment(token),
        };
        Ok(Self { kind, program_limit: command::LIMIT })
    }

    /// The same with another limit for the programs that it runs; it is 60 s otherwise.
    #[must_use]
    pub fn with_program_limit(self, program_limit: Duration) -> Self {
        Self { program_limit, ..self }
    }

    /// Tries once to fetch a token. Dropping the future ends the try, and the program that it runs.
    ///
    /// # Errors
    /// [`SignInError`], which says whether the same may succeed later.
    pub async fn fetch(&self, now: fn() -> Timestamp) -> Result<Token, SignInError> {
        let limit = self.program_limit;
        match &self.kind {
            SourceKind::ClientSecret(endpoint, secret) => {
                let secret = secret::client_secret(secret, limit).await?;
                endpoint.ask(&Proof::Secret(secret), now).await
            }
            SourceKind::Certificate(endpoint, files) => {
                let assertion = assertion::assertion(files, endpoint.client_id(), endpoint.url(), now()).await?;
                endpoint.ask(&Proof::Assertion(assertion), now).await
            }
            SourceKind::AzureCli { scope, tenant_id } => command::azure_cli(AZURE_CLI, scope, tenant_id, limit).await,
            SourceKind::Command { program, arguments } => command::token(program, arguments, limit).await,
            SourceKind::Environment(token) => Ok(token.clone()),
        }
    }

    /// The token that there is from the start, where nothing can be fetched.
    pub(super) const fn fixed_token(&self) -> Option<&Token> {
        match &self.kind {
            SourceKind::Environment(token) => Some(token),
            SourceKind::ClientSecret(..)
            | SourceKind::Certificate(..)
            | SourceKind::AzureCli { .. }
            | SourceKind::Command { .. } => None,
        }
    }
}
