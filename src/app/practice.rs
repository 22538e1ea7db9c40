//! Starts the practice tenant for the dashboard, the doctor and `mmd-elevate practice`, and converts its errors. It never
//! contacts a service on the network.

use std::{error::Error as _, net::SocketAddr, path::Path};

use crate::config::{ServiceSettings, TenantProfile};
use mmd_elevate_core::Problem;
use mmd_elevate_engine::{
    auth::{Application, ClientSecretSource, Method},
    http::BaseUrl,
};
use mmd_elevate_practice::{self as practice, Practice, Settings};

/// Returns the settings of a practice tenant that stores its data in the folder.
///
/// # Errors
/// The file of rules cannot be used.
pub(crate) fn settings(folder: &Path, fresh: bool, rules: Option<&Path>) -> Result<Settings, Problem> {
    Settings::in_folder(folder, fresh, rules)
}

/// Binds the practice tenant to an address of this machine.
///
/// # Errors
/// The address cannot be used, or the folder cannot store the data.
pub(crate) async fn bind(address: SocketAddr, settings: Settings) -> Result<Practice, Problem> {
    Practice::bind(address, settings).await.map_err(|error| {
        let source = error.source().map_or_else(String::new, |source| format!(": {source}"));
        let hint = error.hint().unwrap_or("this is a mistake in the program: please report it");
        Problem::new(format!("failed to {error}{source}"), hint)
    })
}

/// Returns the practice tenant as a service. The dashboard signs in as its application, so that every step to a token is
/// practised.
///
/// # Errors
/// The address of the practice tenant cannot be a base URL.
pub(crate) fn service(practice: &Practice) -> Result<ServiceSettings, Problem> {
    let application = Application {
        authority: BaseUrl::parse(&practice.authority())?,
        client_id: practice::CLIENT_ID.to_owned(),
        scope: practice::SCOPE.to_owned(),
    };
    Ok(ServiceSettings {
        base_url: BaseUrl::parse(&practice.base_url())?,
        tenant: TenantProfile { name: None, id: practice::TENANT_ID.to_owned(), color: None },
        ca_file: None,
        sign_in: Method::ClientSecret(application, ClientSecretSource::Memory(practice.client_secret().into())),
    })
}
