//! The look-up: from a key and the scopes that apply to an action, and back again for whoever shows keys.

use std::collections::{BTreeMap, HashMap};

use crate::keys::{Action, BINDINGS, Binding, Key, Scope, UnknownKey};
use mmd_elevate_core::visible;

/// The bindings of this run: the table, with what the settings changed.
#[derive(Clone, Debug)]
pub struct Keymap {
    look_up: HashMap<(Scope, Key), Action>,
    /// The keys of each row of [`BINDINGS`], in its order.
    keys: Vec<Vec<Key>>,
}

/// What is wrong with the settings' `[keys]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// No row has this id.
    #[error("no action is called \"{}\"", visible(.0))]
    UnknownAction(String),
    /// A text that names no key.
    #[error("\"{}\": {source}", visible(action))]
    UnknownKey {
        /// The row's id.
        action: String,
        /// Which text.
        source: UnknownKey,
    },
    /// One key, two meanings.
    #[error("{key} has two meanings where \"{first}\" and \"{second}\" work")]
    Ambiguous {
        /// The key, as it is shown.
        key: String,
        /// One row's id.
        first: &'static str,
        /// The other's.
        second: &'static str,
    },
    /// A plain character where text is typed.
    #[error("\"{action}\" works where text is typed, so {key} would be lost to typing")]
    TakenFromTyping {
        /// The row's id.
        action: &'static str,
        /// The key, as it is shown.
        key: String,
    },
    /// A key that no terminal tells from another.
    #[error("\"{action}\" cannot have {key}: it arrives as {instead}, for which terminals send the same")]
    NeverArrives {
        /// The row's id.
        action: &'static str,
        /// The key, as it is shown.
        key: String,
        /// What arrives.
        instead: &'static str,
    },
    /// What sends or settles something, on an Alt chord.
    #[error(
        "\"{action}\" cannot have {key}: Esc and a quick {behind} arrive as the same, and it must not happen by accident"
    )]
    ByAccident {
        /// The row's id.
        action: &'static str,
        /// The key, as it is shown.
        key: String,
        /// The key without Alt.
        behind: String,
    },
    /// No key is left to leave the program with, or to send with.
    #[error("\"{0}\" needs a key")]
    Unbound(&'static str),
}

impl Keymap {
    /// The table, with other keys for the actions that the settings name. An empty list of keys unbinds an action.
    ///
    /// # Errors
    /// [`KeymapError`] where a name is unknown or a key would have two meanings.
    pub fn new(settings: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        if let Some(unknown) = settings.keys().find(|id| BINDINGS.iter().all(|binding| binding.id != id.as_str())) {
            return Err(KeymapError::UnknownAction(unknown.clone()));
        }
        let mut owner: HashMap<(Scope, Key), &Binding> = HashMap::new();
        let mut keys = Vec::with_capacity(BINDINGS.len());
        for binding in BINDINGS {
            let parsed = match settings.get(binding.id) {
                Some(written) => parse(binding.id, written.iter().map(String::as_str))?,
                None => parse(binding.id, binding.keys.iter().copied())?,
            };
            if parsed.is_empty() && matches!(binding.action, Action::Interrupt | Action::Submit | Action::Back) {
                return Err(KeymapError::Unbound(binding.id));
            }
            for key in &parsed {
                if binding.scope.takes_text() && key.typed().is_some() {
                    return Err(KeymapError::TakenFromTyping { action: binding.id, key: key.to_string() });
                }
                let (action, shown) = (binding.id, key.to_string());
                if let Some(instead) = key.arrives_as() {
                    return Err(KeymapError::NeverArrives { action, key: shown, instead });
                }
                if let Some(behind) = key.behind_escape().filter(|_| binding.action.commits()) {
                    return Err(KeymapError::ByAccident { action, key: shown, behind: behind.to_string() });
                }
                if let Some(first) = owner.insert((binding.scope, *key), binding) {
                    let (first, second) = (first.id, binding.id);
                    return Err(KeymapError::Ambiguous { key: key.to_string(), first, second });
                }
            }
            keys.push(parsed);
        }
        let look_up = owner.into_iter().map(|(at, binding)| (at, binding.action)).collect();
        Ok(Self { look_up, keys })
    }

    /// What the key does where these scopes apply, the most specific first.
    #[must_use]
    pub fn action(&self, scopes: &[Scope], key: Key) -> Option<Action> {
        scopes.iter().find_map(|scope| self.look_up.get(&(*scope, key)).copied())
    }

    /// The rows that can be reached from these scopes, each with those of its keys that no more specific scope takes.
    pub fn reachable<'a>(&'a self, scopes: &'a [Scope]) -> impl Iterator<Item = (&'static Binding, Vec<Key>)> + 'a {
        BINDINGS.iter().zip(&self.keys).filter_map(move |(binding, keys)| {
            let place = scopes.iter().position(|scope| *scope == binding.scope)?;
            let taken = |key: &Key| scopes[..place].iter().any(|scope| self.look_up.contains_key(&(*scope, *key)));
            let own: Vec<_> = keys.iter().copied().filter(|key| !taken(key)).collect();
            (!own.is_empty()).then_some((binding, own))
        })
    }

    /// Every row with its keys, in the order of the table.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Binding, &[Key])> {
        BINDINGS.iter().zip(self.keys.iter().map(Vec::as_slice))
    }

    /// The first key that does this in this scope, as it is shown; for words that name a key.
    #[must_use]
    pub fn name(&self, scope: Scope, action: Action) -> String {
        self.rows()
            .find(|(binding, keys)| binding.scope == scope && binding.action == action && !keys.is_empty())
            .map_or_else(|| "(no key)".to_owned(), |(_, keys)| keys[0].to_string())
    }
}

impl Default for Keymap {
    /// The table as it stands. A test holds that it is in order.
    fn default() -> Self {
        Self::new(&BTreeMap::new())
            .unwrap_or_else(|_| Self { look_up: HashMap::new(), keys: vec![Vec::new(); BINDINGS.len()] })
    }
}

fn parse<'a>(id: &str, written: impl Iterator<Item = &'a str>) -> Result<Vec<Key>, KeymapError> {
    written
        .map(|text| text.parse().map_err(|source| KeymapError::UnknownKey { action: id.to_owned(), source }))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn settings(id: &str, keys: &[&str]) -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([(id.to_owned(), keys.iter().map(|key| (*key).to_owned()).collect())])
    }

    #[test]
    fn the_table_is_in_order() {
        let keymap = Keymap::new(&BTreeMap::new()).unwrap();
        let mut ids = HashSet::new();
        for (binding, keys) in keymap.rows() {
            assert!(ids.insert(binding.id), "{} stands twice", binding.id);
            assert!(!keys.is_empty(), "{} has no key", binding.id);
            assert!(Scope::ALL.contains(&binding.scope), "{} is in no help", binding.id);
        }
    }

    #[test]
    fn the_most_specific_scope_is_asked_first() {
        let keymap = Keymap::default();
        let key = |text: &str| text.parse().unwrap();
        let plan = [Scope::LongText, Scope::Text, Scope::Form, Scope::Anywhere];
        let line = [Scope::Line, Scope::Text, Scope::Form, Scope::Anywhere];
        assert_eq!(keymap.action(&line, key("enter")), Some(Action::TakeSuggestion));
        assert_eq!(keymap.action(&plan, key("enter")), Some(Action::Edit(crate::keys::TextEdit::NewLine)));
        assert_eq!(keymap.action(&plan, key("ctrl-c")), Some(Action::Interrupt));
        assert_eq!(keymap.action(&plan, key("q")), None);
    }

    #[test]
    fn settings_replace_the_keys_of_an_action() {
        let keymap = Keymap::new(&settings("list.new", &["a", "insert"])).unwrap();
        let scopes = [Scope::List, Scope::Panes, Scope::Anywhere];
        assert_eq!(keymap.action(&scopes, "a".parse().unwrap()), Some(Action::NewRequest));
        assert_eq!(keymap.action(&scopes, "n".parse().unwrap()), None);
        assert_eq!(keymap.name(Scope::Panes, Action::NewRequest), "a");
    }

    #[test]
    fn settings_that_cannot_be_are_told_in_words() {
        for (id, keys, text) in [
            ("list.knew", &["n"][..], "no action is called \"list.knew\""),
            ("list.new", &["hyper-n"], "\"list.new\": \"hyper-n\" names no key"),
            ("list.sort", &["c"], "c has two meanings where \"list.close\" and \"list.sort\" work"),
            ("form.submit", &["s"], "\"form.submit\" works where text is typed, so s would be lost to typing"),
            ("anywhere.quit", &[], "\"anywhere.quit\" needs a key"),
        ] {
            assert_eq!(Keymap::new(&settings(id, keys)).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn key_that_arrives_as_another_is_refused_with_the_reason() {
        for (key, shown, instead) in [
            ("ctrl-i", "Ctrl-I", "Tab"),
            ("Ctrl-Shift-I", "Ctrl-I", "Tab"),
            ("ctrl-alt-i", "Ctrl-Alt-I", "Tab"),
            ("ctrl-m", "Ctrl-M", "Enter"),
            ("ctrl-j", "Ctrl-J", "Enter"),
            ("ctrl-[", "Ctrl-[", "Esc"),
            ("ctrl-3", "Ctrl-3", "Esc"),
            ("ctrl-?", "Ctrl-?", "Backspace"),
            ("ctrl-@", "Ctrl-@", "Ctrl-Space"),
            ("ctrl-/", "Ctrl-/", "Ctrl-_"),
        ] {
            let text =
                format!("\"list.new\" cannot have {shown}: it arrives as {instead}, for which terminals send the same");
            assert_eq!(Keymap::new(&settings("list.new", &["n", key])).unwrap_err().to_string(), text);
        }
        for key in ["ctrl-space", "ctrl-]", "ctrl-_", "ctrl-\\", "ctrl-h", "i", "m", "alt-i", "["] {
            let accepted = Keymap::new(&settings("list.new", &[key]));
            assert!(accepted.is_ok(), "{key}: {accepted:?}");
        }
    }

    #[test]
    fn action_that_commits_on_an_alt_chord_is_refused_with_the_reason() {
        for (id, key, behind) in [
            ("form.submit", "alt-enter", "Enter"),
            ("dialog.submit", "alt-s", "s"),
            ("again.submit", "ctrl-alt-s", "Ctrl-S"),
            ("unknown.adopt", "alt-a", "a"),
            ("unknown.aside", "alt-f3", "F3"),
            ("quit.leave", "alt-l", "l"),
            ("quit.close", "alt-up", "Up"),
        ] {
            let refused = Keymap::new(&settings(id, &["f9", key])).unwrap_err();
            assert!(matches!(refused, KeymapError::ByAccident { .. }), "{id} {key}: {refused}");
            assert!(refused.to_string().contains(&format!("Esc and a quick {behind} arrive as the same")), "{refused}");
        }
        assert!(Keymap::new(&settings("list.new", &["alt-n"])).is_ok(), "what only opens something may");
    }
}
