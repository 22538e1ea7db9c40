//! The certificates that https trusts: the platform's, and those of one file. Nothing turns the check off.

use std::{fmt, path::Path};

use reqwest::Certificate;

use mmd_elevate_core::{Problem, visible};

/// The longest CA file that is read, in bytes: several times what a whole system trusts.
const LONGEST_CA_FILE: usize = 4 << 20;

/// Whom https trusts: the platform's verifier, and the certificates of a file beside it. Nothing turns that off.
#[derive(Clone, Default)]
pub struct Trust(Vec<Certificate>);

impl Trust {
    /// Trusts what the platform trusts, and every certificate of the file if there is one. Touches the disk.
    ///
    /// # Errors
    /// A [`Problem`] where the file holds anything but whole certificates (PEM, one or more).
    pub fn with_file(path: Option<&Path>) -> Result<Self, Problem> {
        let Some(path) = path else { return Ok(Self::default()) };
        let pem = mmd_elevate_files::read_bounded(path, LONGEST_CA_FILE).map_err(|reason| {
            let what = format!("the CA file {} cannot be read: {reason}", shown(path));
            Problem::new(what, "correct the path in ca_file, --ca-file or MMD_ELEVATE_CA_FILE, or leave it out")
        })?;
        let damaged = || {
            let what = format!("the CA file {} holds a certificate that is damaged", shown(path));
            Problem::new(what, "get the file again from whoever runs your organisation's CA")
        };
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| damaged())?;
        if certificates.is_empty() {
            let what = format!("the CA file {} holds no certificate in PEM form", shown(path));
            return Err(Problem::new(what, "name a file with lines that say -----BEGIN CERTIFICATE-----"));
        }
        // What stands in the PEM is read only when a client is made; better here, where the file has a name.
        let probe = super::builder().no_proxy().tls_certs_only(certificates.clone()).build();
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
