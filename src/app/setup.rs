//! From the settings to the parts of a running dashboard.

use std::{future::Future, net::Ipv4Addr};

use jiff::Timestamp;
use ratatui::style::Color;
use secrecy::SecretString;

use crate::{
    api::{BaseUrl, Client, ClientError, Timeouts},
    config::{self, Config, Target},
    keymap::{Keymap, KeymapError},
    platform,
    port::{Fault, FaultKind},
    practice::{self, Practice},
    state::{Category, Setup, Tenant},
    view::{Borders, Theme},
};

/// What the settings make.
pub struct Parts<F> {
    /// What the model begins with.
    pub setup: Setup,
    /// How it looks.
    pub theme: Theme,
    /// What makes the service ready. Nothing of it happens before it is polled.
    pub service: F,
}

/// Makes the parts. `colour` is whether the terminal's user wants any.
///
/// # Errors
/// Where the settings' `[keys]` cannot be.
pub fn setup(
    config: Config,
    colour: bool,
    now: Timestamp,
) -> Result<Parts<impl Future<Output = Result<Client, Fault>> + Send + 'static>, KeymapError> {
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
        accent: shown(config.appearance.accent),
        tenant: tenant_colour.map(shown),
        borders: match config.appearance.borders {
            config::Borders::Rounded => Borders::Rounded,
            config::Borders::Plain => Borders::Plain,
            config::Borders::Ascii => Borders::Ascii,
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
    Ok(Parts { setup, theme, service: ready(config.target) })
}

fn shown(colour: config::Color) -> Color {
    match colour {
        config::Color::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
        config::Color::Ansi(number) => match number {
            0 => Color::Black,
            1 => Color::Red,
            2 => Color::Green,
            3 => Color::Yellow,
            4 => Color::Blue,
            5 => Color::Magenta,
            6 => Color::Cyan,
            7 => Color::Gray,
            8 => Color::DarkGray,
            9 => Color::LightRed,
            10 => Color::LightGreen,
            11 => Color::LightYellow,
            12 => Color::LightBlue,
            13 => Color::LightMagenta,
            14 => Color::LightCyan,
            _ => Color::White,
        },
    }
}

/// Makes the service ready to be called: the practice tenant is started first where it is that one.
async fn ready(target: Target) -> Result<Client, Fault> {
    match target {
        Target::Service(service) => connect(&service.base_url, &service.tenant.id, service.token),
        Target::Practice => {
            let practice = Practice::bind((Ipv4Addr::LOCALHOST, 0).into(), practice::Settings::default())
                .await
                .map_err(|error| not_ready(&format!("the practice tenant could not be started: {error}")))?;
            let token = SecretString::from(practice.token());
            let base_url = BaseUrl::parse(&practice.base_url()).map_err(|error| not_ready(&error.to_string()))?;
            let client = connect(&base_url, practice::TENANT_ID, token)?;
            tokio::spawn(async move {
                if let Err(error) = practice.serve().await {
                    tracing::error!(%error, "the practice tenant ended");
                }
            });
            Ok(client)
        }
    }
}

fn connect(base_url: &BaseUrl, tenant_id: &str, token: SecretString) -> Result<Client, Fault> {
    Client::new(base_url, tenant_id, token, Timeouts::default())
        .map_err(|error: ClientError| not_ready(&error.to_string()))
}

fn not_ready(reason: &str) -> Fault {
    Fault::new(FaultKind::NotSent { reason: reason.to_owned() })
}
