//! From flags, environment and file to one [`Config`].

use std::path::{Path, PathBuf};

use etcetera::AppStrategy;
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

use super::{
    APP, Config, ConfigError, DEFAULT_BASE_URL, FileSettings, PatternSettings, Practice, Refused, ServiceSettings,
    SignInSettings, Target, TenantProfile, TenantSettings, error::Missing, path, value, variable,
};
use crate::cli::Flags;
use mmd_elevate_engine::{
    auth::{Method, Token},
    http::{BaseUrl, register_proxy_passwords},
};

/// Reads the file that flags, environment or platform name, and resolves the whole. Nothing is written.
///
/// # Errors
/// [`ConfigError`] where a layer cannot be used, or the whole is not a whole: everything that is wrong in the file, the
/// flags and the environment at once.
pub fn load(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    register_proxy_passwords(&env);
    let file = || {
        let (path, named_by) = named_file(flags, &env)?;
        match (FileSettings::load(&path)?, named_by) {
            (Some(file), _) => Ok(file),
            (None, Some(named_by)) => Err(ConfigError::NoFile { path, named_by }),
            (None, None) => Ok(FileSettings::default()),
        }
    };
    // Before the file: its errors must not show a token either.
    let given = Given::read(flags, &env);
    match (given, file()) {
        (Ok(given), Ok(file)) => given.over(flags, &env, file),
        (Err(given), Err(file)) => Err(ConfigError::from_all(vec![given, file])),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
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
    match given_path("--config", flags.config.as_deref(), variable::CONFIG, env)? {
        Some((path, from)) => Ok((path, Some(from))),
        None => Ok((default_file()?, None)),
    }
}

/// The path that a flag or a variable names, with `~` for the home folder, and which of the two it was.
fn given_path(
    flag: &'static str,
    given: Option<&Path>,
    variable: &'static str,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Option<(PathBuf, &'static str)>, ConfigError> {
    let (path, from) = match (given, set(env, variable)?) {
        (Some(path), _) => (path.to_owned(), flag),
        (None, Some(path)) => (PathBuf::from(path), variable),
        (None, None) => return Ok(None),
    };
    path::expanded(path, env).map(|path| Some((path, from))).map_err(|refused| at(from, refused))
}

/// The path that a flag names, with `~` for the home folder.
///
/// # Errors
/// [`ConfigError`] where it begins with `~` and means something else.
pub fn expanded(
    flag: &'static str,
    path: Option<&Path>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Option<PathBuf>, ConfigError> {
    path.map(|path| path::expanded(path.to_owned(), &env).map_err(|refused| at(flag, refused))).transpose()
}

/// Lays flags over environment over file over defaults. Reads no file, and no environment but what it is handed (the
/// platform is asked for its state folder where no layer names one).
///
/// # Errors
/// [`ConfigError`] where a value will not do, or a service is configured and not the whole of it.
pub fn resolve(flags: &Flags, env: impl Fn(&str) -> Option<String>, file: FileSettings) -> Result<Config, ConfigError> {
    Given::read(flags, &env)?.over(flags, &env, file)
}

/// What flags and environment say by themselves.
struct Given {
    state_dir: PathBuf,
    log: LevelFilter,
    base_url: Option<BaseUrl>,
    ca_file: Option<PathBuf>,
    token: Option<Token>,
    tenant_id: Option<String>,
    rules: Option<PathBuf>,
}

impl Given {
    /// Reads them, and tells all that is wrong at once.
    fn read(flags: &Flags, env: &impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut wrong = Vec::new();
        // First, so that nothing that is told of the rest shows it. In practice nothing of a service is looked at.
        let token = kept(&mut wrong, set(env, variable::TOKEN));
        let token = token.flatten().map(|text| value::token(&text).map_err(|refused| at(variable::TOKEN, refused)));
        let log = match flags.log {
            Some(level) => Ok(level),
            None => set(env, variable::LOG).and_then(|text| match text {
                Some(text) => value::level(&text).map_err(|refused| at(variable::LOG, refused)),
                None => Ok(LevelFilter::INFO),
            }),
        };
        let base_url = match &flags.base_url {
            Some(text) => check_url("--base-url", text).map(Some),
            None => set(env, variable::BASE_URL)
                .and_then(|text| text.map(|text| check_url(variable::BASE_URL, &text)).transpose()),
        };
        let tenant_id = set(env, variable::TENANT_ID).and_then(|text| match text {
            Some(text) => value::tenant_id(&text).map(Some).map_err(|refused| at(variable::TENANT_ID, refused)),
            None => Ok(None),
        });
        let ca_file = given_path("--ca-file", flags.ca_file.as_deref(), variable::CA_FILE, env);
        let state_dir = kept(&mut wrong, state_dir(flags.state_dir.as_deref(), env));
        let rules = kept(&mut wrong, expanded("--practice-rules", flags.practice_rules.as_deref(), env)).flatten();
        let log = kept(&mut wrong, log);
        let mut service = Vec::new();
        let given = Self {
            state_dir: state_dir.unwrap_or_default(),
            log: log.unwrap_or(LevelFilter::INFO),
            base_url: kept(&mut service, base_url).flatten(),
            ca_file: kept(&mut service, ca_file).flatten().map(|(path, _)| path),
            token: kept(&mut service, token.transpose()).flatten(),
            tenant_id: kept(&mut service, tenant_id).flatten(),
            rules,
        };
        if !flags.practice {
            wrong.extend(service);
        }
        if wrong.is_empty() { Ok(given) } else { Err(ConfigError::from_all(wrong)) }
    }

    /// Lays them over the file and the defaults.
    fn over(
        self,
        flags: &Flags,
        env: &impl Fn(&str) -> Option<String>,
        file: FileSettings,
    ) -> Result<Config, ConfigError> {
        let FileSettings {
            base_url,
            ca_file,
            tenant,
            sign_in,
            tenants,
            categories,
            appearance,
            record,
            patterns,
            keys,
            mut doubts,
        } = file;
        let practice = Practice { fresh: flags.fresh, rules: self.rules.clone() };
        let (state_dir, log) = (self.state_dir.clone(), self.log);
        let of_file = OfFile { url: base_url, ca_file, tenant, sign_in, profiles: tenants };
        let (target, own_patterns) = if flags.practice {
            (Target::Practice, PatternSettings::default())
        } else {
            self.target(flags, env, of_file)?
        };
        if let Target::Service(service) = &target {
            if practice != Practice::default() {
                // It would be believed to act, and on a service nothing of it does.
                let from = if practice.fresh { "--fresh" } else { "--practice-rules" };
                let what = "a service is configured, and this is for the practice tenant";
                return Err(at(from, Refused::new(what, "add --practice")));
            }
            // A profile's is told with its place in the file.
            if let (None, Some(doubt)) = (&service.tenant.name, value::id_doubt(&service.tenant.id)) {
                let from = if flags.tenant.is_some() { "--tenant" } else { variable::TENANT_ID };
                doubts.push(at(from, Refused::new(format!("the id {doubt}"), "copy it once more, whole")).to_string());
            }
        }
        Ok(Config {
            target,
            categories,
            appearance,
            patterns: own_patterns.over(patterns),
            keep_days: record.keep_days,
            keys,
            practice,
            state_dir,
            log,
            doubts,
        })
    }

    /// Whatever any layer says of a service means that there is one.
    fn target(
        self,
        flags: &Flags,
        env: &impl Fn(&str) -> Option<String>,
        of_file: OfFile,
    ) -> Result<(Target, PatternSettings), ConfigError> {
        let OfFile { url: file_url, ca_file: file_ca, tenant: file_tenant, sign_in: file_sign_in, profiles } = of_file;
        let Self { base_url: given_url, ca_file: given_ca, token, tenant_id, .. } = self;
        let wanted = match (&flags.tenant, tenant_id, file_tenant) {
            (Some(text), ..) => Some(Wanted { from: "--tenant", text: text.clone(), id_alone: false }),
            (None, Some(text), _) => Some(Wanted { from: variable::TENANT_ID, text, id_alone: true }),
            (None, None, Some(text)) => Some(Wanted { from: "`tenant` in the settings file", text, id_alone: false }),
            (None, None, None) => None,
        };
        let nothing_set = given_url.is_none() && file_url.is_none() && wanted.is_none() && token.is_none();
        if nothing_set && file_sign_in.is_none() && profiles.is_empty() {
            return Ok((Target::Practice, PatternSettings::default()));
        }
        let chosen = choose(wanted, profiles)?;
        let sign_in = match &chosen {
            Some(Chosen { tenant, sign_in, .. }) => method(sign_in.clone().or(file_sign_in), &tenant.id, token, env)?,
            None if file_sign_in.as_ref().is_some_and(|sign_in| !sign_in.is_environment()) => {
                return Err(ConfigError::Incomplete(vec![Missing::Tenant]));
            }
            None => token.map(Method::Environment),
        };
        match (chosen, sign_in) {
            (Some(Chosen { tenant, url: own_url, ca_file: own_ca, patterns, .. }), Some(sign_in)) => {
                let base_url = match given_url.or(own_url).or(file_url) {
                    Some(url) => url,
                    None => check_url("the default", DEFAULT_BASE_URL)?,
                };
                let of_file = own_ca.or(file_ca).map(|path| path::expanded(path, env)).transpose();
                let of_file = of_file.map_err(|refused| at("`ca_file` in the settings file", refused))?;
                let ca_file = given_ca.or(of_file);
                Ok((Target::Service(Box::new(ServiceSettings { base_url, tenant, ca_file, sign_in })), patterns))
            }
            (Some(_), None) => Err(ConfigError::Incomplete(vec![Missing::Token])),
            (None, Some(_)) => Err(ConfigError::Incomplete(vec![Missing::Tenant])),
            (None, None) => Err(ConfigError::Incomplete(vec![Missing::Tenant, Missing::Token])),
        }
    }
}

/// The value, or nothing and its error among the others.
fn kept<T>(wrong: &mut Vec<ConfigError>, result: Result<T, ConfigError>) -> Option<T> {
    result.map_err(|error| wrong.push(error)).ok()
}

/// The folder for what the program keeps: the flag over the environment over the platform's.
///
/// # Errors
/// [`ConfigError`] where none of them names one.
pub fn state_dir(flag: Option<&Path>, env: impl Fn(&str) -> Option<String>) -> Result<PathBuf, ConfigError> {
    match given_path("--state-dir", flag, variable::STATE_DIR, &env)? {
        Some((path, _)) => Ok(path),
        None => default_state_dir(),
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
    patterns: PatternSettings,
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
    Ok(Some(Chosen { tenant, url: None, ca_file: None, patterns: PatternSettings::default(), sign_in: None }))
}

fn profile(settings: TenantSettings) -> Chosen {
    let TenantSettings { name, id, color, base_url, ca_file, patterns, sign_in } = settings;
    Chosen { tenant: TenantProfile { name: Some(name), id, color }, url: base_url, ca_file, patterns, sign_in }
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
