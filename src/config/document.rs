//! Reads the text of a settings file as a tree of TOML values and collects every mistake in it with its line and column.
//! It never repeats a secret, nor the messages of the TOML parser.

use std::{ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    ConfigError,
    names::other_table,
    suggest::{closest, suggest},
};
use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::redact::quoted;

pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// A problem at one place of the file.
struct Finding {
    /// The place, in bytes from the beginning.
    offset: usize,
    kind: FindingKind,
    problem: Problem,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FindingKind {
    /// A value that is there is wrong.
    WrongValue,
    /// A value is missing. In a file with a syntax error it may be there all the same.
    MissingValue,
    /// A syntax error that is limited to its line.
    Syntax,
    /// A bracket or brace that is not closed: everything after it may mean something else.
    Unclosed,
}

/// A file that is being read, with the mistakes and warnings found so far.
pub(super) struct DocumentReader<'t> {
    text: &'t str,
    mistakes: Vec<Finding>,
    warnings: Vec<Finding>,
    syntax: Vec<Finding>,
}

/// A table of the file.
#[derive(Clone, Copy)]
pub(super) struct SettingsTable<'a, 'i> {
    /// Its name in messages, such as `[appearance]`.
    name: &'static str,
    entries: &'a DeTable<'i>,
    offset: usize,
}

impl<'a, 'i> SettingsTable<'a, 'i> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Value<'i>> {
        self.entries.get(key)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a Spanned<std::borrow::Cow<'i, str>>, &'a Value<'i>)> {
        self.entries.iter()
    }

    /// Returns where the table begins, in bytes from the beginning of the file.
    pub(super) const fn offset(&self) -> usize {
        self.offset
    }
}

impl<'t> DocumentReader<'t> {
    /// Parses the text. After a syntax error the rest is read all the same.
    pub(super) fn parse(text: &'t str) -> (Self, Spanned<DeTable<'t>>) {
        let (document, mut errors) = DeTable::parse_recoverable(text);
        errors.sort_by_key(|error| error.span().unwrap_or_default().start);
        let mut syntax = Vec::<Finding>::new();
        let mut lines = Vec::new();
        for error in errors {
            let Range { start, end } = error.span().unwrap_or_default();
            let offset = if start == end { start.min(text.trim_end().len()) } else { start };
            let (line, _) = line_and_column(text, offset);
            // One mistake often makes several errors: only the first of a line counts, and none after an open bracket.
            let is_unclosed = syntax.iter().any(|finding| finding.kind == FindingKind::Unclosed);
            if !lines.contains(&line) && !is_unclosed {
                lines.push(line);
                syntax.push(syntax_error(offset, error.message(), start == end));
            }
        }
        (Self { text, mistakes: Vec::new(), warnings: Vec::new(), syntax }, document)
    }

    /// Adds a mistake.
    pub(super) fn error(&mut self, offset: usize, problem: Problem) {
        self.mistakes.push(Finding { offset, kind: FindingKind::WrongValue, problem });
    }

    /// Adds a mistake of a table in which something is missing.
    pub(super) fn incomplete(&mut self, table: &SettingsTable<'_, '_>, problem: Problem) {
        self.mistakes.push(Finding { offset: table.offset, kind: FindingKind::MissingValue, problem });
    }

    /// Adds a warning about something that is accepted.
    pub(super) fn warn(&mut self, offset: usize, problem: Problem) {
        self.warnings.push(Finding { offset, kind: FindingKind::WrongValue, problem });
    }

    /// Returns the line of a place, counted from one.
    pub(super) fn line(&self, offset: usize) -> usize {
        line_and_column(self.text, offset).0
    }

    /// Returns the warnings in the order of the file.
    ///
    /// # Errors
    /// All mistakes in the order of the file, except those that a syntax error may have caused.
    pub(super) fn finish(self, path: &Path) -> Result<Vec<Problem>, ConfigError> {
        let Self { text, mistakes, warnings, syntax } = self;
        let unclosed = syntax
            .iter()
            .filter(|finding| finding.kind == FindingKind::Unclosed)
            .map(|finding| line_start(text, finding.offset))
            .min();
        let is_certain = |finding: &Finding| {
            let line = line_start(text, finding.offset);
            unclosed.is_none_or(|unclosed| finding.offset < unclosed)
                && (finding.kind == FindingKind::WrongValue || syntax.is_empty())
                && syntax.iter().all(|other| line_start(text, other.offset) != line)
        };
        let mut mistakes: Vec<_> = mistakes.into_iter().filter(is_certain).collect();
        mistakes.extend(syntax);
        let located = |mut findings: Vec<Finding>| -> Vec<Problem> {
            findings.sort_by_key(|finding| finding.offset);
            let locate = |Finding { offset, problem: Problem { what, hint }, .. }| {
                let (line, column) = line_and_column(text, offset);
                let path = path.to_string_lossy();
                Problem::new(format!("{}, line {line}, column {column}: {what}", visible(&path)), hint)
            };
            findings.into_iter().map(locate).collect()
        };
        if mistakes.is_empty() { Ok(located(warnings)) } else { Err(ConfigError::new(located(mistakes))) }
    }

    /// Reads the whole file as a table with these names and no others.
    pub(super) fn root<'a, 'i>(&mut self, document: &'a Spanned<DeTable<'i>>, known: &[&str]) -> SettingsTable<'a, 'i> {
        let table = SettingsTable { name: "the file", entries: document.get_ref(), offset: 0 };
        self.check_names(&table, known);
        table
    }

    /// Reads a table with these names and no others.
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

    /// Reads a table with any names.
    pub(super) fn any_table<'a, 'i>(
        &mut self,
        value: &'a Value<'i>,
        name: &'static str,
    ) -> Option<SettingsTable<'a, 'i>> {
        let offset = value.span().start;
        match value.get_ref() {
            DeValue::Table(entries) => Some(SettingsTable { name, entries, offset }),
            other => {
                self.error(offset, wrong_type(name, "a table", other, &format!("write it as a table: {name}")));
                None
            }
        }
    }

    fn check_names(&mut self, table: &SettingsTable<'_, '_>, known: &[&str]) {
        for (key, _) in table.entries.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            self.error(key.span().start, unknown_setting(key.get_ref(), table.name, known));
        }
    }

    /// Reads a list of tables, each written `[[name]]`.
    pub(super) fn tables<'a, 'i>(&mut self, value: &'a Value<'i>, name: &'static str) -> &'a [Value<'i>] {
        let hint = format!("write each of them as a table of its own: {name}");
        match value.get_ref() {
            DeValue::Array(values) => values,
            other => {
                self.error(value.span().start, wrong_type(name, "a list of tables", other, &hint));
                &[]
            }
        }
    }

    /// Reads a text.
    pub(super) fn text<'a>(&mut self, value: &'a Value<'_>, name: &str) -> Option<&'a str> {
        match value.get_ref() {
            DeValue::String(text) => Some(text),
            other => {
                let hint = format!("write it in quotes: {name} = \"…\"");
                self.error(value.span().start, wrong_type(&format!("`{name}`"), "text in quotes", other, &hint));
                None
            }
        }
    }

    /// Reads a text and parses it.
    pub(super) fn parse_text<T>(
        &mut self,
        value: &Value<'_>,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let text = self.text(value, name)?;
        parse(text).map_err(|problem| self.error(value.span().start, problem)).ok()
    }

    /// Reads a list, each of its values by itself. Returns `None` if one of them is wrong.
    pub(super) fn list<T>(
        &mut self,
        value: &Value<'_>,
        name: &str,
        mut read: impl FnMut(&mut Self, &Value<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let DeValue::Array(values) = value.get_ref() else {
            let hint = format!("write each in quotes of its own: {name} = [\"…\", \"…\"]");
            let problem = wrong_type(&format!("`{name}`"), "a list in brackets", value.get_ref(), &hint);
            self.error(value.span().start, problem);
            return None;
        };
        let items: Vec<_> = values.iter().filter_map(|value| read(self, value)).collect();
        (items.len() == values.len()).then_some(items)
    }

    /// Reads `true` or `false`.
    pub(super) fn switch(&mut self, value: &Value<'_>, name: &str) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(switch) => Some(*switch),
            other => {
                let hint = format!("write {name} = true or {name} = false, without quotes");
                self.error(value.span().start, wrong_type(&format!("`{name}`"), "true or false", other, &hint));
                None
            }
        }
    }

    /// Reads a whole number from 0 to `max`.
    pub(super) fn number(&mut self, value: &Value<'_>, name: &str, max: u32, example: u32) -> Option<u32> {
        let hint = format!("give a whole number from 0 to {max}, such as {example}");
        let problem = match value.get_ref() {
            DeValue::Integer(digits) => {
                let number = i128::from_str_radix(digits.as_str(), digits.radix()).ok();
                match number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number <= max) {
                    Some(number) => return Some(number),
                    None => Problem::new(format!("{} is out of range for `{name}`", quoted(digits.as_str())), hint),
                }
            }
            other => wrong_type(&format!("`{name}`"), "a whole number", other, &hint),
        };
        self.error(value.span().start, problem);
        None
    }

    /// Returns a value that the table must have.
    pub(super) fn required<'a, 'i>(
        &mut self,
        table: &SettingsTable<'a, 'i>,
        key: &str,
        hint: &str,
    ) -> Option<&'a Value<'i>> {
        let value = table.get(key);
        if value.is_none() {
            self.incomplete(table, Problem::new(format!("`{key}` is missing in {}", table.name), hint));
        }
        value
    }
}

/// Returns line and column of a place, both counted from one; the column counts characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let start = line_start(text, offset);
    let before = text.get(..start).unwrap_or_default();
    let column = text.get(start..offset).map_or(0, |text| text.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

fn line_start(text: &str, offset: usize) -> usize {
    text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

fn wrong_type(what: &str, expected: &str, found: &DeValue<'_>, hint: &str) -> Problem {
    let found = match found {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Problem::new(format!("{what} must be {expected}, and this is {found}"), hint)
}

fn unknown_setting(name: &str, table: &str, known: &[&str]) -> Problem {
    let is_secret = ["token", "secret", "password"].iter().any(|part| name.to_lowercase().contains(part));
    let what = format!("unknown setting {} in {table}", quoted(name));
    let has_secret_sources = known.contains(&"secret_env");
    // `secret_fil` is a mistyped `secret_file`, not a secret in the file.
    if is_secret && !(has_secret_sources && closest(name, known.iter().copied()).is_some()) {
        let hint = if has_secret_sources {
            "secrets are not allowed in this file: say where the secret is with secret_env, secret_file or secret_command"
        } else {
            "secrets are not allowed in this file: set the token in MMD_ELEVATE_TOKEN"
        };
        return Problem::new(what, hint);
    }
    let listed = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut hint = suggest(name, known.iter().copied(), "");
    if hint.is_empty()
        && let Some(other) = other_table(name, table)
    {
        hint = format!("`{name}` belongs in {other}; ");
    }
    Problem::new(what, format!("{hint}what can be set here: {listed}; mmd-elevate config schema describes each"))
}

/// Describes a syntax error. The parser's message only tells which mistake it is; `is_empty` means that the error is about
/// something that is not there.
fn syntax_error(offset: usize, message: &str, is_empty: bool) -> Finding {
    let says = |part: &str| message.contains(part);
    let has_no_value = says("missing value") || says("key with no value") || says("missing assignment");
    let (what, hint) = if has_no_value || (is_empty && says("string values must be quoted")) {
        ("a setting has no value", "write name = value; text is in quotes")
    } else if says("duplicate key") {
        ("this name is set twice", "keep one of the two; only a table in double brackets [[ ]] can be repeated")
    } else if says("string values must be quoted") {
        ("a text is not in quotes", "write it in quotes: name = \"…\"")
    } else if says("unclosed array table") || says("unclosed table") {
        ("the brackets around a table's name are not closed", "write [name], or [[name]] for one of several")
    } else if says("unclosed array") || says("comma between array") || says("in array") {
        ("a list is not written correctly", "write it in brackets, with commas between: [\"…\", \"…\"]")
    } else if says("inline table") {
        (
            "a table in braces is not written correctly",
            "write { name = \"…\", name = \"…\" }, or a table of its own: [name]",
        )
    } else if says("basic string") || says("literal string") || says("quote") {
        ("a text in quotes is not closed in its line", "end it with the same quote")
    } else if says("escape") {
        ("a backslash in double quotes begins an escape sequence", "write \\\\ for a backslash, or use single quotes")
    } else if says("extend value") {
        ("a name is used for a value and for a table", "rename the table, or remove the value")
    } else if says("digit") || says("radix") || says("sign") || says("zero") || says("number") {
        ("a number is not written correctly", "give a whole number such as 90, or put text in quotes")
    } else if says("recurs") {
        ("tables and lists are nested too deeply", "mmd-elevate config schema describes each setting")
    } else {
        ("this line is not a setting", "write name = value, one in a line; text is in quotes, a comment begins with #")
    };
    let is_unclosed = ["unclosed", "inline table", "array"].iter().any(|part| says(part));
    let kind = if is_unclosed { FindingKind::Unclosed } else { FindingKind::Syntax };
    Finding { offset, kind, problem: Problem::new(what, hint) }
}
