//! Explains why no connection was made: the network, the certificate, or a proxy on the way.

use std::{error::Error, io, time::Duration};

use jiff::Timestamp;
use rustls::{CertificateError, pki_types::UnixTime};

use super::failure::{NoAnswer, causes, io_kinds, mentions};
use mmd_elevate_core::{Problem, visible};

/// How many names of a certificate are shown.
const MAX_NAMES: usize = 3;

/// Explains an error of connecting, before which nothing was sent: [`NoAnswer::NotReached`] if a retry may succeed, and
/// [`NoAnswer::NotConnected`] if somebody has to act.
pub(super) fn explain(error: &reqwest::Error, authority: &str, connect: Duration) -> NoAnswer {
    if let Some(tls) = causes(error).find_map(find_tls_error) {
        return tls_error(tls, authority);
    }
    let not_reached = NoAnswer::NotReached;
    let said = |text: &str| mentions(error, text);
    if error.is_timeout() {
        return not_reached(format!("{authority} took no connection within {} s", connect.as_secs_f64()));
    }
    let refused = io_kinds(error).any(|kind| kind == io::ErrorKind::ConnectionRefused);
    // The library distinguishes these errors by their messages only. Other messages are shown as they are, below.
    if said("tunnel error") {
        return if said("proxy authorization required") {
            not_connected(
                format!("the proxy on the way to {authority} asks for a name and a password (HTTP 407)"),
                "set HTTPS_PROXY to http://name:password@host:port, or name the service's host in NO_PROXY",
            )
        } else if said("tunnel error: unsuccessful") {
            not_connected(
                format!("the proxy declined to connect to {authority}"),
                "ask whoever runs the proxy to allow this host, or name the host in NO_PROXY to go without the proxy",
            )
        } else if said("dns error") {
            not_reached(format!("no address is known for the proxy on the way to {authority}"))
        } else if refused {
            not_reached(format!("the proxy on the way to {authority} refused the connection"))
        } else {
            not_reached(format!("the proxy on the way to {authority} gave no usable answer"))
        };
    }
    if said("dns error") {
        return not_reached(format!("no address is known for {authority}"));
    }
    if refused {
        return not_reached(format!("{authority} refused the connection"));
    }
    // The innermost cause is the most specific, and never holds the URL.
    let cause = causes(error).last().map(ToString::to_string).unwrap_or_default();
    not_reached(format!("no connection to {authority} ({})", visible(&cause)))
}

/// Returns the error of the TLS library inside a cause: the `source` of an `io::Error` skips the error that it wraps.
fn find_tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match cause.downcast_ref::<io::Error>() {
        Some(wrapper) => find_tls_error(wrapper.get_ref()?),
        None => cause.downcast_ref(),
    }
}

fn tls_error(error: &rustls::Error, authority: &str) -> NoAnswer {
    let cause = error.to_string();
    let cause = visible(&cause);
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return not_connected(
            format!("{authority} and this program find no TLS in common ({cause})"),
            "check the host and the port of the base URL; something on the way may answer in the service's place",
        );
    };
    match certificate {
        CertificateError::UnknownIssuer => not_connected(
            format!("the certificate of {authority} is self-signed, or its issuer is not known here"),
            "if your organisation issues its own certificates, name its CA's PEM file as ca_file in the settings",
        ),
        CertificateError::Expired => clock_or_certificate(format!("the certificate of {authority} has expired")),
        CertificateError::ExpiredContext { not_after, .. } => {
            clock_or_certificate(format!("the certificate of {authority} expired{}", on_date(*not_after)))
        }
        CertificateError::NotValidYet => {
            clock_or_certificate(format!("the certificate of {authority} is not valid yet"))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let begins = on_date(*not_before);
            clock_or_certificate(format!("the certificate of {authority} is not valid yet: it begins{begins}"))
        }
        CertificateError::NotValidForName => wrong_host(authority, &[]),
        CertificateError::NotValidForNameContext { presented, .. } => wrong_host(authority, presented),
        CertificateError::Revoked => not_connected(
            format!("the certificate of {authority} was revoked by its issuer"),
            "tell whoever runs the service, and do not go around it: somebody else may have its key",
        ),
        // The verifier has no variant for this error.
        CertificateError::Other(_) if cause.contains("CaUsedAsEndEntity") => not_connected(
            format!("the certificate of {authority} is self-signed: it is a CA's own, which cannot stand for a host"),
            "have the service given a certificate that a CA has signed; then name that CA's PEM file as ca_file",
        ),
        _ => not_connected(
            format!("the certificate of {authority} is not trusted ({cause})"),
            "tell whoever runs the service, with these words",
        ),
    }
}

fn clock_or_certificate(reason: String) -> NoAnswer {
    not_connected(reason, "check this machine's clock; if it is right, the service's certificate has to be renewed")
}

fn wrong_host(authority: &str, presented: &[String]) -> NoAnswer {
    let names: Vec<_> = presented.iter().take(MAX_NAMES).map(|name| host_name(name)).collect();
    let names = match names.as_slice() {
        [] => "another host".to_owned(),
        names if presented.len() > names.len() => format!("other hosts: {} and more", names.join(", ")),
        names => names.join(", "),
    };
    let reason = format!("the certificate of {authority} is for {}", visible(&names));
    not_connected(reason, "check the host in the base URL: it must be one that the certificate names")
}

/// Returns the host in the library's form `DnsName("host")`.
fn host_name(name: &str) -> &str {
    name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).map_or(name, |name| name.trim_matches('"'))
}

fn on_date(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(String::new, |time| time.strftime(" on %Y-%m-%d").to_string())
}

fn not_connected(reason: String, hint: &'static str) -> NoAnswer {
    NoAnswer::NotConnected(Problem::new(reason, hint))
}
