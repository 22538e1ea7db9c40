//! Rules in a file: TOML, because it has comments, because the settings are TOML too, and because its parser is in the
//! program already and tells where a mistake is.

use std::{fs, ops::Range, path::Path, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use super::{Misdeed, Operation, RetryAfter, Rule, Rules, check::check};
use crate::domain::visible;

/// How long `hang` and `hang-after` keep a caller waiting where the rule does not say.
const HANG: Duration = Duration::from_secs(10 * 60);
/// The longest time that a rule can have: a day.
const LONGEST: u64 = 24 * 60 * 60 * 1000;

/// Why rules cannot be used. Its text is two lines: what and where, and a hint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {what}\nhint: {hint}", line.map_or_else(String::new, |line| format!(", line {line}")))]
pub struct RulesError {
    /// The file, fit to be shown.
    pub file: String,
    /// The line, from one, where it is known.
    pub line: Option<usize>,
    /// What is wrong there.
    pub what: String,
    /// What is possible.
    pub hint: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rules: Vec<Spanned<Written>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    on: Operation,
    #[serde(rename = "do")]
    deed: Deed,
    device: Option<String>,
    ticket: Option<String>,
    skip: Option<u64>,
    every: Option<u64>,
    times: Option<u64>,
    probability: Option<f64>,
    seed: Option<u64>,
    ms: Option<u64>,
    seconds: Option<i64>,
    retry_after: Option<u32>,
    retry_after_date: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    Refuse,
    Closed,
    Delay,
    Hang,
    HangAfter,
    DropBefore,
    DropAfter,
    Cut,
    WrongJson,
    Throttle,
    Fail,
    FailAfter,
    Unavailable,
    Html,
    Late,
    Twice,
    Skew,
}

impl Rules {
    /// Reads a file of rules. `assets/practice-rules.example.toml` shows them all.
    ///
    /// # Errors
    /// [`RulesError`] where it cannot be read or holds what cannot be: it names the file, the line and what is possible.
    pub fn load(path: &Path) -> Result<Self, RulesError> {
        let file = visible(&path.to_string_lossy()).into_owned();
        let text = fs::read_to_string(path).map_err(|error| RulesError {
            file: file.clone(),
            line: None,
            what: format!("the file of rules cannot be read: {error}"),
            hint: "name a text file (UTF-8) that you may read".to_owned(),
        })?;
        read(&text).map_err(|error| RulesError { file, ..error })
    }

    /// Reads rules from the text of such a file.
    ///
    /// # Errors
    /// [`RulesError`], as for [`Rules::load`].
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text)
    }
}

fn read(text: &str) -> Result<Rules, RulesError> {
    let wrong = |span: Option<Range<usize>>, what: String, hint: &str| RulesError {
        file: "the rules".to_owned(),
        line: span.and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1),
        what: visible(&what).into_owned(),
        hint: hint.to_owned(),
    };
    let example = "assets/practice-rules.example.toml shows every rule";
    let file: File = toml::from_str(text).map_err(|error| wrong(error.span(), error.message().to_owned(), example))?;
    let rules = file.rules.into_iter().map(|written| {
        let span = written.span();
        let rule = rule(written.into_inner()).and_then(|rule| check(&rule).map(|()| rule));
        rule.map_err(|words| wrong(Some(span), format!("a rule {words}"), example))
    });
    rules.collect::<Result<_, _>>().map(Rules)
}

/// The rule that is written. The error follows "a rule …".
fn rule(written: Written) -> Result<Rule, String> {
    let misdeed = misdeed(&written)?;
    let chance = match (written.probability, written.seed) {
        (Some(probability), seed) => Some((probability, seed.unwrap_or(0))),
        (None, Some(_)) => return Err("with a `seed` needs a `probability`".to_owned()),
        (None, None) => None,
    };
    let Written { on, device, ticket, skip, every, times, .. } = written;
    Ok(Rule { on, misdeed, device, ticket, skip: skip.unwrap_or(0), every: every.unwrap_or(1), times, chance })
}

fn misdeed(written: &Written) -> Result<Misdeed, String> {
    let deed = written.deed;
    let timed = matches!(deed, Deed::Closed | Deed::Delay | Deed::Late);
    let hangs = matches!(deed, Deed::Hang | Deed::HangAfter);
    match written.ms {
        Some(_) if !timed && !hangs => {
            return Err(
                "can have `ms` to `delay`, `hang`, `hang-after`, `late` and `closed`, and to nothing else".to_owned()
            );
        }
        Some(ms) if ms > LONGEST => return Err(format!("can have `ms` up to {LONGEST} (a day)")),
        None if timed => return Err("to `delay`, `late` and `closed` needs `ms`, the time in milliseconds".to_owned()),
        _ => {}
    }
    let time = written.ms.map_or(HANG, Duration::from_millis);
    if written.seconds.is_some() != (deed == Deed::Skew) {
        return Err(
            "to `skew`, and no other, needs `seconds`: how far the clock is ahead, or behind with a minus".to_owned()
        );
    }
    let again = match (written.retry_after, written.retry_after_date) {
        (Some(_), Some(_)) => return Err("can have `retry_after` or `retry_after_date`, not both".to_owned()),
        (Some(seconds), None) => Some(RetryAfter::Seconds(seconds)),
        (None, Some(seconds)) => Some(RetryAfter::Date(seconds)),
        (None, None) => None,
    };
    if again.is_some() && !matches!(deed, Deed::Throttle | Deed::Unavailable) {
        return Err(
            "can have `retry_after` or `retry_after_date` to `throttle` and `unavailable`, and to nothing else"
                .to_owned(),
        );
    }
    Ok(match deed {
        Deed::Refuse => Misdeed::Refuse,
        Deed::Closed => Misdeed::Closed(time),
        Deed::Delay => Misdeed::Delay(time),
        Deed::Hang => Misdeed::Hang(time),
        Deed::HangAfter => Misdeed::HangAfter(time),
        Deed::DropBefore => Misdeed::DropBefore,
        Deed::DropAfter => Misdeed::DropAfter,
        Deed::Cut => Misdeed::Cut,
        Deed::WrongJson => Misdeed::WrongJson,
        Deed::Throttle => {
            Misdeed::Throttle(again.ok_or("to `throttle` needs `retry_after` or `retry_after_date`, in seconds")?)
        }
        Deed::Fail => Misdeed::Fail,
        Deed::FailAfter => Misdeed::FailAfter,
        Deed::Unavailable => Misdeed::Unavailable(again),
        Deed::Html => Misdeed::Html,
        Deed::Late => Misdeed::Late(time),
        Deed::Twice => Misdeed::Twice,
        Deed::Skew => Misdeed::Skew(written.seconds.unwrap_or(0)),
    })
}
