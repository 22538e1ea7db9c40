//! The way to the service, step by step: what depends on a step that failed is not tried.

use std::{net::IpAddr, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{Check, STEP, Verdict};
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

/// Connecting has less time than the whole, so that one that hangs is not taken for an answer that does not come.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(4), read: STEP, write: STEP };

/// The same checks where nothing is known to try them on.
pub(super) fn not_tried(why: &str) -> Vec<Check> {
    [PROXY, NAME, TLS, TOKEN, LIST].into_iter().map(|check| check.not_tried(why)).collect()
}

pub(super) async fn checks(service: &ServiceSettings, trust: &Trust) -> Vec<Check> {
    let proxy = proxy_for(&service.base_url);
    let mut checks = vec![through(proxy.as_ref(), service).await];
    let name = if proxy.is_some() { NAME.not_tried("the proxy looks the name up") } else { name(service).await };
    checks.push(name);
    let tls = match blocked(&checks) {
        Some(why) => TLS.not_tried(why),
        None => tls(service, trust).await,
    };
    checks.push(tls);
    let way = blocked(&checks);
    let (session, check) = match timeout(STEP, sign_in(service, trust)).await {
        Ok(Ok(session)) => (Some(session), TOKEN.ok("there is one; whether the service takes it, the list tells")),
        Ok(Err(fault)) => (None, TOKEN.failed(fault.what(), fault.hint())),
        Err(_) => (None, TOKEN.failed(format!("none came within {} s", STEP.as_secs()), "try to sign in by hand")),
    };
    checks.push(check);
    checks.push(match (way, session) {
        (Some(why), _) => LIST.not_tried(why),
        (None, None) => LIST.not_tried("there is no token"),
        (None, Some(session)) => list(service, trust, session).await,
    });
    checks
}

/// Why nothing after these can be tried.
fn blocked(checks: &[Check]) -> Option<String> {
    let failed = checks.iter().find(|check| check.verdict == Verdict::Failed)?;
    Some(format!("{} failed", failed.title))
}

async fn through(proxy: Option<&(String, u16)>, service: &ServiceSettings) -> Check {
    let Some((host, port)) = proxy else {
        return PROXY.ok(if service.base_url.is_local() {
            "none: what stays on this machine goes past any proxy"
        } else {
            "none is configured for this host"
        });
    };
    let shown = format!("{}:{port}", visible(host));
    let hint = "check HTTPS_PROXY and the system's proxy settings, or name the service's host in NO_PROXY";
    match timeout(STEP, TcpStream::connect((host.trim_matches(['[', ']']), *port))).await {
        Ok(Ok(_)) => PROXY.ok(format!("{shown} is on the way and takes connections")),
        Ok(Err(error)) => PROXY.failed(format!("{shown} takes no connection: {}", visible(&error.to_string())), hint),
        Err(_) => PROXY.failed(format!("{shown} took no connection within {} s", STEP.as_secs()), hint),
    }
}

async fn name(service: &ServiceSettings) -> Check {
    let (host, port) = service.base_url.host_and_port();
    if host.parse::<IpAddr>().is_ok() {
        return NAME.ok(format!("{host} is an address: there is nothing to look up"));
    }
    let hint = "check the host in the base URL, the network, and whether a VPN has to be on";
    match timeout(STEP, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => match addresses.count() {
            0 => NAME.failed(format!("no address is known for {host}"), hint),
            1 => NAME.ok(format!("{host} has 1 address")),
            count => NAME.ok(format!("{host} has {count} addresses")),
        },
        Ok(Err(_)) => NAME.failed(format!("no address is known for {host}"), hint),
        Err(_) => NAME.failed(format!("no answer for {host} came within {} s", STEP.as_secs()), hint),
    }
}

async fn tls(service: &ServiceSettings, trust: &Trust) -> Check {
    if service.base_url.is_plain() {
        return TLS.not_tried("the base URL is plain http, which stays on this machine");
    }
    let probe = match Probe::new(trust, &service.base_url, TIMEOUTS) {
        Ok(probe) => probe,
        Err(error) => return TLS.failed(error.what, error.hint),
    };
    let beside = if service.ca_file.is_some() { ", with the CA file beside the system's" } else { "" };
    match probe.reach().await {
        Ok(()) => TLS.ok(format!("the certificate is trusted{beside}")),
        Err(fault) if fault.code == Some(ErrorCode::NotConnected) => TLS.failed(fault.problem.what, fault.problem.hint),
        // A fault of any other kind comes after the connection was made.
        Err(fault) => TLS.warning(
            format!("a connection was made{beside}, but nothing usable came over it: {}", fault.what()),
            "check the base URL; if it is right, tell whoever runs the service",
        ),
    }
}

/// The session of the sign-in that is configured, with its first token.
async fn sign_in(service: &ServiceSettings, trust: &Trust) -> Result<TokenSession, CallError> {
    let source = Source::trusting(trust, service.sign_in.clone()).map_err(|error| error.to_call_error())?;
    let session = TokenSession::start(source, Renewal::default());
    session.token().await.map(|_| session)
}

async fn list(service: &ServiceSettings, trust: &Trust, session: TokenSession) -> Check {
    let client = match Client::trusting(trust, &service.base_url, &service.tenant.id, session, TIMEOUTS) {
        Ok(client) => client,
        Err(error) => return LIST.failed(error.what, error.hint),
    };
    match client.probe_list().await {
        Ok(()) => LIST.ok("the service lists requests for this tenant"),
        // The service's own words may name people and devices.
        Err(fault) => {
            let later = "try again later; if it stays like this, tell whoever runs the service";
            let Problem { what, hint } = match fault.code {
                Some(ErrorCode::Declined | ErrorCode::NotAllowed) => *CallError::not_allowed().problem,
                _ if fault.may_have_happened() => Problem::new(fault.problem.what, later),
                _ => *fault.problem,
            };
            LIST.failed(what, hint)
        }
    }
}
