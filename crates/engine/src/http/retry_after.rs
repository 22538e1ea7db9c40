//! Parses the headers with a time: `Retry-After` and `Date`.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

/// The wait for a `Retry-After` that cannot be parsed.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);

/// Returns the wait of `Retry-After`, which is seconds or an HTTP date (contract, inferred). A date is compared with the
/// answer's own `Date`, so that a wrong clock does not change the wait. The wait is not limited.
pub(crate) fn retry_after(headers: &HeaderMap, now: impl FnOnce() -> Timestamp) -> Option<Duration> {
    // The longest of several headers.
    let mut asked = headers.get_all(RETRY_AFTER).iter().peekable();
    asked.peek()?;
    let now = date(headers).unwrap_or_else(now);
    asked.map(|value| wait(value, now).unwrap_or(DEFAULT_WAIT)).max()
}

fn wait(value: &HeaderValue, now: Timestamp) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Some(seconds) = seconds(text) {
        return Some(Duration::from_secs(seconds));
    }
    // A past date means no wait.
    Some(Duration::try_from(http_date(text)?.duration_since(now)).unwrap_or_default())
}

/// Parses seconds. Fractions, which some services write, are rounded up; too large a number is the maximum.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let more = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    (is_number(whole) && is_number(fraction)).then(|| whole.parse().unwrap_or(u64::MAX).saturating_add(more))
}

/// Returns the answer's `Date`.
pub(crate) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?.trim())
}

/// Parses a date in the three forms of RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994`; or with another zone, as in mail.
fn http_date(text: &str) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(text).ok().and_then(|date| Timestamp::try_from(date).ok());
    date.or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_any_form_is_told_as_it_was_asked_for() {
        let dates = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"];
        for date in dates {
            for (text, seconds) in [
                ("0", 0),
                ("120", 120),
                ("3601", 3601),
                ("86400", 86_400),
                ("99999999999999999999999", u64::MAX),
                ("6.5", 7),
                ("6.0", 6),
                ("0.1", 1),
                ("Sun, 06 Nov 1994 08:50:00 GMT", 23),
                ("Sun, 06 Nov 1994 09:50:00 +0100", 23),
                ("Sunday, 06-Nov-94 08:49:44 GMT", 7),
                ("Sun Nov  6 08:49:44 1994", 7),
                ("Mon, 07 Nov 1994 08:49:37 GMT", 86_400),
                ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
                ("-5", 30),
                ("", 30),
                ("soon", 30),
                ("6,5", 30),
                (".5", 30),
                ("1e3", 30),
            ] {
                let mut headers = HeaderMap::new();
                headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
                headers.insert(DATE, HeaderValue::from_static(date));
                assert_eq!(retry_after(&headers, Timestamp::now), Some(Duration::from_secs(seconds)), "{text}, {date}");
            }
        }
    }

    #[test]
    fn without_retry_after_nothing_is_asked_for_and_of_several_the_longest_is() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers, Timestamp::now), None);
        for text in ["3", "9", "5"] {
            headers.append(RETRY_AFTER, HeaderValue::from_static(text));
        }
        assert_eq!(retry_after(&headers, Timestamp::now), Some(Duration::from_secs(9)));
    }

    #[test]
    fn without_a_date_of_the_service_the_own_clock_serves() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Thu, 01 Jan 1970 00:01:00 GMT"));
        assert_eq!(retry_after(&headers, || Timestamp::UNIX_EPOCH), Some(Duration::from_secs(60)));
    }
}
