//! `[keys]`: other keys for actions. What a key and an action are is for the keymap; here every mistake gets its place,
//! and the name that was meant.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::{
    Refused,
    document::{DocumentReader, SettingsTable, Value, closest, suggest},
};
use crate::keys::{BINDINGS, Keymap, KeymapError, Scope};
use mmd_elevate_engine::redact::quoted;

type Keys = BTreeMap<String, Vec<String>>;

/// Keys as people call them elsewhere, and how they are written here.
const OTHER_NAMES: [(&str, &str); 14] = [
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

/// Which scopes stand behind which: a key of the first is not asked of the others while the first applies.
const BEHIND: [(Scope, &[Scope]); 6] = [
    (Scope::List, &[Scope::Panes]),
    (Scope::Details, &[Scope::Panes]),
    (Scope::Line, &[Scope::Text, Scope::Form]),
    (Scope::LongText, &[Scope::Text, Scope::Form]),
    (Scope::Text, &[Scope::Form]),
    (Scope::CloseDialog, &[Scope::LongText, Scope::Text]),
];

/// The keys that the table gives to actions.
pub(super) fn read(reading: &mut DocumentReader<'_>, table: &SettingsTable<'_, '_>) -> Keys {
    let mut keys = Keys::new();
    let mut places = BTreeMap::new();
    for (id, value) in table.entries() {
        let id: &str = id.get_ref();
        let at = table.entries().find(|(other, _)| other.get_ref() == id).map_or(0, |(key, _)| key.span().start);
        places.insert(id.to_owned(), at);
        if let Some(written) = keys_of(reading, id, at, value) {
            keys.insert(id.to_owned(), written);
        }
    }
    check_together(reading, &mut keys, &places);
    tell_shadows(reading, &keys, &places);
    keys
}

/// The keys of one action, each checked by itself.
fn keys_of(reading: &mut DocumentReader<'_>, id: &str, at: usize, value: &Value<'_>) -> Option<Vec<String>> {
    if BINDINGS.iter().all(|binding| binding.id != id) {
        let hint = "the README lists the actions with their ids";
        let hint = match value.get_ref() {
            DeValue::Table(_) => "write the whole id in quotes: \"list.new\" = [\"n\"]".to_owned(),
            _ => suggest(id, BINDINGS.iter().map(|binding| binding.id), hint),
        };
        reading.wrong(at, Refused::new(format!("no action has the id {}", quoted(id)), hint));
        return None;
    }
    reading.list(value, &format!("\"{id}\""), |reading, value| {
        reading.checked(value, id, |text| {
            // By itself a key is judged as it is written; whether it clashes is asked of all of them together.
            match Keymap::new(&Keys::from([(id.to_owned(), vec![text.to_owned()])])) {
                Err(KeymapError::Ambiguous { .. }) | Ok(_) => Ok(text.to_owned()),
                Err(KeymapError::UnknownKey { .. }) => {
                    let hint =
                        "keys are written like \"n\", \"G\", \"ctrl-s\", \"alt-b\", \"shift-tab\", \"f1\" or \"pgdn\"";
                    Err(Refused::new(format!("{} names no key", quoted(text)), suggest_key(text, hint)))
                }
                Err(error) => Err(Refused::new(error.to_string(), "give it another key")),
            }
        })
    })
}

fn suggest_key(text: &str, hint: &str) -> String {
    let small = text.to_lowercase().replace(['_', '+', ' '], "-");
    let small = small.replace("control-", "ctrl-").replace("strg-", "ctrl-").replace("option-", "alt-");
    let small = small.replace("c-", "ctrl-").replace("meta-", "alt-");
    let (modifiers, name) = small.rsplit_once('-').map_or(("", small.as_str()), |(head, name)| (head, name));
    let whole = OTHER_NAMES.iter().find(|(other, _)| *other == small).map(|(_, name)| (*name).to_owned());
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, name)| *name);
    let near = other.or_else(|| closest(name, NAMES)).unwrap_or(name);
    let meant =
        whole.unwrap_or_else(|| if modifiers.is_empty() { near.to_owned() } else { format!("{modifiers}-{near}") });
    let is_key = meant != text && meant.parse::<crate::keys::Key>().is_ok();
    if is_key { format!("did you mean `{meant}`? {hint}") } else { hint.to_owned() }
}

/// What is wrong with the keys of several actions beside one another. Whatever the keymap says of them, the entry without
/// which it does not say so is the one to be told of.
fn check_together(reading: &mut DocumentReader<'_>, keys: &mut Keys, places: &BTreeMap<String, usize>) {
    while let Err(error) = Keymap::new(keys) {
        let without = |id: &String| {
            let mut rest = keys.clone();
            rest.remove(id);
            Keymap::new(&rest).err().as_ref() != Some(&error)
        };
        let Some(id) = keys.keys().rev().find(|id| without(id)).or_else(|| keys.keys().next()).cloned() else { return };
        let at = places.get(&id).copied().unwrap_or_default();
        reading.wrong(at, Refused::new(error.to_string(), "give one of them another key"));
        keys.remove(&id);
    }
}

/// A key that is asked of one scope first is lost to those behind it.
fn tell_shadows(reading: &mut DocumentReader<'_>, keys: &Keys, places: &BTreeMap<String, usize>) {
    let (Ok(keymap), before) = (Keymap::new(keys), shadows(&Keymap::default())) else { return };
    for (id, behind, key) in shadows(&keymap) {
        if before.contains(&(id, behind, key.clone())) {
            continue;
        }
        let Some(at) = places.get(id).or_else(|| places.get(behind)).copied() else { continue };
        let what = format!("{key} does \"{id}\", so that \"{behind}\" is not reached with it there");
        reading.doubt(at, what, "give one of them another key, if that is not what you want");
    }
}

/// Who takes which key from whom.
fn shadows(keymap: &Keymap) -> Vec<(&'static str, &'static str, String)> {
    let behind = |scope: Scope| {
        let listed = BEHIND.iter().find(|(first, _)| *first == scope).map_or(&[][..], |(_, behind)| *behind);
        listed.iter().copied().chain((scope != Scope::Anywhere).then_some(Scope::Anywhere))
    };
    let mut found = Vec::new();
    for (first, keys) in keymap.rows() {
        for (second, others) in keymap.rows() {
            if behind(first.scope).any(|scope| scope == second.scope) && first.action != second.action {
                let taken = keys.iter().filter(|key| others.contains(key));
                found.extend(taken.map(|key| (first.id, second.id, key.to_string())));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_proposed_is_a_key() {
        for name in NAMES.into_iter().chain(OTHER_NAMES.map(|(_, name)| name)) {
            assert!(name.parse::<crate::keys::Key>().is_ok(), "{name}");
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
