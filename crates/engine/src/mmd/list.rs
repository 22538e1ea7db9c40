//! The list operation, the only way to read requests.
//!
//! The service decides the size of a page, so a list continues until a page has no new entries.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{Method, Url};

use super::{
    answer::{HttpAnswer, HttpPage},
    client::Client,
    failure,
    list_options::{DEVICE_PAGE, ListOptions},
    wire::percent_encode,
};
use crate::backend::{Continuation, Next, Page};
use mmd_elevate_core::{CallError, Query, RequestId};

/// The most entries, and the most bytes of bodies, that are read of a list of a device (promises: never hangs).
const DEVICE_BOUNDS: (usize, usize) = (5_000, 16 << 20);

/// The same for a list of the tenant.
const TENANT_BOUNDS: (usize, usize) = (200_000, 512 << 20);

impl Client {
    /// Lists a page of a query: `GET /tenants/{tenantId}/elevationRequests` with `$filter`, `$skip` and `$top`. The next page is
    /// requested with `$skip`, or with the next link if it has the same origin and path. Any other link is not followed, and
    /// only shows that the list continues. That open and closed requests can be selected is an assumption: if the filter is
    /// refused, all requests are listed and the others are left out.
    ///
    /// One read timeout applies to all pages of a device, and to each page of the tenant.
    pub(super) async fn list_page(&self, query: &Query, after: Option<Continuation>) -> Result<Page, CallError> {
        let Position { pages, next, until } = match after {
            None => Position {
                pages: Arc::default(),
                next: NextRequest::Skip(0),
                until: Instant::now() + self.timeouts.read,
            },
            Some(continuation) => continuation.position()?,
        };
        let until = match query {
            Query::Device(_) => until,
            Query::Open | Query::Closed => Instant::now() + self.timeouts.read,
        };
        let was_linked = matches!(next, NextRequest::Link(_));
        let answer = match next {
            NextRequest::Skip(skip) => self.page_after(query, skip, until).await,
            NextRequest::Link(url) => self.page_at(url, until).await,
        };
        let read = answer.and_then(|(url, answer)| Ok((url, answer.read_list()?)));
        let (url, page) = read.map_err(failure::sanitize_read)?;
        let link = page.entries.next.as_deref().map_or(Link::None, |link| self.check_link(link, &url));
        let (mut page, next) = pages.lock().unwrap_or_else(PoisonError::into_inner).add(query, page, link, was_linked);
        if let Some(next) = next {
            page.next = Next::Page(Continuation::new(Position { pages, next, until }));
        }
        // A service may ignore the filter.
        match query {
            Query::Device(_) => {}
            Query::Open => page.requests.retain(|request| request.closed.is_none()),
            Query::Closed => page.requests.retain(|request| request.closed.is_some()),
        }
        Ok(page)
    }

    /// Requests the page after `skip` entries. If the service refuses an option of the query, it is left out from then on.
    async fn page_after(&self, query: &Query, skip: usize, until: Instant) -> Result<(Url, HttpAnswer), CallError> {
        let known = *self.list_options.lock().unwrap_or_else(PoisonError::into_inner);
        let mut options = known.for_query(query);
        loop {
            let (url, answer) = self.page_at(self.page_url(query, skip, options), until).await?;
            if answer.refuses_an_option()
                && let Some(next) = options.after_refusal(query)
            {
                options = next;
                continue;
            }
            if answer.status == 200 && options != known.for_query(query) {
                tracing::info!(?options, "the service refuses an option of a list: it is left out");
                self.list_options.lock().unwrap_or_else(PoisonError::into_inner).learn(query, options);
            }
            return Ok((url, answer));
        }
    }

    async fn page_at(&self, url: Url, until: Instant) -> Result<(Url, HttpAnswer), CallError> {
        let answer = self.request(Method::GET, url.clone(), None, time_left(until)).await?;
        Ok((url, answer))
    }

    fn list_url(&self) -> Url {
        self.base.join(&["tenants", &self.tenant_id, "elevationRequests"])
    }

    fn page_url(&self, query: &Query, skip: usize, options: ListOptions) -> Url {
        let filter = match query {
            Query::Device(device) => Some(format!("deviceName eq '{}'", device.replace('\'', "''"))),
            Query::Open if options.filters_open => Some("requestClosureTime eq null".to_owned()),
            Query::Closed if options.filters_closed => Some("requestClosureTime ne null".to_owned()),
            Query::Open | Query::Closed => None,
        };
        let filter = filter.map_or_else(String::new, |filter| format!("$filter={}&", percent_encode(&filter)));
        let top = options.top.map_or_else(String::new, |top| format!("&$top={top}"));
        let mut url = self.list_url();
        url.set_query(Some(&format!("{filter}$skip={skip}{top}")));
        url
    }

    /// Returns the URL of a next link, if it is a URL of the list operation: the token is sent there. A relative link is resolved
    /// against the page, and against the base URL.
    fn check_link(&self, link: &str, page: &Url) -> Link {
        let list = self.list_url();
        let location = |url: &Url| {
            let path = url.path().trim_end_matches('/').to_ascii_lowercase();
            (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default(), path)
        };
        let is_list =
            |url: &Url| location(url) == location(&list) && url.username().is_empty() && url.password().is_none();
        let readings = [page.join(link), self.base.join(&[""]).join(link)].into_iter().filter_map(Result::ok);
        readings.into_iter().find(is_list).map_or(Link::Foreign, |mut url| {
            url.set_fragment(None);
            Link::Valid(url)
        })
    }
}

fn time_left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// The next link of a page.
enum Link {
    None,
    /// A link that may be followed.
    Valid(Url),
    Foreign,
}

/// The position of the next page.
#[derive(Clone)]
struct Position {
    pages: Arc<Mutex<Pages>>,
    next: NextRequest,
    /// The end of the time for a list whose pages share it.
    until: Instant,
}

/// How the next page is requested.
#[derive(Clone)]
enum NextRequest {
    /// After this many entries.
    Skip(usize),
    /// By this URL.
    Link(Url),
}

/// The entries of all pages so far, by which repeated ones are recognized.
#[derive(Default)]
struct Pages {
    seen: HashSet<RequestId>,
    unreadable: HashSet<u64>,
    links: HashSet<String>,
    entries: usize,
    /// The number of entries for the bound, in which a page without entries counts as one.
    weight: usize,
    bytes: usize,
}

impl Pages {
    /// Adds a page. `was_linked`: it was requested by the link of the page before. Returns its new entries, and how the next page
    /// is requested.
    fn add(&mut self, query: &Query, page: HttpPage, link: Link, was_linked: bool) -> (Page, Option<NextRequest>) {
        let HttpPage { entries, length, skew } = page;
        let (most_entries, most_bytes) = match query {
            Query::Device(_) => DEVICE_BOUNDS,
            Query::Open | Query::Closed => TENANT_BOUNDS,
        };
        let count = entries.requests.len() + entries.unreadable.len();
        let requests: Vec<_> =
            entries.requests.into_iter().filter(|request| self.seen.insert(request.id.clone())).collect();
        let unreadable = entries.unreadable.iter().filter(|hash| !self.unreadable.contains(hash)).count();
        self.unreadable.extend(entries.unreadable);
        self.entries += count;
        self.weight += count.max(1);
        self.bytes += length;
        let has_link = !matches!(link, Link::None);
        let follow = match link {
            Link::Valid(url) => Some(url).filter(|url| self.links.insert(url.to_string())),
            Link::None | Link::Foreign => None,
        };
        let nothing_new = requests.is_empty() && unreadable == 0;
        let page = |next| Page { requests, unreadable, skew, next };
        if was_linked && !has_link {
            // A service that links its pages ends the list by a page without a link, and may ignore `$skip`.
            return (page(Next::End), None);
        }
        if nothing_new && follow.is_none() {
            // A full page without new entries comes from a service that ignores `$skip`: the list may continue.
            let is_end = !has_link && count < DEVICE_PAGE;
            return (page(if is_end { Next::End } else { Next::Unreadable }), None);
        }
        if self.weight >= most_entries || self.bytes >= most_bytes {
            tracing::warn!(entries = self.entries, "the service's list does not end; it is cut here");
            return (page(Next::Unreadable), None);
        }
        (page(Next::Unreadable), Some(follow.map_or(NextRequest::Skip(self.entries), NextRequest::Link)))
    }
}
