//! Rules in a file: TOML, because it has comments and the settings are TOML too.
//!
//! Serde's tagged enums do not read it: they tell a mistake at the place of the whole rule, and take any key beside a
//! variant that has none.

use std::{fmt::Display, io, path::Path, time::Duration};

use serde::de::{DeserializeOwned, IntoDeserializer as _};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Endpoint::{self, Any, Close, Create, Details, Device, Devices, List, Token},
    ListFault, Misdeed, RetryAfter, Rule, Rules, Shape,
};
use crate::tenant::REMEMBERED;
use mmd_elevate_core::visible;

/// How long `hang` and `hang-after` keep a caller waiting where the rule does not say.
const HANG: Duration = Duration::from_secs(10 * 60);
/// The longest file that is read, in bytes.
const LONGEST_FILE: usize = 1 << 20;
/// The longest time that a rule can have, in milliseconds: a day.
const LONGEST: u64 = 24 * 60 * 60 * 1000;
/// A year, in seconds: times stay within what a clock can say.
const MOST_SKEW: u64 = 366 * 24 * 60 * 60;
/// How near a name has to be to be proposed: 1 is equal.
const NEAR: f64 = 0.6;

/// The calls that a rule can be on.
const ENDPOINTS: [(&str, Endpoint); 8] = [
    ("create", Create),
    ("close", Close),
    ("list", List),
    ("details", Details),
    ("devices", Devices),
    ("device", Device),
    ("token", Token),
    ("any", Any),
];

/// Takes the keys that a `do` needs beside.
type Deed = fn(&mut Keys<'_>) -> Result<Misdeed, RulesError>;

/// Everything that a rule can do.
const DEEDS: [(&str, Deed); 38] = [
    ("refuse", |_| Ok(Misdeed::Refuse)),
    ("closed", |keys| keys.time().map(Misdeed::Closed)),
    ("delay", |keys| keys.time().map(Misdeed::Delay)),
    ("hang", |keys| keys.hang().map(Misdeed::Hang)),
    ("hang-after", |keys| keys.hang().map(Misdeed::HangAfter)),
    ("drop-before", |_| Ok(Misdeed::DropBefore)),
    ("drop-after", |_| Ok(Misdeed::DropAfter)),
    ("cut", |_| Ok(Misdeed::Cut)),
    ("wrong-json", |_| Ok(Misdeed::WrongJson)),
    ("throttle", |keys| keys.throttle().map(Misdeed::Throttle)),
    ("throttle-after", |keys| keys.throttle().map(Misdeed::ThrottleAfter)),
    ("redirect-after", |_| Ok(Misdeed::RedirectAfter)),
    ("fail", |_| Ok(Misdeed::Fail)),
    ("fail-after", |_| Ok(Misdeed::FailAfter)),
    ("unavailable", |keys| keys.retry_after().map(Misdeed::Unavailable)),
    ("html", |_| Ok(Misdeed::Html)),
    ("error-200", |_| Ok(Misdeed::Error200)),
    ("no-route", |_| Ok(Misdeed::NoRoute)),
    ("ignore", |_| Ok(Misdeed::Ignore)),
    ("late", |keys| keys.time().map(Misdeed::Late)),
    ("twice", |_| Ok(Misdeed::Twice)),
    ("skew", |keys| keys.clock().map(Misdeed::Skew)),
    ("skew-times", |keys| keys.clock().map(Misdeed::SkewTimes)),
    ("bare", |keys| keys.shape(Shape::Bare)),
    ("null-texts", |keys| keys.shape(Shape::NullTexts)),
    ("null-ticket", |keys| keys.shape(Shape::NullTicket)),
    ("pascal-case", |keys| keys.shape(Shape::PascalCase)),
    ("capital-id", |keys| keys.shape(Shape::CapitalId)),
    ("no-id", |keys| keys.shape(Shape::NoId)),
    ("torn-text", |keys| keys.shape(Shape::TornText)),
    ("cap", |keys| keys.list(ListFault::Cap, None)),
    ("next-link", |keys| keys.list(ListFault::NextLink, None)),
    ("unfiltered", |_| Ok(Misdeed::List(ListFault::Unfiltered))),
    ("refuse-top", |keys| keys.list(ListFault::RefuseTop, Some(0))),
    ("stale", |keys| keys.time().map(|ago| Misdeed::List(ListFault::Stale(ago)))),
    ("vanish", |keys| keys.list(ListFault::Vanish, Some(1))),
    ("shuffle", |_| Ok(Misdeed::List(ListFault::Shuffle))),
    ("overlap", |keys| keys.list(ListFault::Overlap, None)),
];

/// The keys that a rule can have.
const KEYS: [&str; 14] = [
    "on",
    "do",
    "device",
    "ticket",
    "skip",
    "every",
    "times",
    "probability",
    "seed",
    "ms",
    "seconds",
    "entries",
    "retry_after",
    "retry_after_date",
];

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

impl RulesError {
    /// What is wrong at a place of the text, in bytes from its beginning.
    fn new(text: &str, at: usize, what: impl AsRef<str>) -> Self {
        Self {
            file: "the rules".to_owned(),
            line: text.get(..at).map(|before| before.matches('\n').count() + 1),
            what: visible(what.as_ref()).into_owned(),
            hint: "assets/practice-rules.example.toml shows every rule".to_owned(),
        }
    }

    /// A name that is none of these.
    fn name(text: &str, at: usize, name: &str, problem: &str, known: &[&str]) -> Self {
        let error = Self::new(text, at, format!("`{name}` {problem}: use one of `{}`", known.join("`, `")));
        let near = known.iter().map(|known| (strsim::normalized_damerau_levenshtein(name, known), known));
        match near.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
            Some((nearness, near)) if nearness >= NEAR => {
                Self { hint: format!("did you mean `{near}`? {}", error.hint), ..error }
            }
            _ => error,
        }
    }
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
        Self::parse(&text).map_err(|error| RulesError { file, ..error })
    }

    /// Reads rules from the text of such a file.
    ///
    /// # Errors
    /// [`RulesError`], as for [`Rules::load`].
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().unwrap_or_default().start;
            RulesError::new(text, at, format!("this is not TOML: {}", error.message()))
        })?;
        let mut rules = Vec::new();
        for (key, value) in document.into_inner() {
            let at = key.span().start;
            match (key.get_ref().as_ref(), value.into_inner()) {
                ("rules", DeValue::Array(written)) => {
                    for one in written {
                        let at = one.span().start;
                        let DeValue::Table(left) = one.into_inner() else {
                            return Err(RulesError::new(
                                text,
                                at,
                                "a rule is a table: write `[[rules]]` above its keys",
                            ));
                        };
                        rules.push(Keys { text, at, left }.rule()?);
                    }
                }
                ("rules", _) => return Err(RulesError::new(text, at, "write `[[rules]]` above each rule")),
                (name, _) => {
                    return Err(RulesError::name(text, at, name, "has no place in a file of rules", &["rules"]));
                }
            }
        }
        Ok(Self(rules))
    }
}

/// The keys of one rule. Each is taken by what can use it; what is left over means nothing.
struct Keys<'t> {
    text: &'t str,
    at: usize,
    left: DeTable<'t>,
}

impl Keys<'_> {
    fn rule(mut self) -> Result<Rule, RulesError> {
        let on = self.named("on", "which calls it is for", "is no call", &ENDPOINTS)?;
        let deed = self.named("do", "what goes wrong", "is nothing that a rule can do", &DEEDS)?;
        let misdeed = deed(&mut self)?;
        let chance = match (self.take("probability", "a number")?, self.count("seed")?) {
            (Some(probability), seed) => Some((probability, seed.unwrap_or(0))),
            (None, Some(_)) => return Err(self.wrong("with a `seed` needs a `probability`")),
            (None, None) => None,
        };
        let rule = Rule {
            on,
            misdeed,
            device: self.take("device", "a text")?,
            ticket: self.take("ticket", "a text")?,
            skip: self.count("skip")?.unwrap_or(0),
            every: self.count("every")?.unwrap_or(1),
            times: self.count("times")?,
            chance,
        };
        if let Some(key) = self.left.keys().min_by_key(|key| key.span().start) {
            let (at, name) = (key.span().start, key.get_ref());
            return Err(if KEYS.contains(&name.as_ref()) {
                self.wrong(format!("with this `do` cannot have `{name}`: it has no use for it"))
            } else {
                RulesError::name(self.text, at, name, "is no key of a rule", &KEYS)
            });
        }
        check(&rule).map_err(|words| self.wrong(words))?;
        Ok(rule)
    }

    fn time(&mut self) -> Result<Duration, RulesError> {
        self.ms()?.ok_or_else(|| self.wrong("with this `do` needs `ms`, the time in milliseconds"))
    }

    fn hang(&mut self) -> Result<Duration, RulesError> {
        Ok(self.ms()?.unwrap_or(HANG))
    }

    fn ms(&mut self) -> Result<Option<Duration>, RulesError> {
        match self.count("ms")? {
            Some(ms) if ms > LONGEST => Err(self.wrong(format!("can have `ms` up to {LONGEST} (a day)"))),
            ms => Ok(ms.map(Duration::from_millis)),
        }
    }

    fn clock(&mut self) -> Result<i64, RulesError> {
        let words = "with this `do` needs `seconds`: how far the clock is ahead, or behind with a minus";
        self.take("seconds", "a whole number")?.ok_or_else(|| self.wrong(words))
    }

    fn throttle(&mut self) -> Result<RetryAfter, RulesError> {
        let words = "with this `do` needs `retry_after` or `retry_after_date`, in seconds";
        self.retry_after()?.ok_or_else(|| self.wrong(words))
    }

    fn retry_after(&mut self) -> Result<Option<RetryAfter>, RulesError> {
        match (self.count("retry_after")?, self.count("retry_after_date")?) {
            (Some(_), Some(_)) => Err(self.wrong("can have `retry_after` or `retry_after_date`, not both")),
            (seconds, date) => Ok(seconds.map(RetryAfter::Seconds).or(date.map(RetryAfter::Date))),
        }
    }

    fn shape(&mut self, shape: Shape) -> Result<Misdeed, RulesError> {
        Ok(Misdeed::Shape(shape, self.count("entries")?))
    }

    fn list(&mut self, fault: fn(usize) -> ListFault, default: Option<usize>) -> Result<Misdeed, RulesError> {
        let words = "with this `do` needs `entries`: how many requests of a list";
        let entries = self.count("entries")?.or(default).ok_or_else(|| self.wrong(words))?;
        Ok(Misdeed::List(fault(entries)))
    }

    /// What a name stands for, which the rule has to have.
    fn named<T: Copy>(
        &mut self,
        key: &str,
        meaning: &str,
        problem: &str,
        known: &[(&str, T)],
    ) -> Result<T, RulesError> {
        let name: Option<Spanned<String>> = self.take(key, "a text")?;
        let name = name.ok_or_else(|| self.wrong(format!("needs `{key}`: {meaning}")))?;
        let found = known.iter().find(|(known, _)| known == name.get_ref());
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = known.iter().map(|(known, _)| *known).collect();
            RulesError::name(self.text, name.span().start, name.get_ref(), problem, &names)
        })
    }

    fn count<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, RulesError> {
        self.take(key, "a whole number from 0")
    }

    fn take<T: DeserializeOwned>(&mut self, key: &str, kind: &str) -> Result<Option<T>, RulesError> {
        let Some(value) = self.left.remove(key) else { return Ok(None) };
        let at = value.span().start;
        let wrong = |_| RulesError::new(self.text, at, format!("`{key}` has to be {kind}"));
        T::deserialize(value.into_deserializer()).map(Some).map_err(wrong)
    }

    /// Something about the whole rule, in words that follow "a rule".
    fn wrong(&self, words: impl Display) -> RulesError {
        RulesError::new(self.text, self.at, format!("a rule {words}"))
    }
}

/// What is wrong with a rule that would silently never strike, in words that follow "a rule".
fn check(rule: &Rule) -> Result<(), String> {
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
        Misdeed::List(ListFault::Cap(0) | ListFault::NextLink(0)) => {
            (false, "that does `cap` or `next-link` can have `entries` from 1")
        }
        Misdeed::List(_) => (matches!(rule.on, List | Any), "about lists of requests can be on `list` or `any`"),
        _ => (true, ""),
    };
    if !can_be {
        return Err(only.to_owned());
    }
    match rule.misdeed {
        Misdeed::Skew(seconds) | Misdeed::SkewTimes(seconds) if seconds.unsigned_abs() > MOST_SKEW => {
            Err(format!("that does `skew` or `skew-times` can have seconds from -{MOST_SKEW} to {MOST_SKEW} (a year)"))
        }
        Misdeed::List(ListFault::Stale(ago)) if ago > Duration::from_secs(REMEMBERED) => {
            Err(format!("that does `stale` can have `ms` up to {} (an hour)", REMEMBERED * 1000))
        }
        _ if rule.device.is_some() && matches!(rule.on, Devices | Token) => {
            Err("on `devices` or `token` cannot have a device: such a call is not about one".to_owned())
        }
        _ if rule.ticket.is_some() && !writes => {
            Err("with a ticket can be on `create`, `close` or `any`: other calls are not about one".to_owned())
        }
        _ if rule.every == 0 => Err("can have `every` from 1: 2 strikes every second call".to_owned()),
        _ if rule.chance.is_some_and(|(probability, _)| !(0.0..=1.0).contains(&probability)) => {
            Err("can have a `probability` from 0 (never) to 1 (always)".to_owned())
        }
        _ => Ok(()),
    }
}
