//! The agent's time zone.

use std::{env, fs};

use jiff::tz::TimeZone;

/// The rules of the machine's zone.
const RULES: &str = "/etc/localtime";

/// The zone that `TZ` names, or the machine's.
///
/// To name the machine's zone, jiff lists the whole database, which takes longer than anything else before the first
/// frame. The name is shown nowhere, so the rules are read from where they stand.
pub(crate) fn time_zone() -> TimeZone {
    let rules = if env::var_os("TZ").is_none() { fs::read(RULES).ok() } else { None };
    rules.and_then(|rules| TimeZone::tzif("", &rules).ok()).unwrap_or_else(TimeZone::system)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_rules_say_what_the_name_says() {
        for seconds in [0, 1_700_000_000, 1_720_000_000] {
            let at = Timestamp::from_second(seconds).unwrap();
            assert_eq!(time_zone().to_offset(at), TimeZone::system().to_offset(at));
        }
    }
}
