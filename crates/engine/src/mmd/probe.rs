//! Two harmless requests for `doctor`: whether anything answers, and whether a list is returned.

use reqwest::Method;

use super::{Client, Timeouts, answer::HttpAnswer, failure, no_https};
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
    /// Makes one. Nothing is sent yet.
    ///
    /// # Errors
    /// A [`Problem`] where the system lacks what https needs.
    pub fn new(trust: &Trust, base: &BaseUrl, timeouts: Timeouts) -> Result<Self, Problem> {
        let http = http::client(base, timeouts.connect, trust).map_err(|error| no_https(&error))?;
        Ok(Self { http, base: base.clone(), timeouts })
    }

    /// Asks for the base URL itself, without a token: whatever is answered, the way there is open.
    ///
    /// # Errors
    /// A [`CallError`] where nothing is answered.
    pub async fn reach(&self) -> Result<(), CallError> {
        let request = self.http.get(self.base.join(&[])).timeout(self.timeouts.read);
        let no_answer = |error| http::no_answer(&error, self.base.authority(), self.timeouts.connect);
        request.send().await.map(drop).map_err(|error| no_answer(error).into())
    }
}

impl Client {
    /// Asks for a list of one request at most, whatever the device, and forgets it: `GET
    /// /tenants/{tenantId}/elevationRequests` with `$top=1`.
    ///
    /// # Errors
    /// A [`CallError`].
    pub async fn probe_list(&self) -> Result<(), CallError> {
        let mut url = self.base.join(&["tenants", &self.tenant_id, "elevationRequests"]);
        url.set_query(Some("$top=1"));
        let answer = self.ask(Method::GET, url, None, self.timeouts.read).await;
        answer.and_then(HttpAnswer::read_list).map(drop).map_err(failure::presentable_for_reading)
    }
}
