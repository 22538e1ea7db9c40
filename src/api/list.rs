//! The list operation: the only way to see what the service holds.

use std::{
    collections::HashSet,
    fmt::Write as _,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use reqwest::{Method, Url};

use super::{
    Client,
    answer::{Answer, Page},
};
use crate::{
    domain::{ElevationRequest, RequestId},
    port::Fault,
};

/// How many entries a page is asked to hold. No size is documented; a page with fewer is the last.
const PAGE: usize = 100;

/// After so many pages or requests a list ends, come what may: a server may be without sense for `$skip`.
const MOST_PAGES: usize = 50;
const MOST_REQUESTS: usize = 5_000;

/// After so many bytes of bodies too. What they hold is kept until the last page has come.
const MOST_BYTES: usize = 16 << 20;

/// What the service lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Open requests and closed ones, each once, in the service's order.
    pub requests: Vec<ElevationRequest>,
    /// By how much the service's clock is behind ours, where the answer's `Date` header tells it. What the call took
    /// counts as lag, so that it is never less than the truth.
    pub skew: Option<SignedDuration>,
    /// Entries that could not be read.
    pub unreadable: usize,
    /// Whether paging went on until a page brought nothing new.
    pub to_end: bool,
}

impl Listed {
    /// Whether what is not in it was not listed by the service: all of the list was seen, and all of it could be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.to_end && self.unreadable == 0
    }
}

impl Client {
    /// Lists the requests of a device: `GET /tenants/{tenantId}/elevationRequests` with `$filter`, `$skip` and `$top`,
    /// page by page. A next link is not followed, for it may lead to another origin; it only tells that there is more.
    ///
    /// # Errors
    /// A [`Fault`].
    pub async fn list_by_device(&self, device: &str) -> Result<Listed, Fault> {
        let until = Instant::now() + self.timeouts.read;
        let mut pages = Pages::default();
        loop {
            let url = self.page(device, pages.skip);
            let answer = self.ask(Method::GET, url, None, left(until)).await;
            let page = answer.and_then(Answer::listed).map_err(|fault| self.presentable(fault))?;
            if pages.add(page) == Then::End {
                return Ok(pages.listed);
            }
        }
    }

    fn page(&self, device: &str, skip: usize) -> Url {
        let mut url = self.base.under(&["tenants", &self.tenant_id, "elevationRequests"]);
        let filter = encoded(&format!("deviceName eq '{}'", device.replace('\'', "''")));
        url.set_query(Some(&format!("$filter={filter}&$skip={skip}&$top={PAGE}")));
        url
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Everything but what no reader of a query can take for something else: a form's encoder would write blanks as `+`.
fn encoded(text: &str) -> String {
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

#[derive(PartialEq, Eq, Debug)]
enum Then {
    More,
    End,
}

/// The pages so far.
#[derive(Default)]
struct Pages {
    listed: Listed,
    seen: HashSet<RequestId>,
    skip: usize,
    asked: usize,
    bytes: usize,
}

impl Pages {
    fn add(&mut self, page: Page) -> Then {
        let Page { requests, entries, more, length, skew } = page;
        self.listed.unreadable += entries - requests.len();
        let known = self.listed.requests.len();
        let seen = &mut self.seen;
        self.listed.requests.extend(requests.into_iter().filter(|request| seen.insert(request.id.clone())));
        self.listed.skew = skew.max(self.listed.skew);
        self.skip += entries;
        self.asked += 1;
        self.bytes += length;
        let new = self.listed.requests.len() - known;
        // A page of nothing new comes from a server that does not count, and would come for ever.
        if new == 0 || (entries < PAGE && !more) {
            self.listed.to_end = true;
            return Then::End;
        }
        let enough =
            self.asked >= MOST_PAGES || self.listed.requests.len() >= MOST_REQUESTS || self.bytes >= MOST_BYTES;
        if enough {
            tracing::warn!(pages = self.asked, "the service's list does not end; it is cut here");
            return Then::End;
        }
        Then::More
    }
}
