//! Which rules make sense. What does not would silently never strike.

use super::{Misdeed, Operation, Rule};

/// What is wrong with the rule and what is possible, in words that follow "a rule …".
pub(super) fn check(rule: &Rule) -> Result<(), String> {
    use Operation::{Any, Close, Create, Device, Devices, List, Token};
    let writes = matches!(rule.on, Create | Close | Any);
    match rule.misdeed {
        Misdeed::Refuse if rule.on != Any || rule.device.is_some() || rule.ticket.is_some() => {
            return Err("that does `refuse` strikes connections, of which nothing is read: it can only be on `any`, \
                        without device and ticket; `drop-before` can be for calls"
                .to_owned());
        }
        Misdeed::Late(_) if !writes => {
            return Err(
                "that does `late` can be on `create`, `close` or `any`: nothing else changes requests".to_owned()
            );
        }
        Misdeed::Twice if !matches!(rule.on, Create | Any) => {
            return Err("that does `twice` can be on `create` or `any`".to_owned());
        }
        Misdeed::Skew(seconds) if seconds.unsigned_abs() > MOST_SKEW => {
            return Err(format!("that does `skew` can have seconds from -{MOST_SKEW} to {MOST_SKEW} (a year)"));
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
