//! The list operation: the only way to see what the service holds, and what a list proves.
//!
//! A page has whatever size the service gives it, so a list goes on until a page brings nothing new. What was not seen of
//! it is said in [`Listed`]: only of a complete list can anything be called absent.

use std::{
    collections::HashSet,
    fmt::Write as _,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use reqwest::{Method, Url};

use super::{
    Client,
    answer::{HttpAnswer, Page},
    failure,
};
use mmd_elevate_core::{CallError, CallErrorKind, ElevationRequest, Gaps, RequestId};

/// How many entries a page is asked to hold. No size is documented, and a service may have one of its own.
const PAGE: usize = 100;

/// After so many entries a list is cut (promises: never hangs).
const MOST_ENTRIES: usize = 5_000;

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
    /// Why paging stopped before that, where a page failed.
    pub stopped: Option<CallError>,
}

impl Listed {
    /// Whether what is not in it was not listed by the service: all of the list was seen, and all of it could be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.to_end && self.unreadable == 0
    }

    /// What was not seen of the list.
    #[must_use]
    pub fn gaps(&self) -> Gaps {
        let cut = match &self.stopped {
            _ if self.to_end => None,
            Some(fault) => {
                let what = format!("the list was not seen to its end: {}", fault.what());
                Some((what, Some(fault.hint_to_read().to_owned())))
            }
            None => {
                let read = self.requests.len() + self.unreadable;
                Some((format!("the list was not seen to its end: {read} entries were read"), None))
            }
        };
        Gaps { unreadable: self.unreadable, cut }
    }
}

impl Client {
    /// Lists the requests of a device: `GET /tenants/{tenantId}/elevationRequests` with `$filter`, `$skip` and `$top`,
    /// page by page: on with `$skip`, or with a next link where that stays at the same place of the configured origin. A
    /// link to anywhere else is not followed; it only tells that there is more.
    ///
    /// A list of which a page fails after others have come ends there, and says so.
    ///
    /// # Errors
    /// A [`CallError`] where nothing was listed, or where the service asks to wait.
    pub async fn list_by_device(&self, device: &str) -> Result<Listed, CallError> {
        let until = Instant::now() + self.timeouts.read;
        let mut pages = Pages::default();
        let mut then = Then::Skip(0);
        loop {
            let was_linked = matches!(then, Then::Follow(_));
            let answer = match then {
                Then::Skip(skip) => self.skipped_to(device, skip, until).await,
                Then::Follow(url) => self.page_at(url, until).await,
                Then::End => return Ok(pages.listed),
            };
            let read = answer.and_then(|(url, answer)| Ok((url, answer.listed()?)));
            then = match read.map_err(failure::presentable) {
                Ok((url, page)) => {
                    let link = page.entries.next.as_deref().map_or(Link::None, |link| self.followed(link, &url));
                    pages.add(page, link, was_linked)
                }
                Err(fault) if pages.entries == 0 || matches!(fault.kind, CallErrorKind::Throttled { .. }) => {
                    return Err(fault);
                }
                Err(fault) => {
                    tracing::warn!(entries = pages.entries, "a page of the service's list failed");
                    pages.listed.stopped = Some(fault);
                    Then::End
                }
            };
        }
    }

    /// Asks for a page by number. A service that refuses the page's size is asked without one, from then on.
    async fn skipped_to(&self, device: &str, skip: usize, until: Instant) -> Result<(Url, HttpAnswer), CallError> {
        let with_top = !self.without_top.load(Ordering::Relaxed);
        let (url, answer) = self.page_at(self.page(device, skip, with_top), until).await?;
        if !with_top || !answer.refuses_an_option() {
            return Ok((url, answer));
        }
        let (url, answer) = self.page_at(self.page(device, skip, false), until).await?;
        if answer.status == 200 {
            tracing::info!("the service refuses $top: it is left out");
            self.without_top.store(true, Ordering::Relaxed);
        }
        Ok((url, answer))
    }

    async fn page_at(&self, url: Url, until: Instant) -> Result<(Url, HttpAnswer), CallError> {
        let answer = self.ask(Method::GET, url.clone(), None, left(until)).await?;
        Ok((url, answer))
    }

    fn list_url(&self) -> Url {
        self.base.under(&["tenants", &self.tenant_id, "elevationRequests"])
    }

    fn page(&self, device: &str, skip: usize, with_top: bool) -> Url {
        let mut url = self.list_url();
        let filter = encoded(&format!("deviceName eq '{}'", device.replace('\'', "''")));
        let top = if with_top { format!("&$top={PAGE}") } else { String::new() };
        url.set_query(Some(&format!("$filter={filter}&$skip={skip}{top}")));
        url
    }

    /// The address that a next link means, unless that is anywhere but where lists are asked for: the token goes there.
    /// A relative link is read as one beside the page, and as one below the base URL.
    fn followed(&self, link: &str, page: &Url) -> Link {
        let list = self.list_url();
        let place = |url: &Url| {
            let path = url.path().trim_end_matches('/').to_ascii_lowercase();
            (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default(), path)
        };
        let is_there = |url: &Url| place(url) == place(&list) && url.username().is_empty() && url.password().is_none();
        let readings = [page.join(link), self.base.under(&[""]).join(link)].into_iter().filter_map(Result::ok);
        readings.into_iter().find(is_there).map_or(Link::Away, |mut url| {
            url.set_fragment(None);
            Link::Here(url)
        })
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

/// Where a page says that the next one is.
enum Link {
    None,
    /// Where it may be followed.
    Here(Url),
    Away,
}

/// What follows a page.
enum Then {
    /// The page after so many entries.
    Skip(usize),
    /// The page at this address.
    Follow(Url),
    End,
}

/// The pages so far.
#[derive(Default)]
struct Pages {
    listed: Listed,
    seen: HashSet<RequestId>,
    unreadable: HashSet<u64>,
    links: HashSet<String>,
    entries: usize,
    /// What counts against the bound: a page without entries does too.
    weight: usize,
    bytes: usize,
}

impl Pages {
    /// Takes a page. `was_linked`: the page before has named this one.
    fn add(&mut self, page: Page, link: Link, was_linked: bool) -> Then {
        let Page { entries, length, skew } = page;
        let count = entries.requests.len() + entries.unreadable.len();
        let known = self.listed.requests.len() + self.listed.unreadable;
        let seen = &mut self.seen;
        self.listed.requests.extend(entries.requests.into_iter().filter(|request| seen.insert(request.id.clone())));
        self.listed.unreadable += entries.unreadable.iter().filter(|mark| !self.unreadable.contains(mark)).count();
        self.unreadable.extend(entries.unreadable);
        self.listed.skew = skew.max(self.listed.skew);
        self.entries += count;
        self.weight += count.max(1);
        self.bytes += length;
        let names_another = !matches!(link, Link::None);
        let follow = match link {
            Link::Here(url) => Some(url).filter(|url| self.links.insert(url.to_string())),
            Link::None | Link::Away => None,
        };
        let nothing_new = self.listed.requests.len() + self.listed.unreadable == known;
        if was_linked && !names_another {
            // Who names each next page has said that this is the last, and may not count at all.
            self.listed.to_end = true;
            return Then::End;
        }
        if nothing_new && follow.is_none() {
            // A page that is as full as it was asked to be, and the same as before, comes from a service that does not
            // know `$skip`: there may be more behind it.
            self.listed.to_end = !names_another && count < PAGE;
            return Then::End;
        }
        if self.weight >= MOST_ENTRIES || self.bytes >= MOST_BYTES {
            tracing::warn!(entries = self.entries, "the service's list does not end; it is cut here");
            return Then::End;
        }
        follow.map_or(Then::Skip(self.entries), Then::Follow)
    }
}
