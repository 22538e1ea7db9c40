//! Reads the settings file. It reports every mistake in it at once and never writes it.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    AgeSettings, Appearance, BordersSetting, CategorySetting, ConfigError, FileSettings, ListSettings, PatternSettings,
    TenantSettings, ThemeSetting,
    color::color,
    document::{DocumentReader, SettingsTable, Value},
    keys, names, path,
    settings::RecordSettings,
    sign_in,
    suggest::suggest,
    value,
    warnings::add_warnings,
};
use mmd_elevate_core::{Pattern, Problem, TicketUrl, visible};
use mmd_elevate_engine::{http::BaseUrl, redact::quoted};

/// The longest file that is read, in bytes: many times one with a thousand tenants.
const MAX_LENGTH: usize = 1 << 20;

/// The largest `keep_days`: a hundred years.
const MAX_DAYS: u32 = 36_500;

/// The least and the largest `refresh_seconds`: a service is not asked more often, and a day is as good as never.
const MIN_REFRESH: u32 = 5;
const MAX_REFRESH: u32 = 86_400;

impl FileSettings {
    /// Reads the file. Returns `None` if there is none. A pipe or a device in its place is an error and never waited for.
    ///
    /// # Errors
    /// Everything that is wrong in the file.
    pub fn load(path: &Path) -> Result<Option<Self>, ConfigError> {
        Self::read_text(path)?.map(|text| Self::parse(&text, path)).transpose()
    }

    /// Reads the text of the file. Returns `None` if there is none.
    pub(super) fn read_text(path: &Path) -> Result<Option<String>, ConfigError> {
        let unreadable = |reason: String| {
            let what = format!("the settings file {} cannot be read: {reason}", visible(&path.to_string_lossy()));
            let hint = "check that it is a text file (UTF-8) that you may read, or name another with --config";
            ConfigError::from(Problem::new(what, hint))
        };
        let bytes = match mmd_elevate_files::read_bounded(path, MAX_LENGTH) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A dangling link is a mistake, unlike a file that does not exist.
                return if path.is_symlink() { Err(unreadable(error.to_string())) } else { Ok(None) };
            }
            Err(error) => return Err(unreadable(error.to_string())),
        };
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(unreadable("it is UTF-16 text: save it as UTF-8".to_owned()));
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(Some(text.trim_start_matches('\u{feff}').to_owned())),
            Err(error) => {
                let line = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).matches('\n').count() + 1;
                Err(unreadable(format!("line {line} holds a character that is not UTF-8")))
            }
        }
    }

    /// Reads the text of the file at `path`. Relative paths in it are relative to its folder, not to the working folder.
    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let (mut reader, document) = DocumentReader::parse(text);
        let folder = path.parent().unwrap_or(Path::new(""));
        let root = reader.root(&document, &names::ROOT);
        let settings = Self::read(&mut reader, &root, folder);
        let warnings = reader.finish(path)?;
        Ok(Self { warnings, ..settings })
    }

    fn read(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>, folder: &Path) -> Self {
        let default = Self::default();
        let tenants = root.get("tenants").map_or_else(Vec::new, |value| tenants(reader, value, folder));
        let categories = root.get("categories").map(|value| categories(reader, value, "[[categories]]"));
        let keys = root.get("keys").and_then(|value| reader.any_table(value, "[keys]"));
        let settings = Self {
            base_url: base_url(reader, root),
            ca_file: path::read(reader, root, "ca_file", folder),
            tenant: root.get("tenant").and_then(|value| reader.parse_text(value, "tenant", value::name)),
            sign_in: root.get("sign_in").and_then(|value| sign_in::read(reader, value, "[sign_in]", folder)),
            tenants,
            categories: categories.unwrap_or(default.categories),
            appearance: appearance(reader, root).unwrap_or(default.appearance),
            ages: ages(reader, root).unwrap_or(default.ages),
            list: list(reader, root).unwrap_or(default.list),
            record: record(reader, root).unwrap_or(default.record),
            report_folder: report_folder(reader, root, folder),
            colleagues: colleagues(reader, root).unwrap_or(default.colleagues),
            patterns: patterns(reader, root),
            ticket_url: ticket_url(reader, root),
            read_only: read_only(reader, root).unwrap_or(default.read_only),
            keys: keys.map_or_else(BTreeMap::new, |table| keys::read(reader, &table)),
            warnings: Vec::new(),
        };
        add_warnings(reader, root, &settings);
        settings
    }
}

fn base_url(reader: &mut DocumentReader<'_>, table: &SettingsTable<'_, '_>) -> Option<BaseUrl> {
    table.get("base_url").and_then(|value| reader.parse_text(value, "base_url", value::base_url))
}

fn ticket_url(reader: &mut DocumentReader<'_>, table: &SettingsTable<'_, '_>) -> Option<TicketUrl> {
    table.get("ticket_url").and_then(|value| reader.parse_text(value, "ticket_url", TicketUrl::parse))
}

fn read_only(reader: &mut DocumentReader<'_>, table: &SettingsTable<'_, '_>) -> Option<bool> {
    table.get("read_only").and_then(|value| reader.switch(value, "read_only"))
}

fn tenants(reader: &mut DocumentReader<'_>, value: &Value<'_>, folder: &Path) -> Vec<TenantSettings> {
    let mut tenants = Vec::<TenantSettings>::new();
    for value in reader.tables(value, "[[tenants]]") {
        let Some(table) = reader.table(value, "[[tenants]]", &names::TENANT) else { continue };
        let name = reader.required(&table, "name", "give the tenant a name: it is what --tenant takes");
        let name = name.and_then(|value| reader.parse_text(value, "name", value::name));
        let id = reader.required(&table, "id", "give the tenant's id as the portal shows it: a GUID");
        let id = id.and_then(|value| reader.parse_text(value, "id", value::tenant_id));
        let settings = TenantSettings {
            name: name.clone().unwrap_or_default(),
            id: id.clone().unwrap_or_default(),
            color: table.get("color").and_then(|value| reader.parse_text(value, "color", color)),
            base_url: base_url(reader, &table),
            ca_file: path::read(reader, &table, "ca_file", folder),
            categories: table.get("categories").map(|value| categories(reader, value, "[[tenants.categories]]")),
            patterns: patterns(reader, &table),
            ticket_url: ticket_url(reader, &table),
            read_only: read_only(reader, &table),
            sign_in: table.get("sign_in").and_then(|value| sign_in::read(reader, value, "[tenants.sign_in]", folder)),
        };
        // `--tenant` takes a name or an id, so neither may mean two profiles.
        let names = [name, id];
        let is_used = |name: &String| {
            tenants.iter().any(|other| other.name.eq_ignore_ascii_case(name) || other.id.eq_ignore_ascii_case(name))
        };
        if names.iter().flatten().any(is_used) {
            let what = format!("the tenant {} shares its name or id with another", quoted(&settings.name));
            reader.error(table.offset(), Problem::new(what, "give every tenant a name and an id of its own"));
        }
        tenants.push(settings);
    }
    tenants
}

fn categories(reader: &mut DocumentReader<'_>, value: &Value<'_>, list: &'static str) -> Vec<CategorySetting> {
    let mut categories = Vec::<CategorySetting>::new();
    for value in reader.tables(value, list) {
        let Some(table) = reader.table(value, list, &names::CATEGORY) else { continue };
        let name = reader.required(&table, "name", "give the category a name");
        let name = name.and_then(|value| reader.parse_text(value, "name", value::name));
        let list = reader.required(&table, "subcategories", "list its subcategories; [] means none");
        let read =
            |reader: &mut DocumentReader<'_>, value: &Value<'_>| reader.parse_text(value, "subcategories", value::name);
        let subcategories = list.and_then(|value| reader.list(value, "subcategories", read)).unwrap_or_default();
        if let Some(name) = name {
            if categories.iter().any(|other| other.name == name) {
                let what = format!("the category {} is defined twice", quoted(&name));
                reader.error(table.offset(), Problem::new(what, "list all its subcategories in one table"));
            }
            categories.push(CategorySetting { name, subcategories });
        }
    }
    categories
}

fn appearance(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>) -> Option<Appearance> {
    let table = reader.table(root.get("appearance")?, "[appearance]", &names::APPEARANCE)?;
    let default = Appearance::default();
    let borders = table.get("borders").and_then(|value| reader.parse_text(value, "borders", BordersSetting::parse));
    let accent = table.get("accent").and_then(|value| reader.parse_text(value, "accent", color));
    let theme = table.get("theme").and_then(|value| reader.parse_text(value, "theme", ThemeSetting::parse));
    let title = table.get("title").and_then(|value| reader.switch(value, "title"));
    let bell = table.get("bell").and_then(|value| reader.switch(value, "bell"));
    Some(Appearance {
        borders: borders.unwrap_or(default.borders),
        accent: accent.unwrap_or(default.accent),
        theme: theme.unwrap_or(default.theme),
        title: title.unwrap_or(default.title),
        bell: bell.unwrap_or(default.bell),
    })
}

fn ages(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>) -> Option<AgeSettings> {
    let table = reader.table(root.get("ages")?, "[ages]", &names::AGES)?;
    let default = AgeSettings::default();
    let mut read = |name: &'static str, default: Duration| match table.get(name) {
        Some(value) => reader.parse_text(value, name, |text| value::age(name, text)),
        None => Some(default),
    };
    // Each is read even if the other is wrong.
    let (warn, alarm) = (read("warn", default.warn), read("alarm", default.alarm));
    let (warn, alarm) = (warn?, alarm?);
    if warn < alarm {
        return Some(AgeSettings { warn, alarm });
    }
    let (warn, alarm) = (value::duration_text(warn), value::duration_text(alarm));
    let what = format!("`warn` ({warn}) is not less than `alarm` ({alarm})");
    let place = table.get("alarm").or(table.get("warn")).map_or(table.offset(), |value| value.span().start);
    reader.error(place, Problem::new(what, "give `warn` a shorter time than `alarm`, such as \"2h\" and \"8h\""));
    None
}

fn list(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>) -> Option<ListSettings> {
    const NAME: &str = "refresh_seconds";
    let table = reader.table(root.get("list")?, "[list]", &names::LIST)?;
    let value = table.get(NAME)?;
    match reader.number(value, NAME, MAX_REFRESH, 30)? {
        0 => Some(ListSettings { refresh: None }),
        seconds @ MIN_REFRESH.. => Some(ListSettings { refresh: Some(Duration::from_secs(seconds.into())) }),
        seconds => {
            let hint = format!("give at least {MIN_REFRESH}, or 0 so that the service is asked only on your request");
            let what = format!("`{seconds}` seconds are too short for `{NAME}`");
            reader.error(value.span().start, Problem::new(what, hint));
            None
        }
    }
}

fn record(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>) -> Option<RecordSettings> {
    let table = reader.table(root.get("record")?, "[record]", &names::RECORD)?;
    let keep_days = table.get("keep_days").and_then(|value| reader.number(value, "keep_days", MAX_DAYS, 90));
    keep_days.map(|keep_days| RecordSettings { keep_days })
}

fn report_folder(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>, folder: &Path) -> Option<PathBuf> {
    let table = reader.table(root.get("report")?, "[report]", &names::REPORT)?;
    path::read(reader, &table, "folder", folder)
}

fn colleagues(reader: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>) -> Option<bool> {
    let table = reader.table(root.get("practice")?, "[practice]", &names::PRACTICE)?;
    table.get("colleagues").and_then(|value| reader.switch(value, "colleagues"))
}

fn patterns(reader: &mut DocumentReader<'_>, parent: &SettingsTable<'_, '_>) -> PatternSettings {
    let table = parent.get("patterns").and_then(|value| reader.table(value, "[patterns]", &names::PATTERNS));
    let Some(table) = table else { return PatternSettings::default() };
    let mut read = |name: &str| {
        let pattern = |text: &str| {
            Pattern::new(text).map_err(|Problem { what, hint }| {
                Problem::new(format!("`{name}` holds an invalid regular expression: {what}"), hint)
            })
        };
        let value = table.get(name)?;
        // A single pattern needs no list.
        if value.get_ref().is_str() {
            return reader.parse_text(value, name, pattern).map(|pattern| vec![pattern]);
        }
        reader.list(value, name, |reader, value| reader.parse_text(value, name, pattern))
    };
    PatternSettings { ticket: read("ticket"), device: read("device") }
}

impl BordersSetting {
    const NAMES: [(&str, Self); 4] =
        [("auto", Self::Auto), ("rounded", Self::Rounded), ("plain", Self::Plain), ("ascii", Self::Ascii)];

    fn parse(text: &str) -> Result<Self, Problem> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, borders)| *borders);
        known.ok_or_else(|| {
            let hint = "write \"rounded\", \"plain\" or \"ascii\", or \"auto\" for what the terminal can show";
            let hint = suggest(text, Self::NAMES.map(|(name, _)| name), hint);
            Problem::new(format!("{} is not a border style", quoted(text)), hint)
        })
    }
}

impl ThemeSetting {
    const NAMES: [(&str, Self); 5] = [
        ("auto", Self::Auto),
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("high-contrast", Self::HighContrast),
        ("mono", Self::Mono),
    ];

    fn parse(text: &str) -> Result<Self, Problem> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, theme)| *theme);
        known.ok_or_else(|| {
            let names = Self::NAMES.map(|(name, _)| name);
            let hint = suggest(text, names, &format!("use one of {}", names.join(", ")));
            Problem::new(format!("{} is not a theme", quoted(text)), hint)
        })
    }
}
