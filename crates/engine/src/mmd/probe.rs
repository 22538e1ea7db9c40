//! Two harmless requests for `doctor`, which check whether the server answers and whether the service returns a list.

use reqwest::Method;

use super::{
    answer::HttpAnswer,
    client::{Client, Timeouts, no_https},
    failure,
};
use crate::http::{self, BaseUrl, Trust};
use mmd_elevate_core::{CallError, Problem};

/// A client without a token.
#[derive(Debug)]
pub struct Probe {
    http: reqwest::Client,
    base: BaseUrl,
    timeouts: Timeouts,
}

impl Probe {
    /// Makes a probe. Nothing is sent yet.
    ///
    /// # Errors
    /// The HTTPS client cannot be made.
    pub fn new(trust: &Trust, base: &BaseUrl, timeouts: Timeouts) -> Result<Self, Problem> {
        let http = http::client(base, timeouts.connect, trust).map_err(|error| no_https(&error))?;
        Ok(Self { http, base: base.clone(), timeouts })
    }

    /// Requests the base URL without a token. Any answer shows that the server can be reached.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn reach(&self) -> Result<(), CallError> {
        let request = self.http.get(self.base.join(&[])).timeout(self.timeouts.read);
        let classify = |error| http::classify(&error, self.base.authority(), self.timeouts.connect);
        request.send().await.map(drop).map_err(|error| classify(error).into())
    }
}

impl Client {
    /// Requests a list of at most one request, and discards it: `GET /tenants/{tenantId}/elevationRequests` with `$top=1`.
    ///
    /// # Errors
    /// The service does not return a list.
    pub async fn probe_list(&self) -> Result<(), CallError> {
        let mut url = self.base.join(&["tenants", &self.tenant_id, "elevationRequests"]);
        url.set_query(Some("$top=1"));
        let answer = self.request(Method::GET, url, None, self.timeouts.read).await;
        answer.and_then(HttpAnswer::read_list).map(drop).map_err(failure::sanitize_read)
    }
}
