//! What tests see of the tenant without calling it, and how they change its rules while it runs.

use std::{fmt, io, sync::Arc};

use super::{
    http::ServerState,
    rules::{Active, Count, Endpoint, Rules},
};

/// A view of a tenant from outside its HTTP. It outlives the server, and what it then shows is how the server ended.
#[derive(Clone)]
pub struct Observer(pub(super) Arc<ServerState>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}

/// A request as the tenant holds it, whether lists show it already or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
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
    /// What a close said was done.
    pub actions_taken: String,
    /// Whether it is open.
    pub open: bool,
}

impl Observer {
    /// All requests, in the order of their creation.
    ///
    /// # Errors
    /// Where the folder that keeps the tenant cannot be used.
    pub fn requests(&self) -> io::Result<Vec<Held>> {
        self.0.book.with(|store| {
            let held = store.all().iter().map(|request| Held {
                id: request.id.clone(),
                ticket: request.partner_ticket_id.clone(),
                device: request.device_name.clone(),
                title: request.title.clone(),
                plan_of_action: request.plan_of_action.clone(),
                actions_taken: request.actions_taken.clone(),
                open: request.is_open(),
            });
            held.collect()
        })
    }

    /// How many calls of this kind were read whole, with the token and for this tenant, whatever became of them.
    /// [`Endpoint::Any`] is all of them but for those of the token endpoint, which need no token.
    #[must_use]
    pub fn received(&self, operation: Endpoint) -> u64 {
        self.0.received(operation)
    }

    /// How many creates were read: see [`Observer::received`].
    #[must_use]
    pub fn creates_received(&self) -> u64 {
        self.received(Endpoint::Create)
    }

    /// The tokens that were given out and have not ended: where none of them may be found, it can be looked for.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.0.tokens().given()
    }

    /// Accepts no token any more that was given out until now.
    pub fn end_tokens(&self) {
        self.0.tokens().end();
    }

    /// Puts other rules in the place of those that there are, and counts anew.
    pub fn set_rules(&self, rules: impl Into<Rules>) {
        *self.0.rules() = Active::new(rules.into());
    }

    /// What has come of each rule, in their order.
    #[must_use]
    pub fn counts(&self) -> Vec<Count> {
        self.0.rules().counts()
    }

    /// Refuses connections as a machine does on which nothing listens, and resets those that call on one made before.
    /// Returns when it is so.
    pub async fn shut(&self) {
        self.0.latch.shut(None).await;
    }

    /// Takes connections again. Returns when it is so.
    pub async fn open(&self) {
        self.0.latch.open().await;
    }
}
