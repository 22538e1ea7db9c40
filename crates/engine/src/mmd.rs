//! The support API of Microsoft Managed Desktop: the backend that speaks it over HTTP.
//!
//! It does each call once, but for one whose token is not accepted, which is done once more with a new one. It never
//! follows a redirect, and never waits longer than its [`Timeouts`] say.

mod answer;
mod devices;
mod error_body;
mod error_text;
mod failure;
mod json;
mod list;
mod probe;
mod text;
mod wire;

use std::{
    collections::HashSet,
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
use tokio::sync::watch;
use uuid::Uuid;

use self::{
    answer::HttpAnswer,
    list::ListOptions,
    wire::{CloseBody, CreateBody},
};
use crate::{
    auth::{Token, TokenSession},
    backend::{Abilities, Answer, Backend, Continuation, Listed, Page, Response, list_all},
    http::{self, BaseUrl, NoAnswer, Trust},
};
use mmd_elevate_core::{
    CallError, CloseElevationRequest, Device, ElevationRequest, ErrorCode, Field, NewElevationRequest, Operation,
    Problem, Query, RequestId, RequestIds, SignIn,
};

pub use probe::Probe;

/// What is told of a server that sends and sends, and never begins to answer.
const NEVER_BEGINS: &str = "the server keeps sending and does not begin to answer";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How long a call may take before it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up, connecting and the TLS handshake together: 5 s.
    pub connect: Duration,
    /// A whole list, all its pages: 15 s.
    pub read: Duration,
    /// A whole create or close, connecting and the answer's body included: 30 s.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), read: Duration::from_secs(15), write: Duration::from_secs(30) }
    }
}

/// The HTTP library could not be set up, most often for want of the system's certificates.
fn no_https(error: &reqwest::Error) -> Problem {
    tracing::error!(%error, "no HTTPS client");
    let what = "the HTTPS client could not be made; are the system's CA certificates installed?";
    Problem::new(what, "install your system's CA certificates, or name a ca_file")
}

/// The service as one tenant's agent sees it. A clone shares its connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: BaseUrl,
    tenant_id: String,
    session: TokenSession,
    timeouts: Timeouts,
    now: fn() -> Timestamp,
    /// What the service has been found to take of a list's options, in this run.
    list_options: Arc<Mutex<ListOptions>>,
}

impl Client {
    /// Makes a client that trusts what the platform trusts. Nothing is sent yet.
    ///
    /// # Errors
    /// A [`Problem`] where the tenant id cannot be sent, or where the system lacks what https needs.
    pub fn new(base: &BaseUrl, tenant_id: &str, session: TokenSession, timeouts: Timeouts) -> Result<Self, Problem> {
        Self::trusting(&Trust::default(), base, tenant_id, session, timeouts)
    }

    /// The same, with more certificates to trust.
    ///
    /// # Errors
    /// As for [`Client::new`].
    pub fn trusting(
        trust: &Trust,
        base: &BaseUrl,
        tenant_id: &str,
        session: TokenSession,
        timeouts: Timeouts,
    ) -> Result<Self, Problem> {
        // What makes a request's id fit for a path makes a tenant's so.
        if RequestId::new(tenant_id).is_none() {
            let what = "the tenant id must be one word without control characters, and neither `.` nor `..`";
            return Err(Problem::new(what, "check the tenant's id"));
        }
        let http = http::client(base, timeouts.connect, trust).map_err(|error| no_https(&error))?;
        let (base, tenant_id, list_options) = (base.clone(), tenant_id.to_owned(), Arc::default());
        Ok(Self { http, base, tenant_id, session, timeouts, now: Timestamp::now, list_options })
    }

    /// The same client with another clock: the service's is measured against it.
    #[must_use]
    pub fn with_clock(self, now: fn() -> Timestamp) -> Self {
        Self { now, ..self }
    }

    /// Opens a request: `POST /tenants/{tenantId}/elevationRequests` (create document). Done twice, it opens two. What the
    /// service leaves out of its answer is as it was sent.
    ///
    /// # Errors
    /// A [`CallError`] that says whether the request may be open all the same.
    pub async fn create(&self, request: &NewElevationRequest) -> Result<Response, CallError> {
        let url = self.base.join(&["tenants", &self.tenant_id, "elevationRequests"]);
        let answer = self.write(Method::POST, url, &CreateBody::new(request)).await;
        Self::response(answer, |answer| {
            answer.read_created().map(|made| Some(Box::new(made.with_gaps_from_draft(request.draft()))))
        })
    }

    /// Closes a request: `PATCH /tenants/{tenantId}/elevationRequests/{id}` (close document). Success carries no proof.
    ///
    /// # Errors
    /// A [`CallError`] that says whether the request may be closed all the same.
    pub async fn close(&self, id: &RequestId, actions_taken: &str) -> Result<Response, CallError> {
        let url = self.base.join(&["tenants", &self.tenant_id, "elevationRequests", id.raw()]);
        let answer = self.write(Method::PATCH, url, &CloseBody { actions_taken }).await;
        Self::response(answer, |answer| answer.read_closed(id).map(|()| None))
    }

    /// Lists what shows whether an operation happened: the requests of its device. A create is looked for under each
    /// spelling of the device's name.
    async fn look_up_operation(&self, operation: &Operation) -> Result<Listed, CallError> {
        let names = match operation {
            Operation::Create(new) => spellings(new.get(Field::Device)),
            Operation::Close(CloseElevationRequest { device, .. }) => vec![device.raw().to_owned()],
        };
        let mut all = Listed { to_end: true, ..Listed::default() };
        let mut known = HashSet::new();
        for name in names {
            let listed = list_all(self, &Query::Device(name)).await?;
            all.skew = all.skew.max(listed.skew);
            all.entries = all.entries.max(listed.entries);
            // Two filters may yield the same entries.
            all.unreadable = all.unreadable.max(listed.unreadable);
            all.to_end &= listed.to_end;
            all.stopped = all.stopped.or(listed.stopped);
            all.requests.extend(listed.requests.into_iter().filter(|request| known.insert(request.id.clone())));
        }
        Ok(all)
    }

    fn response(
        answer: Result<HttpAnswer, CallError>,
        read: impl FnOnce(HttpAnswer) -> Result<Option<Box<ElevationRequest>>, CallError>,
    ) -> Result<Response, CallError> {
        answer
            .and_then(|answer| {
                let (ids, skew) = (answer.ids.clone(), answer.skew);
                read(answer).map(|request| Response { request, ids: failure::presentable_ids(ids), skew })
            })
            .map_err(failure::presentable)
    }

    async fn write(&self, method: Method, url: Url, body: &(impl Serialize + Sync)) -> Result<HttpAnswer, CallError> {
        match serde_json::to_vec(body) {
            Ok(body) => self.ask(method, url, Some(body), self.timeouts.write).await,
            Err(_) => Err(CallError::not_sent("the texts cannot be written as JSON")),
        }
    }

    /// Asks once, and once more with a new token where the first is not accepted: a 401 means that nothing was processed
    /// (inferred), so that this holds for a create too.
    async fn ask(
        &self,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
        time: Duration,
    ) -> Result<HttpAnswer, CallError> {
        let token = self.session.token().await?;
        let answer = self.ask_with(&token, method.clone(), url.clone(), body.clone(), time).await?;
        if !answer.is_unauthorized() {
            self.session.accepted(&token);
            return Ok(answer);
        }
        let token = match self.session.renew(&token).await {
            Ok(token) => token,
            // There is no other token to be had: the answer says it all.
            Err(error) if error.code == Some(ErrorCode::NotSignedIn) => return Ok(answer),
            Err(error) => return Err(CallError { ids: answer.ids, ..error }),
        };
        let answer = self.ask_with(&token, method, url, body, time).await?;
        if answer.is_unauthorized() {
            self.session.refused(&token);
        }
        Ok(answer)
    }

    async fn ask_with(
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
        let result = match self.request(token, method, url, body, &client_id) {
            Ok(request) => tokio::select! {
                response = request.timeout(time).send() => match response {
                    Ok(response) => HttpAnswer::read(response, &mut ids, self.now).await,
                    Err(error) => Err(error),
                }
                .map_err(|error| http::no_answer(&error, self.base.authority(), self.timeouts.connect)),
                () = http::flooded() => Err(NoAnswer::Broken(NEVER_BEGINS.to_owned())),
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

    fn request(
        &self,
        token: &Token,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
        client_id: &str,
    ) -> Result<reqwest::RequestBuilder, &'static str> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.secret().expose_secret()))
            .map_err(|_| "the token cannot be sent")?;
        // Libraries leave a sensitive value out of what they log and compress.
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

    /// Where the token comes from.
    #[must_use]
    pub const fn session(&self) -> &TokenSession {
        &self.session
    }
}

impl Backend for Client {
    fn abilities(&self) -> Abilities {
        Abilities { lists_tenant: true, searches_devices: true }
    }

    fn send<'a>(&'a self, operation: &'a Operation) -> Answer<'a, Response> {
        match operation {
            Operation::Create(request) => Box::pin(self.create(request)),
            Operation::Close(CloseElevationRequest { id, actions_taken, .. }) => {
                Box::pin(self.close(id, actions_taken))
            }
        }
    }

    fn look_up<'a>(&'a self, operation: &'a Operation) -> Answer<'a, Listed> {
        Box::pin(self.look_up_operation(operation))
    }

    fn list<'a>(&'a self, query: &'a Query, after: Option<Continuation>) -> Answer<'a, Page> {
        Box::pin(self.list_page(query, after))
    }

    fn search_devices<'a>(&'a self, text: &'a str) -> Answer<'a, Vec<Device>> {
        Box::pin(self.devices(text))
    }

    fn signed_in(&self) -> Answer<'_, ()> {
        Box::pin(async { self.session.token().await.map(drop) })
    }

    fn sign_in(&self) {
        self.session.sign_in();
    }

    fn sign_in_changes(&self) -> Option<watch::Receiver<SignIn>> {
        Some(self.session.changes())
    }
}

/// Returns a device's name as it was typed, and as the service may have taken it: a filter may be sensitive to case, and a
/// service may leave out the domain.
fn spellings(device: &str) -> Vec<String> {
    let trimmed = device.trim();
    let host = trimmed.split_once('.').map_or(trimmed, |(host, _)| host);
    let mut spellings = vec![device.to_owned()];
    for other in [trimmed.to_owned(), trimmed.to_uppercase(), host.to_owned()] {
        if !other.is_empty() && !spellings.contains(&other) {
            spellings.push(other);
        }
    }
    spellings
}

/// What an answer with this status and body comes to as the answer to a create, to a close and to a list, in this order:
/// the requests in it, or the error. For the fuzz targets, which have no network.
#[doc(hidden)]
pub fn read_as_each(status: u16, body: &[u8]) -> [Result<Vec<ElevationRequest>, CallError>; 3] {
    let answer = || HttpAnswer::new(status, body);
    let close = |answer: HttpAnswer| match RequestId::new("1") {
        Some(id) => answer.read_closed(&id),
        None => Ok(()),
    };
    [
        answer().read_created().map(|request| vec![request]),
        close(answer()).map(|()| Vec::new()),
        answer().read_list().map(|page| page.entries.requests),
    ]
    .map(|result| result.map_err(failure::presentable))
}
