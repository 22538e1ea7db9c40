//! Everything that practice does and no document says, where it is kept, and how it misbehaves.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Rules, RulesError};

/// What had to be invented: each an assumption of this project's and not a fact about the service. Then what the
/// service has nothing to do with: where practice is kept, and how it misbehaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many requests may be open for one device. The document has the refusal, not the number: an assumption.
    pub open_requests_per_device: usize,
    /// Whether a body's missing, `null` or blank field is answered with 400 in the documented envelope; otherwise it is
    /// taken as empty. An assumption, for all fields of a create and for `ActionsTaken` of a close.
    pub blank_fields_refused: bool,
    /// The words of the 403 for a device in the update ring `Test`, to which elevation is not offered; `None` opens the
    /// request all the same. That such a create is refused, and in which words, is an assumption.
    pub test_ring_refusal: Option<String>,
    /// The order of the list of requests: an assumption.
    pub order: Order,
    /// The most that one page holds, whatever `$top` says; `None` is no limit. An assumption, and so is that a page
    /// which was cut short carries no `@odata.nextLink`.
    pub page_size: Option<usize>,
    /// How long a password lasts. It is changed when it is next asked for: an assumption.
    pub password_lasts: Duration,
    /// How long a token lasts: 3599 s, as in Microsoft's samples (documented).
    pub token_lifetime: Duration,
    /// The certificate that is registered for the application, in PEM: who has its key can sign in with it.
    pub client_certificate: Option<String>,
    /// How long a caller may take over the head of a request, and then over its body; an idle connection ends after the
    /// same time. An assumption.
    pub slowest_request: Duration,
    /// How many connections there can be at once. Where one more comes, the oldest ends with the answer that it is
    /// giving, if any. An assumption.
    pub connections: usize,
    /// The folder that keeps the tenant across restarts, and for every process that serves from it. `None` keeps it in
    /// memory alone.
    pub keep: Option<PathBuf>,
    /// Whether to begin anew, whatever the folder holds.
    pub fresh: bool,
    /// How it misbehaves: not at all unless told to.
    pub rules: Rules,
}

impl Settings {
    /// The defaults, with the tenant kept in this folder and misbehaving as the file says, where one is named.
    ///
    /// # Errors
    /// [`RulesError`] where the file cannot be used.
    pub fn kept(folder: &Path, fresh: bool, rules: Option<&Path>) -> Result<Self, RulesError> {
        let rules = rules.map(Rules::load).transpose()?.unwrap_or_default();
        Ok(Self { keep: Some(folder.to_owned()), fresh, rules, ..Self::default() })
    }
}

/// In which order the requests are listed.
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
            password_lasts: Duration::from_secs(2 * 60 * 60),
            token_lifetime: Duration::from_secs(3599),
            client_certificate: None,
            slowest_request: Duration::from_secs(10),
            connections: 256,
            keep: None,
            fresh: false,
            rules: Rules::default(),
        }
    }
}
