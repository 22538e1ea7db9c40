//! The interface between the worker and the service of a tenant.
//!
//! A backend sends each call once. The worker repeats, records and looks up, so that no backend can open a request twice.

use std::{any::Any, fmt, future::Future, pin::Pin, sync::Arc};

use jiff::SignedDuration;
use tokio::sync::watch;

use mmd_elevate_core::{
    CallError, Device, ElevationRequest, ErrorCode, Gaps, Operation, Problem, Query, RequestIds, SignIn,
};

/// The future of a call to a backend.
pub type BackendFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, CallError>> + Send + 'a>>;

/// A service that holds elevation requests. The trait is object-safe, so that a session can use any backend.
pub trait Backend: Send + Sync + 'static {
    /// Returns what the service can do beyond opening, closing and looking up the agent's own requests.
    fn capabilities(&self) -> Capabilities;

    /// Sends an operation once. Fields of a created request that the service does not return are as they were sent.
    fn send<'a>(&'a self, operation: &'a Operation) -> BackendFuture<'a, Response>;

    /// Lists the requests among which the effect of an operation can be seen.
    fn look_up<'a>(&'a self, operation: &'a Operation) -> BackendFuture<'a, Listed>;

    /// Lists requests: the first page, or the page after an earlier one. A page can be requested again after an error.
    fn list<'a>(&'a self, query: &'a Query, after: Option<Continuation>) -> BackendFuture<'a, Page>;

    /// Searches devices by a part of their name, serial number or user.
    fn search_devices<'a>(&'a self, text: &'a str) -> BackendFuture<'a, Vec<Device>>;

    /// Waits until there is a token. Nothing is sent to the service, so that a call abandoned meanwhile has not been sent.
    fn signed_in(&self) -> BackendFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Fetches a token now, even if there is one.
    fn sign_in(&self) {}

    /// Returns the state of signing in as it changes, if the service has a sign-in.
    fn sign_in_changes(&self) -> Option<watch::Receiver<SignIn>> {
        None
    }
}

/// What a service can do beyond the operations that every service has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It lists the requests of the whole tenant: the open ones, and the closed ones.
    pub lists_tenant: bool,
    /// It searches devices.
    pub searches_devices: bool,
}

/// The response to an operation that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The request, if the answer holds it. The answer to a create always does.
    pub request: Option<Box<ElevationRequest>>,
    /// The ids to quote to the operator of the service.
    pub ids: RequestIds,
    /// How far the service's clock is behind this machine's, if the answer has a date.
    pub skew: Option<SignedDuration>,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// The requests that no earlier page had, in the service's order.
    pub requests: Vec<ElevationRequest>,
    /// How many entries that no earlier page had could not be read.
    pub unreadable: usize,
    /// How far the service's clock is behind this machine's, if the answer has a date. It includes the duration of the call, so
    /// that it is never too small.
    pub skew: Option<SignedDuration>,
    /// How the list continues.
    pub next: Next,
}

/// How a list continues after a page.
#[derive(Debug)]
pub enum Next {
    /// Another page follows.
    Page(Continuation),
    /// The list was read to its end.
    End,
    /// More entries may follow, which cannot be read.
    Unreadable,
}

/// The position of the next page. Only the backend that made it can use it.
#[derive(Clone)]
pub struct Continuation(Arc<dyn Any + Send + Sync>);

impl Continuation {
    /// Wraps a position of the backend.
    #[must_use]
    pub fn new(position: impl Any + Send + Sync) -> Self {
        Self(Arc::new(position))
    }

    /// Returns the position of the backend.
    ///
    /// # Errors
    /// The position was made by another backend.
    pub fn position<T: Any + Clone>(&self) -> Result<T, CallError> {
        let foreign = || CallError::not_sent("the list is another service's");
        self.0.downcast_ref().cloned().ok_or_else(foreign)
    }
}

impl fmt::Debug for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Continuation")
    }
}

/// The requests of a list, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Open and closed requests, each once, in the service's order.
    pub requests: Vec<ElevationRequest>,
    /// How far the service's clock is behind this machine's: the maximum of all pages.
    pub skew: Option<SignedDuration>,
    /// How many entries the pages had, each counted once.
    pub entries: usize,
    /// How many entries could not be read.
    pub unreadable: usize,
    /// Whether all pages were read.
    pub to_end: bool,
    /// The error of the page at which reading stopped.
    pub stopped: Option<CallError>,
}

impl Listed {
    /// Returns whether all pages and all entries were read, so that a missing request was not listed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.to_end && self.unreadable == 0
    }

    /// Returns what could not be read of the list.
    #[must_use]
    pub fn gaps(&self) -> Gaps {
        let cut = match &self.stopped {
            _ if self.to_end => None,
            Some(error) => {
                let what = format!("the list was not seen to its end: {}", error.what());
                Some(Problem::new(what, error.hint()))
            }
            None => {
                let what = format!("the list was not seen to its end: {} entries were read", self.entries);
                Some(Problem::new(what, "look at the rest with another tool: this program reads no more of one list"))
            }
        };
        Gaps { unreadable: self.unreadable, cut }
    }

    /// Adds a page. Returns the position of the next one.
    pub fn add(&mut self, page: Page) -> Option<Continuation> {
        self.entries += page.requests.len() + page.unreadable;
        self.requests.extend(page.requests);
        self.unreadable += page.unreadable;
        self.skew = self.skew.max(page.skew);
        match page.next {
            Next::Page(continuation) => return Some(continuation),
            Next::End => self.to_end = true,
            Next::Unreadable => {}
        }
        None
    }
}

/// Lists all pages of a query. If a later page fails, the list ends there, with the error in [`Listed::stopped`].
///
/// # Errors
/// The first page fails, or the service asks to wait.
pub async fn list_all(backend: &dyn Backend, query: &Query) -> Result<Listed, CallError> {
    let mut listed = Listed::default();
    let mut after = None;
    loop {
        match backend.list(query, after).await {
            Ok(page) => match listed.add(page) {
                Some(continuation) => after = Some(continuation),
                None => return Ok(listed),
            },
            Err(error) => {
                if listed.entries == 0 || error.code == Some(ErrorCode::Throttled) {
                    return Err(error);
                }
                tracing::warn!(requests = listed.requests.len(), "a page of the service's list failed");
                listed.stopped = Some(error);
                return Ok(listed);
            }
        }
    }
}
