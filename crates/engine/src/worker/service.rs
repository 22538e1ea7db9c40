//! What the worker asks of the service.

use std::future::Future;

use tokio::sync::watch;

use crate::api::{Client, Listed, Response};
use mmd_elevate_core::{CallError, ElevationRequest, NewElevationRequest, RequestId, SignIn};

/// The service, as far as the worker needs it. Each call is done once: repeating is the worker's.
pub trait Service: Send + Sync + 'static {
    /// Opens a request. Done twice, it opens two.
    fn create(
        &self,
        request: &NewElevationRequest,
    ) -> impl Future<Output = Result<Response<ElevationRequest>, CallError>> + Send;

    /// Closes a request.
    fn close(
        &self,
        id: &RequestId,
        actions_taken: &str,
    ) -> impl Future<Output = Result<Response<()>, CallError>> + Send;

    /// Lists the requests of a device, open and closed.
    fn list_by_device(&self, device: &str) -> impl Future<Output = Result<Listed, CallError>> + Send;

    /// Waits until there is a token: nothing is sent to the service meanwhile, so that what is abandoned then has not
    /// been sent.
    fn signed_in(&self) -> impl Future<Output = Result<(), CallError>> + Send {
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
    async fn create(&self, request: &NewElevationRequest) -> Result<Response<ElevationRequest>, CallError> {
        self.create(request).await
    }

    async fn close(&self, id: &RequestId, actions_taken: &str) -> Result<Response<()>, CallError> {
        self.close(id, actions_taken).await
    }

    async fn list_by_device(&self, device: &str) -> Result<Listed, CallError> {
        self.list_by_device(device).await
    }

    async fn signed_in(&self) -> Result<(), CallError> {
        self.session().token().await.map(drop)
    }

    fn sign_in(&self) {
        self.session().sign_in();
    }

    fn changes(&self) -> Option<watch::Receiver<SignIn>> {
        Some(self.session().changes())
    }
}
