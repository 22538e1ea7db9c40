//! Tells which settings are in force and which layer gives each: a flag, a variable, the file or the default. It shows no token
//! and no secret, and no argument of a command.

use std::path::Path;

use serde::Serialize;
use toml::{Table, Value};

use super::{
    Config, ConfigError, EXAMPLE, FileSettings, Flags, ServiceSettings, Target, load, names, resolve::settings_file,
    value::LEVELS, variable,
};
use mmd_elevate_core::visible;
use mmd_elevate_engine::redact::{looks_secret, redact};

/// The layer that gives a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingSource {
    /// A flag of the command line.
    Flag,
    /// A variable of the environment.
    Variable,
    /// The settings file.
    File,
    /// The program itself.
    Default,
}

/// A setting that is in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EffectiveSetting {
    /// Its name, with the names of its tables before it: `appearance.borders`.
    pub setting: String,
    /// Its value, in the types of the settings file. `None` means that it is not set.
    pub value: Option<Value>,
    /// The layer that gives it.
    pub source: SettingSource,
    /// The flag, the variable, or the place in the settings file that gives it.
    pub from: Option<String>,
}

impl EffectiveSetting {
    /// Returns the value as the settings file would hold it, on one line in visible form.
    #[must_use]
    pub fn value_text(&self) -> String {
        let text = self.value.as_ref().map_or_else(|| "(not set)".to_owned(), Value::to_string);
        visible(&text).into_owned()
    }

    /// Returns where the value is from, in words.
    #[must_use]
    pub fn source_text(&self) -> &str {
        self.from.as_deref().unwrap_or("default")
    }
}

/// What the program would run with.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveSettings {
    /// The settings file.
    pub file: String,
    /// Whether it exists.
    pub file_exists: bool,
    /// Whether the program would open the practice tenant.
    pub practice: bool,
    /// All settings.
    pub settings: Vec<EffectiveSetting>,
}

/// Returns the settings that are in force with these flags and this environment.
///
/// # Errors
/// Every mistake in the file, the flags and the environment.
pub fn effective(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<EffectiveSettings, ConfigError> {
    let config = load(flags, &env)?;
    let path = settings_file(flags, &env)?;
    let text = FileSettings::read_text(&path)?;
    let file_exists = text.is_some();
    let (file, defaults) = (table(&text.unwrap_or_default()), table(EXAMPLE));
    let service = match &config.target {
        Target::Practice => None,
        Target::Service(service) => Some(&**service),
    };
    let profile = service.and_then(|service| profile(&file, &service.tenant.id));
    let is_set = |name: &str| env(name).is_some_and(|value| !value.trim().is_empty());
    let layers = Layers { flags, is_set: &is_set, file: &file, profile, defaults: &defaults };
    Ok(EffectiveSettings {
        file: path.to_string_lossy().into_owned(),
        file_exists,
        practice: service.is_none(),
        settings: layers.settings(&config, service),
    })
}

/// Returns the text as a table. The text was read without a mistake before; if it has changed since, it has no settings.
fn table(text: &str) -> Table {
    text.parse().unwrap_or_default()
}

/// Returns the tenant's table of `[[tenants]]`.
fn profile<'a>(file: &'a Table, tenant_id: &str) -> Option<&'a Table> {
    let tables = file.get("tenants").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table);
    let id = |table: &Table| table.get("id").and_then(Value::as_str).map(str::to_owned);
    tables.into_iter().find(|table| id(table).is_some_and(|id| id.eq_ignore_ascii_case(tenant_id)))
}

struct Layers<'a> {
    flags: &'a Flags,
    is_set: &'a dyn Fn(&str) -> bool,
    file: &'a Table,
    /// The table of the tenant that the program starts with.
    profile: Option<&'a Table>,
    defaults: &'a Table,
}

impl Layers<'_> {
    fn settings(&self, config: &Config, service: Option<&ServiceSettings>) -> Vec<EffectiveSetting> {
        let path = |path: &Path| Value::from(path.to_string_lossy().into_owned());
        let mut settings = vec![
            self.overridden("state_dir", Some(path(&config.state_dir)), Some("--state-dir"), Some(variable::STATE_DIR)),
            self.overridden("log", level(config), Some("--log"), Some(variable::LOG)),
        ];
        // The practice tenant has none of these, whatever the layers say.
        if let Some(service) = service {
            let base_url = Value::from(service.base_url.to_string());
            let ca_file = service.ca_file.as_deref().map(path);
            let tenant = Value::from(service.tenant.id.clone());
            let token = (self.is_set)(variable::TOKEN).then(|| Value::from("[token]"));
            settings.extend([
                self.overridden("base_url", Some(base_url), Some("--base-url"), Some(variable::BASE_URL)),
                self.overridden("ca_file", ca_file, Some("--ca-file"), Some(variable::CA_FILE)),
                self.overridden("tenant", Some(tenant), Some("--tenant"), Some(variable::TENANT_ID)),
                self.overridden("token", token, None, Some(variable::TOKEN)),
            ]);
            settings.extend(self.sign_in());
        }
        settings.push(self.overridden("read_only", Some(config.read_only.into()), Some("--read-only"), None));
        settings.extend(["ticket_url", "categories"].map(|name| self.layered(&[name])));
        for (table, names) in [
            ("patterns", &names::PATTERNS[..]),
            ("appearance", &names::APPEARANCE),
            ("ages", &names::AGES),
            ("list", &names::LIST),
            ("record", &names::RECORD),
        ] {
            settings.extend(names.iter().map(|name| self.layered(&[table, name])));
        }
        let folder = config.report_folder.as_deref().map(path);
        settings.push(EffectiveSetting { value: folder, ..self.layered(&["report", "folder"]) });
        let colleagues = Some(config.practice.colleagues.into());
        settings.push(self.overridden("practice.colleagues", colleagues, None, Some(variable::PRACTICE_COLLEAGUES)));
        for id in config.keys.keys() {
            settings.push(self.layered(&["keys", id]));
        }
        let tenants = self.file.get("tenants").and_then(Value::as_array).into_iter().flatten();
        let names: Vec<_> = tenants.filter_map(|tenant| tenant.get("name")).cloned().collect();
        settings.push(EffectiveSetting {
            value: (!names.is_empty()).then_some(Value::Array(names)),
            ..self.layered(&["tenants"])
        });
        for setting in &mut settings {
            setting.value.iter_mut().for_each(redact_value);
        }
        settings
    }

    /// Returns a setting that a flag or a variable may give over the file.
    fn overridden(
        &self,
        name: &str,
        value: Option<Value>,
        flag: Option<&'static str>,
        variable: Option<&'static str>,
    ) -> EffectiveSetting {
        let (source, from) = match (flag.filter(|flag| self.flags.given().contains(flag)), variable) {
            (Some(flag), _) => (SettingSource::Flag, Some(flag.to_owned())),
            (None, Some(variable)) if (self.is_set)(variable) => (SettingSource::Variable, Some(variable.to_owned())),
            // A tenant that nothing names is the only one of the file.
            (None, _) if name == "tenant" => (SettingSource::File, Some(self.place("tenant"))),
            (None, _) => {
                let EffectiveSetting { source, from, .. } = self.layered(&name.split('.').collect::<Vec<_>>());
                (source, from)
            }
        };
        EffectiveSetting { setting: name.to_owned(), value, source, from }
    }

    /// Returns a setting that the file may give over the defaults.
    fn layered(&self, path: &[&str]) -> EffectiveSetting {
        let of_tenant = path.first().is_some_and(|name| names::TENANT.contains(name));
        let profile = self.profile.filter(|_| of_tenant).and_then(|profile| find(profile, path));
        let name = path.iter().map(|part| if part.contains('.') { format!("\"{part}\"") } else { (*part).to_owned() });
        let setting = name.collect::<Vec<_>>().join(".");
        let (value, source, from) = match (profile, find(self.file, path)) {
            (Some(value), _) => (Some(value), SettingSource::File, Some("[[tenants]] in the settings file".to_owned())),
            (None, Some(value)) => (Some(value), SettingSource::File, Some("the settings file".to_owned())),
            (None, None) => (find(self.defaults, path), SettingSource::Default, None),
        };
        EffectiveSetting { setting, value: value.cloned(), source, from }
    }

    fn place(&self, name: &str) -> String {
        if self.file.contains_key(name) { "the settings file" } else { "[[tenants]] in the settings file" }.to_owned()
    }

    /// Returns the settings of the sign-in: all of the tenant's table, or all of the file's.
    fn sign_in(&self) -> Vec<EffectiveSetting> {
        let of_profile = self.profile.and_then(|profile| profile.get("sign_in"));
        let Some(table) = of_profile.or_else(|| self.file.get("sign_in")).and_then(Value::as_table) else {
            return Vec::new();
        };
        let place = if of_profile.is_some() { "[tenants.sign_in] in the settings file" } else { "the settings file" };
        let names = names::SIGN_IN.into_iter().filter_map(|name| Some((name, table.get(name)?)));
        let shown = |name: &str, value: &Value| match value {
            Value::Array(words) if name.ends_with("command") => {
                let program = words.first().and_then(Value::as_str).unwrap_or_default();
                let program = if looks_secret(program) { "[secret]" } else { program };
                Value::from(match words.len() {
                    0 | 1 => program.to_owned(),
                    _ => format!("{program} [arguments are not shown]"),
                })
            }
            Value::String(text) if looks_secret(text.rsplit('/').next().unwrap_or_default()) => Value::from("[secret]"),
            other => other.clone(),
        };
        names
            .map(|(name, value)| EffectiveSetting {
                setting: format!("sign_in.{name}"),
                value: Some(shown(name, value)),
                source: SettingSource::File,
                from: Some(place.to_owned()),
            })
            .collect()
    }
}

fn find<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, name| value.get(*name))
}

/// Returns the name of the log level.
fn level(config: &Config) -> Option<Value> {
    let name = config.log.to_string();
    LEVELS.into_iter().find(|level| level.eq_ignore_ascii_case(&name)).map(Value::from)
}

/// Takes secrets that are known out of a value.
fn redact_value(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(redact_value),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| redact_value(value)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}
