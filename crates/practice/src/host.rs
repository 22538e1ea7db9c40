//! Whom a call says that it is for, and which page it comes from. A browser that was given another name for this
//! machine, or a page from elsewhere, is not served: loopback keeps other machines out, and not their pages.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{StatusCode, header, uri::Authority},
};

use super::wire::Refusal;

/// Where plain HTTP is served if no port is named.
const DEFAULT_PORT: u16 = 80;

/// Refuses a call for a host that is not this machine's own name, or from the page of another origin. Which port the
/// name has may be a forwarder's; a page has to be from there.
pub(super) fn check(request: &Request) -> Result<(), Refusal> {
    let texts = |name| request.headers().get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let mut hosts = texts(header::HOST).chain(request.uri().authority().map(Authority::as_str)).map(own);
    let port =
        hosts.next().flatten().filter(|port| texts(header::HOST).count() == 1 && hosts.all(|it| it == Some(*port)));
    let Some(port) = port else {
        let words = "This host is not served here. Call 127.0.0.1 or localhost.";
        return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, words));
    };
    if !texts(header::ORIGIN).all(|origin| origin.strip_prefix("http://").is_some_and(|page| own(page) == Some(port))) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "Pages from elsewhere are not served here."));
    }
    Ok(())
}

/// The port of a loopback name; nothing where it is another name.
fn own(host: &str) -> Option<u16> {
    let authority = host.parse::<Authority>().ok().filter(|_| !host.contains('@'))?;
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    is_loopback.then(|| authority.port_u16().unwrap_or(DEFAULT_PORT))
}
