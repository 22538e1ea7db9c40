//! The settings of a sign-in, as plain data.

use std::path::PathBuf;

use secrecy::SecretString;

use super::Token;
use crate::http::BaseUrl;

/// The scope of the service of Microsoft's (documented).
pub const DEFAULT_SCOPE: &str = "https://mwaas-services-customerapi-prod.azurewebsites.net/.default";
/// Under which address tenants sign in, but for their id (documented).
pub const DEFAULT_AUTHORITY: &str = "https://login.microsoftonline.com";

/// How a tenant signs in.
#[derive(Clone, Debug)]
pub enum Method {
    /// As an application, with a client secret.
    ClientSecret(Application, SecretFrom),
    /// As an application, with a certificate.
    Certificate(Application, CertificateFiles),
    /// As whoever is signed in at the Azure CLI.
    AzureCli {
        /// What the token is for.
        scope: String,
        /// The tenant to sign in to.
        tenant_id: String,
    },
    /// With what a command of the organisation's own prints: program and arguments, never a shell.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// With a token that was handed over at the start. It cannot be renewed.
    Environment(Token),
}

/// An application that is registered at Microsoft Entra ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The authority, its tenant included, such as `https://login.microsoftonline.com/{tenantId}`.
    pub authority: BaseUrl,
    /// The application's id.
    pub client_id: String,
    /// What the token is for.
    pub scope: String,
}

/// Where a client secret comes from. A file or command is asked anew for each token, so that a secret can be exchanged
/// while the program runs.
#[derive(Clone, Debug)]
pub enum SecretFrom {
    /// It was handed over at the start.
    Memory(SecretString),
    /// A file that only the user can read.
    File(PathBuf),
    /// The one line that a command prints: program and arguments, never a shell.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// Where certificate and private key are, in PEM. One file may hold both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate that is registered for the application.
    pub certificate: PathBuf,
    /// Its private key (RSA), where it is not beside the certificate. Only the user may be able to read that file.
    pub key: Option<PathBuf>,
}
