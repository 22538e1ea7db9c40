//! The HTTP client of the service: requests with a token, creates and closes.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use reqwest::{
    Method, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use uuid::Uuid;

use super::{
    answer::HttpAnswer,
    failure,
    list_options::ListOptions,
    wire::{CloseBody, CreateBody},
};
use crate::{
    auth::{Token, TokenSession},
    backend::Response,
    http::{self, BaseUrl, NoAnswer, Trust},
};
use mmd_elevate_core::{CallError, ElevationRequest, ErrorCode, NewElevationRequest, Problem, RequestId, RequestIds};

/// The reason for an endless flood of interim answers.
const NEVER_BEGINS: &str = "the server keeps sending and does not begin to answer";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The time limits of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up, connecting and the TLS handshake together: 5 s.
    pub connect: Duration,
    /// A whole list with all its pages: 15 s.
    pub read: Duration,
    /// A whole create or close, including connecting and the answer's body: 30 s.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), read: Duration::from_secs(15), write: Duration::from_secs(30) }
    }
}

/// Returns the problem of an HTTP library that cannot be set up, usually because the system's certificates are missing.
pub(super) fn no_https(error: &reqwest::Error) -> Problem {
    tracing::error!(%error, "no HTTPS client");
    let what = "the HTTPS client could not be made; are the system's CA certificates installed?";
    Problem::new(what, "install your system's CA certificates, or name a ca_file")
}

/// A client of the service for one tenant. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    pub(super) base: BaseUrl,
    pub(super) tenant_id: String,
    session: TokenSession,
    pub(super) timeouts: Timeouts,
    now: fn() -> Timestamp,
    /// The options of a list that the service accepts, as found out in this run.
    pub(super) list_options: Arc<Mutex<ListOptions>>,
}

impl Client {
    /// Makes a client that trusts the platform's certificates. Nothing is sent yet.
    ///
    /// # Errors
    /// The tenant id cannot be sent, or the HTTPS client cannot be made.
    pub fn new(base: &BaseUrl, tenant_id: &str, session: TokenSession, timeouts: Timeouts) -> Result<Self, Problem> {
        Self::with_trust(&Trust::default(), base, tenant_id, session, timeouts)
    }

    /// Makes a client that trusts more certificates.
    ///
    /// # Errors
    /// As for [`Client::new`].
    pub fn with_trust(
        trust: &Trust,
        base: &BaseUrl,
        tenant_id: &str,
        session: TokenSession,
        timeouts: Timeouts,
    ) -> Result<Self, Problem> {
        // The tenant id is a segment of a path, like the id of a request.
        if RequestId::new(tenant_id).is_none() {
            let what = "the tenant id must be one word without control characters, and neither `.` nor `..`";
            return Err(Problem::new(what, "check the tenant's id"));
        }
        let http = http::client(base, timeouts.connect, trust).map_err(|error| no_https(&error))?;
        let (base, tenant_id, list_options) = (base.clone(), tenant_id.to_owned(), Arc::default());
        Ok(Self { http, base, tenant_id, session, timeouts, now: Timestamp::now, list_options })
    }

    /// Sets the clock with which the service's clock is compared.
    #[must_use]
    pub fn with_clock(self, now: fn() -> Timestamp) -> Self {
        Self { now, ..self }
    }

    /// Opens a request: `POST /tenants/{tenantId}/elevationRequests` (create document). Sent twice, it
    /// opens two requests. Fields that the answer lacks are as they were sent.
    ///
    /// # Errors
    /// A [`CallError`] that says whether the request may be open nevertheless.
    pub async fn create(&self, request: &NewElevationRequest) -> Result<Response, CallError> {
        let url = self.base.join(&["tenants", &self.tenant_id, "elevationRequests"]);
        let answer = self.write(Method::POST, url, &CreateBody::new(request)).await;
        Self::response(answer, |answer| {
            answer.read_created().map(|made| Some(Box::new(made.with_gaps_from_draft(request.draft()))))
        })
    }

    /// Closes a request: `PATCH /tenants/{tenantId}/elevationRequests/{id}` (close document). Success is no proof.
    ///
    /// # Errors
    /// A [`CallError`] that says whether the request may be closed nevertheless.
    pub async fn close(&self, id: &RequestId, actions_taken: &str) -> Result<Response, CallError> {
        let url = self.base.join(&["tenants", &self.tenant_id, "elevationRequests", id.raw()]);
        let answer = self.write(Method::PATCH, url, &CloseBody { actions_taken }).await;
        Self::response(answer, |answer| answer.read_closed(id).map(|()| None))
    }

    fn response(
        answer: Result<HttpAnswer, CallError>,
        read: impl FnOnce(HttpAnswer) -> Result<Option<Box<ElevationRequest>>, CallError>,
    ) -> Result<Response, CallError> {
        answer
            .and_then(|answer| {
                let (ids, skew) = (answer.ids.clone(), answer.skew);
                read(answer).map(|request| Response { request, ids: failure::sanitize_ids(ids), skew })
            })
            .map_err(failure::sanitize)
    }

    async fn write(&self, method: Method, url: Url, body: &(impl Serialize + Sync)) -> Result<HttpAnswer, CallError> {
        match serde_json::to_vec(body) {
            Ok(body) => self.request(method, url, Some(body), self.timeouts.write).await,
            Err(_) => Err(CallError::not_sent("the texts cannot be written as JSON")),
        }
    }

    /// Sends a request, and once more with a new token if the first one is not accepted: a 401 means that nothing was processed
    /// (inferred), so that even a create can be repeated.
    pub(super) async fn request(
        &self,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
        time: Duration,
    ) -> Result<HttpAnswer, CallError> {
        let token = self.session.token().await?;
        let answer = self.request_with(&token, method.clone(), url.clone(), body.clone(), time).await?;
        if !answer.is_unauthorized() {
            self.session.mark_accepted(&token);
            return Ok(answer);
        }
        let token = match self.session.renew(&token).await {
            Ok(token) => token,
            // No other token can be fetched, so the answer stands.
            Err(error) if error.code == Some(ErrorCode::NotSignedIn) => return Ok(answer),
            Err(error) => return Err(CallError { ids: answer.ids, ..error }),
        };
        let answer = self.request_with(&token, method, url, body, time).await?;
        if answer.is_unauthorized() {
            self.session.mark_refused(&token);
        }
        Ok(answer)
    }

    async fn request_with(
        &self,
        token: &Token,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
        time: Duration,
    ) -> Result<HttpAnswer, CallError> {
        let client_id = Uuid::new_v4().to_string();
        let mut ids = RequestIds { client: Some(client_id.clone()), service: None };
        let started = Instant::now();
        let result = match self.build(token, method, url, body, &client_id) {
            Ok(request) => tokio::select! {
                response = request.timeout(time).send() => match response {
                    Ok(response) => HttpAnswer::read(response, &mut ids, self.now).await,
                    Err(error) => Err(error),
                }
                .map_err(|error| http::classify(&error, self.base.authority(), self.timeouts.connect)),
                () = http::wait_for_flood() => Err(NoAnswer::Broken(NEVER_BEGINS.to_owned())),
            },
            Err(reason) => Err(NoAnswer::NotSent(reason.to_owned())),
        };
        tracing::debug!(
            client_request_id = client_id,
            service_request_id = ids.service.as_ref().map(|id| id.visible().into_owned()),
            status = result.as_ref().ok().map(|answer| answer.status),
            ms = started.elapsed().as_millis(),
            "asked the service"
        );
        result.map_err(|no_answer| CallError { ids, ..no_answer.into() })
    }

    fn build(
        &self,
        token: &Token,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
        client_id: &str,
    ) -> Result<reqwest::RequestBuilder, &'static str> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.secret().expose_secret()))
            .map_err(|_| "the token cannot be sent")?;
        // Libraries neither log nor compress a sensitive value.
        bearer.set_sensitive(true);
        let request = self
            .http
            .request(method, url)
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, JSON)
            .header("client-request-id", client_id);
        Ok(match body {
            Some(body) => request.header(CONTENT_TYPE, JSON).body(body),
            None => request,
        })
    }

    /// Returns the session that holds the token.
    #[must_use]
    pub const fn session(&self) -> &TokenSession {
        &self.session
    }
}
