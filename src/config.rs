//! Resolves flags, environment, settings file and defaults to one validated [`Config`].
//!
//! It never writes, and it never falls back to the practice tenant if any layer configures a part of a service: a service
//! that is not fully configured is an error.

mod color;
mod document;
mod effective;
mod error;
mod file;
mod flags;
mod keys;
mod names;
mod path;
mod resolve;
mod schema;
mod settings;
mod sign_in;
mod suggest;
mod value;
pub mod variable;
mod warnings;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use tracing::level_filters::LevelFilter;

pub use effective::{EffectiveSetting, EffectiveSettings, SettingSource, effective};
pub use error::ConfigError;
pub(crate) use flags::FLAG_NAMES;
pub use flags::Flags;
pub use resolve::{expand_path, load, practice_colleagues, resolve, settings_file, state_dir};
pub use schema::SCHEMA;
pub use settings::{
    AgeSettings, Appearance, BordersSetting, CategorySetting, FileSettings, ListSettings, PatternSettings,
    TenantSettings, ThemeSetting,
};
pub use sign_in::SignInSettings;
pub(crate) use suggest::{similarity, suggest};
pub use value::{LEVELS, level};

use mmd_elevate_core::{Patterns, Problem, TicketUrl};
use mmd_elevate_engine::{auth::Method, http::BaseUrl};

/// The base URL of the service, unless another is set (documented).
pub const DEFAULT_BASE_URL: &str = "https://mmdls.microsoft.com/support/odata/v1";

/// The commented example of a settings file, which equals the defaults.
pub const EXAMPLE: &str = include_str!("../config.example.toml");

/// The name of the program's folders for settings and state.
pub(crate) const APP: &str = "mmd-elevate";

/// The settings that the program runs with.
#[derive(Debug)]
pub struct Config {
    /// The service or the practice tenant.
    pub target: Target,
    /// The tenants of the settings that the agent can switch to, in the file's order: without the one that was chosen at the
    /// start.
    pub others: Vec<OtherTenant>,
    /// How many of the others stand before that one.
    pub position: usize,
    /// The form's suggestions.
    pub categories: Vec<CategorySetting>,
    /// How the dashboard looks.
    pub appearance: Appearance,
    /// From which age on an open request is marked.
    pub ages: AgeSettings,
    /// How often the service is asked for changes. `None` means only when the agent asks.
    pub refresh: Option<Duration>,
    /// The forms of ticket and device names of the tenant.
    pub patterns: Patterns,
    /// The form of the addresses of the tenant's tickets.
    pub ticket_url: Option<TicketUrl>,
    /// Whether no request is opened and none closed.
    pub read_only: bool,
    /// The keys of each action id that does not keep its default keys. [`crate::keys::Keymap`] accepts them.
    pub keys: BTreeMap<String, Vec<String>>,
    /// For how many days the record keeps settled entries.
    pub keep_days: u32,
    /// The folder in which reports are written. `None` means the current folder at the start.
    pub report_folder: Option<PathBuf>,
    /// How the practice tenant is started, if it is the target.
    pub practice: PracticeSettings,
    /// The folder of the record, the practice tenant and the logs.
    pub state_dir: PathBuf,
    /// The log level.
    pub log: LevelFilter,
    /// Settings that are accepted but may not be meant.
    pub warnings: Vec<Problem>,
}

/// What the program talks to.
#[derive(Debug)]
pub enum Target {
    /// The practice tenant inside the program.
    Practice,
    /// A service on the network.
    Service(Box<ServiceSettings>),
}

/// How the practice tenant is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PracticeSettings {
    /// Whether it discards what it stored.
    pub fresh: bool,
    /// Whether colleagues open and close requests in it.
    pub colleagues: bool,
    /// The file with the rules by which it misbehaves.
    pub rules: Option<PathBuf>,
}

/// A fully configured service for one tenant.
#[derive(Debug)]
pub struct ServiceSettings {
    /// Its base URL.
    pub base_url: BaseUrl,
    /// The tenant that was chosen at the start.
    pub tenant: TenantProfile,
    /// A file of CA certificates that are trusted in addition to the platform's, by the service and by the sign-in.
    pub ca_file: Option<PathBuf>,
    /// How tokens for this tenant are fetched. No other tenant gets them.
    pub sign_in: Method,
}

/// A tenant that the agent can switch to.
#[derive(Debug)]
pub struct OtherTenant {
    /// The tenant.
    pub tenant: TenantProfile,
    /// What it is opened with, or why it cannot be opened.
    pub settings: Result<Box<OtherSettings>, Problem>,
}

/// What a tenant is opened with that the agent switches to.
#[derive(Debug)]
pub struct OtherSettings {
    /// Its service.
    pub service: ServiceSettings,
    /// What else differs from tenant to tenant.
    pub options: TenantOptions,
}

/// What differs from tenant to tenant beside the service.
#[derive(Clone, Debug)]
pub struct TenantOptions {
    /// The form's suggestions.
    pub categories: Vec<CategorySetting>,
    /// The forms of ticket and device names.
    pub patterns: Patterns,
    /// The form of the addresses of tickets.
    pub ticket_url: Option<TicketUrl>,
    /// Whether no request is opened and none closed.
    pub read_only: bool,
}

/// A tenant as it is shown and addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantProfile {
    /// Its name, if a profile gives one.
    pub name: Option<String>,
    /// Its id, which can be one segment of a path.
    pub id: String,
    /// The colour of its name.
    pub color: Option<ratatui::style::Color>,
}
