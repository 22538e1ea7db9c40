//! What can be known of the terminal without asking it anything.

use super::Check;
use crate::{dashboard::view::USABLE, platform};
use mmd_elevate_core::visible;

pub(super) fn checks(env: fn(&str) -> Option<String>) -> Vec<Check> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    vec![size(), colours(set), text(set), clipboard()]
}

fn size() -> Check {
    let check = Check::new("terminal-size", "terminal size");
    if let Some(missing) = platform::missing_terminal() {
        return check.not_tried(format!("{missing} is not a terminal; the dashboard needs one"));
    }
    let (columns, rows) = platform::size();
    if columns < USABLE.0 || rows < USABLE.1 {
        return check.warning(
            format!("{columns} x {rows}, which is too small for the dashboard"),
            format!("make the terminal at least {} x {}", USABLE.0, USABLE.1),
        );
    }
    check.ok(format!("{columns} x {rows}"))
}

fn colours(set: impl Fn(&str) -> Option<String>) -> Check {
    let check = Check::new("terminal-colours", "colours");
    let term = set("TERM").unwrap_or_default();
    if !platform::can_draw(&term) {
        let what =
            if term.trim().is_empty() { "TERM is not set".to_owned() } else { format!("TERM is `{}`", visible(&term)) };
        let (what, hint) =
            (format!("{what}: nothing can be drawn"), "start it in a terminal emulator, which sets TERM");
        // Without a terminal this tells nothing of the one that the dashboard will have.
        let is_missing = platform::missing_terminal().is_some();
        return if is_missing { check.warning(what, hint) } else { check.failed(what, hint) };
    }
    if set("NO_COLOR").is_some() {
        return check.ok("off, as NO_COLOR asks");
    }
    let true_colour = set("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"));
    if true_colour || term.ends_with("-direct") {
        return check.ok("all of them");
    }
    let count = if term.contains("256color") { "256" } else { "16" };
    check.ok(format!("{count}, as far as TERM tells; an accent written as #rrggbb may look different"))
}

/// The first of the three that is set decides (POSIX).
fn text(set: impl Fn(&str) -> Option<String>) -> Check {
    let check = Check::new("terminal-text", "text");
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| Some((name, set(name)?)));
    let hint = "set LANG to a UTF-8 locale such as C.UTF-8, or borders = \"ascii\" in the settings";
    match locale {
        Some((name, value)) => {
            let plain = value.to_lowercase().replace('-', "");
            if plain.contains("utf8") {
                return check.ok(format!("UTF-8, as {name} says"));
            }
            check.warning(format!("{name} names no UTF-8 locale, so lines and signs may not be shown"), hint)
        }
        None => check.warning("no locale is set, so lines and signs may not be shown", hint),
    }
}

fn clipboard() -> Check {
    let why = "whether this terminal takes copies (OSC 52, and tmux inside tmux) cannot be known from here; try `y` in \
               the dashboard";
    Check::new("terminal-clipboard", "clipboard").not_tried(why)
}
