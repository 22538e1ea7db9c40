//! Checks the way to the service step by step: proxy, name, TLS, token, list. A step that depends on a failed one does not
//! run, and no step changes anything at the service.

use std::{net::IpAddr, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{
    report::{Check, Verdict},
    step::STEP_TIMEOUT,
};
use crate::config::ServiceSettings;
use mmd_elevate_core::{CallError, ErrorCode, Problem, visible};
use mmd_elevate_engine::{
    auth::{Renewal, Source, TokenSession},
    http::{Trust, proxy_for},
    mmd::{Client, Probe, Timeouts},
};

const PROXY: Check = Check::new("proxy", "proxy");
const NAME: Check = Check::new("name-resolution", "name resolution");
const TLS: Check = Check::new("tls", "TLS");
const TOKEN: Check = Check::new("token", "token");
const LIST: Check = Check::new("list", "list of requests");

/// Connecting has less time than the whole step, so that a connection that hangs is not reported as a missing answer.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(4), read: STEP_TIMEOUT, write: STEP_TIMEOUT };

/// Returns all checks as not tried, for this reason.
pub(super) fn not_tried(reason: &str) -> Vec<Check> {
    [PROXY, NAME, TLS, TOKEN, LIST].into_iter().map(|check| check.not_tried(reason)).collect()
}

/// Runs all checks.
pub(super) async fn checks(service: &ServiceSettings, trust: &Trust) -> Vec<Check> {
    let proxy = proxy_for(&service.base_url);
    let mut checks = vec![check_proxy(proxy.as_ref(), service).await];
    checks.push(match proxy {
        Some(_) => NAME.not_tried("the proxy looks the name up"),
        None => check_name(service).await,
    });
    let tls = match failed(&checks) {
        Some(reason) => TLS.not_tried(reason),
        None => check_tls(service, trust).await,
    };
    checks.push(tls);
    let failed = failed(&checks);
    let (session, check) = match timeout(STEP_TIMEOUT, sign_in(service, trust)).await {
        Ok(Ok(session)) => (Some(session), TOKEN.ok("there is one; the list shows whether the service accepts it")),
        Ok(Err(error)) => (None, TOKEN.failed(Problem::new(error.what(), error.hint()))),
        Err(_) => {
            let what = format!("no token came within {} s", STEP_TIMEOUT.as_secs());
            (None, TOKEN.failed(Problem::new(what, "try to sign in by hand")))
        }
    };
    checks.push(check);
    checks.push(match (failed, session) {
        (Some(reason), _) => LIST.not_tried(reason),
        (None, None) => LIST.not_tried("there is no token"),
        (None, Some(session)) => check_list(service, trust, session).await,
    });
    checks
}

/// Returns which check failed, so that later ones cannot run.
fn failed(checks: &[Check]) -> Option<String> {
    let check = checks.iter().find(|check| check.verdict == Verdict::Failed)?;
    Some(format!("{} failed", check.title))
}

async fn check_proxy(proxy: Option<&(String, u16)>, service: &ServiceSettings) -> Check {
    let Some((host, port)) = proxy else {
        return PROXY.ok(if service.base_url.is_local() {
            "none: connections to this machine use no proxy"
        } else {
            "none is configured for this host"
        });
    };
    let name = format!("{}:{port}", visible(host));
    let hint = "check HTTPS_PROXY and the system's proxy settings, or name the service's host in NO_PROXY";
    let what = match timeout(STEP_TIMEOUT, TcpStream::connect((host.trim_matches(['[', ']']), *port))).await {
        Ok(Ok(_)) => return PROXY.ok(format!("{name} is used and accepts connections")),
        Ok(Err(error)) => format!("{name} accepts no connection: {}", visible(&error.to_string())),
        Err(_) => format!("{name} accepted no connection within {} s", STEP_TIMEOUT.as_secs()),
    };
    PROXY.failed(Problem::new(what, hint))
}

async fn check_name(service: &ServiceSettings) -> Check {
    let (host, port) = service.base_url.host_and_port();
    if host.parse::<IpAddr>().is_ok() {
        return NAME.ok(format!("{host} is an address and needs no lookup"));
    }
    let what = match timeout(STEP_TIMEOUT, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => match addresses.count() {
            0 => format!("no address is known for {host}"),
            1 => return NAME.ok(format!("{host} has 1 address")),
            count => return NAME.ok(format!("{host} has {count} addresses")),
        },
        Ok(Err(_)) => format!("no address is known for {host}"),
        Err(_) => format!("no answer for {host} came within {} s", STEP_TIMEOUT.as_secs()),
    };
    NAME.failed(Problem::new(what, "check the host in the base URL, the network, and whether a VPN has to be on"))
}

async fn check_tls(service: &ServiceSettings, trust: &Trust) -> Check {
    if service.base_url.is_plain() {
        return TLS.not_tried("the base URL is plain http, which stays on this machine");
    }
    let probe = match Probe::new(trust, &service.base_url, TIMEOUTS) {
        Ok(probe) => probe,
        Err(problem) => return TLS.failed(problem),
    };
    let with_ca_file = if service.ca_file.is_some() { ", with the CA file in addition to the system's" } else { "" };
    match probe.reach().await {
        Ok(()) => TLS.ok(format!("the certificate is trusted{with_ca_file}")),
        Err(error) if error.code == Some(ErrorCode::NotConnected) => TLS.failed(*error.problem),
        // Every other error comes after the connection was made.
        Err(error) => {
            let what = format!("a connection was made{with_ca_file}, but the answer cannot be used: {}", error.what());
            TLS.warning(Problem::new(what, "check the base URL; if it is correct, tell whoever runs the service"))
        }
    }
}

/// Signs in and fetches the first token.
async fn sign_in(service: &ServiceSettings, trust: &Trust) -> Result<TokenSession, CallError> {
    let source = Source::with_trust(trust, service.sign_in.clone()).map_err(|error| error.to_call_error())?;
    let session = TokenSession::start(source, Renewal::default());
    session.token().await.map(|_| session)
}

async fn check_list(service: &ServiceSettings, trust: &Trust, session: TokenSession) -> Check {
    let client = match Client::with_trust(trust, &service.base_url, &service.tenant.id, session, TIMEOUTS) {
        Ok(client) => client,
        Err(problem) => return LIST.failed(problem),
    };
    let Err(error) = client.probe_list().await else {
        return LIST.ok("the service lists requests for this tenant");
    };
    // Without the service's own text, which may name people and devices.
    LIST.failed(match error.code {
        Some(ErrorCode::Declined | ErrorCode::NotAllowed) => *CallError::not_allowed().problem,
        _ if error.may_have_happened() => {
            Problem::new(error.problem.what, "try again later; if it stays like this, tell whoever runs the service")
        }
        _ => *error.problem,
    })
}
