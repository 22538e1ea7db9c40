//! Whom https trusts: the platform's verifier and, beside it, the certificates of one file.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use reqwest::Certificate;

use mmd_elevate_core::visible;

/// The longest CA file that is read, in bytes: several times what a whole system trusts.
const LONGEST_CA_FILE: usize = 4 << 20;

/// Whom https trusts: the platform's verifier, and the certificates of a file beside it. Nothing turns that off.
#[derive(Clone, Default)]
pub struct Trust(Vec<Certificate>);

/// Why a file of CA certificates cannot be used. Its text is two lines: what happened, and a hint.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be opened or read.
    #[error("the CA file {} cannot be read: {reason}\n\
            hint: correct the path in ca_file, --ca-file or MMD_ELEVATE_CA_FILE, or leave it out", shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// There is no certificate in it.
    #[error("the CA file {} holds no certificate in PEM form\n\
            hint: name a file with lines that say -----BEGIN CERTIFICATE-----", shown(.0))]
    NoCertificate(
        /// The file.
        PathBuf,
    ),
    /// One of its certificates is not one.
    #[error("the CA file {} holds a certificate that is damaged\n\
            hint: get the file again from whoever runs your organisation's CA", shown(.0))]
    Damaged(
        /// The file.
        PathBuf,
    ),
}

impl Trust {
    /// Trusts what the platform trusts, and every certificate of the file if there is one. Touches the disk.
    ///
    /// # Errors
    /// [`TrustError`] where the file holds anything but whole certificates (PEM, one or more).
    pub fn with_file(path: Option<&Path>) -> Result<Self, TrustError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let pem = mmd_elevate_files::read_bounded(path, LONGEST_CA_FILE)
            .map_err(|reason| TrustError::Unreadable { path: path.to_owned(), reason })?;
        let damaged = || TrustError::Damaged(path.to_owned());
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| damaged())?;
        if certificates.is_empty() {
            return Err(TrustError::NoCertificate(path.to_owned()));
        }
        // What stands in the PEM is read only when a client is made; better here, where the file has a name.
        let probe = reqwest::Client::builder().no_proxy().tls_certs_only(certificates.clone()).build();
        probe.map(|_| Self(certificates)).map_err(|_| damaged())
    }
}

impl Trust {
    /// What is trusted beside what the platform trusts.
    pub(super) fn certificates(&self) -> impl Iterator<Item = Certificate> {
        self.0.iter().cloned()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust(platform and {} more)", self.0.len())
    }
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}
