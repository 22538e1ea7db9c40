//! Rules in a file: TOML, because it has comments, because the settings are TOML too, and because its parser is in the
//! program already and tells where a mistake is.

use std::{io, ops::Range, path::Path, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use super::{Endpoint, ListFault, Misdeed, RetryAfter, Rule, Rules, Shape, check::check};
use mmd_elevate_core::visible;

/// How long `hang` and `hang-after` keep a caller waiting where the rule does not say.
const HANG: Duration = Duration::from_secs(10 * 60);
/// The longest file that is read, in bytes.
const LONGEST_FILE: usize = 1 << 20;
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
    on: Endpoint,
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
    entries: Option<usize>,
    retry_after: Option<u32>,
    retry_after_date: Option<u32>,
}

#[derive(Clone, Copy, Deserialize)]
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
    ThrottleAfter,
    RedirectAfter,
    Fail,
    FailAfter,
    Unavailable,
    Html,
    #[serde(rename = "error-200")]
    Error200,
    NoRoute,
    Ignore,
    Late,
    Twice,
    Skew,
    SkewTimes,
    Bare,
    NullTexts,
    NullTicket,
    PascalCase,
    CapitalId,
    NoId,
    TornText,
    Cap,
    NextLink,
    Unfiltered,
    RefuseTop,
    Stale,
    Vanish,
    Shuffle,
    Overlap,
}

impl Rules {
    /// Reads a file of rules. `assets/practice-rules.example.toml` shows them all.
    ///
    /// # Errors
    /// [`RulesError`] where it cannot be read or holds what cannot be: it names the file, the line and what is possible.
    pub fn load(path: &Path) -> Result<Self, RulesError> {
        let file = visible(&path.to_string_lossy()).into_owned();
        let bytes = mmd_elevate_files::read_bounded(path, LONGEST_FILE);
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8")));
        let text = text.map_err(|error| RulesError {
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
    let mut with = Parameters::of(written)?;
    let list = |fault| Misdeed::List(fault);
    let misdeed = match written.deed {
        Deed::Refuse => Misdeed::Refuse,
        Deed::Closed => Misdeed::Closed(with.time()?),
        Deed::Delay => Misdeed::Delay(with.time()?),
        Deed::Hang => Misdeed::Hang(with.time().unwrap_or(HANG)),
        Deed::HangAfter => Misdeed::HangAfter(with.time().unwrap_or(HANG)),
        Deed::DropBefore => Misdeed::DropBefore,
        Deed::DropAfter => Misdeed::DropAfter,
        Deed::Cut => Misdeed::Cut,
        Deed::WrongJson => Misdeed::WrongJson,
        Deed::Throttle => Misdeed::Throttle(with.again()?),
        Deed::ThrottleAfter => Misdeed::ThrottleAfter(with.again()?),
        Deed::RedirectAfter => Misdeed::RedirectAfter,
        Deed::Fail => Misdeed::Fail,
        Deed::FailAfter => Misdeed::FailAfter,
        Deed::Unavailable => Misdeed::Unavailable(with.again.take()),
        Deed::Html => Misdeed::Html,
        Deed::Error200 => Misdeed::Error200,
        Deed::NoRoute => Misdeed::NoRoute,
        Deed::Ignore => Misdeed::Ignore,
        Deed::Late => Misdeed::Late(with.time()?),
        Deed::Twice => Misdeed::Twice,
        Deed::Skew => Misdeed::Skew(with.seconds()?),
        Deed::SkewTimes => Misdeed::SkewTimes(with.seconds()?),
        Deed::Bare => with.shape(Shape::Bare),
        Deed::NullTexts => with.shape(Shape::NullTexts),
        Deed::NullTicket => with.shape(Shape::NullTicket),
        Deed::PascalCase => with.shape(Shape::PascalCase),
        Deed::CapitalId => with.shape(Shape::CapitalId),
        Deed::NoId => with.shape(Shape::NoId),
        Deed::TornText => with.shape(Shape::TornText),
        Deed::Cap => list(ListFault::Cap(with.entries()?)),
        Deed::NextLink => list(ListFault::NextLink(with.entries()?)),
        Deed::Unfiltered => list(ListFault::Unfiltered),
        Deed::RefuseTop => list(ListFault::RefuseTop(with.entries.take().unwrap_or(0))),
        Deed::Stale => list(ListFault::Stale(with.time()?)),
        Deed::Vanish => list(ListFault::Vanish(with.entries.take().unwrap_or(1))),
        Deed::Shuffle => list(ListFault::Shuffle),
        Deed::Overlap => list(ListFault::Overlap(with.entries()?)),
    };
    with.nothing_left().map(|()| misdeed)
}

/// What a rule says about its deed. Each deed takes what it can use; what is left over means nothing.
struct Parameters {
    ms: Option<u64>,
    seconds: Option<i64>,
    entries: Option<usize>,
    again: Option<RetryAfter>,
}

impl Parameters {
    fn of(written: &Written) -> Result<Self, String> {
        if written.ms.is_some_and(|ms| ms > LONGEST) {
            return Err(format!("can have `ms` up to {LONGEST} (a day)"));
        }
        let again = match (written.retry_after, written.retry_after_date) {
            (Some(_), Some(_)) => return Err("can have `retry_after` or `retry_after_date`, not both".to_owned()),
            (Some(seconds), None) => Some(RetryAfter::Seconds(seconds)),
            (None, Some(seconds)) => Some(RetryAfter::Date(seconds)),
            (None, None) => None,
        };
        Ok(Self { ms: written.ms, seconds: written.seconds, entries: written.entries, again })
    }

    fn time(&mut self) -> Result<Duration, String> {
        let ms = self.ms.take().ok_or("with this `do` needs `ms`, the time in milliseconds")?;
        Ok(Duration::from_millis(ms))
    }

    fn seconds(&mut self) -> Result<i64, String> {
        let ahead = "with this `do` needs `seconds`: how far the clock is ahead, or behind with a minus";
        self.seconds.take().ok_or_else(|| ahead.to_owned())
    }

    fn entries(&mut self) -> Result<usize, String> {
        self.entries.take().ok_or_else(|| "with this `do` needs `entries`: how many requests of a list".to_owned())
    }

    fn again(&mut self) -> Result<RetryAfter, String> {
        let words = "with this `do` needs `retry_after` or `retry_after_date`, in seconds";
        self.again.take().ok_or_else(|| words.to_owned())
    }

    fn shape(&mut self, shape: Shape) -> Misdeed {
        Misdeed::Shape(shape, self.entries.take())
    }

    fn nothing_left(&self) -> Result<(), String> {
        let left = [
            ("`ms`", self.ms.is_some()),
            ("`seconds`", self.seconds.is_some()),
            ("`entries`", self.entries.is_some()),
            ("`retry_after` or `retry_after_date`", self.again.is_some()),
        ];
        match left.iter().find(|(_, left)| *left) {
            Some((key, _)) => Err(format!("with this `do` cannot have {key}: it has no use for it")),
            None => Ok(()),
        }
    }
}
