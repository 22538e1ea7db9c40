//! Reads `[keys]`: other keys for actions. It gives every mistake its place and suggests the name that was meant; what is a
//! mistake is for the keymap.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::{
    document::{DocumentReader, SettingsTable, Value},
    suggest::{closest, suggest},
};
use crate::keys::{BINDINGS, Key, Keymap, Scope, check_key};
use mmd_elevate_core::Problem;
use mmd_elevate_engine::redact::quoted;

type Keys = BTreeMap<String, Vec<String>>;

/// Other names of keys, and the names that the settings use.
const ALIASES: [(&str, &str); 14] = [
    ("return", "enter"),
    ("escape", "esc"),
    ("pageup", "pgup"),
    ("pagedown", "pgdn"),
    ("page-up", "pgup"),
    ("page-down", "pgdn"),
    ("pgdown", "pgdn"),
    ("del", "delete"),
    ("ins", "insert"),
    ("arrow-up", "up"),
    ("arrow-down", "down"),
    ("spacebar", "space"),
    ("bs", "backspace"),
    ("back", "backspace"),
];
const NAMES: [&str; 14] = [
    "enter",
    "esc",
    "tab",
    "space",
    "backspace",
    "delete",
    "insert",
    "up",
    "down",
    "left",
    "right",
    "home",
    "pgup",
    "pgdn",
];

/// The scopes that are less specific than a scope: a key that is bound in the first is not looked up in the others.
const LESS_SPECIFIC: [(Scope, &[Scope]); 6] = [
    (Scope::List, &[Scope::Panes]),
    (Scope::Details, &[Scope::Panes]),
    (Scope::Line, &[Scope::Text, Scope::Form]),
    (Scope::LongText, &[Scope::Text, Scope::Form]),
    (Scope::Text, &[Scope::Form]),
    (Scope::CloseDialog, &[Scope::LongText, Scope::Text]),
];

/// Reads the keys of actions.
pub(super) fn read(reader: &mut DocumentReader<'_>, table: &SettingsTable<'_, '_>) -> Keys {
    let mut keys = Keys::new();
    let mut offsets = BTreeMap::new();
    for (id, value) in table.entries() {
        let offset = id.span().start;
        let id: &str = id.get_ref();
        offsets.insert(id.to_owned(), offset);
        if let Some(list) = read_action(reader, id, offset, value) {
            keys.insert(id.to_owned(), list);
        }
    }
    report_conflicts(reader, &mut keys, &offsets);
    warn_about_shadowed_keys(reader, &keys, &offsets);
    keys
}

/// Reads the keys of one action and checks each by itself.
fn read_action(reader: &mut DocumentReader<'_>, id: &str, offset: usize, value: &Value<'_>) -> Option<Vec<String>> {
    let Some(binding) = BINDINGS.iter().find(|binding| binding.id == id) else {
        let hint = match value.get_ref() {
            DeValue::Table(_) => "write the whole id in quotes: \"list.new\" = [\"n\"]".to_owned(),
            _ => {
                suggest(id, BINDINGS.iter().map(|binding| binding.id), "docs/keys.md lists the actions with their ids")
            }
        };
        reader.error(offset, Problem::new(format!("no action has the id {}", quoted(id)), hint));
        return None;
    };
    reader.list(value, &format!("\"{id}\""), |reader, value| {
        reader.parse_text(value, id, |text| {
            let key = text.parse().map_err(|Problem { what, hint }| Problem::new(what, suggest_key(text, &hint)))?;
            check_key(binding, key).map(|()| text.to_owned())
        })
    })
}

/// Returns the hint with "did you mean …?" before it, if the text is a key under another name.
fn suggest_key(text: &str, hint: &str) -> String {
    let normalized = text.to_lowercase().replace(['_', '+', ' '], "-");
    let normalized = normalized.replace("control-", "ctrl-").replace("strg-", "ctrl-").replace("option-", "alt-");
    let normalized = normalized.replace("c-", "ctrl-").replace("meta-", "alt-");
    let (modifiers, name) = normalized.rsplit_once('-').map_or(("", normalized.as_str()), |(head, name)| (head, name));
    let alias = ALIASES.iter().find(|(other, _)| *other == normalized).map(|(_, name)| (*name).to_owned());
    let name_alias = ALIASES.iter().find(|(other, _)| *other == name).map(|(_, name)| *name);
    let near = name_alias.or_else(|| closest(name, NAMES)).unwrap_or(name);
    let meant =
        alias.unwrap_or_else(|| if modifiers.is_empty() { near.to_owned() } else { format!("{modifiers}-{near}") });
    let is_key = meant != text && meant.parse::<Key>().is_ok();
    if is_key { format!("did you mean `{meant}`? {hint}") } else { hint.to_owned() }
}

/// Reports keys that conflict with those of other actions, each conflict at the entry whose removal solves it.
fn report_conflicts(reader: &mut DocumentReader<'_>, keys: &mut Keys, offsets: &BTreeMap<String, usize>) {
    while let Err(problem) = Keymap::new(keys) {
        let is_cause = |id: &&String| {
            let mut others = keys.clone();
            others.remove(*id);
            Keymap::new(&others).err().as_ref() != Some(&problem)
        };
        let Some(id) = keys.keys().rev().find(is_cause).or_else(|| keys.keys().next()).cloned() else { return };
        reader.error(offsets.get(&id).copied().unwrap_or_default(), problem);
        keys.remove(&id);
    }
}

/// Warns about keys that a more specific scope takes away from an action.
fn warn_about_shadowed_keys(reader: &mut DocumentReader<'_>, keys: &Keys, offsets: &BTreeMap<String, usize>) {
    let (Ok(keymap), by_default) = (Keymap::new(keys), shadowed_keys(&Keymap::default())) else { return };
    for (id, shadowed, key) in shadowed_keys(&keymap) {
        if by_default.contains(&(id, shadowed, key)) {
            continue;
        }
        let Some(offset) = offsets.get(id).or_else(|| offsets.get(shadowed)).copied() else { continue };
        let what = format!("{key} is bound to \"{id}\", so it does not reach \"{shadowed}\" there");
        reader.warn(offset, Problem::new(what, "give one of them another key, if that is not what you want"));
    }
}

/// Returns which action takes which key from which other action.
fn shadowed_keys(keymap: &Keymap) -> Vec<(&'static str, &'static str, Key)> {
    let less_specific = |scope: Scope| {
        let listed = LESS_SPECIFIC.iter().find(|(first, _)| *first == scope).map_or(&[][..], |(_, others)| *others);
        listed.iter().copied().chain((scope != Scope::Anywhere).then_some(Scope::Anywhere))
    };
    let mut found = Vec::new();
    for (first, keys) in keymap.rows() {
        for (second, others) in keymap.rows() {
            if less_specific(first.scope).any(|scope| scope == second.scope) && first.action != second.action {
                let shared = keys.iter().filter(|key| others.contains(key));
                found.extend(shared.map(|key| (first.id, second.id, *key)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_name_is_a_key() {
        for name in NAMES.into_iter().chain(ALIASES.map(|(_, name)| name)) {
            assert!(name.parse::<Key>().is_ok(), "{name}");
        }
        for (written, meant) in [
            ("return", "enter"),
            ("Escape", "esc"),
            ("pagedown", "pgdn"),
            ("control-s", "ctrl-s"),
            ("Ctrl+S", "ctrl-s"),
            ("ctrl-pageup", "ctrl-pgup"),
            ("dwon", "down"),
        ] {
            assert!(suggest_key(written, "").starts_with(&format!("did you mean `{meant}`?")), "{written}");
        }
    }
}
