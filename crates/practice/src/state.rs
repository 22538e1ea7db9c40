//! The state that all calls share, and the part of a path inside the tenant.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
};
use tokio_util::sync::CancellationToken;

use super::{
    identity::{BASE_PATH, TENANT_ID},
    listener::ListenGate,
    rules::{Active, Endpoint},
    settings::Settings,
    storage::Storage,
    store::TenantStore,
    tokens::Tokens,
    wire::Refusal,
};

/// The state that all calls share.
pub(super) struct ServerState {
    address: SocketAddr,
    tokens: Mutex<Tokens>,
    pub(super) settings: Settings,
    pub(super) storage: Storage,
    pub(super) gate: Arc<ListenGate>,
    rules: Mutex<Active>,
    received: Mutex<HashMap<Endpoint, u64>>,
    /// Cancelled when the tenant is not served any more.
    pub(super) ended: CancellationToken,
}

impl ServerState {
    pub(super) fn new(address: SocketAddr, settings: Settings, storage: Storage) -> Self {
        let (tokens, rules) = (Mutex::new(Tokens::new()), Mutex::new(Active::new(settings.rules.clone())));
        let (gate, received, ended) = (Arc::new(ListenGate::new()), Mutex::default(), CancellationToken::new());
        Self { address, tokens, settings, storage, gate, rules, received, ended }
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}{BASE_PATH}", self.address)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn authority(&self) -> String {
        format!("http://{}/{TENANT_ID}", self.address)
    }

    /// Runs a function on the tenant. Its changes are durable before the call is answered.
    pub(super) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut TenantStore) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let result = if self.storage.is_on_disk() {
            // On a blocking thread: the disk, and a process that has the lock, must not delay other calls.
            let shared = Arc::clone(self);
            let result = tokio::task::spawn_blocking(move || shared.storage.with(act)).await;
            result.unwrap_or_else(|_| Err(io::Error::other("the program failed meanwhile")))
        } else {
            self.storage.with(act)
        };
        result.map_err(|error| {
            let message = format!("The practice tenant cannot be kept: {error}.");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message)
        })
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, Active> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, operation: Endpoint) {
        *self.received.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
    }

    pub(super) fn received(&self, wanted: Endpoint) -> u64 {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = received.iter().filter(|(operation, _)| wanted.covers(**operation));
        counted.map(|(_, count)| count).sum()
    }

    /// Waits, and returns whether the tenant is still served afterwards.
    pub(super) async fn sleep(&self, time: Duration) -> bool {
        // In this order, so that a wait of zero never ends a call.
        tokio::select! {
            biased;
            () = tokio::time::sleep(time) => true,
            () = self.ended.cancelled() => false,
        }
    }
}

/// The last segment of the path inside the tenant; empty for a collection. Another tenant is refused.
pub(super) struct InTenant(pub(super) String);

impl FromRequestParts<Arc<ServerState>> for InTenant {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<ServerState>) -> Result<Self, Refusal> {
        let path = Path::<Vec<(String, String)>>::from_request_parts(parts, shared).await;
        let Path(names) = path.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
        let mut values = names.into_iter().map(|(_, value)| value);
        if values.next().is_some_and(|tenant| tenant.eq_ignore_ascii_case(TENANT_ID)) {
            Ok(Self(values.next().unwrap_or_default()))
        } else {
            Err(Refusal::new(StatusCode::NOT_FOUND, "This tenant does not exist."))
        }
    }
}
