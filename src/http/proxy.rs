//! Which proxy is on the way, as the HTTP library decides it.

use hyper_util::client::proxy::matcher::Matcher;

use super::BaseUrl;

/// Host and port of the proxy through which the environment or the system sends what is for `base`, if there is one.
/// Its name and password are left out.
#[must_use]
pub fn proxy_for(base: &BaseUrl) -> Option<(String, u16)> {
    if base.is_plain() {
        return None;
    }
    let proxy = Matcher::from_system().intercept(&base.to_string().parse().ok()?)?;
    let uri = proxy.uri();
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some((uri.host()?.to_owned(), uri.port_u16().unwrap_or(usual)))
}
