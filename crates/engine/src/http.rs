//! The HTTP client that the backends and the sign-in share: where secrets may be sent, which certificates are trusted, and
//! what an error on the way proves. It never sends a secret to another origin.

mod base_url;
mod failure;
mod flood;
mod proxy;
mod retry_after;
mod trust;
mod unreached;

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

pub use base_url::BaseUrl;
#[cfg(test)]
pub(crate) use failure::LONGEST_TEXT;
pub(crate) use failure::{NoAnswer, bounded, no_answer};
pub(crate) use flood::flooded;
pub use proxy::{proxy_for, register_proxy_passwords};
pub(crate) use retry_after::{date, retry_after};
pub use trust::Trust;

/// How long an idle connection is kept. A service that has closed its end meanwhile makes an outcome unknown for
/// nothing, so it is short.
const IDLE: Duration = Duration::from_secs(2);

/// Makes the HTTP library's client for one origin: the same rules for calls and for sign-in. Proxies are those of the
/// environment and of the system, and never for what stays on this machine.
///
/// # Errors
/// Where the library could not be set up, most often for want of the system's certificates.
pub(crate) fn client(base: &BaseUrl, connect: Duration, trust: &Trust) -> reqwest::Result<reqwest::Client> {
    let mut http = builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(connect)
        .pool_idle_timeout(IDLE);
    if base.is_local() {
        let here = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        http = http
            // A proxy would carry the token off this machine, and it could not come back to it.
            .no_proxy()
            // So would a name service that knows another `localhost`. Port 0: the URL's.
            .resolve_to_addrs("localhost", &here);
    }
    // The practice tenant must work where no CA certificates are installed.
    http = if base.is_plain() { http.tls_certs_only([]) } else { http.tls_certs_merge(trust.certificates()) };
    http.build().map_err(reqwest::Error::without_url)
}

/// Begins a client of the HTTP library, whose TLS uses `ring`.
fn builder() -> reqwest::ClientBuilder {
    // The provider of the process stays the one that was installed first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}
