//! The support API of Microsoft Managed Desktop: the backend that speaks it over HTTP.
//!
//! It sends each call once, except that a call whose token is not accepted is sent once more with a new token. It never follows
//! a redirect, and never waits longer than its [`Timeouts`].

mod answer;
mod client;
mod devices;
mod error_body;
mod error_text;
mod failure;
mod json;
mod list;
mod list_options;
mod probe;
mod text;
mod wire;

use std::collections::HashSet;

use tokio::sync::watch;

use self::answer::HttpAnswer;
use crate::backend::{Backend, BackendFuture, Capabilities, Continuation, Listed, Page, Response, list_all};
use mmd_elevate_core::{
    CallError, CloseElevationRequest, Device, ElevationRequest, Field, Operation, Query, RequestId, SignIn,
};

pub use client::{Client, Timeouts};
pub use probe::Probe;

impl Backend for Client {
    fn capabilities(&self) -> Capabilities {
        Capabilities { lists_tenant: true, searches_devices: true }
    }

    fn send<'a>(&'a self, operation: &'a Operation) -> BackendFuture<'a, Response> {
        match operation {
            Operation::Create(request) => Box::pin(self.create(request)),
            Operation::Close(CloseElevationRequest { id, actions_taken, .. }) => {
                Box::pin(self.close(id, actions_taken))
            }
        }
    }

    fn look_up<'a>(&'a self, operation: &'a Operation) -> BackendFuture<'a, Listed> {
        Box::pin(look_up(self, operation))
    }

    fn list<'a>(&'a self, query: &'a Query, after: Option<Continuation>) -> BackendFuture<'a, Page> {
        Box::pin(self.list_page(query, after))
    }

    fn search_devices<'a>(&'a self, text: &'a str) -> BackendFuture<'a, Vec<Device>> {
        Box::pin(self.devices(text))
    }

    fn signed_in(&self) -> BackendFuture<'_, ()> {
        Box::pin(async { self.session().token().await.map(drop) })
    }

    fn sign_in(&self) {
        self.session().sign_in();
    }

    fn sign_in_changes(&self) -> Option<watch::Receiver<SignIn>> {
        Some(self.session().changes())
    }
}

/// Lists the requests of the device of an operation. For a create, each spelling of the device's name is listed.
async fn look_up(client: &Client, operation: &Operation) -> Result<Listed, CallError> {
    let names = match operation {
        Operation::Create(new) => spellings(new.get(Field::Device)),
        Operation::Close(CloseElevationRequest { device, .. }) => vec![device.raw().to_owned()],
    };
    let mut all = Listed { to_end: true, ..Listed::default() };
    let mut known = HashSet::new();
    for name in names {
        let listed = list_all(client, &Query::Device(name)).await?;
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

/// Returns a device's name as typed, and as the service may have stored it (assumption: a filter may be sensitive to case, and a
/// service may remove the domain).
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

/// Reads an answer as that of a create, of a close and of a list, in this order: the requests in it, or the error. For the fuzz
/// targets, which have no network.
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
    .map(|result| result.map_err(failure::sanitize))
}
