//! Makes the parts of a dashboard from the settings. It draws nothing and sends nothing.

use std::{net::Ipv4Addr, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::Sender;

use super::practice::{bind, service, settings};
use crate::{
    config::{self, Config, ServiceSettings, Target, ThemeSetting},
    dashboard::{
        Ages, Category, Preferences, Setup, Tenant,
        view::{Borders, Palette, Theme},
    },
    keys::Keymap,
    platform,
    terminal::TerminalFeatures,
};
use mmd_elevate_core::{CallError, Event, Patterns, Problem, TicketUrl};
use mmd_elevate_engine::{
    auth::{Renewal, Source, TokenSession},
    backend::Backend,
    http::Trust,
    mmd::{Client, Timeouts},
    record::{Place, TenantKey},
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
    let key = match &config.target {
        // The port of the practice tenant changes at each start; the tenant stays the same.
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
    let categories = config.categories.into_iter();
    let setup = Setup {
        tenant,
        categories: categories.map(|c| Category { name: c.name, subcategories: c.subcategories }).collect(),
        keymap: Keymap::new(&config.keys)?,
        time_zone: platform::time_zone(),
        now,
    };
    Ok(Components {
        setup,
        patterns: config.patterns,
        ticket_url: config.ticket_url,
        read_only: config.read_only,
        theme,
        preferences: Preferences {
            ages: Ages {
                warn: SignedDuration::try_from(config.ages.warn).unwrap_or(SignedDuration::MAX),
                alarm: SignedDuration::try_from(config.ages.alarm).unwrap_or(SignedDuration::MAX),
            },
            refresh: config.refresh,
            bell: config.appearance.bell,
        },
        title: config.appearance.title && features.title,
        asks_background: colour && features.many_colours && config.appearance.theme == ThemeSetting::Auto,
        target: config.target,
        practice,
        trust,
        place,
    })
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
