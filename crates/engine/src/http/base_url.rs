//! Where secrets may be sent, and why.

use std::{fmt, net::IpAddr};

use reqwest::Url;

use mmd_elevate_core::invisible_characters;

/// The address under which the service's operations lie: https, or plain http to this machine alone.
///
/// It holds no user name, password, query or fragment, so it can be shown and logged.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is not a [`BaseUrl`]. The text itself is not repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It cannot be read as a URL with a host.
    #[error("the base URL is not a URL")]
    NotAUrl,
    /// Blanks, controls and backslashes, which URL parsers drop or turn into something else.
    #[error("the base URL holds a blank, a backslash or a character that cannot be seen")]
    HiddenText,
    /// Neither https nor http.
    #[error("the base URL does not begin with https://")]
    NotHttps,
    /// The token would travel in clear.
    #[error("the base URL is plain http, which would send the token in clear")]
    PlainHttp,
    /// `user:password@`
    #[error("the base URL holds a user name or a password")]
    UserInfo,
    /// `?` or `#`
    #[error("the base URL holds a query or a fragment")]
    QueryOrFragment,
}

impl BaseUrlError {
    /// What to do about it. It stands behind `hint: `.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::NotAUrl | Self::HiddenText | Self::NotHttps => "write it like https://host/path",
            Self::PlainHttp => "use https; http is for this machine alone (127.0.0.1, [::1], localhost)",
            Self::UserInfo => "write it like https://host/path; the token goes into MMD_ELEVATE_TOKEN",
            Self::QueryOrFragment => "write it like https://host/path, without ? or #",
        }
    }
}

impl BaseUrl {
    /// Reads a base URL. A slash at its end changes nothing.
    ///
    /// # Errors
    /// [`BaseUrlError`] where it is no URL or the token must not be sent there.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        if text.contains(|c: char| c.is_whitespace() || c == '\\') || invisible_characters(text) > 0 {
            return Err(BaseUrlError::HiddenText);
        }
        // The parser would take `https:host` and `https:///host` for `https://host`.
        if text.split_once("://").is_none_or(|(_, rest)| rest.starts_with('/')) {
            return Err(BaseUrlError::NotAUrl);
        }
        let mut url = Url::parse(text).map_err(|_| BaseUrlError::NotAUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if url.host_str().is_some_and(is_loopback) => {}
            "http" => return Err(BaseUrlError::PlainHttp),
            _ => return Err(BaseUrlError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::QueryOrFragment);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Whether what is sent can be read on the way. It never leaves this machine then.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether what is sent stays on this machine, whatever the scheme: loopback addresses in any form, `localhost` and
    /// the names below it (RFC 6761). A proxy has no business with it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.host_str().is_some_and(is_this_machine)
    }

    /// Host and port. An IPv6 address stands without its brackets.
    #[must_use]
    pub fn host_and_port(&self) -> (&str, u16) {
        let host = self.0.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (host, self.0.port_or_known_default().unwrap_or(443))
    }

    /// Host and, where it is not the usual one, port.
    pub(crate) fn authority(&self) -> &str {
        self.0.authority()
    }

    /// The URL of what lies under the base. Each segment is encoded by itself, so none can become two or climb; that
    /// none is `.` or `..`, which would vanish, is for the caller to see to.
    pub(crate) fn under(&self, segments: &[&str]) -> Url {
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

/// Decided on the host as the URL parser reads it: `127.1` and `0x7f000001` are loopback, `127.0.0.1.example` is not.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// More than [`is_loopback`]: what also ends at this machine, but not surely enough to send a token there in clear.
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
        use BaseUrlError::{HiddenText, NotAUrl, NotHttps, PlainHttp, QueryOrFragment, UserInfo};
        for (text, error) in [
            ("", NotAUrl),
            ("mmdls.microsoft.com", NotAUrl),
            ("localhost:8080", NotAUrl),
            ("https://", NotAUrl),
            ("https:example.org", NotAUrl),
            ("https:///example.org", NotAUrl),
            ("https://example.org:x/", NotAUrl),
            ("https://canary @example.org", HiddenText),
            ("https://example.org/\x1b[2J", HiddenText),
            ("https://example.org/\u{202e}", HiddenText),
            ("http://127.0.0.1\\@example.org", HiddenText),
            ("http://mmdls.microsoft.com", PlainHttp),
            ("http://127.0.0.1.example", PlainHttp),
            ("http://localhost.example", PlainHttp),
            ("http://128.0.0.1", PlainHttp),
            ("http://[::2]", PlainHttp),
            ("http://[::ffff:127.0.0.1]", PlainHttp),
            ("http://0.0.0.0", PlainHttp),
            ("http://127.0.0.1@example.org", PlainHttp),
            ("ftp://127.0.0.1", NotHttps),
            ("ftp://agent:canary@example.org", NotHttps),
            ("https://agent:canary@example.org", UserInfo),
            ("https://canary@example.org", UserInfo),
            ("https://example.org/?canary", QueryOrFragment),
            ("https://example.org/#canary", QueryOrFragment),
        ] {
            let refused = BaseUrl::parse(text).unwrap_err();
            assert_eq!(refused, error, "{text}");
            assert!(refused.hint().contains("https"), "{refused}");
            assert!(!refused.to_string().contains("canary"), "{refused}");
        }
    }

    #[test]
    fn a_segment_stays_one_segment() {
        for base in ["https://h/support/odata/v1", "https://h/support/odata/v1/"] {
            let url = BaseUrl::parse(base).unwrap().under(&["tenants", "a/../b", "r", "50%?#ü \\"]);
            assert_eq!(url.as_str(), "https://h/support/odata/v1/tenants/a%2F..%2Fb/r/50%25%3F%23%C3%BC%20%5C");
        }
        assert_eq!(BaseUrl::parse("https://h").unwrap().under(&["tenants"]).as_str(), "https://h/tenants");
    }
}
