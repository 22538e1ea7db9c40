//! Access to the tenant without HTTP, for tests: its requests, its counts, and its rules.

use std::{fmt, io, sync::Arc};

use super::{
    rules::{Active, Count, Endpoint, Rules},
    state::ServerState,
};

/// Access to a tenant without HTTP. It outlives the server, and then shows the last state.
#[derive(Clone)]
pub struct Observer(pub(super) Arc<ServerState>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}

/// A request of the tenant, whether or not lists show it already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// Its id.
    pub id: String,
    /// The agent's ticket.
    pub ticket: String,
    /// The name of its device.
    pub device: String,
    /// Its title.
    pub title: String,
    /// Its plan of action.
    pub plan_of_action: String,
    /// The text of its close.
    pub actions_taken: String,
    /// Whether it is open.
    pub open: bool,
}

impl Observer {
    /// Returns all requests, in the order of their creation.
    ///
    /// # Errors
    /// The folder of the tenant cannot be used.
    pub fn requests(&self) -> io::Result<Vec<StoredRequest>> {
        self.0.storage.with(|store| {
            let requests = store.all().iter().map(|request| StoredRequest {
                id: request.id.clone(),
                ticket: request.partner_ticket_id.clone(),
                device: request.device_name.clone(),
                title: request.title.clone(),
                plan_of_action: request.plan_of_action.clone(),
                actions_taken: request.actions_taken.clone(),
                open: request.is_open(),
            });
            requests.collect()
        })
    }

    /// Returns how many calls of an endpoint were read completely, with a valid token and for this tenant, whatever their
    /// result. [`Endpoint::Any`] counts all endpoints except the token endpoint.
    #[must_use]
    pub fn received(&self, operation: Endpoint) -> u64 {
        self.0.received(operation)
    }

    /// Returns how many creates were read: see [`Observer::received`].
    #[must_use]
    pub fn creates_received(&self) -> u64 {
        self.received(Endpoint::Create)
    }

    /// Returns the issued tokens that are still valid.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.0.tokens().issued()
    }

    /// Revokes all issued tokens.
    pub fn end_tokens(&self) {
        self.0.tokens().revoke_all();
    }

    /// Replaces the rules and resets their counts.
    pub fn set_rules(&self, rules: impl Into<Rules>) {
        *self.0.rules() = Active::new(rules.into());
    }

    /// Returns the count of each rule, in the order of the rules.
    #[must_use]
    pub fn counts(&self) -> Vec<Count> {
        self.0.rules().counts()
    }

    /// Refuses connections as if nothing listened, and resets existing connections at their next call. Returns when it has
    /// taken effect.
    pub async fn shut(&self) {
        self.0.gate.shut(None).await;
    }

    /// Accepts connections again. Returns when it has taken effect.
    pub async fn open(&self) {
        self.0.gate.open().await;
    }
}
