//! The settings as the file holds them, with their defaults. Reading them is for `file`, checking them for `resolve`.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use ratatui::style::Color;

use super::SignInSettings;
use mmd_elevate_core::{Pattern, Patterns, Problem, TicketUrl};
use mmd_elevate_engine::http::BaseUrl;

/// Whether the practice tenant has colleagues, unless a layer says otherwise.
pub(super) const PRACTICE_COLLEAGUES: bool = true;

/// The settings of one file. `config.example.toml` documents every setting and equals the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// The base URL of the service.
    pub base_url: Option<BaseUrl>,
    /// A file of CA certificates (PEM) that are trusted in addition to the platform's.
    pub ca_file: Option<PathBuf>,
    /// The profile to start with, by name or id.
    pub tenant: Option<String>,
    /// The sign-in of tenants whose profile has none.
    pub sign_in: Option<SignInSettings>,
    /// The profiles of tenants.
    pub tenants: Vec<TenantSettings>,
    /// The form's suggestions, in this order.
    pub categories: Vec<CategorySetting>,
    /// How the dashboard looks.
    pub appearance: Appearance,
    /// From which age on an open request is marked.
    pub ages: AgeSettings,
    /// How the lists are kept up to date.
    pub list: ListSettings,
    /// How long the record keeps settled entries.
    pub record: RecordSettings,
    /// The folder in which reports are written. `None` means the current folder at the start.
    pub report_folder: Option<PathBuf>,
    /// Whether colleagues open and close requests in the practice tenant.
    pub colleagues: bool,
    /// The forms of ticket and device names, for tenants whose profile has none.
    pub patterns: PatternSettings,
    /// The form of the addresses of tickets, for tenants whose profile has none.
    pub ticket_url: Option<TicketUrl>,
    /// Whether nothing is opened or closed, for tenants whose profile does not say.
    pub read_only: bool,
    /// The keys of each action id that does not keep its default keys.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Settings that are accepted but may not be meant, each with its place.
    pub warnings: Vec<Problem>,
}

/// The forms of ticket and device names. `None` means the built-in patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternSettings {
    /// Regular expressions for tickets.
    pub ticket: Option<Vec<Pattern>>,
    /// Regular expressions for devices.
    pub device: Option<Vec<Pattern>>,
}

impl PatternSettings {
    /// Returns these patterns, completed by `defaults`.
    #[must_use]
    pub fn or(self, defaults: Self) -> Patterns {
        Patterns::new(self.ticket.or(defaults.ticket), self.device.or(defaults.device))
    }
}

/// The profile of a tenant. What it does not set is taken from the file's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSettings {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The colour of its name.
    pub color: Option<Color>,
    /// The base URL of its service.
    pub base_url: Option<BaseUrl>,
    /// A file of CA certificates for its service.
    pub ca_file: Option<PathBuf>,
    /// The form's suggestions for this tenant, in place of the file's.
    pub categories: Option<Vec<CategorySetting>>,
    /// The forms of its ticket and device names.
    pub patterns: PatternSettings,
    /// The form of the addresses of its tickets.
    pub ticket_url: Option<TicketUrl>,
    /// Whether nothing is opened or closed in it.
    pub read_only: Option<bool>,
    /// How it signs in.
    pub sign_in: Option<SignInSettings>,
}

/// A category and its subcategories. They are suggestions: the form accepts any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategorySetting {
    /// The category.
    pub name: String,
    /// Its subcategories.
    pub subcategories: Vec<String>,
}

/// How long the record keeps settled entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSettings {
    /// In days. Open and unresolved entries are kept whatever their age.
    pub keep_days: u32,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self { keep_days: 90 }
    }
}

/// From which age on an open request is marked. `warn` is less than `alarm`, and both are more than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeSettings {
    /// The age of the first mark.
    pub warn: Duration,
    /// The age of the second mark.
    pub alarm: Duration,
}

impl Default for AgeSettings {
    fn default() -> Self {
        Self { warn: Duration::from_secs(2 * 3_600), alarm: Duration::from_secs(8 * 3_600) }
    }
}

/// How the lists are kept up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListSettings {
    /// How often the service is asked for changes. `None` means only when the agent asks.
    pub refresh: Option<Duration>,
}

impl Default for ListSettings {
    fn default() -> Self {
        Self { refresh: Some(Duration::from_secs(30)) }
    }
}

/// How the dashboard looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// The borders of panes.
    pub borders: BordersSetting,
    /// The colour of the focused pane, the selection and the names of keys.
    pub accent: Color,
    /// The named styles of the view.
    pub theme: ThemeSetting,
    /// Whether the dashboard sets the title of the terminal's window.
    pub title: bool,
    /// Whether the terminal's bell rings.
    pub bell: bool,
}

/// The named styles of the view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeSetting {
    /// Dark or light, as the background of the terminal is.
    #[default]
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// With as much contrast as the terminal has.
    HighContrast,
    /// Without colours.
    Mono,
}

/// The borders of panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BordersSetting {
    /// Lines with round corners, or ASCII where the terminal or the locale has nothing else.
    Auto,
    /// Lines with round corners.
    Rounded,
    /// Lines with square corners.
    Plain,
    /// `+`, `-` and `|`.
    Ascii,
}

impl Default for FileSettings {
    fn default() -> Self {
        let category = |name: &str, subcategories: &[&str]| CategorySetting {
            name: name.to_owned(),
            subcategories: subcategories.iter().map(|&s| s.to_owned()).collect(),
        };
        Self {
            base_url: None,
            ca_file: None,
            tenant: None,
            sign_in: None,
            tenants: Vec::new(),
            categories: vec![
                category("Office", &["Excel", "Word"]),
                category("Hardware", &["Device"]),
                category("Other", &["Other"]),
            ],
            appearance: Appearance::default(),
            ages: AgeSettings::default(),
            list: ListSettings::default(),
            record: RecordSettings::default(),
            report_folder: None,
            colleagues: PRACTICE_COLLEAGUES,
            patterns: PatternSettings::default(),
            ticket_url: None,
            read_only: false,
            keys: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }
}

impl Default for Appearance {
    fn default() -> Self {
        Self {
            borders: BordersSetting::Auto,
            accent: Color::Cyan,
            theme: ThemeSetting::default(),
            title: true,
            bell: false,
        }
    }
}
