//! Single values: what makes one fit for use, and what to say when it is not.

use std::net::{Ipv4Addr, Ipv6Addr};

use tracing::level_filters::LevelFilter;

use super::Refused;
use crate::domain::{invisible_characters, visible};

/// The names of the levels of logging, least first.
pub const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Checks where a service answers: https, or http to this machine alone, so that a token never travels in clear.
/// Whether the host is this machine is decided on the host, not on how the text begins. Gives the URL without a slash
/// at its end.
///
/// # Errors
/// [`Refused`] for anything that is not such a URL.
pub fn check_base_url(text: &str) -> Result<String, Refused> {
    // A user's password and a key in a query are not repeated.
    let shown = match text.split(['?', '#']).next() {
        Some(start) if !text.contains('@') => format!("`{}`", visible(start)),
        _ => "what is set".to_owned(),
    };
    let refused = |why: &str| Refused::new(format!("{shown} {why}"), "write it like https://host/path");
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(refused("is not a base URL: it holds a blank, a backslash or a character that cannot be seen"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(refused("is not a base URL: https:// is missing"));
    };
    let secure = scheme.eq_ignore_ascii_case("https");
    if !secure && !scheme.eq_ignore_ascii_case("http") {
        return Err(refused("is not a base URL: it must begin with https://"));
    }
    if rest.contains(['?', '#']) {
        return Err(refused("is not a base URL: a query or fragment has no place in it"));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        let hint = "write it like https://host/path; the token goes into MMD_ELEVATE_TOKEN";
        return Err(Refused::new("the base URL holds a user name or password", hint));
    }
    let host = host(authority).ok_or_else(|| refused("is not a base URL: its host or port cannot be read"))?;
    if !secure && !is_this_machine(host) {
        let what = format!("{shown} is plain http, which would send the token in clear");
        return Err(Refused::new(what, "use https; http is for this machine alone (127.0.0.1, [::1], localhost)"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(host, port)| (host, port.strip_prefix(':').or(Some(port))))?,
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port_is_fit = port.is_none_or(|port| port.is_empty() || port.parse::<u16>().is_ok());
    (!host.is_empty() && port_is_fit).then_some(host)
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// Checks a tenant's id: one segment of a path that no encoding changes.
pub(super) fn tenant_id(text: &str) -> Result<String, Refused> {
    let fit = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if !text.is_empty() && text != "." && text != ".." && text.chars().all(fit) {
        return Ok(text.to_owned());
    }
    let what = format!("`{}` cannot be a tenant id", visible(text));
    Err(Refused::new(what, "write it as the portal shows it: a GUID, or a domain name"))
}

/// Checks a name that is shown, and sent or chosen by: something to read, and nothing that hides.
pub(super) fn name(text: &str) -> Result<String, Refused> {
    if text.trim().is_empty() {
        return Err(Refused::new("a name is empty", "give it a name, or leave it out"));
    }
    if invisible_characters(text) > 0 || text.contains('\n') {
        let what = format!("`{}` holds characters that cannot be seen", visible(text));
        return Err(Refused::new(what, "type the name again"));
    }
    Ok(text.to_owned())
}

/// Checks that a token can stand in a header. What it holds is never repeated.
pub(super) fn token(text: &str) -> Result<(), Refused> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let hint = "set the token alone: no `Bearer`, no blank, no line end";
    Err(Refused::new("the token holds a character that no token has", hint))
}

/// Reads a level of logging.
///
/// # Errors
/// [`Refused`] for anything but one of [`LEVELS`].
pub fn level(text: &str) -> Result<LevelFilter, Refused> {
    let known = LEVELS.into_iter().find(|name| name.eq_ignore_ascii_case(text));
    known.and_then(|name| name.parse().ok()).ok_or_else(|| {
        let what = format!("`{}` is not a level of logging", visible(text));
        Refused::new(what, format!("use one of {}", LEVELS.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for url in [
            "https://mmdls.microsoft.com/support/odata/v1",
            "HTTPS://host:8443",
            "http://127.0.0.1:8080/odata",
            "http://127.9.9.9",
            "http://[::1]:80/x",
            "http://LocalHost:1",
        ] {
            assert_eq!(check_base_url(url).as_deref(), Ok(url));
        }
        assert_eq!(check_base_url("https://host/v1/").as_deref(), Ok("https://host/v1"));
        for url in [
            "http://example.com",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com",
            "http://127.1.example",
            "http://[::2]/",
            "http://10.0.0.1",
        ] {
            let refused = check_base_url(url).unwrap_err();
            assert!(refused.hint.starts_with("use https"), "{url}: {refused}");
        }
    }

    #[test]
    fn what_is_not_a_base_url_is_refused_and_shown_harmless() {
        for url in
            ["", "host/path", "ftp://host", "https://", "https:///p", "https://h:x/", "https://h/?a", "https://h/#a"]
        {
            assert!(check_base_url(url).is_err(), "{url}");
        }
        for secret in
            ["https://me:hunter2@host/", "https://me:hunter2 @host", "ftp://me:hunter2@h", "https://h/?code=hunter2"]
        {
            assert!(!check_base_url(secret).unwrap_err().to_string().contains("hunter2"), "{secret}");
        }
        assert!(check_base_url("http://127.0.0.1:80@evil.example/").is_err());
        assert!(check_base_url("http://127.0.0.1\\@evil.example/").is_err());
        assert!(!check_base_url("https://h/\x1b[2J").unwrap_err().to_string().contains('\x1b'));
    }

    #[test]
    fn a_tenant_id_is_one_segment_of_a_path() {
        for id in ["7f3c0000-0000-4000-8000-000000006677", "contoso.onmicrosoft.com", "a~b_c"] {
            assert_eq!(tenant_id(id).as_deref(), Ok(id));
        }
        for id in ["", ".", "..", "a/b", "a b", "a%2fb", "a\nb", "é", "a?b", "a\u{fffd}"] {
            assert!(tenant_id(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn a_level_has_a_name_and_no_number() {
        assert_eq!(level("debug"), Ok(LevelFilter::DEBUG));
        assert_eq!(level("OFF"), Ok(LevelFilter::OFF));
        assert!(level("5").is_err());
        assert!(level("").is_err());
    }
}
