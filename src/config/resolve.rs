//! From flags, environment and file to one [`Config`].

use std::path::{Path, PathBuf};

use etcetera::AppStrategy;
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

use super::{
    APP, Config, ConfigError, DEFAULT_BASE_URL, FileSettings, Practice, Refused, Service, SignInSettings, Target,
    TenantProfile, TenantSettings, error::Missing, value, variable,
};
use crate::{
    api::BaseUrl,
    auth::{Method, Token},
    cli::Flags,
};

/// Reads the file that flags, environment or platform name, and resolves the whole. Nothing is written.
///
/// # Errors
/// [`ConfigError`] where a layer cannot be used, or the whole is not a whole.
pub fn load(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let (path, named_by) = named_file(flags, &env)?;
    let file = match (FileSettings::load(&path)?, named_by) {
        (Some(file), _) => file,
        (None, Some(named_by)) => return Err(ConfigError::NoFile { path, named_by }),
        (None, None) => FileSettings::default(),
    };
    resolve(flags, env, file)
}

/// The settings file that is looked for, whether it is there or not.
///
/// # Errors
/// [`ConfigError`] where nothing names one.
pub fn settings_file(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<PathBuf, ConfigError> {
    named_file(flags, &env).map(|(path, _)| path)
}

/// The settings file, and the flag or variable that names it if it is not the usual one.
fn named_file(
    flags: &Flags,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<(PathBuf, Option<&'static str>), ConfigError> {
    if let Some(path) = &flags.config {
        return Ok((path.clone(), Some("--config")));
    }
    match set(env, variable::CONFIG)? {
        Some(path) => Ok((path.into(), Some(variable::CONFIG))),
        None => Ok((default_file()?, None)),
    }
}

/// Lays flags over environment over file over defaults. Reads no file, and no environment but what it is handed (the
/// platform is asked for its state folder where no layer names one).
///
/// # Errors
/// [`ConfigError`] where a value will not do, or a service is configured and not the whole of it.
pub fn resolve(flags: &Flags, env: impl Fn(&str) -> Option<String>, file: FileSettings) -> Result<Config, ConfigError> {
    let state_dir = state_dir(flags.state_dir.as_deref(), &env)?;
    let log = match (flags.log, set(&env, variable::LOG)?) {
        (Some(level), _) => level,
        (None, Some(text)) => value::level(&text).map_err(|refused| at(variable::LOG, refused))?,
        (None, None) => LevelFilter::INFO,
    };
    let FileSettings { base_url, ca_file, tenant, sign_in, tenants, categories, appearance, record, keys } = file;
    let of_file = OfFile { url: base_url, ca_file, tenant, sign_in, profiles: tenants };
    let target = if flags.practice { Target::Practice } else { target(flags, &env, of_file)? };
    let practice = Practice { fresh: flags.fresh, rules: flags.practice_rules.clone() };
    if matches!(target, Target::Service(_)) && practice != Practice::default() {
        // It would be believed to act, and on a service nothing of it does.
        let from = if practice.fresh { "--fresh" } else { "--practice-rules" };
        let refused = Refused::new("a service is configured, and this is for the practice tenant", "add --practice");
        return Err(at(from, refused));
    }
    Ok(Config { target, categories, appearance, keep_days: record.keep_days, keys, practice, state_dir, log })
}

/// The folder for what the program keeps: the flag over the environment over the platform's.
///
/// # Errors
/// [`ConfigError`] where none of them names one.
pub fn state_dir(flag: Option<&Path>, env: impl Fn(&str) -> Option<String>) -> Result<PathBuf, ConfigError> {
    match flag {
        Some(path) => Ok(path.to_owned()),
        None => set(&env, variable::STATE_DIR)?.map_or_else(default_state_dir, |path| Ok(path.into())),
    }
}

/// What the file says of a service.
struct OfFile {
    url: Option<BaseUrl>,
    ca_file: Option<PathBuf>,
    tenant: Option<String>,
    sign_in: Option<SignInSettings>,
    profiles: Vec<TenantSettings>,
}

/// Whatever any layer says of a service means that there is one.
fn target(flags: &Flags, env: &impl Fn(&str) -> Option<String>, of_file: OfFile) -> Result<Target, ConfigError> {
    let OfFile { url: file_url, ca_file: file_ca, tenant: file_tenant, sign_in: file_sign_in, profiles } = of_file;
    let given_url = match &flags.base_url {
        Some(text) => Some(check_url("--base-url", text)?),
        None => set(env, variable::BASE_URL)?.map(|text| check_url(variable::BASE_URL, &text)).transpose()?,
    };
    let wanted = match (&flags.tenant, set(env, variable::TENANT_ID)?, file_tenant) {
        (Some(text), ..) => Some(Wanted { from: "--tenant", text: text.clone(), id_alone: false }),
        (None, Some(text), _) => Some(Wanted { from: variable::TENANT_ID, text, id_alone: true }),
        (None, None, Some(text)) => Some(Wanted { from: "`tenant` in the settings file", text, id_alone: false }),
        (None, None, None) => None,
    };
    let token = set(env, variable::TOKEN)?;
    let nothing_set = given_url.is_none() && file_url.is_none() && wanted.is_none() && token.is_none();
    if nothing_set && file_sign_in.is_none() && profiles.is_empty() {
        return Ok(Target::Practice);
    }
    let token = token.map(|text| value::token(&text).map_err(|refused| at(variable::TOKEN, refused))).transpose()?;
    let chosen = choose(wanted, profiles)?;
    let sign_in = match &chosen {
        Some(Chosen { tenant, sign_in, .. }) => method(sign_in.clone().or(file_sign_in), &tenant.id, token, env)?,
        None if file_sign_in.as_ref().is_some_and(|sign_in| !sign_in.is_environment()) => {
            return Err(ConfigError::Incomplete(vec![Missing::Tenant]));
        }
        None => token.map(Method::Environment),
    };
    match (chosen, sign_in) {
        (Some(Chosen { tenant, url: own_url, ca_file: own_ca, .. }), Some(sign_in)) => {
            let base_url = match given_url.or(own_url).or(file_url) {
                Some(url) => url,
                None => check_url("the default", DEFAULT_BASE_URL)?,
            };
            let given_ca = match &flags.ca_file {
                Some(path) => Some(path.clone()),
                None => set(env, variable::CA_FILE)?.map(PathBuf::from),
            };
            let ca_file = given_ca.or(own_ca).or(file_ca);
            Ok(Target::Service(Box::new(Service { base_url, tenant, ca_file, sign_in })))
        }
        (Some(_), None) => Err(ConfigError::Incomplete(vec![Missing::Token])),
        (None, Some(_)) => Err(ConfigError::Incomplete(vec![Missing::Tenant])),
        (None, None) => Err(ConfigError::Incomplete(vec![Missing::Tenant, Missing::Token])),
    }
}

/// How the tenant signs in: as the file says, whatever the environment holds, and with the environment's token where it
/// says nothing. `None` where that token is wanted and missing.
fn method(
    settings: Option<SignInSettings>,
    tenant_id: &str,
    token: Option<Token>,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Option<Method>, ConfigError> {
    let method = settings.map(|settings| settings.method(tenant_id, env)).transpose();
    let method = method.map_err(|refused| at("`sign_in` in the settings file", refused))?.flatten();
    Ok(method.or_else(|| token.map(Method::Environment)))
}

/// The tenant to start with, and what its profile says beside.
struct Chosen {
    tenant: TenantProfile,
    url: Option<BaseUrl>,
    ca_file: Option<PathBuf>,
    sign_in: Option<SignInSettings>,
}

/// What a layer says of which tenant to take.
struct Wanted {
    from: &'static str,
    text: String,
    /// Whether the text can only be an id, never a name.
    id_alone: bool,
}

/// The tenant to start with. `None` where nothing says which.
fn choose(wanted: Option<Wanted>, mut profiles: Vec<TenantSettings>) -> Result<Option<Chosen>, ConfigError> {
    let Some(Wanted { from, text, id_alone }) = wanted else {
        return match profiles.len() {
            0 | 1 => Ok(profiles.pop().map(profile)),
            _ => Err(ConfigError::TenantNotChosen(names(profiles))),
        };
    };
    let is_wanted =
        |p: &TenantSettings| p.id.eq_ignore_ascii_case(&text) || (!id_alone && p.name.eq_ignore_ascii_case(&text));
    if let Some(n) = profiles.iter().position(is_wanted) {
        return Ok(Some(profile(profiles.swap_remove(n))));
    }
    let looks_like_an_id = text.len() == Uuid::nil().hyphenated().to_string().len() && Uuid::try_parse(&text).is_ok();
    if !id_alone && !looks_like_an_id {
        return Err(ConfigError::UnknownTenant { from, wanted: text, known: names(profiles) });
    }
    let id = value::tenant_id(&text).map_err(|refused| at(from, refused))?;
    let tenant = TenantProfile { name: None, id, color: None };
    Ok(Some(Chosen { tenant, url: None, ca_file: None, sign_in: None }))
}

fn profile(settings: TenantSettings) -> Chosen {
    let TenantSettings { name, id, color, base_url, ca_file, sign_in } = settings;
    Chosen { tenant: TenantProfile { name: Some(name), id, color }, url: base_url, ca_file, sign_in }
}

fn names(profiles: Vec<TenantSettings>) -> Vec<String> {
    profiles.into_iter().map(|p| p.name).collect()
}

fn check_url(from: &'static str, text: &str) -> Result<BaseUrl, ConfigError> {
    value::base_url(text).map_err(|refused| at(from, refused))
}

const fn at(from: &'static str, refused: Refused) -> ConfigError {
    ConfigError::Value { from, refused }
}

/// A variable that is set to something. Blank counts as unset.
fn set(env: &impl Fn(&str) -> Option<String>, name: &'static str) -> Result<Option<String>, ConfigError> {
    let text = env(name).filter(|text| !text.trim().is_empty());
    if text.as_ref().is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
        return Err(at(name, Refused::new("the value is not text (UTF-8)", "set it again")));
    }
    Ok(text)
}

fn default_file() -> Result<PathBuf, ConfigError> {
    confy::get_configuration_file_path(APP, "config").map_err(|_| ConfigError::NoHome {
        what: "settings",
        instead: "name the file with --config or MMD_ELEVATE_CONFIG",
    })
}

/// The state folder beside the folder that confy uses. Where the platform knows no such kind, the data folder.
fn default_state_dir() -> Result<PathBuf, ConfigError> {
    let app = etcetera::AppStrategyArgs {
        top_level_domain: "rs".to_owned(),
        author: String::new(),
        app_name: APP.to_owned(),
    };
    let folders = etcetera::choose_app_strategy(app).map_err(|_| ConfigError::NoHome {
        what: "logs",
        instead: "name the folder with --state-dir or MMD_ELEVATE_STATE_DIR",
    })?;
    Ok(folders.state_dir().unwrap_or_else(|| folders.data_dir()))
}
