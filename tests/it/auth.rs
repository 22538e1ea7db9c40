//! Signing in: where tokens come from, how they stay fresh, and that no secret goes anywhere else.

mod assertion;
mod endpoint;
mod programs;
mod secret_files;
mod service;
mod session;

use std::net::Ipv4Addr;

use jiff::Timestamp;
use mmd_elevate_engine::{
    auth::{Application, ClientSecretSource, Method, SignInError, Source},
    http::BaseUrl,
};
use mmd_elevate_practice::{self as practice, Observer, Practice, Settings};
use secrecy::ExposeSecret;

use crate::support::within;

const SECRET: &str = "canary-secret~of_the.application";

/// A practice tenant that is served.
struct Tenant {
    observer: Observer,
    base_url: String,
    authority: String,
    secret: String,
}

async fn tenant(settings: Settings) -> Tenant {
    let practice = Practice::bind((Ipv4Addr::LOCALHOST, 0).into(), settings).await.unwrap();
    let tenant = Tenant {
        observer: practice.observer(),
        base_url: practice.base_url(),
        authority: practice.authority(),
        secret: practice.client_secret(),
    };
    tokio::spawn(practice.serve());
    tenant
}

impl Tenant {
    fn source(&self) -> Source {
        source_at(&self.authority, &self.secret)
    }
}

fn application(authority: &str) -> Application {
    Application {
        authority: BaseUrl::parse(authority).unwrap(),
        client_id: practice::CLIENT_ID.to_owned(),
        scope: practice::SCOPE.to_owned(),
    }
}

fn source_at(authority: &str, secret: &str) -> Source {
    Source::new(Method::ClientSecret(application(authority), ClientSecretSource::Memory(secret.into()))).unwrap()
}

/// The token as text, or why there is none.
async fn fetched(source: &Source) -> Result<String, SignInError> {
    within(source.fetch(Timestamp::now)).await.map(|token| token.secret().expose_secret().to_owned())
}

/// What is wrong, with all that could be shown of it, which holds no secret.
#[track_caller]
fn shown(error: &SignInError) -> String {
    let shown = format!("{error}");
    assert!(shown.contains("\nhint: "), "{shown}");
    assert!(!format!("{shown} {error:?}").contains("canary"), "{shown}");
    assert!(!error.problem.what.ends_with('.') && !shown.contains('\x1b'), "{shown}");
    shown
}
