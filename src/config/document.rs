//! The text of a settings file as a tree with places, and what is wrong with it: every mistake that can be seen, each at
//! its line and column, in words for people. The parser's own words and the values it met are not repeated.

use std::{ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{ConfigError, Refused};
use mmd_elevate_engine::redact::quoted;

pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// How near a name has to be to be proposed: 1 is equal.
const NEAR: f64 = 0.72;

/// Something to tell of a place in the file.
struct Remark {
    /// Where, in bytes from the beginning.
    at: usize,
    kind: ValueKind,
    refused: Refused,
}

/// What a remark says, as far as others depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    /// Something that is there.
    There,
    /// That something is missing. Where the notation is wrong, it may be there all the same.
    Missing,
    /// A mistake in the notation of one line.
    Notation,
    /// A mistake in the notation behind which nothing stands for sure where it seems to: brackets stay open.
    Open,
}

/// What has been read so far: mistakes, and what is accepted and doubtful.
pub(super) struct DocumentReader<'t> {
    text: &'t str,
    mistakes: Vec<Remark>,
    doubts: Vec<Remark>,
    syntax: Vec<Remark>,
}

/// A table of the file, and which names it may have.
#[derive(Clone, Copy)]
pub(super) struct SettingsTable<'a, 'i> {
    /// What it is called in a message, such as `[appearance]`.
    name: &'static str,
    entries: &'a DeTable<'i>,
    at: usize,
}

impl<'a, 'i> SettingsTable<'a, 'i> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Value<'i>> {
        self.entries.get(key)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a Spanned<std::borrow::Cow<'i, str>>, &'a Value<'i>)> {
        self.entries.iter()
    }

    /// Where it begins, in bytes.
    pub(super) const fn at(&self) -> usize {
        self.at
    }
}

impl<'t> DocumentReader<'t> {
    /// Reads the text. What is no TOML is noted, and the rest read all the same.
    pub(super) fn parse(text: &'t str) -> (Self, Spanned<DeTable<'t>>) {
        let (document, mut errors) = DeTable::parse_recoverable(text);
        errors.sort_by_key(|error| error.span().unwrap_or_default().start);
        let mut reading = Self { text, mistakes: Vec::new(), doubts: Vec::new(), syntax: Vec::new() };
        let mut lines = Vec::new();
        for error in errors {
            let Range { start, end } = error.span().unwrap_or_default();
            let at = if start == end { start.min(text.trim_end().len()) } else { start };
            let (line, _) = place(text, at);
            // One mistake often makes several errors: the first of a line is the one, and the last where brackets stay open.
            let is_open = reading.syntax.iter().any(|remark| remark.kind == ValueKind::Open);
            if !lines.contains(&line) && !is_open {
                lines.push(line);
                reading.syntax.push(syntax(at, error.message(), start == end));
            }
        }
        (reading, document)
    }

    /// Notes a mistake.
    pub(super) fn wrong(&mut self, at: usize, refused: Refused) {
        self.mistakes.push(Remark { at, kind: ValueKind::There, refused });
    }

    /// Notes something that is accepted and doubtful.
    pub(super) fn doubt(&mut self, at: usize, what: impl Into<String>, hint: impl Into<String>) {
        self.doubts.push(Remark { at, kind: ValueKind::There, refused: Refused::new(what, hint) });
    }

    /// Line and column of a place, from one.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        place(self.text, at)
    }

    /// The mistakes, in the order of the file, or the doubts where there are none.
    pub(super) fn finish(self, path: &Path) -> Result<Vec<String>, ConfigError> {
        let Self { text, mistakes, mut doubts, syntax } = self;
        let open = syntax
            .iter()
            .filter(|remark| remark.kind == ValueKind::Open)
            .map(|remark| line_start(text, remark.at))
            .min();
        let is_sure = |remark: &Remark| {
            let is_alone = || syntax.iter().all(|other| line_start(text, other.at) != line_start(text, remark.at));
            open.is_none_or(|open| remark.at < open)
                && (remark.kind == ValueKind::There || syntax.is_empty())
                && is_alone()
        };
        let mut mistakes: Vec<_> = mistakes.into_iter().filter(is_sure).collect();
        mistakes.extend(syntax);
        mistakes.sort_by_key(|remark| remark.at);
        doubts.sort_by_key(|remark| remark.at);
        let error = |Remark { at, refused, .. }| ConfigError::InFile {
            path: path.to_owned(),
            at: Some(place(text, at)),
            refused,
        };
        if mistakes.is_empty() {
            return Ok(doubts.into_iter().map(|remark| error(remark).to_string()).collect());
        }
        Err(ConfigError::from_all(mistakes.into_iter().map(error).collect()))
    }

    /// The table that the file as a whole is.
    pub(super) fn root<'a, 'i>(&mut self, document: &'a Spanned<DeTable<'i>>, known: &[&str]) -> SettingsTable<'a, 'i> {
        let table = SettingsTable { name: "the file", entries: document.get_ref(), at: 0 };
        self.check_names(&table, known);
        table
    }

    /// A table with these names and no others.
    pub(super) fn table<'a, 'i>(
        &mut self,
        value: &'a Value<'i>,
        name: &'static str,
        known: &[&str],
    ) -> Option<SettingsTable<'a, 'i>> {
        let table = self.any_table(value, name)?;
        self.check_names(&table, known);
        Some(table)
    }

    /// A table whose names are not known here.
    pub(super) fn any_table<'a, 'i>(
        &mut self,
        value: &'a Value<'i>,
        name: &'static str,
    ) -> Option<SettingsTable<'a, 'i>> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Table(entries) => Some(SettingsTable { name, entries, at }),
            other => {
                self.wrong(at, type_mistake(name, "a table", other, &format!("write it as a table: {name}")));
                None
            }
        }
    }

    fn check_names(&mut self, table: &SettingsTable<'_, '_>, known: &[&str]) {
        for (key, _) in table.entries.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            self.wrong(key.span().start, unknown(key.get_ref(), table.name, known));
        }
    }

    /// A list of tables, each written `[[name]]`.
    pub(super) fn tables<'a, 'i>(&mut self, value: &'a Value<'i>, name: &'static str) -> &'a [Value<'i>] {
        let hint = format!("write each of them as a table of its own: {name}");
        match value.get_ref() {
            DeValue::Array(values) => values,
            other => {
                self.wrong(value.span().start, type_mistake(name, "a list of tables", other, &hint));
                &[]
            }
        }
    }

    /// A text.
    pub(super) fn text<'a>(&mut self, value: &'a Value<'_>, name: &str) -> Option<&'a str> {
        match value.get_ref() {
            DeValue::String(text) => Some(text),
            other => {
                let hint = format!("write it in quotes: {name} = \"…\"");
                self.wrong(value.span().start, type_mistake(&format!("`{name}`"), "text in quotes", other, &hint));
                None
            }
        }
    }

    /// A text that a check takes.
    pub(super) fn checked<T>(
        &mut self,
        value: &Value<'_>,
        name: &str,
        check: impl FnOnce(&str) -> Result<T, Refused>,
    ) -> Option<T> {
        let text = self.text(value, name)?;
        check(text).map_err(|refused| self.wrong(value.span().start, refused)).ok()
    }

    /// A list, each of its values by itself.
    pub(super) fn list<T>(
        &mut self,
        value: &Value<'_>,
        name: &str,
        mut each: impl FnMut(&mut Self, &Value<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let DeValue::Array(values) = value.get_ref() else {
            let hint = format!("write each in quotes of its own: {name} = [\"…\", \"…\"]");
            let mistake = type_mistake(&format!("`{name}`"), "a list in brackets", value.get_ref(), &hint);
            self.wrong(value.span().start, mistake);
            return None;
        };
        let read: Vec<_> = values.iter().filter_map(|value| each(self, value)).collect();
        (read.len() == values.len()).then_some(read)
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, value: &Value<'_>, name: &str, most: u32, example: u32) -> Option<u32> {
        let hint = format!("give a whole number from 0 to {most}, such as {example}");
        let refused = match value.get_ref() {
            DeValue::Integer(digits) => {
                let number = i128::from_str_radix(digits.as_str(), digits.radix()).ok();
                match number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number <= most) {
                    Some(number) => return Some(number),
                    None => Refused::new(format!("{} is out of range for `{name}`", quoted(digits.as_str())), hint),
                }
            }
            other => type_mistake(&format!("`{name}`"), "a whole number", other, &hint),
        };
        self.wrong(value.span().start, refused);
        None
    }

    /// What a table must have.
    pub(super) fn needed<'a, 'i>(
        &mut self,
        table: &SettingsTable<'a, 'i>,
        key: &str,
        hint: &str,
    ) -> Option<&'a Value<'i>> {
        let value = table.get(key);
        if value.is_none() {
            let refused = Refused::new(format!("`{key}` is missing in {}", table.name), hint);
            self.mistakes.push(Remark { at: table.at, kind: ValueKind::Missing, refused });
        }
        value
    }

    /// The same mistake, where a table as a whole is not a whole.
    pub(super) fn incomplete(&mut self, table: &SettingsTable<'_, '_>, refused: Refused) {
        self.mistakes.push(Remark { at: table.at, kind: ValueKind::Missing, refused });
    }
}

/// Line and column, from one, in characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let start = line_start(text, at);
    let before = text.get(..start).unwrap_or_default();
    let column = text.get(start..at).map_or(0, |text| text.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

fn type_mistake(what: &str, wanted: &str, found: &DeValue<'_>, hint: &str) -> Refused {
    let found = match found {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Refused::new(format!("{what} must be {wanted}, and this is {found}"), hint)
}

/// Which tables hold which settings, for a name that stands in the wrong one.
const ELSEWHERE: [(&str, &[&str]); 4] = [
    ("[appearance]", &super::file::APPEARANCE),
    ("[record]", &super::file::RECORD),
    ("[patterns]", &super::file::PATTERNS),
    ("[tenants.sign_in] or [sign_in]", &super::sign_in::NAMES),
];

fn unknown(name: &str, table: &str, known: &[&str]) -> Refused {
    let is_secret = ["token", "secret", "password"].iter().any(|word| name.to_lowercase().contains(word));
    let what = format!("unknown setting {} in {table}", quoted(name));
    let takes_secrets = known.contains(&"secret_env");
    // A name of the place of a secret that is only mistyped is one of those.
    if is_secret && !(takes_secrets && closest(name, known.iter().copied()).is_some()) {
        let hint = if takes_secrets {
            "secrets have no place in this file: say where it is with secret_env, secret_file or secret_command"
        } else {
            "secrets have no place in this file: hand the token over in MMD_ELEVATE_TOKEN"
        };
        return Refused::new(what, hint);
    }
    let listed = || known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let elsewhere = || ELSEWHERE.iter().find(|(place, names)| *place != table && names.contains(&name));
    let hint = match (closest(name, known.iter().copied()), elsewhere()) {
        (Some(near), _) => format!("did you mean `{near}`? "),
        (None, Some((place, _))) => format!("`{name}` belongs in {place}; "),
        (None, None) => String::new(),
    };
    Refused::new(what, format!("{hint}what can be set here: {}; see config.example.toml", listed()))
}

/// The name that was meant, where one is near enough. Letter case and the kind of dash do not count.
pub(super) fn closest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let name = plain(name);
    let nearness = |known: &str| {
        let known = plain(known);
        let begins = if known.starts_with(&name) && name.len() > 2 { 0.8 } else { 0.0 };
        strsim::normalized_damerau_levenshtein(&name, &known).max(begins)
    };
    let near = known.into_iter().map(|known| (nearness(known), known)).filter(|(nearness, _)| *nearness >= NEAR);
    near.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

/// "did you mean …?" before a hint, where one of these is near.
pub(super) fn suggest<'n>(text: &str, known: impl IntoIterator<Item = &'n str>, hint: &str) -> String {
    match closest(text, known) {
        Some(near) => format!("did you mean `{near}`? {hint}"),
        None => hint.to_owned(),
    }
}

/// What is wrong with the notation. The parser names it in its own words; those that come of usual mistakes have words
/// here. `is_nothing`: it is about something that is not there.
fn syntax(at: usize, message: &str, is_nothing: bool) -> Remark {
    let says = |words: &str| message.contains(words);
    let has_no_value = says("missing value") || says("key with no value") || says("missing assignment");
    let (what, hint) = if has_no_value || (is_nothing && says("string values must be quoted")) {
        ("a setting has no value", "write name = value; text is in quotes")
    } else if says("duplicate key") {
        ("this name is set twice", "keep one of the two; a table in brackets stands once too, unless in [[ ]]")
    } else if says("string values must be quoted") {
        ("a text is not in quotes", "write it in quotes: name = \"…\"")
    } else if says("unclosed array table") || says("unclosed table") {
        ("the brackets around a table's name are not closed", "write [name], or [[name]] for one of several")
    } else if says("unclosed array") || says("comma between array") || says("in array") {
        ("a list is not written as one", "write it in brackets, with commas between: [\"…\", \"…\"]")
    } else if says("inline table") {
        (
            "a table in braces is not written as one",
            "write { name = \"…\", name = \"…\" }, or a table of its own: [name]",
        )
    } else if says("basic string") || says("literal string") || says("quote") {
        ("a text in quotes is not closed in its line", "end it with the same quote")
    } else if says("escape") {
        ("a backslash in a text in double quotes means something else", "write \\\\ for one, or use single quotes")
    } else if says("extend value") {
        ("a name is a value and a table at once", "name the table otherwise, or take the value away")
    } else if says("digit") || says("radix") || says("sign") || says("zero") || says("number") {
        ("a number is not written as one", "give a whole number such as 90, or put text in quotes")
    } else if says("recurs") {
        ("tables and lists stand too deep in one another", "see config.example.toml")
    } else {
        (
            "this is not written as settings are",
            "write name = value, one in a line; text is in quotes, a comment begins with #",
        )
    };
    let is_open = ["unclosed", "inline table", "array"].iter().any(|words| says(words));
    let kind = if is_open { ValueKind::Open } else { ValueKind::Notation };
    Remark { at, kind, refused: Refused::new(what, hint) }
}
