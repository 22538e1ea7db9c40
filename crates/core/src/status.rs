//! The text and the hint for each HTTP status of a refusal: one table.

/// Returns what happened, as a sentence without its full stop, and a hint that is true for every call. `None`: the status has
/// no text of its own.
pub(super) const fn refusal(status: u16) -> (Option<&'static str>, &'static str) {
    match status {
        400 | 422 => (None, "check the fields, then send it again"),
        402 => (
            Some("The service asks for a payment or a licence"),
            "ask whoever runs the service: a subscription or a quota may have ended",
        ),
        403 => (None, "something on the way declined, not the service: check the base URL and the network"),
        404 | 405 => (None, "check the base URL and the tenant in the configuration"),
        406 => (
            Some("What answers there gives no JSON"),
            "check the base URL; if it is right, tell whoever runs the service",
        ),
        407 => (
            Some("A proxy on the way asks for a name and a password"),
            "set HTTPS_PROXY to http://name:password@host:port, or name the service's host in NO_PROXY",
        ),
        409 => (
            Some("What was asked for conflicts with what the service holds"),
            "somebody else may have changed it: look at what is there now, then decide",
        ),
        410 => (
            Some("The service says that what was asked for is gone"),
            "look at what is there now; if all calls end like this, check the base URL",
        ),
        411 | 416 | 417 | 424 => (None, "tell whoever runs the service or the gateway before it, with the call's id"),
        412 | 428 => (
            Some("The service wants to know on which version the call is based"),
            "look at what is there now, then send it again; if it stays like this, tell whoever runs the service",
        ),
        413 => (
            Some("The call is too large for the service or a gateway before it"),
            "shorten the texts, then send it again",
        ),
        414 => (Some("The address of the call is too long"), "check the base URL and the tenant in the configuration"),
        415 => (
            Some("What answers there takes no JSON"),
            "check the base URL; if it is right, tell whoever runs the service",
        ),
        421 => (Some("What answers there does not serve this host"), "check the host of the base URL, and the proxy"),
        423 => (Some("The service has locked it"), "something else is changing it: wait a little, then send it again"),
        425 => (Some("The service did not want the call so early"), "send it again"),
        426 => (
            Some("The service wants another protocol or a newer program"),
            "tell whoever runs the service; a newer version of this program may be needed",
        ),
        429 => (Some("The service has too many calls just now"), "wait a little, then send it again"),
        431 => (
            Some("The head of the call is too large for the service or a gateway before it"),
            "the token may be too long: tell whoever runs the service or issues the tokens",
        ),
        451 => (
            Some("The service may not do this for legal reasons"),
            "sending it again does not help: ask whoever runs the service",
        ),
        _ => (None, "ask whoever runs the service, with the call's id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hint_to_check_the_fields_stands_where_the_fields_may_be_wrong_alone() {
        for status in 400..500 {
            let (_, hint) = refusal(status);
            assert_eq!(hint.contains("fields"), matches!(status, 400 | 422), "{status}: {hint}");
            assert_eq!(hint.contains("HTTPS_PROXY"), status == 407, "{status}: {hint}");
            assert!(!hint.contains("close a request"), "{status}: {hint}");
        }
    }

    #[test]
    fn status_with_a_class_of_its_own_is_told_in_words() {
        for status in [402, 406, 407, 409, 410, 412, 413, 414, 415, 421, 423, 425, 426, 428, 431, 451] {
            assert!(refusal(status).0.is_some(), "{status}");
        }
    }
}
