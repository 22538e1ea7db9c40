//! Which rules make sense. What does not would silently never strike.

use std::time::Duration;

use super::{Endpoint, ListFault, Misdeed, Rule};
use crate::known::REMEMBERED;

/// What is wrong with the rule and what is possible, in words that follow "a rule …".
pub(super) fn check(rule: &Rule) -> Result<(), String> {
    use Endpoint::{Any, Close, Create, Device, Devices, List, Token};
    let writes = matches!(rule.on, Create | Close | Any);
    let (can_be, only) = match rule.misdeed {
        Misdeed::Refuse => (
            rule.on == Any && rule.device.is_none() && rule.ticket.is_none(),
            "that does `refuse` strikes connections, of which nothing is read: it can only be on `any`, without device \
             and ticket; `drop-before` can be for calls",
        ),
        Misdeed::Late(_) => {
            (writes, "that does `late` can be on `create`, `close` or `any`: nothing else changes requests")
        }
        Misdeed::Twice => (matches!(rule.on, Create | Any), "that does `twice` can be on `create` or `any`"),
        Misdeed::Ignore => (rule.on == Close, "that does `ignore` can only be on `close`"),
        Misdeed::Shape(..) => (
            matches!(rule.on, Create | List | Any),
            "about how requests are written can be on `create`, `list` or `any`: no other answer holds one",
        ),
        Misdeed::List(_) => (matches!(rule.on, List | Any), "about lists of requests can be on `list` or `any`"),
        _ => (true, ""),
    };
    if !can_be {
        return Err(only.to_owned());
    }
    match rule.misdeed {
        Misdeed::Skew(seconds) | Misdeed::SkewTimes(seconds) if seconds.unsigned_abs() > MOST_SKEW => {
            return Err(format!(
                "that does `skew` or `skew-times` can have seconds from -{MOST_SKEW} to {MOST_SKEW} (a year)"
            ));
        }
        Misdeed::List(ListFault::Stale(ago)) if ago > Duration::from_secs(REMEMBERED) => {
            return Err(format!("that does `stale` can have `ms` up to {} (an hour)", REMEMBERED * 1000));
        }
        Misdeed::List(ListFault::Cap(0) | ListFault::NextLink(0)) => {
            return Err("that does `cap` or `next-link` can have `entries` from 1".to_owned());
        }
        _ => {}
    }
    if rule.device.is_some() && rule.on == Devices {
        return Err("on `devices` cannot have a device: that call is about all of them".to_owned());
    }
    if rule.device.is_some() && rule.on == Token {
        return Err("on `token` cannot have a device: that call is about none".to_owned());
    }
    if rule.ticket.is_some() && !writes {
        let on = if rule.on == List {
            "a list is"
        } else if rule.on == Device {
            "a device is"
        } else {
            "such a call is"
        };
        return Err(format!("with a ticket can be on `create`, `close` or `any`: {on} not about a ticket"));
    }
    if rule.every == 0 {
        return Err("can have `every` from 1: 2 strikes every second call".to_owned());
    }
    if rule.chance.is_some_and(|(probability, _)| !(0.0..=1.0).contains(&probability)) {
        return Err("can have a `probability` from 0 (never) to 1 (always)".to_owned());
    }
    Ok(())
}

/// A year, in seconds: times stay within what a clock can say.
const MOST_SKEW: u64 = 366 * 24 * 60 * 60;
