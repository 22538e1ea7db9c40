//! Checks the host and the origin of a call. Loopback excludes other machines but not web pages in a local browser, so a call
//! with another host name or from a page of another origin is refused.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{StatusCode, header, uri::Authority},
};

use super::wire::Refusal;

/// The port of plain HTTP.
const DEFAULT_PORT: u16 = 80;

/// Refuses a call for another host than loopback, or from a page of another origin. The port may be that of a forwarder; a
/// page must have the same port.
pub(super) fn check(request: &Request) -> Result<(), Refusal> {
    let texts = |name| request.headers().get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let mut hosts = texts(header::HOST).chain(request.uri().authority().map(Authority::as_str)).map(loopback_port);
    let port =
        hosts.next().flatten().filter(|port| texts(header::HOST).count() == 1 && hosts.all(|it| it == Some(*port)));
    let Some(port) = port else {
        let words = "This host is not served here. Call 127.0.0.1 or localhost.";
        return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, words));
    };
    let is_own_page =
        |origin: &str| origin.strip_prefix("http://").is_some_and(|page| loopback_port(page) == Some(port));
    if !texts(header::ORIGIN).all(is_own_page) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "Pages from elsewhere are not served here."));
    }
    Ok(())
}

/// Returns the port of a loopback name, or `None` for any other name.
fn loopback_port(host: &str) -> Option<u16> {
    let authority = host.parse::<Authority>().ok().filter(|_| !host.contains('@'))?;
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    is_loopback.then(|| authority.port_u16().unwrap_or(DEFAULT_PORT))
}
