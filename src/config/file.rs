//! The file of settings: what it may hold, and reading it without ever writing it.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use ratatui::style::Color;

use super::{
    ConfigError, Refused, SignInSettings,
    color::color,
    document::{DocumentReader, SettingsTable, Value, suggest},
    doubts, keys, path, sign_in, value,
};
use mmd_elevate_core::{Pattern, Patterns};
use mmd_elevate_engine::{http::BaseUrl, redact::quoted};

/// The longest file that is read, in bytes: many times one with a thousand tenants.
const LONGEST: usize = 1 << 20;

/// The names in each table, as the reading below takes them.
const ROOT: [&str; 10] =
    ["base_url", "ca_file", "tenant", "sign_in", "tenants", "categories", "appearance", "record", "patterns", "keys"];
const TENANT: [&str; 7] = ["name", "id", "color", "base_url", "ca_file", "patterns", "sign_in"];
const CATEGORY: [&str; 2] = ["name", "subcategories"];
pub(super) const APPEARANCE: [&str; 2] = ["borders", "accent"];
pub(super) const RECORD: [&str; 1] = ["keep_days"];
pub(super) const PATTERNS: [&str; 2] = ["ticket", "device"];

/// The most days that the record can be told to keep things: a hundred years.
const MOST_DAYS: u32 = 36_500;

/// What the file holds. `config.example.toml` documents every setting and equals the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// Where the service answers.
    pub base_url: Option<BaseUrl>,
    /// A file of CA certificates (PEM) to trust beside the platform's; a relative path begins at the settings file.
    pub ca_file: Option<PathBuf>,
    /// Which profile to start with, by name or id.
    pub tenant: Option<String>,
    /// How tenants sign in whose profile does not say it.
    pub sign_in: Option<SignInSettings>,
    /// The profiles.
    pub tenants: Vec<TenantSettings>,
    /// What the form suggests, in this order.
    pub categories: Vec<CategorySetting>,
    /// How the dashboard looks.
    pub appearance: Appearance,
    /// How long the record keeps what is settled.
    pub record: RecordSettings,
    /// What tickets and devices are called, for tenants whose profile does not say it.
    pub patterns: PatternSettings,
    /// Action id to keys; empty means the default keys.
    pub keys: BTreeMap<String, Vec<String>>,
    /// What is accepted and doubtful, each with its place and a hint.
    pub doubts: Vec<String>,
}

/// What tickets and devices are called. What is not given is built in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternSettings {
    /// Regular expressions for tickets.
    pub ticket: Option<Vec<Pattern>>,
    /// Regular expressions for devices.
    pub device: Option<Vec<Pattern>>,
}

impl PatternSettings {
    /// These, and the others where these say nothing.
    #[must_use]
    pub fn over(self, others: Self) -> Patterns {
        Patterns::new(self.ticket.or(others.ticket), self.device.or(others.device))
    }
}

/// A profile of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSettings {
    /// What it is called.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The colour of its name.
    pub color: Option<Color>,
    /// Where its service answers, if not where the others' does.
    pub base_url: Option<BaseUrl>,
    /// The CA certificates for its service, if not those for the others'.
    pub ca_file: Option<PathBuf>,
    /// What tickets and devices are called there.
    pub patterns: PatternSettings,
    /// How it signs in, if not as the others do.
    pub sign_in: Option<SignInSettings>,
}

/// A category and what the form suggests below it. Both are suggestions: the form takes any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategorySetting {
    /// The category.
    pub name: String,
    /// Its subcategories.
    pub subcategories: Vec<String>,
}

/// How long the record keeps what is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSettings {
    /// In days. What is open or unresolved is kept whatever its age.
    pub keep_days: u32,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self { keep_days: 90 }
    }
}

/// How the dashboard looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// What panes are framed with.
    pub borders: BordersSetting,
    /// The one accent: focused pane, selection, names of keys.
    pub accent: Color,
}

/// What panes are framed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BordersSetting {
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
            record: RecordSettings::default(),
            patterns: PatternSettings::default(),
            keys: BTreeMap::new(),
            doubts: Vec::new(),
        }
    }
}

impl Default for Appearance {
    fn default() -> Self {
        Self { borders: BordersSetting::Rounded, accent: Color::Cyan }
    }
}

impl FileSettings {
    /// Reads the file. `None` where there is none. Whatever stands in its place, this ends at once.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong in the file. It is left as it is.
    pub fn load(path: &Path) -> Result<Option<Self>, ConfigError> {
        let unreadable = |reason: String| ConfigError::Unreadable { path: path.into(), reason };
        let bytes = match mmd_elevate_files::read_bounded(path, LONGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A link that leads nowhere is no file that is not there.
                return if path.is_symlink() { Err(unreadable(error.to_string())) } else { Ok(None) };
            }
            Err(error) => return Err(unreadable(error.to_string())),
        };
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(unreadable("it is UTF-16 text: save it as UTF-8".to_owned()));
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::parse(text.trim_start_matches('\u{feff}'), path).map(Some),
            Err(error) => {
                let line = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).matches('\n').count() + 1;
                Err(unreadable(format!("line {line} holds a character that is not UTF-8")))
            }
        }
    }

    /// Reads the text of such a file. Relative paths in it begin where `path` is: the folder that the program is started
    /// in means nothing.
    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let (mut reading, document) = DocumentReader::parse(text);
        let folder = path.parent().unwrap_or(Path::new(""));
        let root = reading.root(&document, &ROOT);
        let settings = Self::read(&mut reading, &root, folder);
        let doubts = reading.finish(path)?;
        Ok(Self { doubts, ..settings })
    }

    fn read(reading: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>, folder: &Path) -> Self {
        let default = Self::default();
        let tenants = root.get("tenants").map_or_else(Vec::new, |value| tenants(reading, value, folder));
        let categories = root.get("categories").map(|value| categories(reading, value));
        let keys = root.get("keys").and_then(|value| reading.any_table(value, "[keys]"));
        let settings = Self {
            base_url: base_url(reading, root),
            ca_file: file_path(reading, root, "ca_file", folder),
            tenant: root.get("tenant").and_then(|value| reading.checked(value, "tenant", value::name)),
            sign_in: root.get("sign_in").and_then(|value| sign_in::read(reading, value, "[sign_in]", folder)),
            tenants,
            categories: categories.unwrap_or(default.categories),
            appearance: appearance(reading, root).unwrap_or(default.appearance),
            record: record(reading, root).unwrap_or(default.record),
            patterns: patterns(reading, root),
            keys: keys.map_or_else(BTreeMap::new, |table| keys::read(reading, &table)),
            doubts: Vec::new(),
        };
        doubts::in_file(reading, root, &settings);
        settings
    }
}

fn base_url(reading: &mut DocumentReader<'_>, table: &SettingsTable<'_, '_>) -> Option<BaseUrl> {
    table.get("base_url").and_then(|value| reading.checked(value, "base_url", value::base_url))
}

/// A path, from where the settings file is.
pub(super) fn file_path(
    reading: &mut DocumentReader<'_>,
    table: &SettingsTable<'_, '_>,
    name: &str,
    folder: &Path,
) -> Option<PathBuf> {
    let check = |text: &str| path::checked(Path::new(text)).map(|()| path::beside(text.into(), folder));
    table.get(name).and_then(|value| reading.checked(value, name, check))
}

fn tenants(reading: &mut DocumentReader<'_>, value: &Value<'_>, folder: &Path) -> Vec<TenantSettings> {
    let mut read = Vec::<TenantSettings>::new();
    for value in reading.tables(value, "[[tenants]]") {
        let Some(table) = reading.table(value, "[[tenants]]", &TENANT) else { continue };
        let name = reading.needed(&table, "name", "give the tenant a name: it is what --tenant takes");
        let name = name.and_then(|value| reading.checked(value, "name", value::name));
        let id = reading.needed(&table, "id", "give the tenant's id as the portal shows it: a GUID");
        let id = id.and_then(|value| reading.checked(value, "id", value::tenant_id));
        let settings = TenantSettings {
            name: name.clone().unwrap_or_default(),
            id: id.clone().unwrap_or_default(),
            color: table.get("color").and_then(|value| reading.checked(value, "color", color)),
            base_url: base_url(reading, &table),
            ca_file: file_path(reading, &table, "ca_file", folder),
            patterns: patterns(reading, &table),
            sign_in: table.get("sign_in").and_then(|value| sign_in::read(reading, value, "[tenants.sign_in]", folder)),
        };
        // `--tenant` takes a name or an id, so neither may mean two profiles.
        let own = [name, id];
        let clash = read.iter().any(|other| {
            own.iter()
                .flatten()
                .any(|own| [&other.name, &other.id].iter().any(|theirs| theirs.eq_ignore_ascii_case(own)))
        });
        if clash {
            let what = format!("the tenant {} shares its name or id with another", quoted(&settings.name));
            reading.wrong(table.at(), Refused::new(what, "give every tenant a name and an id of its own"));
        }
        read.push(settings);
    }
    read
}

fn categories(reading: &mut DocumentReader<'_>, value: &Value<'_>) -> Vec<CategorySetting> {
    let mut read = Vec::<CategorySetting>::new();
    for value in reading.tables(value, "[[categories]]") {
        let Some(table) = reading.table(value, "[[categories]]", &CATEGORY) else { continue };
        let name = reading.needed(&table, "name", "give the category a name");
        let name = name.and_then(|value| reading.checked(value, "name", value::name));
        let below = reading.needed(&table, "subcategories", "list what is suggested below it; [] is nothing");
        let each =
            |reading: &mut DocumentReader<'_>, value: &Value<'_>| reading.checked(value, "subcategories", value::name);
        let subcategories = below.and_then(|value| reading.list(value, "subcategories", each)).unwrap_or_default();
        if let Some(name) = name {
            if read.iter().any(|other| other.name == name) {
                let what = format!("the category {} is there twice", quoted(&name));
                reading.wrong(table.at(), Refused::new(what, "list its subcategories in one place"));
            }
            read.push(CategorySetting { name, subcategories });
        }
    }
    read
}

fn appearance(reading: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>) -> Option<Appearance> {
    let table = reading.table(root.get("appearance")?, "[appearance]", &APPEARANCE)?;
    let default = Appearance::default();
    let borders = table.get("borders").and_then(|value| reading.checked(value, "borders", BordersSetting::parse));
    let accent = table.get("accent").and_then(|value| reading.checked(value, "accent", color));
    Some(Appearance { borders: borders.unwrap_or(default.borders), accent: accent.unwrap_or(default.accent) })
}

fn record(reading: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>) -> Option<RecordSettings> {
    let table = reading.table(root.get("record")?, "[record]", &RECORD)?;
    let keep_days = table.get("keep_days").and_then(|value| reading.number(value, "keep_days", MOST_DAYS, 90));
    keep_days.map(|keep_days| RecordSettings { keep_days })
}

fn patterns(reading: &mut DocumentReader<'_>, holder: &SettingsTable<'_, '_>) -> PatternSettings {
    let table = holder.get("patterns").and_then(|value| reading.table(value, "[patterns]", &PATTERNS));
    let Some(table) = table else { return PatternSettings::default() };
    let mut read = |name: &str| {
        let pattern = |text: &str| {
            Pattern::new(text).map_err(|error| {
                let hint = "see the examples in config.example.toml; in single quotes a backslash is itself";
                Refused::new(format!("`{name}` holds what is no regular expression: {error}"), hint)
            })
        };
        let value = table.get(name)?;
        // One alone needs no list.
        if value.get_ref().is_str() {
            return reading.checked(value, name, pattern).map(|pattern| vec![pattern]);
        }
        reading.list(value, name, |reading, value| reading.checked(value, name, pattern))
    };
    PatternSettings { ticket: read("ticket"), device: read("device") }
}

impl BordersSetting {
    const NAMES: [(&str, Self); 3] = [("rounded", Self::Rounded), ("plain", Self::Plain), ("ascii", Self::Ascii)];

    fn parse(text: &str) -> Result<Self, Refused> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, borders)| *borders);
        known.ok_or_else(|| {
            let hint = suggest(text, Self::NAMES.map(|(name, _)| name), "write \"rounded\", \"plain\" or \"ascii\"");
            Refused::new(format!("{} is no kind of borders", quoted(text)), hint)
        })
    }
}
