//! Checks the terminal by its size and the environment. It sends the terminal no query.

use super::report::Check;
use crate::{
    dashboard::view::USABLE,
    platform,
    terminal::{Locale, TerminalFeatures},
};
use mmd_elevate_core::{Problem, visible};

pub(super) fn checks(env: fn(&str) -> Option<String>) -> Vec<Check> {
    let variable = |name: &str| env(name).filter(|value| !value.is_empty());
    vec![size(), colours(variable), text(variable), clipboard()]
}

fn size() -> Check {
    let check = Check::new("terminal-size", "terminal size");
    if let Some(missing) = platform::missing_terminal() {
        return check.not_tried(format!("{missing} is not a terminal; the dashboard needs one"));
    }
    let (columns, rows) = platform::size();
    if columns < USABLE.0 || rows < USABLE.1 {
        let what = format!("{columns} x {rows}, which is too small for the dashboard");
        let hint = format!("make the terminal at least {} x {}", USABLE.0, USABLE.1);
        return check.warning(Problem::new(what, hint));
    }
    check.ok(format!("{columns} x {rows}"))
}

fn colours(variable: impl Fn(&str) -> Option<String>) -> Check {
    let check = Check::new("terminal-colours", "colours");
    let term = variable("TERM").unwrap_or_default();
    if !platform::can_draw(&term) {
        let term =
            if term.trim().is_empty() { "TERM is not set".to_owned() } else { format!("TERM is `{}`", visible(&term)) };
        let hint = "start it in a terminal emulator, which sets TERM";
        let problem = Problem::new(format!("{term}: nothing can be drawn"), hint);
        // Without a terminal, TERM says nothing about the terminal that the dashboard will have.
        let is_missing = platform::missing_terminal().is_some();
        return if is_missing { check.warning(problem) } else { check.failed(problem) };
    }
    if variable("NO_COLOR").is_some() {
        return check.ok("off, because NO_COLOR is set");
    }
    let true_colour = variable("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"));
    if true_colour || term.ends_with("-direct") {
        return check.ok("true colour");
    }
    let count = if term.contains("256color") { "256" } else { "16" };
    check.ok(format!("{count}, according to TERM; an accent written as #rrggbb may look different"))
}

/// Checks whether the locale is UTF-8.
fn text(variable: impl Fn(&str) -> Option<String>) -> Check {
    let check = Check::new("terminal-text", "text");
    let cause = match Locale::from_environment(&variable) {
        Some(Locale { variable: name, is_utf8: true }) => {
            let is_ascii = !TerminalFeatures::from_environment(variable).unicode;
            let addition = if is_ascii { "; borders and signs are ASCII on this terminal" } else { "" };
            return check.ok(format!("UTF-8, according to {name}{addition}"));
        }
        Some(Locale { variable, .. }) => format!("{variable} names no UTF-8 locale"),
        None => "no locale is set".to_owned(),
    };
    let what = format!("{cause}, so borders and signs are ASCII, and other characters may not be shown");
    check.warning(Problem::new(what, "set LANG to a UTF-8 locale such as C.UTF-8"))
}

fn clipboard() -> Check {
    let reason = "the terminal does not say whether it accepts copies (OSC 52, and tmux inside tmux); try `y` in the \
                  dashboard";
    Check::new("terminal-clipboard", "clipboard").not_tried(reason)
}
