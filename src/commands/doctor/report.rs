//! What was found, and how it is written: aligned lines for people, JSON for programs.

use crossterm::style::{Color, Stylize};
use serde::Serialize;
use textwrap::{Options, WordSplitter};

use super::Discretion;
use mmd_elevate_engine::redact::redact;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds.
    Ok,
    /// The dashboard works, but not as it should.
    Warning,
    /// The dashboard does not work like this.
    Failed,
    /// It could not be found out; `what` says why.
    NotTried,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::NotTried => "not tried",
        }
    }

    /// In ASCII, for it has to survive the way into a ticket.
    const fn sign(self) -> char {
        match self {
            Self::Ok => '+',
            Self::Warning => '!',
            Self::Failed => 'x',
            Self::NotTried => '-',
        }
    }

    const fn colour(self) -> Color {
        match self {
            Self::Ok => Color::Green,
            Self::Warning => Color::Yellow,
            Self::Failed => Color::Red,
            Self::NotTried => Color::DarkGrey,
        }
    }
}

/// One thing that the dashboard needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What programs know it by.
    pub id: &'static str,
    /// What people know it by.
    #[serde(skip)]
    pub title: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// What was found.
    pub what: String,
    /// What to do; there is one wherever something has to be done.
    pub hint: Option<String>,
}

impl Check {
    pub(super) const fn new(id: &'static str, title: &'static str) -> Self {
        Self { id, title, verdict: Verdict::NotTried, what: String::new(), hint: None }
    }

    pub(super) fn ok(self, what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, what: what.into(), ..self }
    }

    pub(super) fn not_tried(self, why: impl Into<String>) -> Self {
        Self { verdict: Verdict::NotTried, what: why.into(), ..self }
    }

    pub(super) fn warning(self, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warning, what: what.into(), hint: Some(hint.into()), ..self }
    }

    pub(super) fn failed(self, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failed, what: what.into(), hint: Some(hint.into()), ..self }
    }

    /// Failed with an error that brings its hint along, or several that bring one each.
    pub(super) fn failed_as(self, error: &str) -> Self {
        if error.matches("\nhint: ").count() > 1 {
            return self.failed(in_sentences(error), "correct each of these, then run it again");
        }
        let (what, hint) = error.split_once("\nhint: ").unwrap_or((error, "see mmd-elevate --help"));
        self.failed(what, hint)
    }

    /// It holds, and something in it may not be meant.
    pub(super) fn doubted(self, holds: &str, doubts: &[String]) -> Self {
        let (what, hint) = match doubts {
            [one] => one.split_once("\nhint: ").unwrap_or((one, "see config.example.toml")),
            _ => ("", "look at each of these; the program runs with them"),
        };
        let what = if what.is_empty() { in_sentences(&doubts.join("\n")) } else { what.to_owned() };
        self.warning(format!("{holds}, but {what}"), hint)
    }
}

/// Several errors on lines of their own, each with its hint in brackets.
fn in_sentences(errors: &str) -> String {
    let mut lines = String::new();
    for line in errors.lines() {
        match line.strip_prefix("hint: ") {
            Some(hint) => lines.push_str(&format!(" ({hint})")),
            None if lines.is_empty() => lines.push_str(line),
            None => lines.push_str(&format!("\n{line}")),
        }
    }
    lines
}

/// What was found, harmless and without anything secret or personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version of the program.
    pub version: &'static str,
    /// Whom it would talk to; `None` where the configuration does not say.
    pub subject: Option<String>,
    /// Whether that is the practice tenant.
    pub practice: bool,
    /// Whether nothing failed.
    pub ok: bool,
    /// Every check, in the order in which one needs the other.
    pub checks: Vec<Check>,
}

impl Report {
    pub(super) fn new(subject: Option<(String, bool)>, mut checks: Vec<Check>, discretion: &Discretion) -> Self {
        for check in &mut checks {
            check.what = discretion.text(&redact(check.what.trim_end_matches('.')));
            check.hint = check.hint.as_deref().map(|hint| discretion.text(&redact(hint)));
        }
        let ok = checks.iter().all(|check| check.verdict != Verdict::Failed);
        let practice = subject.as_ref().is_some_and(|(_, practice)| *practice);
        let subject = subject.map(|(subject, _)| discretion.text(&redact(&subject)));
        Self { version: env!("CARGO_PKG_VERSION"), subject, practice, ok, checks }
    }

    /// As JSON, with a line's end.
    #[must_use]
    pub fn json(&self) -> String {
        // Texts and a list of them can always be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// As lines of so many columns.
    #[must_use]
    pub fn text(&self, columns: usize, colour: bool) -> String {
        let subject = self.subject.as_deref().unwrap_or("no usable configuration");
        let mut text = format!("mmd-elevate {} doctor: {subject}\n\n", self.version);
        let widest = self.checks.iter().map(|check| check.title.len()).max().unwrap_or(0);
        for check in &self.checks {
            let verdict = format!("{} {:9}", check.verdict.sign(), check.verdict.word());
            let indent = " ".repeat(verdict.len() + widest + 4);
            let written = |words: &str| {
                let options = Options::new(columns.max(indent.len() + 20) - indent.len());
                let lines = textwrap::wrap(words, options.word_splitter(WordSplitter::NoHyphenation));
                lines.join(&format!("\n{indent}"))
            };
            let lines = written(&check.what);
            let verdict = if colour { verdict.with(check.verdict.colour()).to_string() } else { verdict };
            text.push_str(&format!("{verdict}  {:widest$}  {lines}\n", check.title));
            if let Some(hint) = &check.hint {
                text.push_str(&format!("{indent}{}\n", written(&format!("hint: {hint}"))));
            }
        }
        let failed = self.checks.iter().filter(|check| check.verdict == Verdict::Failed).count();
        text.push_str(&match failed {
            0 => "\nNothing failed.\n".to_owned(),
            1 => "\n1 check failed.\n".to_owned(),
            _ => format!("\n{failed} checks failed.\n"),
        });
        text
    }
}
