//! What an answer's headers say of time.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that a service may ask for. More is no longer a wait.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// `Retry-After` is seconds or an HTTP date (contract, inferred). A date is measured against the answer's own `Date`,
/// so that a clock that is wrong on either side does not make the wait longer or shorter.
pub(crate) fn retry_after(headers: &HeaderMap, now: impl FnOnce() -> Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let asked = text.parse().map_or(LONGEST_RETRY_AFTER, Duration::from_secs);
        return Some(asked.min(LONGEST_RETRY_AFTER));
    }
    let until = http_date(text)?;
    let now = date(headers).unwrap_or_else(now);
    // A date that has gone by asks for no wait.
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

/// The answer's `Date`.
pub(crate) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_is_capped() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("3601", Some(3600)),
            ("99999999999999999999999", Some(3600)),
            ("Sun, 06 Nov 1994 08:50:00 GMT", Some(23)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Mon, 07 Nov 2094 08:49:37 GMT", None),
            ("Sat, 06 Nov 2094 08:49:37 GMT", Some(3600)),
            ("-5", None),
            ("", None),
            ("soon", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            headers.insert(DATE, HeaderValue::from_static(date));
            assert_eq!(retry_after(&headers, Timestamp::now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn without_a_date_of_the_service_the_own_clock_serves() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Thu, 01 Jan 1970 00:01:00 GMT"));
        assert_eq!(retry_after(&headers, || Timestamp::UNIX_EPOCH), Some(Duration::from_secs(60)));
    }
}
