//! The settings of a sign-in, as plain data.

use std::path::PathBuf;

use secrecy::SecretString;

use super::Token;
use crate::http::BaseUrl;

/// The scope of Microsoft's service (documented).
pub const DEFAULT_SCOPE: &str = "https://mwaas-services-customerapi-prod.azurewebsites.net/.default";
/// The authority without the tenant's id (documented).
pub const DEFAULT_AUTHORITY: &str = "https://login.microsoftonline.com";

/// How a tenant signs in.
#[derive(Clone, Debug)]
pub enum Method {
    /// As an application, with a client secret.
    ClientSecret(Application, ClientSecretSource),
    /// As an application, with a certificate.
    Certificate(Application, CertificateFiles),
    /// As the user of the Azure CLI.
    AzureCli {
        /// The scope of the token.
        scope: String,
        /// The tenant to sign in to.
        tenant_id: String,
    },
    /// With the token that a configured command prints: program and arguments, without a shell.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// With a token that was given at the start. It cannot be renewed.
    Environment(Token),
}

/// An application that is registered at Microsoft Entra ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The authority with the tenant, such as `https://login.microsoftonline.com/{tenantId}`.
    pub authority: BaseUrl,
    /// The application's id.
    pub client_id: String,
    /// The scope of the token.
    pub scope: String,
}

/// The source of a client secret. A file is read and a command is run for each token, so that a secret can be replaced while
/// the program runs.
#[derive(Clone, Debug)]
pub enum ClientSecretSource {
    /// A secret that was given at the start.
    Memory(SecretString),
    /// A file that only the user can read.
    File(PathBuf),
    /// The one line that a command prints: program and arguments, without a shell.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// The files of the certificate and the private key, in PEM. One file may hold both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate that is registered for the application.
    pub certificate: PathBuf,
    /// The private key (RSA), if it is in a file of its own. Only the user may have access to this file.
    pub key: Option<PathBuf>,
}
