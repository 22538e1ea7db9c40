//! What the worker asks of the service.

use std::future::Future;

use tokio::sync::watch;

use crate::{
    api::{Client, Listed, Told},
    domain::{ElevationRequest, NewElevationRequest, RequestId},
    port::{Fault, SignIn},
};

/// The service, as far as the worker needs it. Each call is done once: repeating is the worker's.
pub trait Service: Send + Sync + 'static {
    /// Opens a request. Done twice, it opens two.
    fn create(
        &self,
        request: &NewElevationRequest,
    ) -> impl Future<Output = Result<Told<ElevationRequest>, Fault>> + Send;

    /// Closes a request.
    fn close(&self, id: &RequestId, actions_taken: &str) -> impl Future<Output = Result<Told<()>, Fault>> + Send;

    /// Lists the requests of a device, open and closed.
    fn list_by_device(&self, device: &str) -> impl Future<Output = Result<Listed, Fault>> + Send;

    /// Waits until there is a token: nothing is sent to the service meanwhile, so that what is abandoned then has not
    /// been sent.
    fn signed_in(&self) -> impl Future<Output = Result<(), Fault>> + Send {
        async { Ok(()) }
    }

    /// Fetches a token now, whatever there is.
    fn sign_in(&self) {}

    /// Where signing in stands, where the service has a sign-in.
    fn changes(&self) -> Option<watch::Receiver<SignIn>> {
        None
    }
}

impl Service for Client {
    async fn create(&self, request: &NewElevationRequest) -> Result<Told<ElevationRequest>, Fault> {
        self.create(request).await
    }

    async fn close(&self, id: &RequestId, actions_taken: &str) -> Result<Told<()>, Fault> {
        self.close(id, actions_taken).await
    }

    async fn list_by_device(&self, device: &str) -> Result<Listed, Fault> {
        self.list_by_device(device).await
    }

    async fn signed_in(&self) -> Result<(), Fault> {
        self.session().token().await.map(drop)
    }

    fn sign_in(&self) {
        self.session().sign_in();
    }

    fn changes(&self) -> Option<watch::Receiver<SignIn>> {
        Some(self.session().changes())
    }
}
