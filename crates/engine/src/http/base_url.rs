//! The base URL of a service: https, or plain http to this machine only.

use std::{fmt, net::IpAddr};

use reqwest::Url;

use mmd_elevate_core::{Problem, invisible_characters};

/// The base URL of a service's operations: https, or plain http to this machine only.
///
/// It holds no user name, password, query or fragment, so it can be shown and logged.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

const NOT_A_URL: (&str, &str) = ("the base URL is not a URL", "write it like https://host/path");
/// Blanks, controls and backslashes, which URL parsers remove or replace.
const HIDDEN_TEXT: (&str, &str) =
    ("the base URL holds a blank, a backslash or a character that cannot be seen", "write it like https://host/path");
const NOT_HTTPS: (&str, &str) = ("the base URL does not begin with https://", "write it like https://host/path");
const PLAIN_HTTP: (&str, &str) = (
    "the base URL is plain http, which would send the token in clear",
    "use https; http is for this machine alone (127.0.0.1, [::1], localhost)",
);
const USER_INFO: (&str, &str) = (
    "the base URL holds a user name or a password",
    "write it like https://host/path; the token goes into MMD_ELEVATE_TOKEN",
);
const QUERY_OR_FRAGMENT: (&str, &str) =
    ("the base URL holds a query or a fragment", "write it like https://host/path, without ? or #");

impl BaseUrl {
    /// Parses a base URL. A trailing slash is ignored.
    ///
    /// # Errors
    /// The text is no URL, or the token must not be sent there. The problem does not repeat the text, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::check(text).map_err(|(what, hint)| Problem::new(what, hint))
    }

    fn check(text: &str) -> Result<Self, (&'static str, &'static str)> {
        if text.contains(|c: char| c.is_whitespace() || c == '\\') || invisible_characters(text) > 0 {
            return Err(HIDDEN_TEXT);
        }
        // The parser would take `https:host` and `https:///host` for `https://host`.
        if text.split_once("://").is_none_or(|(_, rest)| rest.starts_with('/')) {
            return Err(NOT_A_URL);
        }
        let mut url = Url::parse(text).map_err(|_| NOT_A_URL)?;
        match url.scheme() {
            "https" => {}
            "http" if url.host_str().is_some_and(is_loopback) => {}
            "http" => return Err(PLAIN_HTTP),
            _ => return Err(NOT_HTTPS),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(USER_INFO);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(QUERY_OR_FRAGMENT);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Returns whether the scheme is http. Such a URL is always on this machine.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Returns whether the host is this machine, whatever the scheme: loopback addresses in any form, `localhost` and the names
    /// below it (RFC 6761). No proxy is used for it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.host_str().is_some_and(is_this_machine)
    }

    /// Returns host and port. An IPv6 address has no brackets.
    #[must_use]
    pub fn host_and_port(&self) -> (&str, u16) {
        let host = self.0.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (host, self.0.port_or_known_default().unwrap_or(443))
    }

    /// Returns the host, and the port if it is not the default.
    pub(crate) fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Appends path segments. Each segment is encoded, so that it cannot become two. The caller ensures that no segment is `.`
    /// or `..`.
    pub(crate) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        // An http or https URL always has a path to add to.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({self})")
    }
}

/// Returns whether a parsed host is loopback: `127.1` and `0x7f000001` are, `127.0.0.1.example` is not.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Returns whether a host is probably this machine: more than [`is_loopback`], which is required to send a token in clear.
fn is_this_machine(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    is_loopback(name)
        || name.ends_with(".localhost")
        || address.is_ok_and(|ip| ip.to_canonical().is_loopback() || ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_on_this_machine_is_decided_on_the_host_as_it_is_parsed() {
        for host in [
            "127.0.0.1",
            "127.9.8.7:8443",
            "127.1",
            "0x7f000001",
            "2130706433",
            "[::1]:443",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "[::]",
            "LocalHost",
            "localhost.",
            "tenant.localhost:1",
        ] {
            assert!(BaseUrl::parse(&format!("https://{host}/v1")).unwrap().is_local(), "{host}");
        }
        for host in [
            "128.0.0.1",
            "127.0.0.1.example",
            "localhost.example",
            "notlocalhost",
            "[::2]",
            "[::ffff:10.0.0.1]",
            "10.0.0.1",
            "example.org",
        ] {
            assert!(!BaseUrl::parse(&format!("https://{host}/127.0.0.1")).unwrap().is_local(), "{host}");
        }
    }

    #[test]
    fn the_token_goes_over_https_or_stays_on_this_machine() {
        for (text, shown) in [
            ("https://mmdls.microsoft.com/support/odata/v1", "https://mmdls.microsoft.com/support/odata/v1"),
            ("https://mmdls.microsoft.com/support/odata/v1//", "https://mmdls.microsoft.com/support/odata/v1"),
            ("HTTPS://Example.ORG", "https://example.org"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.255.0.9/x/", "http://127.255.0.9/x"),
            ("http://127.1/", "http://127.0.0.1"),
            ("http://[::1]:9", "http://[::1]:9"),
            ("http://LOCALHOST:80/", "http://localhost"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_in_words_that_repeat_no_secret() {
        for (text, error) in [
            ("", NOT_A_URL),
            ("mmdls.microsoft.com", NOT_A_URL),
            ("localhost:8080", NOT_A_URL),
            ("https://", NOT_A_URL),
            ("https:example.org", NOT_A_URL),
            ("https:///example.org", NOT_A_URL),
            ("https://example.org:x/", NOT_A_URL),
            ("https://canary @example.org", HIDDEN_TEXT),
            ("https://example.org/\x1b[2J", HIDDEN_TEXT),
            ("https://example.org/\u{202e}", HIDDEN_TEXT),
            ("http://127.0.0.1\\@example.org", HIDDEN_TEXT),
            ("http://mmdls.microsoft.com", PLAIN_HTTP),
            ("http://127.0.0.1.example", PLAIN_HTTP),
            ("http://localhost.example", PLAIN_HTTP),
            ("http://128.0.0.1", PLAIN_HTTP),
            ("http://[::2]", PLAIN_HTTP),
            ("http://[::ffff:127.0.0.1]", PLAIN_HTTP),
            ("http://0.0.0.0", PLAIN_HTTP),
            ("http://127.0.0.1@example.org", PLAIN_HTTP),
            ("ftp://127.0.0.1", NOT_HTTPS),
            ("ftp://agent:canary@example.org", NOT_HTTPS),
            ("https://agent:canary@example.org", USER_INFO),
            ("https://canary@example.org", USER_INFO),
            ("https://example.org/?canary", QUERY_OR_FRAGMENT),
            ("https://example.org/#canary", QUERY_OR_FRAGMENT),
        ] {
            let refused = BaseUrl::parse(text).unwrap_err();
            assert_eq!((refused.what.as_str(), refused.hint.as_str()), error, "{text}");
            assert!(refused.hint.contains("https"), "{refused}");
            assert!(!refused.to_string().contains("canary"), "{refused}");
        }
    }

    #[test]
    fn a_segment_stays_one_segment() {
        for base in ["https://h/support/odata/v1", "https://h/support/odata/v1/"] {
            let url = BaseUrl::parse(base).unwrap().join(&["tenants", "a/../b", "r", "50%?#ü \\"]);
            assert_eq!(url.as_str(), "https://h/support/odata/v1/tenants/a%2F..%2Fb/r/50%25%3F%23%C3%BC%20%5C");
        }
        assert_eq!(BaseUrl::parse("https://h").unwrap().join(&["tenants"]).as_str(), "https://h/tenants");
    }
}
