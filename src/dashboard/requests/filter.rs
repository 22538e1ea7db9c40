//! The words of the filter: what a row must hold, and what it must not.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use memchr::memmem::Finder;

use super::{
    Closure,
    row::{Row, RowState},
};
use mmd_elevate_core::{ElevationRequest, Field, ServiceTime, visible};

/// The texts of a row by which it is filtered and sorted, in small letters, a line each: no visible text holds a line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Text {
    Ticket,
    Device,
    Title,
    Category,
    Agent,
}

/// What of a row the filter looks at.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The texts in the order of [`Text`], and then the plan of action.
    texts: Box<str>,
    pub(super) state: RowState,
    mine: bool,
    /// When it was opened, in seconds.
    pub(super) opened: Option<i64>,
    /// When it was closed, in seconds.
    pub(super) closed: Option<i64>,
}

impl Facts {
    pub(super) fn new(row: &Row<'_>) -> Self {
        let mut texts = String::new();
        for field in [Field::Ticket, Field::Device, Field::Title, Field::Category] {
            texts.push_str(&row.text(field).to_lowercase());
            if field == Field::Category {
                texts.push(' ');
                texts.push_str(&row.text(Field::Subcategory).to_lowercase());
            }
            texts.push('\n');
        }
        if let Some(request) = row.request {
            texts.push_str(&request.requested_by.visible().to_lowercase());
        }
        texts.push('\n');
        texts.push_str(&row.text(Field::PlanOfAction).to_lowercase());
        let closed = row.request.and_then(|request| request.closed.as_ref()?.at);
        Self {
            texts: texts.into(),
            state: row.state,
            mine: row.mine,
            opened: row.since.map(Timestamp::as_second),
            closed: closed.or(row.state.is_past().then_some(row.as_of)).map(Timestamp::as_second),
        }
    }

    /// The facts of a request that the service holds.
    fn of_request(request: &ElevationRequest, is_closed: bool, mine: bool) -> Self {
        let text = |field| request.text(field).visible().to_lowercase();
        let agent = request.requested_by.visible().to_lowercase();
        let category = format!("{} {}", text(Field::Category), text(Field::Subcategory));
        let texts =
            [text(Field::Ticket), text(Field::Device), text(Field::Title), category, agent, text(Field::PlanOfAction)];
        let second = |time: &Option<ServiceTime>| time.as_ref().and_then(|time| time.at).map(Timestamp::as_second);
        Self {
            texts: texts.join("\n").into(),
            state: if is_closed { RowState::Closed(Closure::Recorded) } else { RowState::Open },
            mine,
            opened: second(&request.created),
            closed: second(&request.closed),
        }
    }

    pub(super) fn text(&self, text: Text) -> &str {
        self.texts.split('\n').nth(text as usize).unwrap_or_default()
    }
}

/// What a word asks for.
#[derive(Clone, Debug)]
enum Condition {
    /// Any text holds this.
    Anywhere(Finder<'static>),
    /// This text holds this.
    In(Text, Finder<'static>),
    /// The state or the owner is this.
    Is(Is),
    /// It was opened before or after this second.
    OpenedBefore(i64),
    OpenedAfter(i64),
    /// It was closed in this time, the end not included.
    ClosedIn(i64, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Open,
    Closed,
    Unknown,
    Mine,
}

impl Is {
    const ALL: [(&'static str, Self); 4] =
        [("open", Self::Open), ("closed", Self::Closed), ("unknown", Self::Unknown), ("mine", Self::Mine)];

    fn holds(self, facts: &Facts) -> bool {
        match self {
            Self::Open => facts.state.counts_as_open(),
            Self::Closed => matches!(facts.state, RowState::Closed(_)),
            Self::Unknown => facts.state.word() == "unknown",
            Self::Mine => facts.mine,
        }
    }
}

impl Condition {
    fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::Anywhere(word) => {
                word.find(facts.texts.as_bytes()).is_some() || facts.state.word().as_bytes() == word.needle()
            }
            Self::In(text, word) => word.find(facts.text(*text).as_bytes()).is_some(),
            Self::Is(is) => is.holds(facts),
            Self::OpenedBefore(second) => facts.opened.is_some_and(|opened| opened <= *second),
            Self::OpenedAfter(second) => facts.opened.is_some_and(|opened| opened >= *second),
            Self::ClosedIn(from, to) => facts.closed.is_some_and(|closed| (*from..*to).contains(&closed)),
        }
    }
}

/// The conditions of a filter line. A row has to fulfil all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// Each with whether it must hold.
    conditions: Vec<(bool, Condition)>,
    /// Whether what it lets through changes with time.
    pub(super) is_about_time: bool,
    /// What of the line is not understood.
    pub(super) problem: Option<String>,
}

impl Filter {
    /// Reads the words of a line: `word`, `is:open`, `by:ana`, `age:>2h`, `closed:today`, each perhaps after `not:` or `-`. A
    /// word of which only the beginning has been typed is left out.
    pub(super) fn parse(line: &str, now: Timestamp, zone: &TimeZone) -> Self {
        let mut filter = Self::default();
        for word in line.to_lowercase().split_whitespace() {
            let negated = word.strip_prefix("not:").or_else(|| word.strip_prefix('-').filter(|rest| !rest.is_empty()));
            let (must_hold, word) = negated.map_or((true, word), |word| (false, word));
            if word.is_empty() {
                continue;
            }
            match condition(word, now, zone) {
                Ok(Some(condition)) => {
                    filter.is_about_time |=
                        !matches!(condition, Condition::Anywhere(_) | Condition::In(..) | Condition::Is(_));
                    filter.conditions.push((must_hold, condition));
                }
                Ok(None) => {}
                Err(problem) => filter.problem = Some(problem),
            }
        }
        filter
    }

    pub(super) fn matches(&self, facts: &Facts) -> bool {
        self.conditions.iter().all(|(must_hold, condition)| condition.holds(facts) == *must_hold)
    }
}

/// The words of the filter, for requests that stand in no row of the dashboard.
#[derive(Clone, Debug)]
pub struct RequestFilter(Filter);

impl RequestFilter {
    /// Reads words such as `excel`, `by:ana`, `not:is:mine` and `age:>2h`.
    ///
    /// # Errors
    /// What of the words is not understood.
    pub fn parse(words: &[String], now: Timestamp, zone: &TimeZone) -> Result<Self, String> {
        let line = words.join(" ");
        if let Some(word) = line.split_whitespace().find(|word| word.ends_with(':')) {
            return Err(format!("nothing stands behind the colon of {}", visible(word)));
        }
        let filter = Filter::parse(&line, now, zone);
        filter.problem.clone().map_or(Ok(Self(filter)), Err)
    }

    /// Returns whether a request is to be shown.
    #[must_use]
    pub fn matches(&self, request: &ElevationRequest, is_closed: bool, mine: bool) -> bool {
        self.0.matches(&Facts::of_request(request, is_closed, mine))
    }
}

/// What finds this text in 100,000 others.
fn finder(text: &str) -> Finder<'static> {
    Finder::new(text).into_owned()
}

/// Reads a word. `None`: there is nothing behind its colon yet.
fn condition(word: &str, now: Timestamp, zone: &TimeZone) -> Result<Option<Condition>, String> {
    let Some((key, value)) = word.split_once(':') else { return Ok(Some(Condition::Anywhere(finder(word)))) };
    let text = match key {
        "by" => Some(Text::Agent),
        "device" => Some(Text::Device),
        "ticket" => Some(Text::Ticket),
        "title" => Some(Text::Title),
        "cat" | "category" => Some(Text::Category),
        _ => None,
    };
    if !matches!(key, "is" | "age" | "closed") && text.is_none() {
        return Ok(Some(Condition::Anywhere(finder(word))));
    }
    if value.is_empty() {
        return Ok(None);
    }
    let condition = match (key, text) {
        (_, Some(text)) => Condition::In(text, finder(value)),
        ("is", None) => {
            let is = Is::ALL.into_iter().find(|(name, _)| name.starts_with(value));
            Condition::Is(is.ok_or_else(|| "is: takes open, closed, unknown or mine".to_owned())?.1)
        }
        ("age", None) => match age(value) {
            Some((older, age)) => {
                let at = now.checked_sub(age).unwrap_or(now).as_second();
                if older { Condition::OpenedBefore(at) } else { Condition::OpenedAfter(at) }
            }
            None if value.trim_start_matches(['<', '>']).chars().all(|c| c.is_ascii_digit()) => return Ok(None),
            None => return Err("age: takes >2h, <30m or >1d".to_owned()),
        },
        _ => match day(value, now, zone) {
            Some((from, to)) => Condition::ClosedIn(from, to),
            None if ["today", "yesterday"].iter().any(|name| name.starts_with(value)) || value.starts_with("20") => {
                return Ok(None);
            }
            None => return Err("closed: takes today, yesterday or a date such as 2026-11-22".to_owned()),
        },
    };
    Ok(Some(condition))
}

/// Reads `>2h`: whether it asks for what is older, and the age.
fn age(value: &str) -> Option<(bool, SignedDuration)> {
    let (older, rest) =
        value.strip_prefix('<').map_or((true, value.strip_prefix('>').unwrap_or(value)), |rest| (false, rest));
    let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = rest.split_at(unit_at);
    let seconds: i64 = match unit {
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    Some((older, SignedDuration::from_secs(number.parse::<i64>().ok()?.checked_mul(seconds)?)))
}

/// Reads a day: its first second, and the first of the next day.
fn day(value: &str, now: Timestamp, zone: &TimeZone) -> Option<(i64, i64)> {
    let today = now.to_zoned(zone.clone()).date();
    let date: Date = match value {
        "today" => today,
        "yesterday" => today.checked_sub(1.day()).ok()?,
        date => date.parse().ok()?,
    };
    let begins = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_second());
    Some((begins(date)?, begins(date.checked_add(1.day()).ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(state: RowState, mine: bool, texts: [&str; 6], opened: &str, closed: Option<&str>) -> Facts {
        let second = |at: &str| at.parse::<Timestamp>().unwrap().as_second();
        Facts { texts: texts.join("\n").into(), state, mine, opened: Some(second(opened)), closed: closed.map(second) }
    }

    #[test]
    fn each_word_narrows_what_is_shown() {
        let now: Timestamp = "2026-11-22T14:00:00Z".parse().unwrap();
        let texts = ["inc-4711", "mmd-17", "excel crashes", "office excel", "ana@partner.example", "repair the add-in"];
        let open = facts(RowState::Open, false, texts, "2026-11-22T11:00:00Z", None);
        let closed = facts(
            RowState::Closed(super::super::Closure::Verified),
            true,
            texts,
            "2026-11-21T11:00:00Z",
            Some("2026-11-21T22:30:00Z"),
        );
        // Half past ten in the evening in UTC is the next day further east.
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (line, shows_open, shows_closed) in [
            ("", true, true),
            ("EXCEL 4711", true, true),
            ("repair", true, true),
            ("word", false, false),
            ("is:open", true, false),
            ("is:o", true, false),
            ("is:closed", false, true),
            ("closed", false, true),
            ("not:is:closed", true, false),
            ("is:mine", false, true),
            ("-is:mine", true, false),
            ("by:ana", true, true),
            ("by:kofi", false, false),
            ("device:17 ticket:4711 cat:office", true, true),
            ("device:4711", false, false),
            ("age:>2h is:open", true, false),
            ("age:>4h is:open", false, false),
            ("age:<4h", true, false),
            ("age:>1d", false, true),
            ("age:> is:", true, true),
            ("closed:today", false, true),
            ("closed:yesterday", false, false),
            ("closed:2026-11-22", false, true),
            ("closed:tod", true, true),
            ("http://x", false, false),
            ("-", true, true),
        ] {
            let filter = Filter::parse(line, now, &zone);
            assert_eq!((filter.matches(&open), filter.matches(&closed)), (shows_open, shows_closed), "{line}");
            assert_eq!(filter.problem, None, "{line}");
        }
        for (line, problem) in [("is:x", "is: takes"), ("age:old", "age: takes"), ("closed:never", "closed: takes")] {
            let told = Filter::parse(line, now, &zone).problem.unwrap();
            assert!(told.starts_with(problem), "{told}");
        }
    }
}
