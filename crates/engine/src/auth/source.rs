//! Fetches one token by the configured method.

use std::time::Duration;

use jiff::Timestamp;

use crate::http::Trust;

use super::{
    CertificateFiles, ClientSecretSource, Method, SignInError, Token, assertion, command,
    entra::{Credential, TokenEndpoint},
    secret,
};

/// The program of the Azure CLI.
const AZURE_CLI: &str = "az";

/// Fetches tokens by a configured method.
#[derive(Clone, Debug)]
pub struct Source {
    kind: SourceKind,
    program_limit: Duration,
}

#[derive(Clone, Debug)]
enum SourceKind {
    ClientSecret(TokenEndpoint, ClientSecretSource),
    Certificate(TokenEndpoint, CertificateFiles),
    AzureCli { scope: String, tenant_id: String },
    Command { program: String, arguments: Vec<String> },
    Environment(Token),
}

impl Source {
    /// Makes a source. Nothing is sent, read or started yet.
    ///
    /// # Errors
    /// The HTTPS client cannot be made.
    pub fn new(method: Method) -> Result<Self, SignInError> {
        Self::with_trust(&Trust::default(), method)
    }

    /// Makes a source that trusts more certificates.
    ///
    /// # Errors
    /// As for [`Source::new`].
    pub fn with_trust(trust: &Trust, method: Method) -> Result<Self, SignInError> {
        let kind = match method {
            Method::ClientSecret(application, secret) => {
                SourceKind::ClientSecret(TokenEndpoint::new(application, trust)?, secret)
            }
            Method::Certificate(application, files) => {
                SourceKind::Certificate(TokenEndpoint::new(application, trust)?, files)
            }
            Method::AzureCli { scope, tenant_id } => SourceKind::AzureCli { scope, tenant_id },
            Method::Command { program, arguments } => SourceKind::Command { program, arguments },
            Method::Environment(token) => SourceKind::Environment(token),
        };
        Ok(Self { kind, program_limit: command::LIMIT })
    }

    /// Sets the time limit of the programs that it runs, instead of 60 s.
    #[must_use]
    pub fn with_program_limit(self, program_limit: Duration) -> Self {
        Self { program_limit, ..self }
    }

    /// Fetches a token once. Dropping the future also kills a program that it runs.
    ///
    /// # Errors
    /// [`SignInError`], which says whether a retry may succeed.
    pub async fn fetch(&self, now: fn() -> Timestamp) -> Result<Token, SignInError> {
        let limit = self.program_limit;
        match &self.kind {
            SourceKind::ClientSecret(endpoint, secret) => {
                let secret = secret::client_secret(secret, limit).await?;
                endpoint.request_token(&Credential::Secret(secret), now).await
            }
            SourceKind::Certificate(endpoint, files) => {
                let assertion = assertion::assertion(files, endpoint.client_id(), endpoint.url(), now()).await?;
                endpoint.request_token(&Credential::Assertion(assertion), now).await
            }
            SourceKind::AzureCli { scope, tenant_id } => command::azure_cli(AZURE_CLI, scope, tenant_id, limit).await,
            SourceKind::Command { program, arguments } => command::token(program, arguments, limit).await,
            SourceKind::Environment(token) => Ok(token.clone()),
        }
    }

    /// Returns the token that was given at the start, if no other one can be fetched.
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
