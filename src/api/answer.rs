//! What an answer of the service means for the call it is for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Response,
    header::{HeaderMap, HeaderName},
};
use serde_json::Value;

use super::wire;
use crate::{
    domain::{ElevationRequest, Untrusted},
    http::{date, retry_after},
    port::{Fault, FaultKind, RequestIds},
};

/// The longest body that is read, in bytes after decompression (promises: never hangs).
const LONGEST_BODY: usize = 4 << 20;

/// How much memory, in bytes, the values of an answer may take. A body of 4 MiB can hold enough tiny ones to take a
/// hundred times its length; one that is full of elevation requests needs 10 MiB.
const LARGEST_TREE: usize = 24 << 20;

/// Under which names a service of this kind tells its own id of a call (inferred).
const SERVICE_IDS: [&str; 2] = ["x-ms-request-id", "request-id"];

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) ids: RequestIds,
    /// By how much the service's clock is behind ours.
    pub(super) skew: Option<SignedDuration>,
    retry_after: Option<Duration>,
    body: Body,
    /// How much of the body was read, in bytes.
    length: usize,
}

enum Body {
    Empty,
    Json(Value),
    NotJson,
    TooLong,
    TooMany,
}

impl Body {
    fn of(bytes: &[u8]) -> Self {
        if bytes.trim_ascii().is_empty() {
            Self::Empty
        } else if wire::memory_of(bytes) > LARGEST_TREE {
            Self::TooMany
        } else {
            wire::json(bytes).map_or(Self::NotJson, Self::Json)
        }
    }
}

/// What was asked for, where the same status means different things.
#[derive(Clone, Copy)]
enum Asked {
    Create,
    Close,
    List,
}

/// One page of a list.
pub(super) struct Page {
    /// What of it can be used.
    pub(super) requests: Vec<ElevationRequest>,
    /// How many entries it had, those without a usable id too.
    pub(super) entries: usize,
    /// The service says that another follows. Where that one is, it may not say: it could be anybody's address.
    pub(super) more: bool,
    /// How long its body was, in bytes.
    pub(super) length: usize,
    pub(super) skew: Option<SignedDuration>,
}

impl Answer {
    /// Reads the whole answer, up to [`LONGEST_BODY`]. `ids` learns the service's id even where the rest fails.
    pub(super) async fn read(
        mut response: Response,
        ids: &mut RequestIds,
        now: fn() -> Timestamp,
    ) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let headers = response.headers();
        ids.service = SERVICE_IDS.iter().find_map(|name| header(headers, &HeaderName::from_static(name)));
        let retry_after = retry_after(headers, now);
        let skew = date(headers).map(|date| now().duration_since(date));
        let mut bytes = Vec::new();
        let mut too_long = false;
        // A redirect is not followed, so nobody waits for what it says beside.
        if !(300..400).contains(&status) {
            while let Some(chunk) = response.chunk().await? {
                too_long = bytes.len() + chunk.len() > LONGEST_BODY;
                if too_long {
                    break;
                }
                bytes.extend_from_slice(&chunk);
            }
        }
        let body = if too_long { Body::TooLong } else { Body::of(&bytes) };
        Ok(Self { status, ids: ids.clone(), skew, retry_after, body, length: bytes.len() })
    }

    /// An answer that did not come over a network.
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        Self {
            status,
            ids: RequestIds::default(),
            skew: None,
            retry_after: None,
            body: Body::of(body),
            length: body.len(),
        }
    }

    /// Whether the token is not accepted.
    pub(super) const fn is_unauthorized(&self) -> bool {
        self.status == 401
    }

    /// As the answer to a create: 201 and the entity (create document). 200 is taken too (assumption).
    pub(super) fn created(self) -> Result<ElevationRequest, Fault> {
        let broken = match (self.status, &self.body) {
            (200 | 201, Body::Json(json)) => match wire::entity(json) {
                Ok(entity) => return Ok(entity),
                Err(reason) => Some(reason),
            },
            (200 | 201, Body::Empty) => Some("it is empty".to_owned()),
            _ => None,
        };
        Err(self.fault(Asked::Create, broken))
    }

    /// As the answer to a close: 204 without a body (close document). 200 is taken too (assumption), unless what comes
    /// with it is an error or the page of something that is not the service.
    pub(super) fn closed(self) -> Result<(), Fault> {
        let broken = match (self.status, &self.body) {
            (204, _) | (200, Body::Empty) => return Ok(()),
            (200, Body::Json(json)) if wire::error_words(json).is_none() => return Ok(()),
            (200, Body::Json(_)) => Some("it says success and holds an error".to_owned()),
            _ => None,
        };
        Err(self.fault(Asked::Close, broken))
    }

    /// As the answer to a list: 200 and `value`.
    pub(super) fn listed(self) -> Result<Page, Fault> {
        let broken = match (self.status, &self.body) {
            (200, Body::Json(json)) => match wire::page(json) {
                Some((requests, entries)) => {
                    let more = json.get("@odata.nextLink").is_some_and(|link| !link.is_null());
                    return Ok(Page { requests, entries, more, length: self.length, skew: self.skew });
                }
                None => Some("it has no list".to_owned()),
            },
            _ => None,
        };
        Err(self.fault(Asked::List, broken))
    }

    fn fault(self, asked: Asked, broken: Option<String>) -> Fault {
        let words = match &self.body {
            Body::Json(json) => wire::error_words(json).filter(|words| !words.is_blank()),
            _ => None,
        };
        let kind = match broken {
            Some(reason) => FaultKind::BrokenAnswer { reason },
            None => self.kind(asked, words.as_ref()),
        };
        Fault { kind, words, ids: self.ids }
    }

    /// The contract's table of errors. Only the service's own words make a 403 a refusal or a 404 the end of a request:
    /// a gateway's error, or that of a wrong base URL, must settle nothing.
    fn kind(&self, asked: Asked, words: Option<&Untrusted>) -> FaultKind {
        let says = |part: &str| words.is_some_and(|words| words.raw().to_lowercase().contains(part));
        match (self.status, asked) {
            (400, Asked::Close) if says("already closed") => FaultKind::AlreadyClosed,
            (401, _) => FaultKind::NotSignedIn,
            (403, _) if words.is_some() => FaultKind::Declined,
            (403, _) if self.has_nothing_to_say() => FaultKind::NotAllowed,
            (404, Asked::Create) if words.is_some() => FaultKind::NoSuchDevice,
            (404, Asked::Close) if words.is_some() => FaultKind::NoSuchRequest,
            // Nothing was asked for that could have happened, so this is what it says (contract, inferred).
            (503, Asked::List) if self.retry_after.is_some() => FaultKind::Throttled { retry_after: self.retry_after },
            (429, _) => FaultKind::Throttled { retry_after: self.retry_after },
            (status @ (408 | 500..=599), _) => FaultKind::ServerFailed { status },
            (status @ 300..=399, _) => FaultKind::Redirected { status },
            (status @ 400..=499, _) => FaultKind::NotAccepted { status },
            (status, _) => FaultKind::BrokenAnswer {
                reason: match self.body {
                    Body::NotJson => format!("it is not JSON (HTTP {status})"),
                    Body::TooLong => format!("it is longer than 4 MiB (HTTP {status})"),
                    Body::TooMany => format!("it holds too many values (HTTP {status})"),
                    Body::Empty | Body::Json(_) => format!("HTTP {status} was not expected"),
                },
            },
        }
    }

    fn has_nothing_to_say(&self) -> bool {
        match &self.body {
            Body::Empty => true,
            Body::Json(json) => wire::error_words(json).is_some_and(|words| words.is_blank()),
            Body::NotJson | Body::TooLong | Body::TooMany => false,
        }
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<Untrusted> {
    headers.get(name).map(|value| Untrusted::new(String::from_utf8_lossy(value.as_bytes())))
}
