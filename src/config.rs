//! Settings: flag over environment over file over default, in one validated [`Config`].
//!
//! Nothing here writes. A file that cannot be read as it stands is an error and stays as it is, and whatever points at
//! a service keeps the practice tenant away: half a service is an error, never practice.

mod color;
mod document;
mod doubts;
mod error;
mod file;
mod keys;
mod path;
mod resolve;
mod sign_in;
mod value;
pub mod variable;

use std::{collections::BTreeMap, path::PathBuf};

use ratatui::style::Color;
use tracing::level_filters::LevelFilter;

pub use error::{ConfigError, Refused};
pub use file::{Appearance, BordersSetting, CategorySetting, FileSettings, PatternSettings, TenantSettings};
pub use resolve::{expanded, load, resolve, settings_file, state_dir};
pub use sign_in::SignInSettings;
pub use value::{LEVELS, level};

use mmd_elevate_core::Patterns;
use mmd_elevate_engine::{auth::Method, http::BaseUrl};

/// Where the service answers unless a base URL is set (documented).
pub const DEFAULT_BASE_URL: &str = "https://mmdls.microsoft.com/support/odata/v1";

/// The name under which the platform's folders for settings and state know the program.
pub(crate) const APP: &str = "mmd-elevate";

/// What the program runs with.
#[derive(Debug)]
pub struct Config {
    /// Whom it talks to.
    pub target: Target,
    /// What the form suggests.
    pub categories: Vec<CategorySetting>,
    /// How the dashboard looks.
    pub appearance: Appearance,
    /// What tickets and devices are called where the tenant works.
    pub patterns: Patterns,
    /// Action id to keys, as written: the keymap knows which there are.
    pub keys: BTreeMap<String, Vec<String>>,
    /// For how many days the record keeps what is settled.
    pub keep_days: u32,
    /// How practice is begun, where it is the target.
    pub practice: Practice,
    /// Where the record, the practice tenant and the logs are.
    pub state_dir: PathBuf,
    /// How much is logged.
    pub log: LevelFilter,
    /// What is accepted and doubtful: what, and a hint.
    pub doubts: Vec<String>,
}

/// Whom the program talks to.
#[derive(Debug)]
pub enum Target {
    /// The practice tenant inside the program.
    Practice,
    /// A service on the network.
    Service(Box<ServiceSettings>),
}

/// How the practice tenant is begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Practice {
    /// Whether it begins anew.
    pub fresh: bool,
    /// The file that says how it misbehaves.
    pub rules: Option<PathBuf>,
}

/// A service, whole: where it is, for which tenant, and how that tenant signs in.
#[derive(Debug)]
pub struct ServiceSettings {
    /// Where it answers.
    pub base_url: BaseUrl,
    /// The tenant that was chosen at the start.
    pub tenant: TenantProfile,
    /// A file of CA certificates to trust beside the platform's, for the service and for the sign-in.
    pub ca_file: Option<PathBuf>,
    /// How tokens for this tenant are had. They serve it and no other.
    pub sign_in: Method,
}

/// A tenant as it is shown and addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantProfile {
    /// Its name, where a profile gives one.
    pub name: Option<String>,
    /// Its id: fit for one segment of a path.
    pub id: String,
    /// The colour of its name.
    pub color: Option<Color>,
}
