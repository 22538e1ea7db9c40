//! A time as the service writes it, and its timestamp. A text that is no time is kept as text.

use jiff::{Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};

use super::Untrusted;

/// Texts that mean "no time".
const NO_TIME: [&str; 5] = ["null", "none", "nil", "never", "-"];

/// The first valid time, 1901-01-01, in milliseconds since 1970. Programs write their smallest time for "never": in the years
/// 0001, 1601, 1753, 1899 and 1900.
const FIRST_TIME: i64 = -2_177_452_800_000;

/// The end of the valid times, 9999-01-01, in milliseconds since 1970. Programs write their largest time, in 9999, for "never".
const LAST_TIME: i64 = 253_370_764_800_000;

/// A time of the service: its text, and the timestamp if the text can be parsed.
///
/// The service writes up to seven fractional digits, and `0001-01-01T00:00:00Z` for "never".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTime {
    /// The text as the service sent it.
    pub text: Untrusted,
    /// The timestamp, if the text is a time.
    pub at: Option<Timestamp>,
}

enum Reading {
    Never,
    At(Timestamp),
    Unclear,
}

impl ServiceTime {
    /// Parses a time. Returns `None` if the text means "no time": blank, "null", or a value that programs write for "never"
    /// (the year 1900 and before, the year 9999, the zero of the Unix clock).
    ///
    /// A time without a zone is UTC (assumption; all times of the documents are).
    #[must_use]
    pub fn read(text: Untrusted) -> Option<Self> {
        match parse(text.raw().trim()) {
            Reading::Never => None,
            Reading::At(at) => Some(Self { text, at: Some(at) }),
            Reading::Unclear => Some(Self { text, at: None }),
        }
    }
}

fn parse(text: &str) -> Reading {
    if text.is_empty() || NO_TIME.iter().any(|none| text.eq_ignore_ascii_case(none)) {
        return Reading::Never;
    }
    if let Some(millis) = json_date(text) {
        return from_millis(millis);
    }
    // By the year, because a timestamp cannot represent the last hours of 9999.
    if leading_year(text).is_some_and(|year| year <= 1900 || year == 9999) {
        return Reading::Never;
    }
    parse_timestamp(text).map_or(Reading::Unclear, |at| match from_millis(at.as_millisecond()) {
        Reading::At(_) => Reading::At(at),
        other => other,
    })
}

fn from_millis(millis: i64) -> Reading {
    if millis == 0 || !(FIRST_TIME..LAST_TIME).contains(&millis) {
        return Reading::Never;
    }
    Timestamp::from_millisecond(millis).map_or(Reading::Unclear, Reading::At)
}

fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let joined = with_joined_zone(text);
    let with_zone = joined.parse::<Timestamp>().ok();
    let without_zone = || joined.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    with_zone.or_else(without_zone).or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok())
}

/// Joins time and zone as in RFC 3339: databases and scripts write `2021-12-14 14:06:25 +00:00` and `… UTC`.
fn with_joined_zone(text: &str) -> String {
    match text.rsplit_once(' ') {
        Some((time, zone)) if ["z", "utc", "gmt"].iter().any(|utc| zone.eq_ignore_ascii_case(utc)) => {
            format!("{}Z", time.trim_end())
        }
        Some((time, zone)) if zone.starts_with(['+', '-']) => format!("{}{zone}", time.trim_end()),
        _ => text.to_owned(),
    }
}

/// Parses `/Date(1639490785033)/`, a time in the JSON of `OData` v2 and v3: milliseconds since 1970 in UTC. An offset may
/// follow, which does not change the time.
fn json_date(text: &str) -> Option<i64> {
    let inner = text.trim_matches(['/', '\\']).strip_prefix("Date(")?.strip_suffix(')')?;
    let end = inner.char_indices().skip(1).find(|(_, c)| !c.is_ascii_digit()).map_or(inner.len(), |(at, _)| at);
    inner[..end].parse().ok()
}

/// Returns the year at the start of a text in the order of ISO 8601.
fn leading_year(text: &str) -> Option<u16> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 4 || digits == 8 { text[..4].parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The timestamp; "unclear" for an invalid time, "never" for none.
    fn read(text: &str) -> String {
        ServiceTime::read(Untrusted::new(text))
            .map_or("never".to_owned(), |time| time.at.map_or("unclear".to_owned(), |at| at.to_string()))
    }

    #[test]
    fn time_in_any_form_in_use_is_read_to_the_tick() {
        let tick = "2021-12-14T14:06:25.0338102Z";
        let second = "2021-12-14T14:06:25Z";
        for (text, moment) in [
            ("2021-12-14T14:06:25.0338102Z", tick),
            ("2021-12-14T14:06:25.0338102", tick),
            ("2021-12-14 14:06:25.0338102", tick),
            ("2021-12-14T14:06:25", second),
            ("2021-12-14 14:06:25", second),
            ("2021-12-14 14:06:25Z", second),
            ("2021-12-14 14:06:25 Z", second),
            ("2021-12-14 14:06:25 UTC", second),
            ("2021-12-14 14:06:25 +00:00", second),
            ("2021-12-14 15:06:25 +01:00", second),
            ("2021-12-14T15:06:25+01:00", second),
            (" 2021-12-14T14:06:25Z ", second),
            ("Tue, 14 Dec 2021 14:06:25 GMT", second),
            ("/Date(1639490785000)/", second),
            ("\\/Date(1639490785000)\\/", second),
            ("/Date(1639490785000+0100)/", second),
            ("/Date(1639490785000-0800)/", second),
            ("2021-12-14", "2021-12-14T00:00:00Z"),
        ] {
            assert_eq!(read(text), moment, "{text}");
        }
    }

    #[test]
    fn time_that_stands_for_never_is_none() {
        for text in [
            "",
            "  ",
            "null",
            "NULL",
            "None",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00",
            "0001-01-01 00:00:00",
            "0001-01-01T00:00:00.0000000+00:00",
            "0001-01-01T00:00:00-08:00",
            "0000-12-31T23:00:00Z",
            "1601-01-01T00:00:00Z",
            "1753-01-01T00:00:00",
            "1899-12-30T00:00:00Z",
            "1900-01-01T00:00:00",
            "1970-01-01T00:00:00Z",
            "9999-12-31T23:59:59.9999999Z",
            "9999-12-31T23:59:59.9999999",
            "9999-12-31T00:00:00+14:00",
            "/Date(-62135596800000)/",
            "/Date(253402300799999)/",
            "/Date(0)/",
        ] {
            assert_eq!(read(text), "never", "{text}");
        }
    }

    #[test]
    fn time_that_nobody_can_read_has_a_text_and_no_moment() {
        for text in ["soon", "yesterday", "14/12/2021", "2021-13-45T99:00:00Z", "Date()", "/Date(x)/", "1639490785"] {
            assert_eq!(read(text), "unclear", "{text}");
        }
    }
}
