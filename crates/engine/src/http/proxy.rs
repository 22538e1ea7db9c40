//! The proxy for a service, by the HTTP library's own rules.

use hyper_util::client::proxy::matcher::Matcher;

use super::BaseUrl;
use crate::redact::{self, Kind};

/// The variables that may hold a proxy with a password.
const VARIABLES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Registers the passwords of the environment's proxies for redaction.
pub fn register_proxy_passwords(env: impl Fn(&str) -> Option<String>) {
    for proxy in VARIABLES.into_iter().filter_map(env) {
        let rest = proxy.split_once("://").map_or(proxy.as_str(), |(_, rest)| rest);
        let user_info = rest.split(['/', '?', '#']).next().and_then(|authority| authority.rsplit_once('@'));
        if let Some((_, password)) = user_info.and_then(|(user_info, _)| user_info.split_once(':')) {
            redact::register(Kind::Secret, password);
        }
    }
}

/// Returns host and port of the proxy that the environment or the system sets for `base`, without name and password.
#[must_use]
pub fn proxy_for(base: &BaseUrl) -> Option<(String, u16)> {
    if base.is_local() {
        return None;
    }
    let proxy = Matcher::from_system().intercept(&base.to_string().parse().ok()?)?;
    let uri = proxy.uri();
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some((uri.host()?.to_owned(), uri.port_u16().unwrap_or(usual)))
}
