//! Resolves flags, environment, settings file and defaults to one [`Config`]. It reports all mistakes at once and never
//! writes.

use std::path::{Path, PathBuf};

use etcetera::AppStrategy;
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

use super::{
    APP, CategorySetting, Config, ConfigError, DEFAULT_BASE_URL, FileSettings, Flags, OtherSettings, OtherTenant,
    PatternSettings, PracticeSettings, ServiceSettings, SignInSettings, Target, TenantOptions, TenantProfile,
    TenantSettings, path, settings::PRACTICE_COLLEAGUES, suggest::suggest, value, variable,
};
use mmd_elevate_core::{Problem, TicketUrl, visible};
use mmd_elevate_engine::{
    auth::{Method, Token},
    http::{BaseUrl, register_proxy_passwords},
    redact::quoted,
};

/// Reads the settings file that flags, environment or platform name, and resolves all layers.
///
/// # Errors
/// Every mistake in the file, the flags and the environment.
pub fn load(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    register_proxy_passwords(&env);
    // Before the file is read: its mistakes must not show the token either.
    let overrides = Overrides::read(flags, &env);
    match (overrides, load_file(flags, &env)) {
        (Ok(overrides), Ok(file)) => Ok(overrides.resolve(flags, &env, file)?),
        (Err(overrides), Err(file)) => {
            Err(ConfigError::new([overrides.into_problems(), file.into_problems()].concat()))
        }
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

fn load_file(flags: &Flags, env: &impl Fn(&str) -> Option<String>) -> Result<FileSettings, ConfigError> {
    let (path, source) = find_settings_file(flags, env)?;
    match (FileSettings::load(&path)?, source) {
        (Some(file), _) => Ok(file),
        (None, None) => Ok(FileSettings::default()),
        (None, Some(source)) => {
            let what = format!("there is no settings file {}, which {source} names", visible(&path.to_string_lossy()));
            Err(Problem::new(what, format!("correct the path, or leave {source} out")).into())
        }
    }
}

/// Returns the path of the settings file, whether it exists or not.
///
/// # Errors
/// Nothing names a file and the home folder is unknown.
pub fn settings_file(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<PathBuf, Problem> {
    find_settings_file(flags, &env).map(|(path, _)| path)
}

/// Returns the path of the settings file, and the flag or variable that names it if it is not the default.
fn find_settings_file(
    flags: &Flags,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<(PathBuf, Option<&'static str>), Problem> {
    match read_path("--config", flags.config.as_deref(), variable::CONFIG, env)? {
        Some((path, source)) => Ok((path, Some(source))),
        None => Ok((default_file()?, None)),
    }
}

/// Returns the path that a flag or a variable gives, and which of the two it was.
fn read_path(
    flag: &'static str,
    given: Option<&Path>,
    variable: &'static str,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Option<(PathBuf, &'static str)>, Problem> {
    let (path, source) = match (given, read_variable(env, variable)?) {
        (Some(path), _) => (path.to_owned(), flag),
        (None, Some(path)) => (PathBuf::from(path), variable),
        (None, None) => return Ok(None),
    };
    path::expand_home(path, env).map(|path| Some((path, source))).map_err(|problem| in_source(source, problem))
}

/// Expands `~` in the path that a flag gives.
///
/// # Errors
/// The path begins with `~` and means something else than the home folder.
pub fn expand_path(
    flag: &'static str,
    path: Option<&Path>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Option<PathBuf>, Problem> {
    let expanded = path.map(|path| path::expand_home(path.to_owned(), &env)).transpose();
    expanded.map_err(|problem| in_source(flag, problem))
}

/// Resolves flags over environment over file over defaults. It reads no file, and asks the platform only for a state
/// folder that no layer names.
///
/// # Errors
/// A value is wrong, or a service is not fully configured.
pub fn resolve(flags: &Flags, env: impl Fn(&str) -> Option<String>, file: FileSettings) -> Result<Config, ConfigError> {
    Ok(Overrides::read(flags, &env)?.resolve(flags, &env, file)?)
}

/// The values that flags and environment give.
struct Overrides {
    state_dir: PathBuf,
    log: LevelFilter,
    base_url: Option<BaseUrl>,
    ca_file: Option<PathBuf>,
    token: Option<Token>,
    tenant_id: Option<String>,
    colleagues: Option<bool>,
    rules: Option<PathBuf>,
}

impl Overrides {
    /// Reads all values and reports all mistakes in them.
    fn read(flags: &Flags, env: &impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        // The token first: reading it registers it, so that no message about the rest shows it.
        let token = collect(&mut problems, read_variable(env, variable::TOKEN)).flatten();
        let token = token.map(|text| value::token(&text).map_err(|problem| in_source(variable::TOKEN, problem)));
        let log = match flags.log {
            Some(level) => Ok(Some(level)),
            None => parse_variable(env, variable::LOG, value::level),
        };
        let base_url = match &flags.base_url {
            Some(text) => parse_url("--base-url", text).map(Some),
            None => parse_variable(env, variable::BASE_URL, value::base_url),
        };
        let tenant_id = parse_variable(env, variable::TENANT_ID, value::tenant_id);
        let ca_file = read_path("--ca-file", flags.ca_file.as_deref(), variable::CA_FILE, env);
        let state_dir = collect(&mut problems, state_dir(flags.state_dir.as_deref(), env));
        let rules = expand_path("--practice-rules", flags.practice_rules.as_deref(), env);
        let rules = collect(&mut problems, rules).flatten();
        let colleagues = parse_variable(env, variable::PRACTICE_COLLEAGUES, value::switch);
        let colleagues = collect(&mut problems, colleagues).flatten();
        let log = collect(&mut problems, log).flatten();
        let mut service_problems = Vec::new();
        let overrides = Self {
            state_dir: state_dir.unwrap_or_default(),
            log: log.unwrap_or(LevelFilter::INFO),
            base_url: collect(&mut service_problems, base_url).flatten(),
            ca_file: collect(&mut service_problems, ca_file).flatten().map(|(path, _)| path),
            token: collect(&mut service_problems, token.transpose()).flatten(),
            tenant_id: collect(&mut service_problems, tenant_id).flatten(),
            colleagues,
            rules,
        };
        // The practice tenant needs no settings of a service.
        if !flags.practice {
            problems.extend(service_problems);
        }
        if problems.is_empty() { Ok(overrides) } else { Err(ConfigError::new(problems)) }
    }

    /// Resolves these values over those of the file.
    fn resolve(
        self,
        flags: &Flags,
        env: &impl Fn(&str) -> Option<String>,
        file: FileSettings,
    ) -> Result<Config, Problem> {
        let FileSettings {
            base_url,
            ca_file,
            tenant,
            sign_in,
            tenants,
            categories,
            appearance,
            ages,
            list,
            record,
            report_folder,
            colleagues,
            patterns,
            ticket_url,
            read_only,
            keys,
            mut warnings,
        } = file;
        let report_folder = report_folder.map(|path| path::expand_home(path, env)).transpose();
        let report_folder =
            report_folder.map_err(|problem| in_source("`[report] folder` in the settings file", problem))?;
        let practice = PracticeSettings {
            fresh: flags.fresh,
            colleagues: self.colleagues.unwrap_or(colleagues),
            rules: self.rules.clone(),
        };
        let (state_dir, log) = (self.state_dir.clone(), self.log);
        let defaults = TenantChoices { categories: Some(categories), patterns, ticket_url, read_only: Some(read_only) };
        let file = FileService { base_url, ca_file, tenant, sign_in, profiles: tenants, defaults };
        let Resolved { target, options, mut others, position } =
            if flags.practice { Resolved::practice(&file) } else { self.target(flags, env, file)? };
        if let Target::Service(service) = &target {
            if practice.fresh || practice.rules.is_some() {
                // Ignoring the flag would make the agent believe that it has an effect.
                let source = if practice.fresh { "--fresh" } else { "--practice-rules" };
                let what = "a service is configured, and this flag is for the practice tenant";
                return Err(in_source(source, Problem::new(what, "add --practice")));
            }
            // The id of a profile has its warning already, with its place in the file.
            if let (None, Some(defect)) = (&service.tenant.name, value::id_defect(&service.tenant.id)) {
                let source = if flags.tenant.is_some() { "--tenant" } else { variable::TENANT_ID };
                let problem = Problem::new(format!("the id {defect}"), "copy the whole id again");
                warnings.push(in_source(source, problem));
            }
        }
        for of_tenant in others.iter_mut().filter_map(|other| other.settings.as_mut().ok()) {
            of_tenant.options.read_only |= flags.read_only;
        }
        Ok(Config {
            target,
            others,
            position,
            categories: options.categories,
            appearance,
            ages,
            refresh: list.refresh,
            patterns: options.patterns,
            ticket_url: options.ticket_url,
            read_only: flags.read_only || options.read_only,
            keep_days: record.keep_days,
            report_folder,
            keys,
            practice,
            state_dir,
            log,
            warnings,
        })
    }

    /// Returns the service, if any layer configures a part of one, or else the practice tenant.
    fn target(
        self,
        flags: &Flags,
        env: &impl Fn(&str) -> Option<String>,
        mut file: FileService,
    ) -> Result<Resolved, Problem> {
        let selection = match (&flags.tenant, self.tenant_id.clone(), file.tenant.take()) {
            (Some(text), ..) => Some(TenantSelection { source: "--tenant", text: text.clone(), id_only: false }),
            (None, Some(text), _) => Some(TenantSelection { source: variable::TENANT_ID, text, id_only: true }),
            (None, None, Some(text)) => {
                Some(TenantSelection { source: "`tenant` in the settings file", text, id_only: false })
            }
            (None, None, None) => None,
        };
        let has_url = self.base_url.is_some() || file.base_url.is_some();
        let has_tenant = selection.is_some() || !file.profiles.is_empty();
        if !has_url && !has_tenant && self.token.is_none() && file.sign_in.is_none() {
            return Ok(Resolved::practice(&file));
        }
        let selected = select_tenant(selection, file.profiles.clone())?;
        let token = self.token.clone();
        let sign_in = match &selected {
            Some(SelectedTenant { tenant, sign_in, .. }) => {
                sign_in_method(sign_in.clone().or(file.sign_in.clone()), &tenant.id, token, env)?
            }
            None if file.sign_in.as_ref().is_some_and(|sign_in| !sign_in.is_environment()) => {
                return Err(incomplete("the tenant is", &[TENANT_HINT]));
            }
            None => token.map(Method::Environment),
        };
        match (selected, sign_in) {
            (Some(selected), Some(sign_in)) => {
                let is_selected = |profile: &TenantSettings| profile.id.eq_ignore_ascii_case(&selected.tenant.id);
                let position = file.profiles.iter().position(is_selected).unwrap_or(0);
                let others = file.profiles.iter().filter(|profile| !is_selected(profile)).cloned();
                let others = others.map(|profile| self.other(profile, &file, env)).collect();
                let OtherSettings { service, options } = self.settings(selected, sign_in, &file, env)?;
                Ok(Resolved { target: Target::Service(Box::new(service)), options, others, position })
            }
            (Some(_), None) => Err(incomplete("the token is", &[TOKEN_HINT])),
            (None, Some(_)) => Err(incomplete("the tenant is", &[TENANT_HINT])),
            (None, None) => Err(incomplete("the tenant and the token are", &[TENANT_HINT, TOKEN_HINT])),
        }
    }

    /// Returns a tenant that the agent can switch to. What is missing or wrong there keeps no other tenant from being used.
    fn other(&self, profile: TenantSettings, file: &FileService, env: &impl Fn(&str) -> Option<String>) -> OtherTenant {
        let selected = SelectedTenant::from(profile);
        let tenant = selected.tenant.clone();
        let settings = (|| {
            let sign_in = selected.sign_in.clone().or(file.sign_in.clone());
            // The token of the environment is for the tenant that was chosen at the start, and goes to no other.
            let Some(sign_in) = sign_in_method(sign_in, &tenant.id, None, env)? else {
                let what = format!("the token in {} is for the tenant that was chosen at the start", variable::TOKEN);
                return Err(Problem::new(what, OTHER_SIGN_IN_HINT));
            };
            self.settings(selected, sign_in, file, env).map(Box::new)
        })();
        OtherTenant { tenant, settings }
    }

    /// Returns what a tenant is opened with.
    fn settings(
        &self,
        selected: SelectedTenant,
        sign_in: Method,
        file: &FileService,
        env: &impl Fn(&str) -> Option<String>,
    ) -> Result<OtherSettings, Problem> {
        let SelectedTenant { tenant, base_url, ca_file, choices, .. } = selected;
        let base_url = match self.base_url.clone().or(base_url).or(file.base_url.clone()) {
            Some(url) => url,
            None => parse_url("the default", DEFAULT_BASE_URL)?,
        };
        let file_ca = ca_file.or(file.ca_file.clone()).map(|path| path::expand_home(path, env)).transpose();
        let file_ca = file_ca.map_err(|problem| in_source("`ca_file` in the settings file", problem))?;
        let ca_file = self.ca_file.clone().or(file_ca);
        Ok(OtherSettings {
            service: ServiceSettings { base_url, tenant, ca_file, sign_in },
            options: choices.or(&file.defaults),
        })
    }
}

/// What is resolved of the tenants.
struct Resolved {
    target: Target,
    options: TenantOptions,
    others: Vec<OtherTenant>,
    position: usize,
}

impl Resolved {
    /// Returns the practice tenant, beside which there is no other.
    fn practice(file: &FileService) -> Self {
        let options = TenantChoices::default().or(&file.defaults);
        Self { target: Target::Practice, options, others: Vec::new(), position: 0 }
    }
}

const OTHER_SIGN_IN_HINT: &str =
    "give this tenant [tenants.sign_in] in the settings file, or start again with --tenant and its token";
const TENANT_HINT: &str = "set the tenant with --tenant, MMD_ELEVATE_TENANT_ID or [[tenants]] in the settings file";
const TOKEN_HINT: &str = "set the token with MMD_ELEVATE_TOKEN";

fn incomplete(missing: &str, hints: &[&str]) -> Problem {
    let what = format!("the service is not fully configured: {missing} missing");
    Problem::new(what, format!("{}; or use --practice for the practice tenant", hints.join("; ")))
}

/// Returns the value, or adds its problem to the others.
fn collect<T>(problems: &mut Vec<Problem>, result: Result<T, Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

/// Returns the folder for the record, logs and the practice tenant: the flag over the environment over the platform's.
///
/// # Errors
/// None of them names a folder.
pub fn state_dir(flag: Option<&Path>, env: impl Fn(&str) -> Option<String>) -> Result<PathBuf, Problem> {
    match read_path("--state-dir", flag, variable::STATE_DIR, &env)? {
        Some((path, _)) => Ok(path),
        None => default_state_dir(),
    }
}

/// Returns whether the practice tenant has colleagues, for a command that reads no settings file: the environment over the
/// default.
///
/// # Errors
/// The variable is neither true nor false.
pub fn practice_colleagues(env: impl Fn(&str) -> Option<String>) -> Result<bool, Problem> {
    Ok(parse_variable(&env, variable::PRACTICE_COLLEAGUES, value::switch)?.unwrap_or(PRACTICE_COLLEAGUES))
}

/// The part of the settings file that is about a service.
struct FileService {
    base_url: Option<BaseUrl>,
    ca_file: Option<PathBuf>,
    tenant: Option<String>,
    sign_in: Option<SignInSettings>,
    profiles: Vec<TenantSettings>,
    defaults: TenantChoices,
}

/// Returns the sign-in of the file, if there is one, or else the token of the environment. Returns `None` if that token is
/// needed and missing.
fn sign_in_method(
    settings: Option<SignInSettings>,
    tenant_id: &str,
    token: Option<Token>,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Option<Method>, Problem> {
    let method = settings.map(|settings| settings.into_method(tenant_id, env)).transpose();
    let method = method.map_err(|problem| in_source("`sign_in` in the settings file", problem))?.flatten();
    Ok(method.or_else(|| token.map(Method::Environment)))
}

/// The tenant to start with, and the other settings of its profile.
struct SelectedTenant {
    tenant: TenantProfile,
    base_url: Option<BaseUrl>,
    ca_file: Option<PathBuf>,
    choices: TenantChoices,
    sign_in: Option<SignInSettings>,
}

/// The settings of a profile that are not about its service. They go over those of the file.
#[derive(Default)]
struct TenantChoices {
    categories: Option<Vec<CategorySetting>>,
    patterns: PatternSettings,
    ticket_url: Option<TicketUrl>,
    read_only: Option<bool>,
}

impl TenantChoices {
    /// Returns these choices, completed by those of the file's root.
    fn or(self, defaults: &Self) -> TenantOptions {
        TenantOptions {
            categories: self.categories.or_else(|| defaults.categories.clone()).unwrap_or_default(),
            patterns: self.patterns.or(defaults.patterns.clone()),
            ticket_url: self.ticket_url.or_else(|| defaults.ticket_url.clone()),
            read_only: self.read_only.or(defaults.read_only).unwrap_or_default(),
        }
    }
}

/// The name or id of the tenant to start with, and the layer that gives it.
struct TenantSelection {
    source: &'static str,
    text: String,
    /// Whether the text can only be an id, never a name.
    id_only: bool,
}

/// Returns the tenant to start with, or `None` if no layer names one.
fn select_tenant(
    selection: Option<TenantSelection>,
    mut profiles: Vec<TenantSettings>,
) -> Result<Option<SelectedTenant>, Problem> {
    let Some(TenantSelection { source, text, id_only }) = selection else {
        if profiles.len() > 1 {
            let what = format!("{} tenants are configured and none is chosen", profiles.len());
            return Err(Problem::new(what, format!("choose with --tenant NAME: {}", names(&profiles))));
        }
        return Ok(profiles.pop().map(SelectedTenant::from));
    };
    let is_selected =
        |p: &TenantSettings| p.id.eq_ignore_ascii_case(&text) || (!id_only && p.name.eq_ignore_ascii_case(&text));
    if let Some(n) = profiles.iter().position(is_selected) {
        return Ok(Some(profiles.swap_remove(n).into()));
    }
    let looks_like_an_id = text.len() == Uuid::nil().hyphenated().to_string().len() && Uuid::try_parse(&text).is_ok();
    if !id_only && !looks_like_an_id {
        let hint = if profiles.is_empty() {
            "give the id of the tenant (a GUID), or add [[tenants]] to the settings file".to_owned()
        } else {
            let hint = format!("give one of {}, or the id of another tenant (a GUID)", names(&profiles));
            suggest(&text, profiles.iter().map(|profile| profile.name.as_str()), &hint)
        };
        let problem = Problem::new(format!("no tenant named {} is configured", quoted(&text)), hint);
        return Err(in_source(source, problem));
    }
    let id = value::tenant_id(&text).map_err(|problem| in_source(source, problem))?;
    let tenant = TenantProfile { name: None, id, color: None };
    let choices = TenantChoices::default();
    Ok(Some(SelectedTenant { tenant, base_url: None, ca_file: None, choices, sign_in: None }))
}

impl From<TenantSettings> for SelectedTenant {
    fn from(settings: TenantSettings) -> Self {
        let TenantSettings { name, id, color, base_url, ca_file, categories, patterns, ticket_url, read_only, sign_in } =
            settings;
        let choices = TenantChoices { categories, patterns, ticket_url, read_only };
        let tenant = TenantProfile { name: Some(name), id, color };
        Self { tenant, base_url, ca_file, choices, sign_in }
    }
}

fn names(profiles: &[TenantSettings]) -> String {
    profiles.iter().map(|profile| visible(&profile.name)).collect::<Vec<_>>().join(", ")
}

fn parse_url(source: &str, text: &str) -> Result<BaseUrl, Problem> {
    value::base_url(text).map_err(|problem| in_source(source, problem))
}

/// Puts the flag, variable or setting that has the problem before its text.
fn in_source(source: &str, Problem { what, hint }: Problem) -> Problem {
    Problem::new(format!("{source}: {what}"), hint)
}

/// Returns the value of a variable. A blank value counts as unset.
fn read_variable(env: &impl Fn(&str) -> Option<String>, name: &'static str) -> Result<Option<String>, Problem> {
    let text = env(name).filter(|text| !text.trim().is_empty());
    if text.as_ref().is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
        return Err(in_source(name, Problem::new("the value is not text (UTF-8)", "set it again")));
    }
    Ok(text)
}

fn parse_variable<T>(
    env: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    read_variable(env, name)?.map(|text| parse(&text).map_err(|problem| in_source(name, problem))).transpose()
}

fn default_file() -> Result<PathBuf, Problem> {
    let hint = "set HOME, or name the file with --config or MMD_ELEVATE_CONFIG";
    confy::get_configuration_file_path(APP, "config")
        .map_err(|_| Problem::new("the home folder is unknown, so the settings file cannot be found", hint))
}

/// Returns the state folder of the platform, or its data folder where it has no state folder.
fn default_state_dir() -> Result<PathBuf, Problem> {
    let app = etcetera::AppStrategyArgs {
        top_level_domain: "rs".to_owned(),
        author: String::new(),
        app_name: APP.to_owned(),
    };
    let hint = "set HOME, or name the folder with --state-dir or MMD_ELEVATE_STATE_DIR";
    let folders = etcetera::choose_app_strategy(app)
        .map_err(|_| Problem::new("the home folder is unknown, so there is no state folder", hint))?;
    Ok(folders.state_dir().unwrap_or_else(|| folders.data_dir()))
}
