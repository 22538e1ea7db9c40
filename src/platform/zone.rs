//! The agent's time zone. It never lists the time zone database, which is slow.

use std::{env, fs};

use jiff::tz::TimeZone;

/// The file with the rules of the machine's time zone.
const RULES: &str = "/etc/localtime";

/// Returns the time zone that `TZ` names, or the machine's.
///
/// To find the name of the machine's zone, jiff lists the whole database, which would take longer than anything else before
/// the first frame. The name is never shown, so that the rules alone are read.
pub(crate) fn time_zone() -> TimeZone {
    let rules = if env::var_os("TZ").is_none() { fs::read(RULES).ok() } else { None };
    rules.and_then(|rules| TimeZone::tzif("", &rules).ok()).unwrap_or_else(TimeZone::system)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn rules_have_the_offset_of_the_named_zone() {
        for seconds in [0, 1_700_000_000, 1_720_000_000] {
            let at = Timestamp::from_second(seconds).unwrap();
            assert_eq!(time_zone().to_offset(at), TimeZone::system().to_offset(at));
        }
    }
}
