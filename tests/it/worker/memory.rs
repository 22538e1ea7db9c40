//! A second backend, in memory and with other verbs, so that the seam is not shaped by the first: a close queues a rotation
//! that the second look-up after it shows, lists come in pages of two, and neither is the tenant listed nor are devices
//! searched.
//!
//! The tests of creates, closes, looking, matches, twins, throttled and abandon run on both backends, but for those that
//! are about bytes on a wire.

use std::{
    str,
    sync::{Arc, Mutex},
    time::Duration,
};

use mmd_elevate_core::{
    Call, CallError, CloseElevationRequest, Device, ElevationRequest, NewElevationRequest, Operation, Progress, Query,
    RequestId, RequestIds, ServiceTime, Untrusted,
};
use mmd_elevate_engine::{
    backend::{Backend, BackendFuture, Capabilities, Continuation, Listed, Next, Page, Response, list_all},
    mmd::Timeouts,
};
use serde_json::Value;

use super::{
    PATIENT, client_at,
    held::{self, CLOSED, Held, NO_REQUEST, Then, body_of, entity_of, says},
    scene::{Scene, close_of, summary},
};
use crate::support::{
    gist,
    server::{Play, Server, http},
    within,
};

/// On which backend a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Wire,
    Memory,
}

const PAGE: usize = 2;

pub(super) struct Memory {
    held: Arc<Mutex<Held>>,
    timeouts: Timeouts,
    rotations: Mutex<Vec<Rotation>>,
}

/// A close that was taken and is not carried out yet.
struct Rotation {
    id: String,
    text: String,
}

/// What is left of a list, as it was when its first page was asked for.
#[derive(Clone)]
struct Rest(Arc<[Value]>, usize);

impl Memory {
    pub(super) fn new(held: Arc<Mutex<Held>>, timeouts: Timeouts) -> Self {
        Self { held, timeouts, rotations: Mutex::default() }
    }

    async fn create(&self, new: &NewElevationRequest) -> Result<Response, CallError> {
        let (entity, then) = {
            let mut held = self.held.lock().unwrap();
            if held.is_slammed() {
                return Err(CallError::connection_broken());
            }
            let act = held.next_act();
            (held.create(&act, &body_of(new)), act.then)
        };
        let entity = self.plays(then).await?.map_or(Ok(entity), |body| {
            serde_json::from_slice(&body).map_err(|_| CallError::broken_answer("it is no request"))
        })?;
        let request = request(&entity).ok_or_else(|| CallError::broken_answer("it has no id"))?;
        Ok(response(Some(request.with_gaps_from_draft(new.draft()))))
    }

    async fn close(&self, closing: &CloseElevationRequest) -> Result<Response, CallError> {
        let (closed, then) = {
            let mut held = self.held.lock().unwrap();
            if held.is_slammed() {
                return Err(CallError::connection_broken());
            }
            let act = held.next_act();
            let id = closing.id.raw();
            (held.close(&act, id, &closing.actions_taken, |_, text| self.queue(id, text)), act.then)
        };
        if self.plays(then).await?.is_none() {
            closed.map_err(refusal)?;
        }
        Ok(response(None))
    }

    /// The first text counts: what is queued already is not queued again.
    fn queue(&self, id: &str, text: &str) {
        let mut rotations = self.rotations.lock().unwrap();
        if !rotations.iter().any(|queued| queued.id == id) {
            rotations.push(Rotation { id: id.to_owned(), text: text.to_owned() });
        }
    }

    /// Plays what follows a write. Returns the body of an answer that says success, and nothing for the answer of its own.
    async fn plays(&self, then: Then) -> Result<Option<Vec<u8>>, CallError> {
        match then {
            Then::AnswerWell => Ok(None),
            Then::CutTheAnswer | Then::Slam => Err(CallError::connection_broken()),
            Then::Play(play) => play_out(play, self.timeouts.write).await.map(Some),
        }
    }

    async fn page(&self, query: &Query, after: Option<Continuation>) -> Result<Page, CallError> {
        if matches!(query, Query::Open | Query::Closed) {
            return Err(CallError::not_sent("there is no list of the tenant"));
        }
        let Rest(entries, from) = match after {
            Some(continuation) => continuation.position()?,
            None => Rest(self.see().await?.into(), 0),
        };
        let to = (from + PAGE).min(entries.len());
        let requests: Vec<_> = entries[from..to].iter().filter_map(request).collect();
        let unreadable = to - from - requests.len();
        let next = if to < entries.len() { Next::Page(Continuation::new(Rest(entries, to))) } else { Next::End };
        Ok(Page { requests, unreadable, skew: None, next })
    }

    /// What is held now, or what is played instead. The rotations that are queued are carried out after that.
    fn look(&self) -> Result<Vec<Value>, Play> {
        let mut held = self.held.lock().unwrap();
        let entries = held.look()?;
        for Rotation { id, text } in self.rotations.lock().unwrap().drain(..) {
            let entity = held.requests.iter_mut().find(|entity| entity["id"] == id.as_str());
            if let Some(entity) = entity.filter(|entity| entity["requestClosureTime"].is_null()) {
                held::close(entity, &text);
            }
        }
        Ok(entries)
    }

    async fn see(&self) -> Result<Vec<Value>, CallError> {
        let play = match self.look() {
            Ok(entries) => return Ok(entries),
            Err(play) => play,
        };
        let body = play_out(play, self.timeouts.read).await?;
        let page: Value =
            serde_json::from_slice(&body).map_err(|_| CallError::broken_answer("HTTP 200 was not expected"))?;
        Ok(page["value"].as_array().unwrap().clone())
    }
}

impl Backend for Memory {
    fn capabilities(&self) -> Capabilities {
        Capabilities { lists_tenant: false, searches_devices: false }
    }

    fn send<'a>(&'a self, operation: &'a Operation) -> BackendFuture<'a, Response> {
        match operation {
            Operation::Create(new) => Box::pin(self.create(new)),
            Operation::Close(closing) => Box::pin(self.close(closing)),
        }
    }

    /// There is one list, whatever the operation is about.
    fn look_up<'a>(&'a self, _: &'a Operation) -> BackendFuture<'a, Listed> {
        Box::pin(async { list_all(self, &Query::Device(String::new())).await })
    }

    fn list<'a>(&'a self, query: &'a Query, after: Option<Continuation>) -> BackendFuture<'a, Page> {
        Box::pin(self.page(query, after))
    }

    fn search_devices<'a>(&'a self, _: &'a str) -> BackendFuture<'a, Vec<Device>> {
        Box::pin(async { Err(CallError::not_sent("there is no list of devices")) })
    }
}

fn response(request: Option<ElevationRequest>) -> Response {
    let ids = RequestIds { client: None, service: Some(Untrusted::new("theirs")) };
    Response { request: request.map(Box::new), ids, skew: None }
}

fn refusal(words: &str) -> CallError {
    if words == NO_REQUEST { CallError::no_such_request() } else { CallError::already_closed() }
}

/// Reads what is held. Nothing where it has no usable id.
fn request(entry: &Value) -> Option<ElevationRequest> {
    let text = |key: &str| Untrusted::new(entry[key].as_str().unwrap_or_default());
    let time = |key: &str| ServiceTime::read(text(key));
    Some(ElevationRequest {
        id: RequestId::new(entry["id"].as_str()?)?,
        ticket: text("partnerTicketId"),
        device: text("deviceName"),
        title: text("title"),
        category: text("category"),
        subcategory: text("subcategory"),
        plan_of_action: text("planOfAction"),
        actions_taken: text("actionsTaken"),
        requested_by: Untrusted::default(),
        closed_by: text("closingAgentUpn"),
        created: time("requestCreationTime"),
        closed: time("requestClosureTime"),
        viewers: Vec::new(),
    })
}

/// What a play comes to, by its kind: the body of an answer that says success, or the error.
async fn play_out(play: Play, time: Duration) -> Result<Vec<u8>, CallError> {
    let bytes = match play {
        Play::Slam => return Err(CallError::connection_broken()),
        Play::Hang(_) | Play::Drip(_) | Play::Endless(..) => {
            tokio::time::sleep(time).await;
            return Err(CallError::timed_out());
        }
        Play::Answer(bytes) => bytes,
    };
    if bytes.is_empty() {
        return Err(CallError::connection_broken());
    }
    let text = str::from_utf8(&bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|line| line.get(..3)?.parse().ok());
    let retry_after = head.lines().find_map(|line| line.strip_prefix("retry-after: ")?.parse().ok());
    Err(match status {
        None => CallError::broken_answer("it is no answer"),
        Some(200..=299) => return Ok(body.as_bytes().to_vec()),
        Some(status @ 300..=399) => CallError::redirected(status),
        Some(401) => CallError::not_signed_in(),
        Some(403) => CallError::not_allowed(),
        Some(429) => CallError::throttled(retry_after.map(Duration::from_secs)),
        Some(status @ (408 | 500..)) => CallError::server_failed(status),
        Some(_) if body.contains(NO_REQUEST) => CallError::no_such_request(),
        Some(_) if body.contains(CLOSED) => CallError::already_closed(),
        Some(status) => CallError::not_accepted(status, None),
    })
}

#[tokio::test]
async fn close_is_shown_by_the_second_look_up_after_it() {
    let mut scene = Scene::start(On::Memory, []).await;
    scene.held.lock().unwrap().requests.push(entity_of("r1", "x"));
    assert_eq!(scene.does(close_of("r1", "Done.")).await, "verified agent@example.org");
    assert_eq!(scene.held.lock().unwrap().listed, 2);
}

#[tokio::test]
async fn list_of_a_device_comes_in_pages_of_two() {
    let mut scene = Scene::start(On::Memory, []).await;
    scene.held.lock().unwrap().requests.extend(["r1", "r2", "r3", "r4", "r5"].map(|id| entity_of(id, "x")));
    scene.ask(Call::List(Query::Device("Device x".to_owned()))).await;
    assert_eq!(summary(&scene.reply().await), "listed ");
    let pages: Vec<_> = (scene.progress.iter())
        .map(|progress| match progress {
            Progress::Page(requests) => requests.iter().map(|request| request.id.raw()).collect::<Vec<_>>().join(" "),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(pages, ["r1 r2", "r3 r4", "r5"]);
}

#[tokio::test]
async fn what_a_service_cannot_do_is_refused_before_it_is_asked() {
    let mut scene = Scene::start(On::Memory, []).await;
    for query in [Query::Open, Query::Closed] {
        assert_eq!(scene.does(Call::List(query)).await, "failed: NotSent");
    }
    assert_eq!(scene.does(Call::SearchDevices("MMD".to_owned())).await, "failed: NotSent");
    assert!(!scene.was_called());
}

#[tokio::test]
async fn list_does_not_go_on_where_another_service_has_left_off() {
    let held = Held { requests: ["r1", "r2", "r3"].map(|id| entity_of(id, "x")).into(), ..Held::default() };
    let memory = Memory::new(Arc::new(Mutex::new(held)), PATIENT);
    let server = Server::start(Play::Answer(http("200 OK", r#"{"value": [{"id": "r1"}]}"#))).await;
    let client = client_at(&format!("http://{}", server.address), PATIENT);
    let query = Query::Device("Device x".to_owned());
    let (ours, theirs) = (memory.list(&query, None).await.unwrap(), within(client.list(&query, None)).await.unwrap());
    let (Next::Page(ours), Next::Page(theirs)) = (ours.next, theirs.next) else { panic!() };
    let foreign = CallError::not_sent("the list is another service's");
    assert_eq!(gist(&within(client.list(&query, Some(ours))).await.unwrap_err()), gist(&foreign));
    assert_eq!(gist(&memory.list(&query, Some(theirs)).await.unwrap_err()), gist(&foreign));
    assert_eq!(server.connections(), 1, "nothing is sent");
}

#[tokio::test]
async fn page_that_failed_is_asked_for_again_and_the_list_is_whole() {
    let mut scene = Scene::start(On::Memory, []).await;
    {
        let mut held = scene.held.lock().unwrap();
        held.requests.extend(["r1", "r2", "r3"].map(|id| entity_of(id, "x")));
        held.lists.extend([says("500 Oops"), says("429 ?\nretry-after: 0")]);
    }
    assert_eq!(scene.does(Call::List(Query::Device("Device x".to_owned()))).await, "listed ");
    let pages = scene.progress.iter().filter(|progress| matches!(progress, Progress::Page(_))).count();
    assert_eq!((pages, scene.held.lock().unwrap().listed), (2, 3));
}
