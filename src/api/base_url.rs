//! Where the service is, and why the token may be sent there.

use std::{fmt, net::IpAddr};

use reqwest::Url;

/// The address under which the service's operations lie: https, or plain http to this machine alone.
///
/// It holds no user name, password, query or fragment, so it can be shown and logged.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is not a [`BaseUrl`]. The text itself is not repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It cannot be read as a URL with a host.
    #[error("the base URL is not a URL: write it like https://host/path")]
    NotAUrl,
    /// The token would travel in clear.
    #[error("the base URL must begin with https:// (http:// is for 127.0.0.1, [::1] and localhost alone)")]
    NotHttps,
    /// `user:password@`
    #[error("the base URL must not hold a user name or a password: write it like https://host/path")]
    UserInfo,
    /// `?` or `#`
    #[error("the base URL must end with its path: write it like https://host/path, without ? or #")]
    QueryOrFragment,
}

impl BaseUrl {
    /// Reads a base URL. A slash at its end changes nothing.
    ///
    /// # Errors
    /// [`BaseUrlError`] where it is no URL or the token must not be sent there.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let mut url = Url::parse(text).map_err(|_| BaseUrlError::NotAUrl)?;
        let safe = match url.scheme() {
            "https" => true,
            "http" => url.host_str().is_some_and(is_loopback),
            _ => false,
        };
        if !safe {
            return Err(BaseUrlError::NotHttps);
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
    pub(super) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Host and, where it is not the usual one, port.
    pub(super) fn authority(&self) -> &str {
        self.0.authority()
    }

    /// The URL of what lies under the base. Each segment is encoded by itself, so none can become two or climb; that
    /// none is `.` or `..`, which would vanish, is for the caller to see to.
    pub(super) fn under(&self, segments: &[&str]) -> Url {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn everything_else_is_refused_in_words_that_name_https_and_repeat_no_secret() {
        use BaseUrlError::{NotAUrl, NotHttps, QueryOrFragment, UserInfo};
        for (text, error) in [
            ("", NotAUrl),
            ("mmdls.microsoft.com", NotAUrl),
            ("https://", NotAUrl),
            ("http://mmdls.microsoft.com", NotHttps),
            ("http://127.0.0.1.example", NotHttps),
            ("http://localhost.example", NotHttps),
            ("http://128.0.0.1", NotHttps),
            ("http://[::ffff:127.0.0.1]", NotHttps),
            ("http://0.0.0.0", NotHttps),
            ("http://127.0.0.1@example.org", NotHttps),
            ("ftp://127.0.0.1", NotHttps),
            ("file:///etc/passwd", NotHttps),
            ("https://agent:canary@example.org", UserInfo),
            ("https://canary@example.org", UserInfo),
            ("https://example.org/?canary", QueryOrFragment),
            ("https://example.org/#canary", QueryOrFragment),
        ] {
            let refused = BaseUrl::parse(text).unwrap_err();
            assert_eq!(refused, error, "{text}");
            assert!(refused.to_string().contains("https"), "{refused}");
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
