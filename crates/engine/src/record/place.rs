//! Where a record is, and how it is opened. It holds settings only, and touches no file.

use std::path::PathBuf;

use super::tenant::TenantKey;

/// Where the record is, and for which tenant and user it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The state folder.
    pub state_dir: PathBuf,
    /// The tenant.
    pub tenant: TenantKey,
    /// The local user.
    pub operator: String,
    /// For how many days settled rows are kept.
    pub keep_days: u32,
}

/// What happens to the rows of dead processes when the record is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenMode {
    /// They stay.
    Join,
    /// They stay, and are read.
    Look,
    /// This process takes them over.
    TakeOver,
}
