//! What a service must be able to do: the one seam between the worker and the service of a tenant.
//!
//! Each call is done once. Repeating, recording and looking for what was lost are the worker's, so that no backend can
//! open a request twice.

use std::{any::Any, fmt, future::Future, pin::Pin, sync::Arc};

use jiff::SignedDuration;
use tokio::sync::watch;

use mmd_elevate_core::{
    CallError, Device, ElevationRequest, ErrorCode, Gaps, Operation, Problem, Query, RequestIds, SignIn,
};

/// What a call to a backend comes to.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, CallError>> + Send + 'a>>;

/// A service that holds elevation requests. It is object-safe, so that a session can be opened on any.
pub trait Backend: Send + Sync + 'static {
    /// Returns what the service can do beyond opening, closing and looking up one's own requests.
    fn abilities(&self) -> Abilities;

    /// Sends an operation, once. Where it succeeds, what the service does not tell of a created request is as it was sent.
    fn send<'a>(&'a self, operation: &'a Operation) -> Answer<'a, Response>;

    /// Lists the requests among which the effect of an operation can be seen.
    fn look_up<'a>(&'a self, operation: &'a Operation) -> Answer<'a, Listed>;

    /// Lists requests: the first page, or the page after an earlier one. A page can be asked for again after an error.
    fn list<'a>(&'a self, query: &'a Query, after: Option<Continuation>) -> Answer<'a, Page>;

    /// Searches devices by a part of their name, serial number or user.
    fn search_devices<'a>(&'a self, text: &'a str) -> Answer<'a, Vec<Device>>;

    /// Waits until there is a token. Nothing is sent to the service meanwhile, so that what is abandoned then has not
    /// been sent.
    fn signed_in(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Fetches a token now, whatever there is.
    fn sign_in(&self) {}

    /// Returns the state of signing in as it changes, where the service has a sign-in.
    fn sign_in_changes(&self) -> Option<watch::Receiver<SignIn>> {
        None
    }
}

/// What a service can do that not every service can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// It lists the open requests of the whole tenant.
    pub lists_tenant: bool,
    /// It searches devices.
    pub searches_devices: bool,
}

/// What an operation that succeeded has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The request, where the answer tells it. A create always does.
    pub request: Option<Box<ElevationRequest>>,
    /// What to quote to whoever runs the service.
    pub ids: RequestIds,
    /// By how much the service's clock is behind ours, where the answer tells it.
    pub skew: Option<SignedDuration>,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// The requests that no page before it had, in the service's order.
    pub requests: Vec<ElevationRequest>,
    /// Entries that no page before it had and that could not be read.
    pub unreadable: usize,
    /// By how much the service's clock is behind ours, where the answer tells it. What the call took counts as lag, so that
    /// it is never less than the truth.
    pub skew: Option<SignedDuration>,
    /// What follows.
    pub next: Next,
}

/// What follows a page.
#[derive(Debug)]
pub enum Next {
    /// Another page.
    Page(Continuation),
    /// Nothing: the list was seen to its end.
    End,
    /// There may be more, and it cannot be had.
    Unseen,
}

/// Where a list goes on. Only the backend that made it can read it.
#[derive(Clone)]
pub struct Continuation(Arc<dyn Any + Send + Sync>);

impl Continuation {
    /// Wraps what the backend needs to go on.
    #[must_use]
    pub fn new(place: impl Any + Send + Sync) -> Self {
        Self(Arc::new(place))
    }

    /// Returns what the backend wrapped.
    ///
    /// # Errors
    /// Where another backend wrapped it.
    pub fn place<T: Any + Clone>(&self) -> Result<T, CallError> {
        let foreign = || CallError::not_sent("the list is another service's");
        self.0.downcast_ref().cloned().ok_or_else(foreign)
    }
}

impl fmt::Debug for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Continuation")
    }
}

/// What was seen of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Open requests and closed ones, each once, in the service's order.
    pub requests: Vec<ElevationRequest>,
    /// By how much the service's clock is behind ours: the most that any page told.
    pub skew: Option<SignedDuration>,
    /// How many entries its pages had, each counted once.
    pub entries: usize,
    /// How many of them could not be read.
    pub unreadable: usize,
    /// Whether all pages were seen.
    pub to_end: bool,
    /// Why paging stopped before that, where a page failed.
    pub stopped: Option<CallError>,
}

impl Listed {
    /// Whether what is not in it was not listed by the service: all of the list was seen, and all of it could be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.to_end && self.unreadable == 0
    }

    /// Returns what was not seen of the list.
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

    /// Adds a page. Returns where the list goes on, where it does.
    pub fn add(&mut self, page: Page) -> Option<Continuation> {
        self.entries += page.requests.len() + page.unreadable;
        self.requests.extend(page.requests);
        self.unreadable += page.unreadable;
        self.skew = self.skew.max(page.skew);
        match page.next {
            Next::Page(continuation) => return Some(continuation),
            Next::End => self.to_end = true,
            Next::Unseen => {}
        }
        None
    }
}

/// Lists all pages of a query. A list of which a page fails after others have come ends there, and says so.
///
/// # Errors
/// A [`CallError`] where nothing was listed, or where the service asks to wait.
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
