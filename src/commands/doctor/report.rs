//! The report of the doctor: aligned lines for people, JSON for programs. It runs no check itself.

use std::path::Path;

use crossterm::style::{Color, Stylize};
use serde::Serialize;
use textwrap::{Options, WordSplitter};

use super::privacy::Anonymizer;
use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::redact::redact;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The check passed.
    Ok,
    /// The dashboard works, but not as it should.
    Warning,
    /// The dashboard does not work.
    Failed,
    /// The check did not run; `what` says why.
    NotTried,
}

impl Verdict {
    const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::NotTried => "not tried",
        }
    }

    /// Returns a sign in ASCII, which every ticket system keeps.
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

/// A check of one thing that the dashboard needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name for programs.
    pub id: &'static str,
    /// Its name for people.
    #[serde(skip)]
    pub title: &'static str,
    /// Its result.
    pub verdict: Verdict,
    /// What was found.
    pub what: String,
    /// What to do. A warning and a failure have one.
    pub hint: Option<String>,
}

impl Check {
    pub(super) const fn new(id: &'static str, title: &'static str) -> Self {
        Self { id, title, verdict: Verdict::NotTried, what: String::new(), hint: None }
    }

    pub(super) fn ok(self, what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, what: what.into(), ..self }
    }

    pub(super) fn not_tried(self, reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::NotTried, what: reason.into(), ..self }
    }

    pub(super) fn warning(self, Problem { what, hint }: Problem) -> Self {
        Self { verdict: Verdict::Warning, what, hint: Some(hint), ..self }
    }

    pub(super) fn failed(self, Problem { what, hint }: Problem) -> Self {
        Self { verdict: Verdict::Failed, what, hint: Some(hint), ..self }
    }

    /// Fails with all problems, of which there is at least one.
    pub(super) fn failed_with_all(self, problems: &[Problem]) -> Self {
        let mut problem = combine(problems, "correct each of these, then run it again");
        if problems.len() > 1 {
            problem.what = format!("{} mistakes were found\n{}", problems.len(), problem.what);
        }
        self.failed(problem)
    }

    /// Passes, with a warning if there is any.
    pub(super) fn ok_with_warnings(self, what: String, warnings: &[Problem]) -> Self {
        if warnings.is_empty() {
            return self.ok(what);
        }
        let Problem { what: warning, hint } = combine(warnings, "check each of these; the program runs with them");
        self.warning(Problem::new(format!("{what}, but {warning}"), hint))
    }
}

/// Makes one problem of several: each on a line of its own, with its hint in brackets.
fn combine(problems: &[Problem], hint: &str) -> Problem {
    if let [problem] = problems {
        return problem.clone();
    }
    let lines: Vec<_> = problems.iter().map(|Problem { what, hint }| format!("{what} ({hint})")).collect();
    Problem::new(lines.join("\n"), hint)
}

/// The result of all checks, sanitized and without anything secret or personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    /// The version of the program.
    pub version: &'static str,
    /// What the dashboard would talk to, or `None` if the configuration cannot be used.
    pub subject: Option<String>,
    /// Whether that is the practice tenant.
    pub practice: bool,
    /// Whether no check failed.
    pub ok: bool,
    /// All checks, each after those that it depends on.
    pub checks: Vec<Check>,
}

impl DoctorReport {
    pub(super) fn new(subject: Option<(String, bool)>, mut checks: Vec<Check>, anonymizer: &Anonymizer) -> Self {
        for check in &mut checks {
            check.what = anonymizer.apply(&redact(check.what.trim_end_matches('.')));
            check.hint = check.hint.as_deref().map(|hint| anonymizer.apply(&redact(hint)));
        }
        let ok = checks.iter().all(|check| check.verdict != Verdict::Failed);
        let practice = subject.as_ref().is_some_and(|(_, practice)| *practice);
        let subject = subject.map(|(subject, _)| anonymizer.apply(&redact(&subject)));
        Self { version: env!("CARGO_PKG_VERSION"), subject, practice, ok, checks }
    }

    /// Returns the report as JSON, with a final line end.
    #[must_use]
    pub fn json(&self) -> String {
        // Serializing text and lists cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Returns the report as lines of at most this many columns.
    #[must_use]
    pub fn text(&self, columns: usize, colour: bool) -> String {
        let subject = self.subject.as_deref().unwrap_or("no usable configuration");
        let mut text = format!("mmd-elevate {} doctor: {subject}\n\n", self.version);
        let widest = self.checks.iter().map(|check| check.title.len()).max().unwrap_or(0);
        for check in &self.checks {
            let verdict = format!("{} {:9}", check.verdict.sign(), check.verdict.label());
            let indent = " ".repeat(verdict.len() + widest + 4);
            let wrap = |text: &str| {
                let options = Options::new(columns.max(indent.len() + 20) - indent.len());
                let lines = textwrap::wrap(text, options.word_splitter(WordSplitter::NoHyphenation));
                lines.join(&format!("\n{indent}"))
            };
            let lines = wrap(&check.what);
            let verdict = if colour { verdict.with(check.verdict.colour()).to_string() } else { verdict };
            text.push_str(&format!("{verdict}  {:widest$}  {lines}\n", check.title));
            if let Some(hint) = &check.hint {
                text.push_str(&format!("{indent}{}\n", wrap(&format!("hint: {hint}"))));
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

/// Formats a path for a check.
pub(super) fn display_path(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}
