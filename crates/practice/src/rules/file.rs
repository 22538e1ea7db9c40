//! Parses files of rules (TOML).
//!
//! Serde's tagged enums are not used: they report an error at the whole rule instead of its key, and ignore unknown keys
//! beside a unit variant.

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
use crate::tenant::HISTORY_SECONDS;
use mmd_elevate_core::{Problem, visible};

/// How long `hang` and `hang-after` wait by default.
const HANG: Duration = Duration::from_secs(10 * 60);
/// The longest file, in bytes.
const LONGEST_FILE: usize = 1 << 20;
/// The longest time of a rule, in milliseconds: a day.
const MAX_MS: u64 = 24 * 60 * 60 * 1000;
/// The largest clock skew, in seconds: a year, so that times stay representable.
const MAX_SKEW: u64 = 366 * 24 * 60 * 60;
/// How similar a name must be to be suggested; 1 is equal.
const MIN_SIMILARITY: f64 = 0.6;

/// The values of `on`.
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

/// Parses the keys of a misdeed.
type MisdeedParser = fn(&mut RuleKeys<'_>) -> Result<Misdeed, Problem>;

/// The values of `do`.
const MISDEEDS: [(&str, MisdeedParser); 38] = [
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

/// The keys of a rule.
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

/// The text of a file of rules, and its name in errors.
#[derive(Clone, Copy)]
struct RulesText<'t> {
    file: &'t str,
    text: &'t str,
}

impl RulesText<'_> {
    /// Returns a problem at an offset in bytes.
    fn problem(self, at: usize, what: impl AsRef<str>) -> Problem {
        let Self { file, text } = self;
        let line = text.get(..at).map(|before| before.matches('\n').count() + 1);
        let line = line.map_or_else(String::new, |line| format!(", line {line}"));
        let what = visible(what.as_ref());
        Problem::new(format!("{file}{line}: {what}"), "mmd-elevate practice --print-rules shows every rule")
    }

    /// Returns a problem for a name that is not one of the known names, and suggests the most similar one.
    fn unknown_name(self, at: usize, name: &str, problem: &str, known: &[&str]) -> Problem {
        let error = self.problem(at, format!("`{name}` {problem}: use one of `{}`", known.join("`, `")));
        let similar = known.iter().map(|known| (strsim::normalized_damerau_levenshtein(name, known), known));
        match similar.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
            Some((similarity, similar)) if similarity >= MIN_SIMILARITY => {
                Problem { hint: format!("did you mean `{similar}`? {}", error.hint), ..error }
            }
            _ => error,
        }
    }
}

impl Rules {
    /// Reads a file of rules. `assets/practice-rules.example.toml` shows all of them.
    ///
    /// # Errors
    /// The file cannot be read or holds an invalid rule: the problem names the file, the line and the valid values.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        let file = visible(&path.to_string_lossy()).into_owned();
        let bytes = mmd_elevate_files::read_bounded(path, LONGEST_FILE);
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8")));
        let text = text.map_err(|error| {
            let what = format!("{file}: the file of rules cannot be read: {error}");
            Problem::new(what, "name a text file (UTF-8) that you may read")
        })?;
        Self::parse_file(RulesText { file: &file, text: &text })
    }

    /// Parses the text of a file of rules.
    ///
    /// # Errors
    /// The text holds an invalid rule, as for [`Rules::load`].
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::parse_file(RulesText { file: "the rules", text })
    }

    fn parse_file(source: RulesText<'_>) -> Result<Self, Problem> {
        let document = DeTable::parse(source.text).map_err(|error| {
            let at = error.span().unwrap_or_default().start;
            source.problem(at, format!("this is not TOML: {}", error.message()))
        })?;
        let mut rules = Vec::new();
        for (key, value) in document.into_inner() {
            let at = key.span().start;
            match (key.get_ref().as_ref(), value.into_inner()) {
                ("rules", DeValue::Array(written)) => {
                    for one in written {
                        let at = one.span().start;
                        let DeValue::Table(left) = one.into_inner() else {
                            return Err(source.problem(at, "a rule is a table: write `[[rules]]` above its keys"));
                        };
                        rules.push(RuleKeys { source, at, unused: left }.rule()?);
                    }
                }
                ("rules", _) => return Err(source.problem(at, "write `[[rules]]` above each rule")),
                (name, _) => {
                    return Err(source.unknown_name(at, name, "has no place in a file of rules", &["rules"]));
                }
            }
        }
        Ok(Self(rules))
    }
}

/// The keys of one rule. Each key is removed when it is used; remaining keys are errors.
struct RuleKeys<'t> {
    source: RulesText<'t>,
    at: usize,
    unused: DeTable<'t>,
}

impl RuleKeys<'_> {
    fn rule(mut self) -> Result<Rule, Problem> {
        let on = self.named("on", "which calls it is for", "is no call", &ENDPOINTS)?;
        let parse_misdeed = self.named("do", "what goes wrong", "is nothing that a rule can do", &MISDEEDS)?;
        let misdeed = parse_misdeed(&mut self)?;
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
        if let Some(key) = self.unused.keys().min_by_key(|key| key.span().start) {
            let (at, name) = (key.span().start, key.get_ref());
            return Err(if KEYS.contains(&name.as_ref()) {
                self.wrong(format!("with this `do` cannot have `{name}`: it has no use for it"))
            } else {
                self.source.unknown_name(at, name, "is no key of a rule", &KEYS)
            });
        }
        validate(&rule).map_err(|message| self.wrong(message))?;
        Ok(rule)
    }

    fn time(&mut self) -> Result<Duration, Problem> {
        self.ms()?.ok_or_else(|| self.wrong("with this `do` needs `ms`, the time in milliseconds"))
    }

    fn hang(&mut self) -> Result<Duration, Problem> {
        Ok(self.ms()?.unwrap_or(HANG))
    }

    fn ms(&mut self) -> Result<Option<Duration>, Problem> {
        match self.count("ms")? {
            Some(ms) if ms > MAX_MS => Err(self.wrong(format!("can have `ms` up to {MAX_MS} (a day)"))),
            ms => Ok(ms.map(Duration::from_millis)),
        }
    }

    fn clock(&mut self) -> Result<i64, Problem> {
        let message = "with this `do` needs `seconds`: how far the clock is ahead, or behind with a minus";
        self.take("seconds", "a whole number")?.ok_or_else(|| self.wrong(message))
    }

    fn throttle(&mut self) -> Result<RetryAfter, Problem> {
        let message = "with this `do` needs `retry_after` or `retry_after_date`, in seconds";
        self.retry_after()?.ok_or_else(|| self.wrong(message))
    }

    fn retry_after(&mut self) -> Result<Option<RetryAfter>, Problem> {
        match (self.count("retry_after")?, self.count("retry_after_date")?) {
            (Some(_), Some(_)) => Err(self.wrong("can have `retry_after` or `retry_after_date`, not both")),
            (seconds, date) => Ok(seconds.map(RetryAfter::Seconds).or(date.map(RetryAfter::Date))),
        }
    }

    fn shape(&mut self, shape: Shape) -> Result<Misdeed, Problem> {
        Ok(Misdeed::Shape(shape, self.count("entries")?))
    }

    fn list(&mut self, fault: fn(usize) -> ListFault, default: Option<usize>) -> Result<Misdeed, Problem> {
        let message = "with this `do` needs `entries`: how many requests of a list";
        let entries = self.count("entries")?.or(default).ok_or_else(|| self.wrong(message))?;
        Ok(Misdeed::List(fault(entries)))
    }

    /// Returns the value of a mandatory key whose value is one of the known names.
    fn named<T: Copy>(&mut self, key: &str, meaning: &str, problem: &str, known: &[(&str, T)]) -> Result<T, Problem> {
        let name: Option<Spanned<String>> = self.take(key, "a text")?;
        let name = name.ok_or_else(|| self.wrong(format!("needs `{key}`: {meaning}")))?;
        let found = known.iter().find(|(known, _)| known == name.get_ref());
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = known.iter().map(|(known, _)| *known).collect();
            self.source.unknown_name(name.span().start, name.get_ref(), problem, &names)
        })
    }

    fn count<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, Problem> {
        self.take(key, "a whole number from 0")
    }

    fn take<T: DeserializeOwned>(&mut self, key: &str, kind: &str) -> Result<Option<T>, Problem> {
        let Some(value) = self.unused.remove(key) else { return Ok(None) };
        let at = value.span().start;
        let wrong = |_| self.source.problem(at, format!("`{key}` has to be {kind}"));
        T::deserialize(value.into_deserializer()).map(Some).map_err(wrong)
    }

    /// Returns a problem of the whole rule. The message follows "a rule".
    fn wrong(&self, message: impl Display) -> Problem {
        self.source.problem(self.at, format!("a rule {message}"))
    }
}

/// Rejects a rule that could never apply. The message follows "a rule".
fn validate(rule: &Rule) -> Result<(), String> {
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
        Misdeed::Skew(seconds) | Misdeed::SkewTimes(seconds) if seconds.unsigned_abs() > MAX_SKEW => {
            Err(format!("that does `skew` or `skew-times` can have seconds from -{MAX_SKEW} to {MAX_SKEW} (a year)"))
        }
        Misdeed::List(ListFault::Stale(ago)) if ago > Duration::from_secs(HISTORY_SECONDS) => {
            Err(format!("that does `stale` can have `ms` up to {} (an hour)", HISTORY_SECONDS * 1000))
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
