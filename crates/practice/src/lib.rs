//! The practice tenant: an HTTP server on loopback that follows the service's rules and serves an invented tenant.
//!
//! It is written from the service's documents and shares no type with the client, not even a wire name: a wrong name in a
//! shared type would be wrong on both sides, and no test would fail. Behaviour that the documents leave open is an assumption
//! in [`Settings`].
//!
//! The tenant is stored in memory, or in a folder ([`Settings::keep`]). [`Rules`] make the server misbehave, so that agents
//! can practise failures.

mod colleagues;
mod error;
mod filter;
mod host;
mod http;
mod identity;
mod listener;
mod misbehave;
mod observer;
mod rules;
mod settings;
mod shape;
mod state;
mod storage;
mod store;
mod tenant;
mod token;
mod tokens;
mod wire;

use std::{net::SocketAddr, sync::Arc};

use jiff::Timestamp;
use tokio::net::TcpListener;

pub use error::PracticeError;
pub use identity::{AGENT_UPN, CLIENT_ID, SCOPE, TENANT_ID};
pub use observer::{Observer, StoredRequest};
pub use rules::{Count, Endpoint, ListFault, Misdeed, RetryAfter, Rule, Rules, Shape};
pub use settings::{Order, Settings};
use state::ServerState;

/// A practice tenant that is bound to its address. It answers while [`Practice::serve`] runs.
pub struct Practice {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<ServerState>,
    warning: Option<String>,
}

impl Practice {
    /// Binds the address and opens the tenant. Port 0 selects a free port.
    ///
    /// # Errors
    /// The address is not loopback (there is no TLS) or cannot be bound, or the tenant cannot be stored.
    pub async fn bind(listen: SocketAddr, settings: Settings) -> Result<Self, PracticeError> {
        if !listen.ip().is_loopback() {
            return Err(PracticeError::NotLoopback { listen });
        }
        let unavailable = |source| PracticeError::Unavailable { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;
        // After the address is bound: a fresh tenant must not replace the stored one if it cannot be served.
        let opening = settings.clone();
        // On a blocking thread: a slow disk, or a process that has the lock, must not delay the timers of the caller.
        let opened = tokio::task::spawn_blocking(move || storage::Storage::open(&opening, Timestamp::now())).await;
        let (storage, warning) = opened.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))?;
        Ok(Self { listener, address, shared: Arc::new(ServerState::new(address, settings, storage)), warning })
    }

    /// Returns the base URL of the service.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.shared.base_url()
    }

    /// Returns the authority of the sign-in, including the tenant.
    #[must_use]
    pub fn authority(&self) -> String {
        self.shared.authority()
    }

    /// Returns the client secret of [`CLIENT_ID`], which is new at every start.
    #[must_use]
    pub fn client_secret(&self) -> String {
        self.shared.tokens().client_secret.clone()
    }

    /// Returns a bearer token that never expires and is new at every start.
    #[must_use]
    pub fn token(&self) -> String {
        self.shared.tokens().permanent.clone()
    }

    /// Returns a warning if the stored tenant was damaged and replaced by a new one.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Returns access to the tenant without HTTP, for tests.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer(Arc::clone(&self.shared))
    }

    /// Serves until the future is dropped. Then the address is free again, and each connection ends after its current answer.
    pub async fn serve(self) {
        // The tasks of connections and of delayed calls would outlive this future.
        let ended = self.shared.ended.clone();
        let _until_dropped = ended.clone().drop_guard();
        let rules = Arc::clone(&self.shared);
        let refuses = move || rules.rules().refuses();
        let (settings, gate) = (self.shared.settings.clone(), Arc::clone(&self.shared.gate));
        let listener = listener::FaultyListener { listener: self.listener, address: self.address, gate, refuses };
        let router = http::router(Arc::clone(&self.shared));
        tokio::join!(listener.serve(&router, &ended, &settings), colleagues::act(&self.shared));
    }
}
