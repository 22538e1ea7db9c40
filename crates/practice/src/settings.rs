//! The settings of the practice tenant: assumptions about the service, the folder of the data, and the rules.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::Rules;
use mmd_elevate_core::Problem;

/// Assumptions about behaviour that no document describes, and then the settings of the practice tenant itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many requests may be open for one device (assumption; the document has the refusal without a number).
    pub open_requests_per_device: usize,
    /// Whether a missing, `null` or blank field of a body is answered with 400 in the documented envelope; otherwise it is
    /// taken as empty. It applies to all fields of a create and to `ActionsTaken` of a close (assumption).
    pub blank_fields_refused: bool,
    /// The message of the 403 for a device in the update ring `Test`, to which elevation is not offered; `None` opens the
    /// request (assumption: the refusal and its message).
    pub test_ring_refusal: Option<String>,
    /// The order of the list of requests (assumption).
    pub order: Order,
    /// The largest page, whatever `$top` says; `None` is no limit. A page that is cut has no `@odata.nextLink` (assumption).
    pub page_size: Option<usize>,
    /// How long a password is valid. It changes when it is next read (assumption).
    pub password_lifetime: Duration,
    /// How long a token is valid: 3599 s, as in Microsoft's samples (documented).
    pub token_lifetime: Duration,
    /// The certificate that is registered for the application, in PEM.
    pub client_certificate: Option<String>,
    /// How long a caller may take to send the head of a request, and then its body; an idle connection ends after the same
    /// time (assumption).
    pub request_timeout: Duration,
    /// How many connections are served at once. For another one, the oldest ends after its current answer (assumption).
    pub max_connections: usize,
    /// The folder in which all processes store the tenant. `None` stores it in memory.
    pub keep: Option<PathBuf>,
    /// Whether to discard the stored tenant.
    pub fresh: bool,
    /// Whether the tenant has requests of colleagues, who open and close some while it is served. A stored tenant keeps them.
    pub colleagues: bool,
    /// The average time between two acts of colleagues. The first is after a third of it.
    pub colleague_interval: Duration,
    /// The rules of misbehaviour; none by default. They do not apply to colleagues.
    pub rules: Rules,
}

impl Settings {
    /// Returns the defaults with a folder for the tenant, and with the rules of a file if one is named.
    ///
    /// # Errors
    /// The file of rules cannot be used.
    pub fn in_folder(folder: &Path, fresh: bool, rules: Option<&Path>) -> Result<Self, Problem> {
        let rules = rules.map(Rules::load).transpose()?.unwrap_or_default();
        Ok(Self { keep: Some(folder.to_owned()), fresh, rules, ..Self::default() })
    }
}

/// The order in which requests are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The latest creation first.
    NewestFirst,
    /// The earliest creation first.
    OldestFirst,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            open_requests_per_device: 3,
            blank_fields_refused: true,
            test_ring_refusal: Some("Elevation is not available for devices in the Test group.".to_owned()),
            order: Order::NewestFirst,
            page_size: None,
            password_lifetime: Duration::from_secs(2 * 60 * 60),
            token_lifetime: Duration::from_secs(3599),
            client_certificate: None,
            request_timeout: Duration::from_secs(10),
            max_connections: 256,
            keep: None,
            fresh: false,
            colleagues: false,
            colleague_interval: Duration::from_secs(60),
            rules: Rules::default(),
        }
    }
}
