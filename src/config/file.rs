//! The file of settings: what it may hold, and reading it without ever writing it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use confy::ConfyError;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};

use super::{Color, ConfigError, Refused, SignInSettings, value};
use crate::{api::BaseUrl, domain::visible};

/// What the file holds. `config.example.toml` documents every setting and equals the defaults.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileSettings {
    /// Where the service answers.
    #[serde(deserialize_with = "base_url")]
    pub base_url: Option<BaseUrl>,
    /// A file of CA certificates (PEM) to trust beside the platform's; a relative path begins at the settings file.
    #[serde(deserialize_with = "some_path")]
    pub ca_file: Option<PathBuf>,
    /// Which profile to start with, by name or id.
    #[serde(deserialize_with = "some_name")]
    pub tenant: Option<String>,
    /// How tenants sign in whose profile does not say it.
    pub sign_in: Option<SignInSettings>,
    /// The profiles.
    #[serde(deserialize_with = "tenants")]
    pub tenants: Vec<TenantSettings>,
    /// What the form suggests, in this order.
    #[serde(deserialize_with = "categories")]
    pub categories: Vec<Category>,
    /// How the dashboard looks.
    pub appearance: Appearance,
    /// How long the record keeps what is settled.
    pub record: RecordSettings,
    /// Action id to keys; empty means the default keys.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// A profile of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// What it is called.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// Its id.
    #[serde(deserialize_with = "tenant_id")]
    pub id: String,
    /// The colour of its name.
    pub color: Option<Color>,
    /// Where its service answers, if not where the others' does.
    #[serde(default, deserialize_with = "base_url")]
    pub base_url: Option<BaseUrl>,
    /// The CA certificates for its service, if not those for the others'.
    #[serde(default, deserialize_with = "some_path")]
    pub ca_file: Option<PathBuf>,
    /// How it signs in, if not as the others do.
    pub sign_in: Option<SignInSettings>,
}

/// A category and what the form suggests below it. Both are suggestions: the form takes any text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The category.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// Its subcategories.
    #[serde(deserialize_with = "names")]
    pub subcategories: Vec<String>,
}

/// How long the record keeps what is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordSettings {
    /// In days. What is open or unresolved is kept whatever its age.
    #[serde(deserialize_with = "days")]
    pub keep_days: u32,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self { keep_days: 90 }
    }
}

/// How the dashboard looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Appearance {
    /// What panes are framed with.
    pub borders: Borders,
    /// The one accent: focused pane, selection, names of keys.
    pub accent: Color,
}

/// What panes are framed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Borders {
    /// Lines with round corners.
    Rounded,
    /// Lines with square corners.
    Plain,
    /// `+`, `-` and `|`.
    Ascii,
}

impl Default for FileSettings {
    fn default() -> Self {
        let category = |name: &str, subcategories: &[&str]| Category {
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
            keys: BTreeMap::new(),
        }
    }
}

impl Default for Appearance {
    fn default() -> Self {
        Self { borders: Borders::Rounded, accent: Color::CYAN }
    }
}

impl FileSettings {
    /// Reads the file. `None` where there is none.
    ///
    /// # Errors
    /// [`ConfigError`] where the file cannot be read as it stands. It is left as it is.
    pub fn load(path: &Path) -> Result<Option<Self>, ConfigError> {
        let unreadable = |reason: &io::Error| ConfigError::Unreadable { path: path.into(), reason: reason.to_string() };
        match fs::metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&error)),
        }
        match confy::load_path(path) {
            Ok(ReadOnly(settings)) => Ok(Some(settings.beside(path))),
            Err(ConfyError::BadTomlData(error)) => Err(ConfigError::InFile {
                path: path.into(),
                at: place(&error.to_string()),
                refused: explain(error.message()),
            }),
            Err(ConfyError::GeneralLoadError(error) | ConfyError::ReadConfigurationFileError(error)) => {
                Err(unreadable(&error))
            }
            Err(other) => Err(ConfigError::Unreadable { path: path.into(), reason: other.to_string() }),
        }
    }
}

impl FileSettings {
    /// What it names by a relative path lies beside the file: the folder that the program is started in means nothing.
    fn beside(mut self, file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new(""));
        for tenant in &mut self.tenants {
            tenant.ca_file = tenant.ca_file.take().map(|path| folder.join(path));
            tenant.sign_in.iter_mut().for_each(|sign_in| sign_in.beside(folder));
        }
        self.ca_file = self.ca_file.map(|path| folder.join(path));
        self.sign_in.iter_mut().for_each(|sign_in| sign_in.beside(folder));
        self
    }
}

/// confy writes the defaults where it finds no file, and asks for `Serialize` to be able to. The file is known to be
/// there before confy is asked; should it vanish in between, this refuses to be written.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct ReadOnly(FileSettings);

impl Serialize for ReadOnly {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("settings are read, never written"))
    }
}

/// Line and column, which the parser tells only in its whole text. The rest of that text repeats the line, which may
/// hold a secret, and is not shown.
fn place(error: &str) -> Option<(usize, usize)> {
    let (line, column) = error.lines().next()?.strip_prefix("TOML parse error at line ")?.split_once(", column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// The parser's message in the words of settings, with a hint. A value is not repeated: it may be a secret.
fn explain(message: &str) -> Refused {
    if let Some((what, hint)) = message.split_once("\nhint: ") {
        return Refused::new(what, hint);
    }
    let (what, expected) = message.rsplit_once(", expected ").unwrap_or((message, ""));
    let what = visible(what).replace(" field ", " setting ");
    if let Some(unknown) = what.strip_prefix("unknown setting ") {
        let is_secret = ["token", "secret", "password"].iter().any(|word| unknown.to_lowercase().contains(word));
        let hint = if is_secret && expected.contains("secret_env") {
            "secrets have no place in this file: say where it is with secret_env, secret_file or secret_command"
                .to_owned()
        } else if is_secret {
            "secrets have no place in this file: hand the token over in MMD_ELEVATE_TOKEN".to_owned()
        } else {
            format!("what can be set here: {}; see config.example.toml", expected.trim_start_matches("one of "))
        };
        return Refused::new(what, hint);
    }
    let what = match what.split_once(": string ") {
        Some((kind, _)) => format!("{kind}: string"),
        None => what,
    };
    let hint = match expected {
        "" => "correct the file; config.example.toml shows every setting".to_owned(),
        _ => format!("expected {}; config.example.toml shows every setting", visible(expected)),
    };
    Refused::new(what, hint)
}

fn name<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    value::name(&String::deserialize(source)?).map_err(D::Error::custom)
}

fn days<'de, D: Deserializer<'de>>(source: D) -> Result<u32, D::Error> {
    let days = i64::deserialize(source)?;
    let refused = |_| Refused::new(format!("`{days}` is not a number of days"), "give a whole number, such as 90");
    u32::try_from(days).map_err(refused).map_err(D::Error::custom)
}

fn some_name<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    name(source).map(Some)
}

fn some_path<'de, D: Deserializer<'de>>(source: D) -> Result<Option<PathBuf>, D::Error> {
    let path = PathBuf::deserialize(source)?;
    if path.as_os_str().is_empty() {
        return Err(D::Error::custom(Refused::new("a path is empty", "name a file, or leave it out")));
    }
    Ok(Some(path))
}

fn names<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(source)?;
    names.iter().map(|text| value::name(text).map_err(D::Error::custom)).collect()
}

fn tenant_id<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    value::tenant_id(&String::deserialize(source)?).map_err(D::Error::custom)
}

fn base_url<'de, D: Deserializer<'de>>(source: D) -> Result<Option<BaseUrl>, D::Error> {
    value::base_url(&String::deserialize(source)?).map(Some).map_err(D::Error::custom)
}

/// `--tenant` takes a name or an id, so neither may mean two profiles.
fn tenants<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<TenantSettings>, D::Error> {
    let tenants = Vec::<TenantSettings>::deserialize(source)?;
    for (n, tenant) in tenants.iter().enumerate() {
        let clash = tenants[..n].iter().any(|other| {
            [&other.name, &other.id]
                .iter()
                .any(|theirs| theirs.eq_ignore_ascii_case(&tenant.name) || theirs.eq_ignore_ascii_case(&tenant.id))
        });
        if clash {
            let what = format!("the tenant `{}` shares its name or id with another", visible(&tenant.name));
            return Err(D::Error::custom(Refused::new(what, "give every tenant a name and an id of its own")));
        }
    }
    Ok(tenants)
}

fn categories<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Category>, D::Error> {
    let categories = Vec::<Category>::deserialize(source)?;
    for (n, category) in categories.iter().enumerate() {
        if categories[..n].iter().any(|other| other.name == category.name) {
            let what = format!("the category `{}` is there twice", visible(&category.name));
            return Err(D::Error::custom(Refused::new(what, "list its subcategories in one place")));
        }
    }
    Ok(categories)
}
