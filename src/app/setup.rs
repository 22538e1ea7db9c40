//! From the settings to the parts of a running dashboard.

use std::{net::Ipv4Addr, sync::Arc};

use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use crate::{
    config::{self, Config, Target},
    dashboard::{
        Category, Setup, Tenant,
        view::{Borders, Theme},
    },
    keys::{Keymap, KeymapError},
    platform,
};
use mmd_elevate_core::{CallError, Event, Patterns, Problem};
use mmd_elevate_engine::{
    auth::{Application, Method, Renewal, SecretFrom, Source, TokenSession},
    backend::Backend,
    http::{BaseUrl, Trust},
    mmd::{Client, Timeouts},
    record::{Place, TenantKey},
};
use mmd_elevate_practice::{self as practice, Practice};

/// What the settings make.
#[derive(Debug)]
pub struct Components {
    /// What the model begins with.
    pub setup: Setup,
    /// What tickets and devices are called.
    pub patterns: Patterns,
    /// How it looks.
    pub theme: Theme,
    /// Whom the program talks to.
    pub target: Target,
    /// How the practice tenant is served, where it is that one.
    pub practice: practice::Settings,
    /// Whom https trusts.
    pub trust: Trust,
    /// Where the record is, and for whom.
    pub place: Place,
}

/// Why there are no parts.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// `[keys]` cannot be.
    #[error(transparent)]
    Keys(#[from] KeymapError),
    /// The practice tenant's rules cannot be used.
    #[error(transparent)]
    Rules(#[from] practice::RulesError),
    /// The CA file cannot be used.
    #[error(transparent)]
    Trust(#[from] Problem),
}

impl SetupError {
    /// What to do about it, where the error does not say so itself.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Keys(_) => Some("mend [keys] in the settings file"),
            Self::Rules(_) | Self::Trust(_) => None,
        }
    }
}

/// Makes the parts. `colour` is whether the terminal's user wants any, `operator` who that is on this machine.
///
/// # Errors
/// Where the settings' `[keys]`, the practice tenant's rules or the CA file cannot be.
pub fn setup(config: Config, colour: bool, operator: String, now: Timestamp) -> Result<Components, SetupError> {
    let practice =
        practice::Settings::kept(&config.state_dir, config.practice.fresh, config.practice.rules.as_deref())?;
    let trust = match &config.target {
        Target::Practice => Trust::default(),
        Target::Service(service) => Trust::with_file(service.ca_file.as_deref())?,
    };
    let key = match &config.target {
        // The port of the practice tenant is another at each start; the tenant is the same.
        Target::Practice => TenantKey { base_url: "practice".to_owned(), tenant_id: practice::TENANT_ID.to_owned() },
        Target::Service(service) => {
            TenantKey { base_url: service.base_url.to_string(), tenant_id: service.tenant.id.clone() }
        }
    };
    let place = Place { state_dir: config.state_dir.clone(), tenant: key, operator, keep_days: config.keep_days };
    let (tenant, tenant_colour) = match &config.target {
        Target::Practice => {
            let tenant =
                Tenant { name: Some("Contoso".to_owned()), id: practice::TENANT_ID.to_owned(), practice: true };
            (tenant, None)
        }
        Target::Service(service) => {
            let profile = &service.tenant;
            let tenant = Tenant { name: profile.name.clone(), id: profile.id.clone(), practice: false };
            (tenant, profile.color)
        }
    };
    let theme = Theme {
        accent: config.appearance.accent,
        tenant: tenant_colour,
        borders: match config.appearance.borders {
            config::BordersSetting::Rounded => Borders::Rounded,
            config::BordersSetting::Plain => Borders::Plain,
            config::BordersSetting::Ascii => Borders::Ascii,
        },
        colour,
    };
    let categories = config.categories.into_iter();
    let setup = Setup {
        tenant,
        categories: categories.map(|c| Category { name: c.name, subcategories: c.subcategories }).collect(),
        keymap: Keymap::new(&config.keys)?,
        time_zone: platform::time_zone(),
        now,
    };
    Ok(Components { setup, patterns: config.patterns, theme, target: config.target, practice, trust, place })
}

/// Makes the service ready to be called: the practice tenant is started first where it is that one. `to_loop` hears of
/// what begins badly and works all the same.
///
/// # Errors
/// The fault with which every call is answered then.
pub async fn open_service(
    target: Target,
    trust: Trust,
    practice: practice::Settings,
    to_loop: Sender<Event>,
) -> Result<Arc<dyn Backend>, CallError> {
    match target {
        Target::Service(service) => {
            Ok(Arc::new(connect(&trust, &service.base_url, &service.tenant.id, service.sign_in)?))
        }
        Target::Practice => {
            let practice = Practice::bind((Ipv4Addr::LOCALHOST, 0).into(), practice)
                .await
                .map_err(|error| not_ready(&format!("the practice tenant could not be started: {error}")))?;
            if let Some(warning) = practice.warning() {
                let (what, hint) = warning.split_once("\nhint: ").unwrap_or((warning, "nothing has to be done"));
                // That nobody listens any more is no matter for a warning.
                let _ = to_loop.send(Event::Warning(Problem::new(what, hint))).await;
            }
            let base_url = BaseUrl::parse(&practice.base_url()).map_err(|problem| not_ready(&problem.what))?;
            let sign_in = practice_sign_in(&practice).map_err(|problem| not_ready(&problem.what))?;
            let client = connect(&trust, &base_url, practice::TENANT_ID, sign_in)?;
            tokio::spawn(practice.serve());
            Ok(Arc::new(client))
        }
    }
}

/// As an application of the practice tenant, so that all of the way to a token is practised.
///
/// # Errors
/// Where the practice tenant's own address will not do.
pub(crate) fn practice_sign_in(practice: &Practice) -> Result<Method, Problem> {
    let application = Application {
        authority: BaseUrl::parse(&practice.authority())?,
        client_id: practice::CLIENT_ID.to_owned(),
        scope: practice::SCOPE.to_owned(),
    };
    Ok(Method::ClientSecret(application, SecretFrom::Memory(practice.client_secret().into())))
}

fn connect(trust: &Trust, base_url: &BaseUrl, tenant_id: &str, sign_in: Method) -> Result<Client, CallError> {
    let source = Source::trusting(trust, sign_in).map_err(|error| error.to_call_error())?;
    Client::trusting(trust, base_url, tenant_id, TokenSession::start(source, Renewal::default()), Timeouts::default())
        .map_err(|problem| not_ready(&problem.what))
}

fn not_ready(reason: &str) -> CallError {
    CallError::not_sent(reason)
}
