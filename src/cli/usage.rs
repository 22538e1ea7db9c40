//! Tells a mistake on the command line as every other error is told: what happened, then the hint.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use mmd_elevate_core::Problem;

use crate::config::similarity;

/// Returns what is wrong with the command line. Returns `None` if the error is a help that is shown because a subcommand is
/// missing.
#[must_use]
pub fn usage_problem(error: &clap::Error) -> Option<Problem> {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return None;
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    // What follows the first paragraph are tips and the usage, which the hint has in its own words.
    let (what, _) = text.split_once("\n\n").unwrap_or((text, ""));
    let (what, own_hint) = what.split_once("\nhint: ").map_or((what, None), |(what, hint)| (what, Some(hint)));
    let lines = what.lines().map(str::trim).filter(|line| !line.starts_with("[possible values: "));
    let what = lines.collect::<Vec<_>>().join(" ");
    let suggested: Vec<_> = suggestions(error).into_iter().map(|word| format!("`{word}`")).collect();
    let suggested = suggested.join(" or ");
    let known = words(error, ContextKind::ValidValue).join(", ");
    let mut hints = Vec::new();
    if !suggested.is_empty() {
        hints.push(format!("did you mean {suggested}?"));
    }
    if !known.is_empty() {
        hints.push(format!("use one of {known}"));
    }
    hints.extend(own_hint.map(str::to_owned));
    if own_hint.is_none() && known.is_empty() {
        hints.push(format!("{} --help shows what can be given", command(error)));
    }
    Some(Problem::new(what, hints.join(" ")))
}

/// Returns what may have been meant, the most similar first.
fn suggestions(error: &clap::Error) -> Vec<String> {
    let given = [ContextKind::InvalidSubcommand, ContextKind::InvalidArg, ContextKind::InvalidValue];
    let given = given.into_iter().flat_map(|kind| words(error, kind)).last().unwrap_or_default();
    let suggested = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
        ContextKind::SuggestedCommand,
    ];
    let suggested = suggested.into_iter().flat_map(|kind| words(error, kind));
    let mut suggested: Vec<_> = suggested.map(|word| (similarity(&given, &word), word)).collect();
    suggested.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    suggested.into_iter().map(|(_, word)| word).collect()
}

fn words(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    }
}

/// Returns the command whose usage the error tells.
fn command(error: &clap::Error) -> String {
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => String::new(),
    };
    let usage = usage.trim_start().strip_prefix("Usage: ").unwrap_or_default();
    let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
    let names: Vec<_> = usage.split_whitespace().take_while(is_name).collect();
    if names.is_empty() { "mmd-elevate".to_owned() } else { names.join(" ") }
}
