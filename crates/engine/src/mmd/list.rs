//! The list operation: the only way to see what the service holds.
//!
//! A page has whatever size the service gives it, so a list goes on until a page brings nothing new.

use std::{
    collections::HashSet,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{Method, Url};

use super::{
    Client,
    answer::{HttpAnswer, HttpPage},
    failure,
};
use crate::backend::{Continuation, Next, Page};
use mmd_elevate_core::{CallError, Query, RequestId};

/// How many entries a page of a device's requests is asked to hold. No size is documented, and a service may have one of
/// its own.
const DEVICE_PAGE: usize = 100;

/// How many entries a page of the tenant's requests is asked to hold.
const TENANT_PAGE: usize = 1_000;

/// After so many entries a list of a device is cut (promises: never hangs), and after so many bytes of bodies.
const DEVICE_BOUNDS: (usize, usize) = (5_000, 16 << 20);

/// The same for a list of the tenant.
const TENANT_BOUNDS: (usize, usize) = (200_000, 512 << 20);

/// Which options of a list's query the service has been found to take. They are tried from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListOptions {
    /// The largest page that may be asked for; none: `$top` is left out.
    top: Option<usize>,
    /// Whether open requests are asked for by `$filter`, or sorted out here.
    filters_open: bool,
}

impl Default for ListOptions {
    fn default() -> Self {
        Self { top: Some(TENANT_PAGE), filters_open: true }
    }
}

impl ListOptions {
    fn for_query(self, query: &Query) -> Self {
        match query {
            Query::Device(_) => Self { top: self.top.map(|top| top.min(DEVICE_PAGE)), ..self },
            Query::Open => self,
        }
    }

    /// What to try after a refusal: smaller pages, no page size, then no filter.
    fn after_refusal(self, query: &Query) -> Option<Self> {
        match (self.top, query) {
            (Some(top), _) if top > DEVICE_PAGE => Some(Self { top: Some(DEVICE_PAGE), ..self }),
            (Some(_), _) => Some(Self { top: None, ..self }),
            (None, Query::Open) if self.filters_open => Some(Self { top: Some(TENANT_PAGE), filters_open: false }),
            (None, _) => None,
        }
    }
}

impl Client {
    /// Lists a page of a query: `GET /tenants/{tenantId}/elevationRequests` with `$filter`, `$skip` and `$top`, on with
    /// `$skip`, or with a next link where that stays at the same place of the configured origin. A link to anywhere else is
    /// not followed; it only tells that there is more. That open requests can be asked for is an assumption: where it is
    /// refused, all are listed and the closed ones left out.
    ///
    /// All pages of a device have the time of one read; each page of the tenant has.
    pub(super) async fn list_page(&self, query: &Query, after: Option<Continuation>) -> Result<Page, CallError> {
        let Place { pages, then, until } = match after {
            None => Place { pages: Arc::default(), then: Then::Skip(0), until: Instant::now() + self.timeouts.read },
            Some(continuation) => continuation.place()?,
        };
        let until = match query {
            Query::Device(_) => until,
            Query::Open => Instant::now() + self.timeouts.read,
        };
        let was_linked = matches!(then, Then::Follow(_));
        let answer = match then {
            Then::Skip(skip) => self.page_after(query, skip, until).await,
            Then::Follow(url) => self.page_at(url, until).await,
        };
        let read = answer.and_then(|(url, answer)| Ok((url, answer.read_list()?)));
        let (url, page) = read.map_err(failure::presentable_for_reading)?;
        let link = page.entries.next.as_deref().map_or(Link::None, |link| self.checked_link(link, &url));
        let (mut page, then) = pages.lock().unwrap_or_else(PoisonError::into_inner).add(query, page, link, was_linked);
        if let Some(then) = then {
            page.next = Next::Page(Continuation::new(Place { pages, then, until }));
        }
        if *query == Query::Open {
            page.requests.retain(|request| request.closed.is_none());
        }
        Ok(page)
    }

    /// Asks for a page by number. A service that refuses an option of the query is asked without it, from then on.
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
                *self.list_options.lock().unwrap_or_else(PoisonError::into_inner) = options;
            }
            return Ok((url, answer));
        }
    }

    async fn page_at(&self, url: Url, until: Instant) -> Result<(Url, HttpAnswer), CallError> {
        let answer = self.ask(Method::GET, url.clone(), None, time_left(until)).await?;
        Ok((url, answer))
    }

    fn list_url(&self) -> Url {
        self.base.join(&["tenants", &self.tenant_id, "elevationRequests"])
    }

    fn page_url(&self, query: &Query, skip: usize, options: ListOptions) -> Url {
        let filter = match query {
            Query::Device(device) => Some(format!("deviceName eq '{}'", device.replace('\'', "''"))),
            Query::Open if options.filters_open => Some("requestClosureTime eq null".to_owned()),
            Query::Open => None,
        };
        let filter = filter.map_or_else(String::new, |filter| format!("$filter={}&", percent_encode(&filter)));
        let top = options.top.map_or_else(String::new, |top| format!("&$top={top}"));
        let mut url = self.list_url();
        url.set_query(Some(&format!("{filter}$skip={skip}{top}")));
        url
    }

    /// The address that a next link means, unless that is anywhere but where lists are asked for: the token goes there.
    /// A relative link is read as one beside the page, and as one below the base URL.
    fn checked_link(&self, link: &str, page: &Url) -> Link {
        let list = self.list_url();
        let place = |url: &Url| {
            let path = url.path().trim_end_matches('/').to_ascii_lowercase();
            (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default(), path)
        };
        let is_there = |url: &Url| place(url) == place(&list) && url.username().is_empty() && url.password().is_none();
        let readings = [page.join(link), self.base.join(&[""]).join(link)].into_iter().filter_map(Result::ok);
        readings.into_iter().find(is_there).map_or(Link::Away, |mut url| {
            url.set_fragment(None);
            Link::Here(url)
        })
    }
}

fn time_left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Everything but what no reader of a query can take for something else: a form's encoder would write blanks as `+`.
pub(super) fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 3), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // A string takes everything.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Where a page says that the next one is.
enum Link {
    None,
    /// Where it may be followed.
    Here(Url),
    Away,
}

/// Where a list goes on.
#[derive(Clone)]
struct Place {
    pages: Arc<Mutex<Pages>>,
    then: Then,
    /// When the time of a list whose pages share it is over.
    until: Instant,
}

/// What follows a page.
#[derive(Clone)]
enum Then {
    /// The page after so many entries.
    Skip(usize),
    /// The page at this address.
    Follow(Url),
}

/// What the pages so far have brought.
#[derive(Default)]
struct Pages {
    seen: HashSet<RequestId>,
    unreadable: HashSet<u64>,
    links: HashSet<String>,
    entries: usize,
    /// What counts against the bound: a page without entries does too.
    weight: usize,
    bytes: usize,
}

impl Pages {
    /// Takes a page. `was_linked`: the page before has named this one. Returns where the list goes on, where it does.
    fn add(&mut self, query: &Query, page: HttpPage, link: Link, was_linked: bool) -> (Page, Option<Then>) {
        let HttpPage { entries, length, skew } = page;
        let (most_entries, most_bytes) = match query {
            Query::Device(_) => DEVICE_BOUNDS,
            Query::Open => TENANT_BOUNDS,
        };
        let count = entries.requests.len() + entries.unreadable.len();
        let requests: Vec<_> =
            entries.requests.into_iter().filter(|request| self.seen.insert(request.id.clone())).collect();
        let unreadable = entries.unreadable.iter().filter(|mark| !self.unreadable.contains(mark)).count();
        self.unreadable.extend(entries.unreadable);
        self.entries += count;
        self.weight += count.max(1);
        self.bytes += length;
        let names_another = !matches!(link, Link::None);
        let follow = match link {
            Link::Here(url) => Some(url).filter(|url| self.links.insert(url.to_string())),
            Link::None | Link::Away => None,
        };
        let nothing_new = requests.is_empty() && unreadable == 0;
        let page = |next| Page { requests, unreadable, skew, next };
        if was_linked && !names_another {
            // Who names each next page has message that this is the last, and may not count at all.
            return (page(Next::End), None);
        }
        if nothing_new && follow.is_none() {
            // A page that is as full as a page may be, and the same as before, comes from a service that does not know
            // `$skip`: there may be more behind it.
            let is_end = !names_another && count < DEVICE_PAGE;
            return (page(if is_end { Next::End } else { Next::Unseen }), None);
        }
        if self.weight >= most_entries || self.bytes >= most_bytes {
            tracing::warn!(entries = self.entries, "the service's list does not end; it is cut here");
            return (page(Next::Unseen), None);
        }
        (page(Next::Unseen), Some(follow.map_or(Then::Skip(self.entries), Then::Follow)))
    }
}
