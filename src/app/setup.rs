//! Makes the parts of a dashboard from the settings. It draws nothing and sends nothing.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, Sender},
};

use super::{
    OpenedTenant, TenantOpener,
    practice::{bind, service, settings},
};
use crate::{
    config::{
        self, CategorySetting, Config, OtherSettings, OtherTenant, ServiceSettings, Target, TenantProfile, ThemeSetting,
    },
    dashboard::{
        Ages, Category, Model, Preferences, Setup, Tenant, TenantEntry, TenantNumber, TenantState, TenantSummary,
        Tenants, short_id,
        view::{Borders, Palette, Theme},
    },
    keys::Keymap,
    platform,
    terminal::TerminalFeatures,
};
use mmd_elevate_core::{CALLS_WAITING, CallError, Event, Patterns, Problem, TicketUrl, visible};
use mmd_elevate_engine::{
    auth::{Renewal, Source, TokenSession},
    backend::Backend,
    http::Trust,
    mmd::{Client, Timeouts},
    record::{Place, Record, TenantKey},
    session::Session,
    worker::Timing,
};
use mmd_elevate_practice as practice;

/// The parts of a dashboard.
#[derive(Debug)]
pub struct Components {
    /// The initial data of the model.
    pub setup: Setup,
    /// The forms of ticket and device names.
    pub patterns: Patterns,
    /// The form of the addresses of tickets.
    pub ticket_url: Option<TicketUrl>,
    /// Whether no request is opened and none closed.
    pub read_only: bool,
    /// The theme of the view.
    pub theme: Theme,
    /// The limits of ages, how often the service is asked, whether the bell rings.
    pub preferences: Preferences,
    /// Whether the title of the terminal's window is set. A console has none.
    pub title: bool,
    /// Whether the terminal is asked for its background: only the theme `auto` depends on it, and only if there are colours
    /// enough.
    pub asks_background: bool,
    /// The service or the practice tenant.
    pub target: Target,
    /// The settings of the practice tenant, if it is the target.
    pub practice: practice::Settings,
    /// The certificates that https trusts.
    pub trust: Trust,
    /// The tenants that the agent can switch to.
    pub others: OtherTenants,
    /// The place of the record, and the tenant and operator that it is for.
    pub place: Place,
}

/// Makes the parts. `colour` is whether colours are drawn, `features` what the terminal can show, `operator` the local
/// user's name.
///
/// # Errors
/// `[keys]`, the practice tenant's rules or the CA file cannot be used.
pub fn setup(
    config: Config,
    colour: bool,
    features: TerminalFeatures,
    operator: String,
    now: Timestamp,
) -> Result<Components, Problem> {
    let practice = practice::Settings {
        colleagues: config.practice.colleagues,
        ..settings(&config.state_dir, config.practice.fresh, config.practice.rules.as_deref())?
    };
    let trust = match &config.target {
        Target::Practice => Trust::default(),
        Target::Service(service) => Trust::with_file(service.ca_file.as_deref())?,
    };
    let key = tenant_key(&config.target);
    let (tenants, settings) = tenants(config.others, config.position, &config.target);
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
        palette: match config.appearance.theme {
            // Until the terminal has said what its background is.
            ThemeSetting::Auto => Palette::Unknown,
            // Their grounds are none of the 16 colours.
            ThemeSetting::Dark | ThemeSetting::Light if !features.many_colours => Palette::Unknown,
            ThemeSetting::Dark => Palette::Dark,
            ThemeSetting::Light => Palette::Light,
            ThemeSetting::HighContrast => Palette::HighContrast,
            ThemeSetting::Mono => Palette::Mono,
        },
        accent: config.appearance.accent,
        tenant: tenant_colour,
        borders: match config.appearance.borders {
            config::BordersSetting::Auto if !features.unicode => Borders::Ascii,
            config::BordersSetting::Auto | config::BordersSetting::Rounded => Borders::Rounded,
            config::BordersSetting::Plain => Borders::Plain,
            config::BordersSetting::Ascii => Borders::Ascii,
        },
        colour,
        unicode: features.unicode,
    };
    let setup = Setup {
        tenant,
        categories: categories(config.categories),
        keymap: Keymap::new(&config.keys)?,
        time_zone: platform::time_zone(),
        now,
    };
    let preferences = Preferences {
        ages: Ages {
            warn: SignedDuration::try_from(config.ages.warn).unwrap_or(SignedDuration::MAX),
            alarm: SignedDuration::try_from(config.ages.alarm).unwrap_or(SignedDuration::MAX),
        },
        refresh: config.refresh,
        bell: config.appearance.bell,
    };
    let (keymap, time_zone) = (setup.keymap.clone(), setup.time_zone.clone());
    let others = OtherTenants { tenants, settings, keymap, time_zone, preferences, place: place.clone() };
    Ok(Components {
        setup,
        patterns: config.patterns,
        ticket_url: config.ticket_url,
        read_only: config.read_only,
        theme,
        preferences,
        others,
        title: config.appearance.title && features.title,
        asks_background: colour && features.many_colours && config.appearance.theme == ThemeSetting::Auto,
        target: config.target,
        practice,
        trust,
        place,
    })
}

/// Returns the tenant's key in the record.
pub(crate) fn tenant_key(target: &Target) -> TenantKey {
    match target {
        // The port of the practice tenant changes at each start; the tenant stays the same.
        Target::Practice => TenantKey { base_url: "practice".to_owned(), tenant_id: practice::TENANT_ID.to_owned() },
        Target::Service(service) => {
            TenantKey { base_url: service.base_url.to_string(), tenant_id: service.tenant.id.clone() }
        }
    }
}

/// Returns all tenants, and what each of those is opened with that the agent can switch to.
fn tenants(
    others: Vec<OtherTenant>,
    position: usize,
    target: &Target,
) -> (Tenants, BTreeMap<TenantNumber, Box<OtherSettings>>) {
    let entry = |tenant: &TenantProfile, state: TenantState| {
        let id = short_id(&visible(&tenant.id));
        match &tenant.name {
            Some(name) => TenantEntry { name: visible(name).into_owned(), id, colour: tenant.color, state },
            None => TenantEntry { name: id, id: String::new(), colour: tenant.color, state },
        }
    };
    let mut tenants = Tenants { present: TenantNumber(position), ..Tenants::default() };
    let mut settings = BTreeMap::new();
    for other in others {
        // The tenant of the start stands between the others.
        let at = tenants.entries.len();
        let number = TenantNumber(if at < position { at } else { at + 1 });
        let state = match other.settings {
            Ok(of_tenant) => {
                settings.insert(number, of_tenant);
                TenantState::NotOpened
            }
            Err(problem) => TenantState::Unusable(problem),
        };
        tenants.entries.push(entry(&other.tenant, state));
    }
    if let Target::Service(service) = target {
        let state = TenantState::Opened(TenantSummary::default());
        tenants.entries.insert(position.min(tenants.entries.len()), entry(&service.tenant, state));
    }
    (tenants, settings)
}

fn categories(settings: Vec<CategorySetting>) -> Vec<Category> {
    settings.into_iter().map(|c| Category { name: c.name, subcategories: c.subcategories }).collect()
}

/// The tenants that the agent can switch to, and what each is opened with. Nothing of one is used for another but the keys
/// and the agent's preferences.
#[derive(Debug)]
pub struct OtherTenants {
    tenants: Tenants,
    settings: BTreeMap<TenantNumber, Box<OtherSettings>>,
    keymap: Keymap,
    time_zone: TimeZone,
    preferences: Preferences,
    /// The place of the record, with the tenant of the start.
    place: Place,
}

impl OtherTenants {
    /// Returns the tenants for the dashboard.
    #[must_use]
    pub fn tenants(&self) -> Tenants {
        self.tenants.clone()
    }

    /// Returns what opens them, with sessions on this runtime.
    #[must_use]
    pub fn into_opener(mut self, runtime: Handle, timing: Timing) -> TenantOpener {
        TenantOpener::new(move |number| {
            let OtherSettings { service, options } = *self.settings.remove(&number)?;
            let setup = Setup {
                tenant: Tenant { name: service.tenant.name.clone(), id: service.tenant.id.clone(), practice: false },
                categories: categories(options.categories),
                keymap: self.keymap.clone(),
                time_zone: self.time_zone.clone(),
                now: Timestamp::now(),
            };
            let key = TenantKey { base_url: service.base_url.to_string(), tenant_id: service.tenant.id.clone() };
            let place = Place { tenant: key, ..self.place.clone() };
            let (session_events, events) = mpsc::channel(CALLS_WAITING);
            let read_only = options.read_only;
            let session = open_session(&runtime, open_tenant(service), place, read_only, timing, session_events);
            let model = Model::new(setup).with_patterns(options.patterns).with_ticket_url(options.ticket_url);
            let model = model.with_read_only(read_only).with_preferences(self.preferences);
            Some(OpenedTenant { model, session, events })
        })
    }
}

/// Opens the session of a tenant: one that only looks, if it is `read_only`.
pub fn open_session(
    runtime: &Handle,
    service: impl Future<Output = Result<Arc<dyn Backend>, CallError>> + Send + 'static,
    place: Place,
    read_only: bool,
    timing: Timing,
    events: Sender<Event>,
) -> Session {
    if read_only {
        Session::open_to_look(runtime, service, move || Record::look(place.clone(), Timestamp::now), timing, events)
    } else {
        Session::open(runtime, service, move || Record::open(place.clone(), Timestamp::now), timing, events)
    }
}

/// Makes the client of a tenant's service. Its certificates are read beside the loop.
async fn open_tenant(service: ServiceSettings) -> Result<Arc<dyn Backend>, CallError> {
    let ca_file = service.ca_file.clone();
    let trust = tokio::task::spawn_blocking(move || Trust::with_file(ca_file.as_deref())).await;
    match trust {
        Ok(Ok(trust)) => connect(&trust, service),
        Ok(Err(Problem { what, hint })) => Err(CallError::not_connected(&what, hint)),
        Err(_) => Err(CallError::not_sent("the program failed while it read the certificates")),
    }
}

/// Makes the client of the service. The practice tenant is started first, if it is the target; its warning goes to `events`.
///
/// # Errors
/// The error with which every call is answered then.
pub async fn open_service(
    target: Target,
    trust: Trust,
    practice: practice::Settings,
    events: Sender<Event>,
) -> Result<Arc<dyn Backend>, CallError> {
    let practice = match target {
        Target::Service(service) => return connect(&trust, *service),
        Target::Practice => bind((Ipv4Addr::LOCALHOST, 0).into(), practice)
            .await
            .map_err(|problem| CallError::not_sent(&problem.what))?,
    };
    if let Some(warning) = practice.warning() {
        // A loop that has ended needs no warning.
        let _ = events.send(Event::Warning(Problem::new(warning, "nothing has to be done"))).await;
    }
    let client = connect(&trust, service(&practice).map_err(|problem| CallError::not_sent(&problem.what))?)?;
    tokio::spawn(practice.serve());
    Ok(client)
}

fn connect(trust: &Trust, service: ServiceSettings) -> Result<Arc<dyn Backend>, CallError> {
    let source = Source::with_trust(trust, service.sign_in).map_err(|error| error.to_call_error())?;
    let session = TokenSession::start(source, Renewal::default());
    let client = Client::with_trust(trust, &service.base_url, &service.tenant.id, session, Timeouts::default());
    client.map_or_else(
        |problem| Err(CallError::not_sent(&problem.what)),
        |client| Ok(Arc::new(client) as Arc<dyn Backend>),
    )
}
