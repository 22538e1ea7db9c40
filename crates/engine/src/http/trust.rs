//! The certificates that https trusts: the platform's, and those of one file. The check cannot be turned off.

use std::{fmt, path::Path};

use reqwest::Certificate;

use mmd_elevate_core::{Problem, visible};

/// The longest CA file, in bytes: several times the size of a system's certificates.
const LONGEST_CA_FILE: usize = 4 << 20;

/// The certificates that https trusts in addition to the platform's.
#[derive(Clone, Default)]
pub struct Trust(Vec<Certificate>);

impl Trust {
    /// Reads the certificates of a file, if one is given.
    ///
    /// # Errors
    /// The file cannot be read, or does not hold valid certificates (PEM, one or more).
    pub fn with_file(path: Option<&Path>) -> Result<Self, Problem> {
        let Some(path) = path else { return Ok(Self::default()) };
        let pem = mmd_elevate_files::read_bounded(path, LONGEST_CA_FILE).map_err(|reason| {
            let what = format!("the CA file {} cannot be read: {reason}", display_path(path));
            Problem::new(what, "correct the path in ca_file, --ca-file or MMD_ELEVATE_CA_FILE, or leave it out")
        })?;
        let damaged = || {
            let what = format!("the CA file {} holds a certificate that is damaged", display_path(path));
            Problem::new(what, "get the file again from whoever runs your organisation's CA")
        };
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| damaged())?;
        if certificates.is_empty() {
            let what = format!("the CA file {} holds no certificate in PEM form", display_path(path));
            return Err(Problem::new(what, "name a file with lines that say -----BEGIN CERTIFICATE-----"));
        }
        // A client parses the contents of the PEM. It is made here, so that the error can name the file.
        let probe = super::builder().no_proxy().tls_certs_only(certificates.clone()).build();
        probe.map(|_| Self(certificates)).map_err(|_| damaged())
    }
}

impl Trust {
    /// Returns the additional certificates.
    pub(super) fn certificates(&self) -> impl Iterator<Item = Certificate> {
        self.0.iter().cloned()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust(platform and {} more)", self.0.len())
    }
}

fn display_path(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}
