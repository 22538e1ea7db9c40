//! The HTTP client that the backends and the sign-in share: where secrets may be sent, which certificates are trusted, and
//! what an error on the way proves. It never sends a secret to another origin.

mod base_url;
mod classify;
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
pub(crate) use classify::classify;
#[cfg(test)]
pub(crate) use failure::LONGEST_TEXT;
pub(crate) use failure::{NoAnswer, truncate};
pub(crate) use flood::wait_for_flood;
pub use proxy::{proxy_for, register_proxy_passwords};
pub(crate) use retry_after::{date, retry_after};
pub use trust::Trust;

/// How long an idle connection is kept open. It is short, because a write on a connection that the service has closed meanwhile
/// has an unknown outcome.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes the HTTP library's client for one origin, with the same rules for calls and for sign-in. Proxies are those of the
/// environment and the system, and are never used for this machine.
///
/// # Errors
/// The library cannot be set up, usually because the system's certificates are missing.
pub(crate) fn client(base: &BaseUrl, connect: Duration, trust: &Trust) -> reqwest::Result<reqwest::Client> {
    let mut http = builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(connect)
        .pool_idle_timeout(IDLE_TIMEOUT);
    if base.is_local() {
        let loopback = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        http = http
            // A proxy would receive the token, and could not reach this machine.
            .no_proxy()
            // A name service may resolve `localhost` to another machine. Port 0 stands for the port of the URL.
            .resolve_to_addrs("localhost", &loopback);
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
