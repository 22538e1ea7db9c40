//! The practice tenant: a real HTTP server on loopback with the service's rules and an invented tenant behind it.
//!
//! It is written from the service's documents and shares nothing with the client, not even the names of the wire: a
//! type that both used would make a wrong name wrong on both sides, and no test would notice. What the documents leave
//! open it has to invent; all of that is in [`Settings`].
//!
//! What it knows lives in memory and ends with it, or in a folder that keeps it: [`Settings::keep`]. On demand it
//! misbehaves as [`Rules`] say, so that what goes wrong with a service can be practised.

mod error;
mod filter;
mod host;
mod http;
mod keep;
mod listener;
mod misbehave;
mod observer;
mod rules;
mod settings;
mod shape;
mod store;
mod tenant;
mod token;
mod wire;

use std::{net::SocketAddr, sync::Arc};

use jiff::Timestamp;
use tokio::net::TcpListener;
use uuid::Uuid;

pub use error::PracticeError;
pub use observer::{Held, Observer};
pub use rules::{Count, Endpoint, ListFault, Misdeed, RetryAfter, Rule, Rules, RulesError, Shape};
pub use settings::{Order, Settings};

/// The practice tenant's id, the same at every start.
pub const TENANT_ID: &str = "7f3c0b1a-2d4e-4f60-8a9b-c1d2e3f46677";
/// The application that may sign in, the same at every start.
pub const CLIENT_ID: &str = "0f5e2d1c-3b4a-4958-8776-655443322110";
/// Who opens, closes and views. An application token names no person, so whom the service would name is an assumption.
pub const AGENT_UPN: &str = "practice.agent@partner.example";
/// The scope that tokens are for (documented).
pub const SCOPE: &str = "https://mwaas-services-customerapi-prod.azurewebsites.net/.default";
/// The path of the service's documented base URL.
const BASE_PATH: &str = "/support/odata/v1";

/// A practice tenant that has its address and does not answer yet: see [`Practice::serve`].
pub struct Practice {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<http::ServerState>,
    warning: Option<String>,
}

impl Practice {
    /// Makes a tenant and takes the address; port 0 takes any that is free.
    ///
    /// # Errors
    /// [`PracticeError`] where the address is not loopback (practice has a token but no TLS) or cannot be had, or the
    /// folder cannot keep the tenant.
    pub async fn bind(listen: SocketAddr, settings: Settings) -> Result<Self, PracticeError> {
        if !listen.ip().is_loopback() {
            return Err(PracticeError::NotLoopback { listen });
        }
        let unavailable = |source| PracticeError::Unavailable { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;
        // After the address is had: to begin anew where it then cannot be served would lose what was kept for nothing.
        let opening = settings.clone();
        // A disk that hangs, or another process that has the lock, must hold up no timer of the caller.
        let opened = tokio::task::spawn_blocking(move || keep::Storage::open(&opening, Timestamp::now())).await;
        let (book, warning) = opened.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))?;
        Ok(Self { listener, address, shared: Arc::new(http::ServerState::new(address, settings, book)), warning })
    }

    /// What to configure as the service's base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.shared.base_url()
    }

    /// Where to sign in for a token, the tenant included.
    #[must_use]
    pub fn authority(&self) -> String {
        self.shared.authority()
    }

    /// The client secret of [`CLIENT_ID`]: another at every start, so that none can be kept.
    #[must_use]
    pub fn client_secret(&self) -> String {
        self.shared.tokens().client_secret.clone()
    }

    /// A bearer token that is accepted without any sign-in and never ends: another at every start too.
    #[must_use]
    pub fn token(&self) -> String {
        self.shared.tokens().lasting.clone()
    }

    /// What the user should know of what was kept: that it was damaged, where it is now, and that a new tenant was begun.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// A view from outside: what is held, and rules that can be changed while it is served.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer(Arc::clone(&self.shared))
    }

    /// Answers until the future is dropped. Then the address is free again, and connections end with the answer that
    /// they are giving.
    pub async fn serve(self) {
        // Each connection has a task of its own, which would outlive this future, and so would a call that is to wait.
        let ended = self.shared.ended.clone();
        let _until_dropped = ended.clone().drop_guard();
        let rules = Arc::clone(&self.shared);
        let refuses = move || rules.rules().refuses();
        let (settings, latch) = (self.shared.settings.clone(), Arc::clone(&self.shared.latch));
        let listener = listener::FaultyListener { listener: self.listener, address: self.address, latch, refuses };
        listener.serve(&http::router(self.shared), &ended, &settings).await;
    }
}

/// In the three parts of a real one, so that nobody takes it for a word.
fn new_token() -> String {
    let random = || Uuid::new_v4().simple();
    format!("practice.{}{}.{}", random(), random(), random())
}
