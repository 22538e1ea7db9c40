//! What more than one test stands on.

pub(crate) mod corpus;
pub(crate) mod dashboard;
pub(crate) mod harmless;
pub(crate) mod keys;
pub(crate) mod modes;
pub(crate) mod pty;
pub(crate) mod record;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod stage;
pub(crate) mod tls;

use std::{env, process::Command, time::Duration};

use mmd_elevate_core::{CallError, Disposition, ErrorCode, Query};
use mmd_elevate_engine::{
    auth::{Method, Renewal, Source, Token, TokenSession},
    backend::{Listed, list_all},
    mmd::Client,
};

/// What an error is, without the service's words, the ids and the advice.
pub(crate) fn gist(error: &CallError) -> (Disposition, Option<ErrorCode>, &str) {
    (error.disposition, error.code, &error.problem.what)
}

/// Lists the requests of a device, all pages.
pub(crate) async fn list_device(client: &Client, device: &str) -> Result<Listed, CallError> {
    list_all(client, &Query::Device(device.to_owned())).await
}

/// Waits for what has to come, and fails instead of hanging where it does not.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.unwrap()
}

/// A session with a token that was handed over.
pub(crate) fn session(token: &str) -> TokenSession {
    let source = Source::new(Method::Environment(Token::new(token, None).unwrap())).unwrap();
    TokenSession::start(source, Renewal::default())
}

/// Runs one test of this crate again, in a process with another environment: the only way to give it one. `false`
/// there, so that the test goes on to what it has to show; `true` here, where it has been shown.
pub(crate) fn shown_in_a_process_of_its_own(test: &str, set: &[(&str, &str)]) -> bool {
    const CHILD: &str = "MMD_ELEVATE_TEST_CHILD";
    if env::var_os(CHILD).is_some() {
        return false;
    }
    let mut child = Command::new(env::current_exe().unwrap());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        child.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = child.args(["--exact", test]).env(CHILD, "1").envs(set.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("ok. 1 passed;"), "{said}");
    true
}
