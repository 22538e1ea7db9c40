//! The client and the worker, against a server that says what the service, a gateway or a broken network would.

mod abandon;
mod answers;
mod bounded;
mod calls;
mod closes;
mod creates;
mod errors;
mod held;
mod history;
mod list;
mod looking;
mod matches;
mod memory;
mod origin;
mod pages;
mod record;
mod scene;
mod secrets;
mod sign_in;
mod taken;
mod tenant;
mod throttled;
mod trouble;
mod twins;
mod untrusted;
mod wire;

pub(crate) use scene::QUICK;

use std::time::Duration;

use mmd_elevate_core::{CallError, Draft, ElevationRequest, Field, NewElevationRequest, RequestId};
use mmd_elevate_engine::{
    http::BaseUrl,
    mmd::{Client, Timeouts},
};

use crate::support::{
    server::{Play, Server, http},
    session, within,
};

const TENANT: &str = "8c0ffee5-0000-4000-8000-00000000000a";
const TOKEN: &str = "canary-token.eyJhbGciOi-JIUzI1NiJ9_x";
const CREATED: &str = r#"{"@odata.context": "https://elsewhere.example/$metadata", "id": "3f2b", "title": "Excel"}"#;

/// Long enough for a machine that is busy with other tests.
const PATIENT: Timeouts =
    Timeouts { connect: Duration::from_secs(20), read: Duration::from_secs(20), write: Duration::from_secs(20) };

fn client_at(base_url: &str, timeouts: Timeouts) -> Client {
    Client::new(&BaseUrl::parse(base_url).unwrap(), TENANT, session(TOKEN), timeouts).unwrap()
}

fn client_of(server: &Server, timeouts: Timeouts) -> Client {
    client_at(&format!("http://{}/support/odata/v1", server.address), timeouts)
}

fn new_request(text: &str) -> NewElevationRequest {
    let mut draft = Draft::default();
    for field in Field::ALL {
        draft.set(field, format!("{} {text}", field.label()));
    }
    draft.validate().unwrap()
}

fn request_id(id: &str) -> RequestId {
    RequestId::new(id).unwrap()
}

async fn create(play: Play) -> Result<ElevationRequest, CallError> {
    let server = Server::start(play).await;
    within(client_of(&server, PATIENT).create(&new_request("x"))).await.map(|response| *response.request.unwrap())
}

async fn close(play: Play) -> Result<(), CallError> {
    let server = Server::start(play).await;
    within(client_of(&server, PATIENT).close(&request_id("3f2b"), "Done.")).await.map(drop)
}

fn answer(head: &str, body: impl AsRef<[u8]>) -> Play {
    Play::Answer(http(head, body))
}
