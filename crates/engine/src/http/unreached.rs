//! Explains why no connection was made: the network, the certificate, or a proxy on the way.

use std::{error::Error, io, time::Duration};

use jiff::Timestamp;
use rustls::{CertificateError, pki_types::UnixTime};

use super::failure::{NoAnswer, chain, io_kinds};
use mmd_elevate_core::{Problem, visible};

/// At most so many of the names in a certificate are told.
const MOST_NAMES: usize = 3;

/// Reads an error of connecting, at which nothing was sent. What trying again may fix is
/// [`NoAnswer::NotReached`]; what somebody has to fix is [`NoAnswer::NotConnected`].
pub(super) fn no_connection(error: &reqwest::Error, authority: &str, connect: Duration) -> NoAnswer {
    if let Some(tls) = chain(error).find_map(tls) {
        return not_trusted(tls, authority);
    }
    let not_reached = NoAnswer::NotReached;
    let said = |words: &str| chain(error).any(|cause| cause.to_string().contains(words));
    if error.is_timeout() {
        return not_reached(format!("{authority} took no connection within {} s", connect.as_secs_f64()));
    }
    let refused = io_kinds(error).any(|kind| kind == io::ErrorKind::ConnectionRefused);
    // The library tells these by their words alone. Should the words change, the last lines of this tell them as they are.
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
    // The first cause says it all, and no library puts the URL there.
    let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
    not_reached(format!("no connection to {authority} ({})", visible(&cause)))
}

/// The TLS library's error, however many times it is wrapped: an `io::Error` hides what it wraps from `source`.
fn tls<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match cause.downcast_ref::<io::Error>() {
        Some(wrapping) => tls(wrapping.get_ref()?),
        None => cause.downcast_ref(),
    }
}

fn not_trusted(error: &rustls::Error, authority: &str) -> NoAnswer {
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
        CertificateError::Expired => clock(format!("the certificate of {authority} has expired")),
        CertificateError::ExpiredContext { not_after, .. } => {
            clock(format!("the certificate of {authority} expired{}", on(*not_after)))
        }
        CertificateError::NotValidYet => clock(format!("the certificate of {authority} is not valid yet")),
        CertificateError::NotValidYetContext { not_before, .. } => {
            clock(format!("the certificate of {authority} is not valid yet: it begins{}", on(*not_before)))
        }
        CertificateError::NotValidForName => wrong_host(authority, &[]),
        CertificateError::NotValidForNameContext { presented, .. } => wrong_host(authority, presented),
        CertificateError::Revoked => not_connected(
            format!("the certificate of {authority} was revoked by its issuer"),
            "tell whoever runs the service, and do not go around it: somebody else may have its key",
        ),
        // The verifier has no kind of its own for this one.
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

fn clock(reason: String) -> NoAnswer {
    not_connected(reason, "check this machine's clock; if it is right, the service's certificate has to be renewed")
}

fn wrong_host(authority: &str, presented: &[String]) -> NoAnswer {
    let names: Vec<_> = presented.iter().take(MOST_NAMES).map(|name| bare(name)).collect();
    let names = match names.as_slice() {
        [] => "another host".to_owned(),
        names if presented.len() > names.len() => format!("other hosts: {} and more", names.join(", ")),
        names => names.join(", "),
    };
    let reason = format!("the certificate of {authority} is for {}", visible(&names));
    not_connected(reason, "check the host in the base URL: it must be one that the certificate names")
}

/// A name as people write it: the library shows `DnsName("host")`.
fn bare(name: &str) -> &str {
    name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).map_or(name, |name| name.trim_matches('"'))
}

fn on(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(String::new, |time| time.strftime(" on %Y-%m-%d").to_string())
}

fn not_connected(reason: String, hint: &'static str) -> NoAnswer {
    NoAnswer::NotConnected(Problem::new(reason, hint))
}
