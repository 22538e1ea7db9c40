//! Reads an answer of the service, and decides what it proves for its call.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Response,
    header::{CONTENT_TYPE, HeaderMap, HeaderName},
};
use serde_json::Value;

use super::{
    error_body::{self, ALREADY_CLOSED, NO_SUCH_DEVICE, NO_SUCH_REQUEST, Sentence, ServiceMessage, TOO_MANY_OPEN},
    error_text::{self, TextBody},
    json,
    text::{self, MediaType},
    wire,
};
use crate::{
    http::{date, retry_after},
    redact,
};
use mmd_elevate_core::{CallError, Device, ElevationRequest, RequestId, RequestIds, Untrusted};

/// The longest body that is read, in bytes after decompression (promises: never hangs).
const LONGEST_BODY: usize = 4 << 20;

/// How much memory the JSON values of an answer may need, in bytes. Many tiny values can need a hundred times the length of the
/// body; 4 MiB of elevation requests need 10 MiB.
const MAX_JSON_MEMORY: usize = 24 << 20;

/// The headers with the service's id of a call (inferred).
const SERVICE_IDS: [&str; 2] = ["x-ms-request-id", "request-id"];

/// A complete answer.
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    pub(super) ids: RequestIds,
    /// How far the service's clock is behind this machine's.
    pub(super) skew: Option<SignedDuration>,
    retry_after: Option<Duration>,
    body: Body,
    /// The length of the body that was read, in bytes.
    length: usize,
}

enum Body {
    Empty,
    Json(Value),
    Text(TextBody),
    TooLong,
    TooManyValues,
}

impl Body {
    fn parse(bytes: &[u8], media_type: &MediaType) -> Self {
        let bytes = &*text::to_utf8(bytes, media_type);
        if bytes.trim_ascii().is_empty() {
            Self::Empty
        } else if json::estimated_memory(bytes) > MAX_JSON_MEMORY {
            Self::TooManyValues
        } else if let Some(mut json) = json::read(bytes) {
            // Before anything reads it, because a service may repeat the token in any field.
            redact::redact_json(&mut json);
            Self::Json(json)
        } else {
            Self::Text(error_text::parse(&text::decode(bytes), media_type.name.starts_with("text/")))
        }
    }
}

/// The kind of a call, on which the meaning of a status depends.
#[derive(Clone, Copy)]
enum CallKind {
    Create,
    Close,
    List,
}

/// One page of a list.
pub(super) struct HttpPage {
    pub(super) entries: wire::Entries,
    /// The length of its body, in bytes.
    pub(super) length: usize,
    pub(super) skew: Option<SignedDuration>,
}

impl HttpAnswer {
    /// Reads the whole answer, up to [`LONGEST_BODY`]. The service's id is stored in `ids` even if reading the body fails.
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
        let media_type = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let media_type = media_type.map_or_else(MediaType::default, |value| MediaType::parse(&value));
        let mut bytes = Vec::new();
        let mut too_long = false;
        // A redirect is not followed, so its body is not read.
        if !(300..400).contains(&status) {
            while let Some(chunk) = response.chunk().await? {
                too_long = bytes.len() + chunk.len() > LONGEST_BODY;
                if too_long {
                    break;
                }
                bytes.extend_from_slice(&chunk);
            }
        }
        let body = if too_long { Body::TooLong } else { Body::parse(&bytes, &media_type) };
        Ok(Self { status, ids: ids.clone(), skew, retry_after, body, length: bytes.len() })
    }

    /// Makes an answer without a network.
    pub(super) fn new(status: u16, body: &[u8]) -> Self {
        Self {
            status,
            ids: RequestIds::default(),
            skew: None,
            retry_after: None,
            body: Body::parse(body, &MediaType::default()),
            length: body.len(),
        }
    }

    /// Returns whether the token is not accepted.
    pub(super) const fn is_unauthorized(&self) -> bool {
        self.status == 401
    }

    /// Reads the answer to a create: 201 and the entity (create document). 200 is accepted too (assumption).
    pub(super) fn read_created(self) -> Result<ElevationRequest, CallError> {
        let broken = match (self.status, &self.body) {
            (200 | 201, Body::Json(json)) => match wire::entity(json) {
                Ok(entity) => return Ok(entity),
                Err(reason) => Some(reason),
            },
            (200 | 201, Body::Empty) => Some("it is empty".to_owned()),
            _ => None,
        };
        Err(self.into_error(CallKind::Create, broken))
    }

    /// Reads the answer to the close of a request: 204 without a body (close document). A 200 is accepted too (assumption) if it
    /// is empty or holds the request as closed; any other body proves nothing.
    pub(super) fn read_closed(self, id: &RequestId) -> Result<(), CallError> {
        let broken = match (self.status, &self.body) {
            (204, _) | (200, Body::Empty) => return Ok(()),
            (200, Body::Json(json)) => match wire::entity(json) {
                Ok(entity) if entity.id != *id && !entity.id.raw().eq_ignore_ascii_case(id.raw()) => {
                    Some("it holds another request".to_owned())
                }
                Ok(entity) if entity.closed.is_some() => return Ok(()),
                Ok(_) => Some("it holds the request as open".to_owned()),
                Err(_) if self.message().is_some() => Some("it says success and holds an error".to_owned()),
                Err(_) => Some("it does not hold the request".to_owned()),
            },
            _ => None,
        };
        Err(self.into_error(CallKind::Close, broken))
    }

    /// Returns whether an option of the query may have caused the refusal of a list: services limit `$top`, or do not support
    /// it.
    pub(super) const fn refuses_an_option(&self) -> bool {
        matches!(self.status, 400 | 404..=406 | 409..=422 | 501)
    }

    /// Reads the answer to a list: 200 and `value`. A body that also holds an error is not a list.
    pub(super) fn read_list(self) -> Result<HttpPage, CallError> {
        let broken = match (self.status, &self.body) {
            (200, Body::Json(json)) => match wire::page(json) {
                Some(_) if error_body::is_beside(json) => Some("it says success and holds an error".to_owned()),
                Some(entries) => return Ok(HttpPage { entries, length: self.length, skew: self.skew }),
                None => Some("it has no list".to_owned()),
            },
            _ => None,
        };
        Err(self.into_error(CallKind::List, broken))
    }

    /// Reads the answer to a search of devices: 200 and `value`.
    pub(super) fn read_devices(self) -> Result<Vec<Device>, CallError> {
        let broken = match (self.status, &self.body) {
            (200, Body::Json(json)) => match wire::devices(json) {
                Some(_) if error_body::is_beside(json) => Some("it says success and holds an error".to_owned()),
                Some(devices) => return Ok(devices),
                None => Some("it has no list".to_owned()),
            },
            _ => None,
        };
        Err(self.into_error(CallKind::List, broken))
    }

    fn into_error(self, kind: CallKind, broken: Option<String>) -> CallError {
        let message = self.message();
        let service_message = match (&message, &self.body) {
            (Some(message), _) => Some(message.text()).filter(|text| !text.is_blank()),
            (None, Body::Text(TextBody::Page(Some(title)))) => {
                Some(Untrusted::new(format!("A web page answered, and not the service: {title}")))
            }
            (None, _) => None,
        };
        let error = match broken {
            Some(reason) => CallError::broken_answer(&reason),
            None => self.error(kind, message.as_ref(), service_message.clone()),
        };
        CallError { service_message, ids: self.ids, ..error }
    }

    /// Returns the message of the service, if the body has the shape of an error.
    fn message(&self) -> Option<ServiceMessage> {
        match &self.body {
            Body::Json(json) => error_body::parse(json),
            Body::Text(TextBody::ServiceMessage(message)) => Some(message.clone()),
            Body::Text(_) | Body::Empty | Body::TooLong | Body::TooManyValues => None,
        }
    }

    /// Returns the error of an answer that is no success.
    ///
    /// | status | to a create | to a close |
    /// |---|---|---|
    /// | 1xx, 2xx | unknown: not an answer to this call | the same |
    /// | 303 | unknown: a service may act and then redirect | the same |
    /// | other 3xx | not done | the same |
    /// | 401 | not done: the token | the same |
    /// | 408, 5xx | unknown | the same |
    /// | 429 | not done (assumption), and may be repeated | the same |
    /// | other 4xx with a documented sentence | not done: too many open, or no such device | closed already; or no such request, which a complete list has to confirm |
    /// | 403 | not done: the service's reason; or the role, if it gives no reason or names the role | the same: still open |
    /// | other 4xx | not done | the same: still open |
    ///
    /// Only the documented sentence is evidence: the 404 of a router, a gateway or a wrong base URL proves nothing.
    fn error(&self, kind: CallKind, message: Option<&ServiceMessage>, service_message: Option<Untrusted>) -> CallError {
        let says = |sentence: Sentence| message.is_some_and(|message| message.says(sentence));
        match (self.status, kind) {
            (401, _) => CallError::not_signed_in(),
            (429, _) => CallError::throttled(self.retry_after),
            // A list changes nothing, so a 503 is as harmless as a 429 (contract, inferred).
            (503, CallKind::List) if self.retry_after.is_some() => CallError::throttled(self.retry_after),
            (status @ (408 | 500..=599), _) => CallError::server_failed(status),
            (status @ 300..=399, _) => CallError::redirected(status),
            (400..=499, CallKind::Create) if says(TOO_MANY_OPEN) => CallError::too_many_open(),
            (400..=499, CallKind::Create) if says(NO_SUCH_DEVICE) => CallError::no_such_device(),
            (400..=499, CallKind::Close) if says(ALREADY_CLOSED) => CallError::already_closed(),
            (400..=499, CallKind::Close) if says(NO_SUCH_REQUEST) => CallError::no_such_request(),
            (403, _) => self.forbidden(kind, message, service_message),
            (404 | 405, CallKind::List) => CallError::not_accepted(self.status, service_message),
            (status @ 400..=499, _) => with_hint_for(kind, CallError::not_accepted(status, service_message)),
            (status, _) => CallError::broken_answer(&match self.body {
                Body::Text(_) => format!("it is not JSON (HTTP {status})"),
                Body::TooLong => format!("it is longer than 4 MiB (HTTP {status})"),
                Body::TooManyValues => format!("it holds too many values (HTTP {status})"),
                Body::Empty | Body::Json(_) => format!("HTTP {status} was not expected"),
            }),
        }
    }

    /// Returns the error of a 403. Without a reason, the token lacks the role (inferred); a web page comes from a server between.
    fn forbidden(
        &self,
        kind: CallKind,
        message: Option<&ServiceMessage>,
        service_message: Option<Untrusted>,
    ) -> CallError {
        match (message, &self.body) {
            (Some(message), _) if message.is_blank() || message.is_about_rights() => CallError::not_allowed(),
            (Some(_), _) => with_hint_for(kind, CallError::declined()),
            (None, Body::Empty) => CallError::not_allowed(),
            (None, _) => with_hint_for(kind, CallError::not_accepted(403, service_message)),
        }
    }
}

/// Adapts the hint of a refusal to the call: a list has no fields that the agent could change.
fn with_hint_for(kind: CallKind, error: CallError) -> CallError {
    match kind {
        CallKind::Create | CallKind::Close => error,
        CallKind::List => error.with_hint("the service refuses this list: quote its words to whoever runs it"),
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<Untrusted> {
    headers.get(name).map(|value| Untrusted::new(redact::redact(&String::from_utf8_lossy(value.as_bytes()))))
}
