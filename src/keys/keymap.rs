//! The keymap: looks up the action of a key in the scopes that apply, and the keys of an action. It accepts no key that a
//! terminal cannot distinguish from another.

use std::collections::{BTreeMap, HashMap};

use super::{Action, BINDINGS, Binding, Key, Scope};
use mmd_elevate_core::{Problem, visible};

/// The bindings of this run: the table with the changes of the settings.
#[derive(Clone, Debug)]
pub struct Keymap {
    actions: HashMap<(Scope, Key), Action>,
    /// The keys of each row of [`BINDINGS`], in its order.
    keys: Vec<Vec<Key>>,
}

impl Keymap {
    /// Makes the keymap of the table and the settings, which map action ids to keys. An empty list of keys unbinds an
    /// action.
    ///
    /// # Errors
    /// An id or a key is unknown, an action cannot have a key, or a key is bound twice in one scope.
    pub fn new(settings: &BTreeMap<String, Vec<String>>) -> Result<Self, Problem> {
        if let Some(unknown) = settings.keys().find(|id| BINDINGS.iter().all(|binding| binding.id != id.as_str())) {
            let what = format!("no action has the id \"{}\"", visible(unknown));
            return Err(Problem::new(what, "docs/keys.md lists the actions with their ids"));
        }
        let mut owners: HashMap<(Scope, Key), &Binding> = HashMap::new();
        let mut keys = Vec::with_capacity(BINDINGS.len());
        for binding in BINDINGS {
            let parsed = match settings.get(binding.id) {
                Some(list) => parse(binding, list.iter().map(String::as_str))?,
                None => parse(binding, binding.keys.iter().copied())?,
            };
            if parsed.is_empty() && matches!(binding.action, Action::Interrupt | Action::Submit | Action::Back) {
                return Err(Problem::new(format!("\"{}\" needs a key", binding.id), "give it at least one key"));
            }
            for key in &parsed {
                check_key(binding, *key)?;
                if let Some(first) = owners.insert((binding.scope, *key), binding) {
                    let what = format!("{key} is bound to both \"{}\" and \"{}\"", first.id, binding.id);
                    return Err(Problem::new(what, "give one of them another key"));
                }
            }
            keys.push(parsed);
        }
        let actions = owners.into_iter().map(|(place, binding)| (place, binding.action)).collect();
        Ok(Self { actions, keys })
    }

    /// Returns the action of the key in these scopes, the most specific first.
    #[must_use]
    pub fn action(&self, scopes: &[Scope], key: Key) -> Option<Action> {
        scopes.iter().find_map(|scope| self.actions.get(&(*scope, key)).copied())
    }

    /// Returns the bindings of these scopes, each with those of its keys that no more specific scope takes.
    pub fn reachable<'a>(&'a self, scopes: &'a [Scope]) -> impl Iterator<Item = (&'static Binding, Vec<Key>)> + 'a {
        BINDINGS.iter().zip(&self.keys).filter_map(move |(binding, keys)| {
            let index = scopes.iter().position(|scope| *scope == binding.scope)?;
            let is_taken = |key: &Key| scopes[..index].iter().any(|scope| self.actions.contains_key(&(*scope, *key)));
            let reachable: Vec<_> = keys.iter().copied().filter(|key| !is_taken(key)).collect();
            (!reachable.is_empty()).then_some((binding, reachable))
        })
    }

    /// Returns every binding with its keys, in the order of the table.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Binding, &[Key])> {
        BINDINGS.iter().zip(self.keys.iter().map(Vec::as_slice))
    }

    /// Returns the first key of the action in this scope, as a message shows it.
    #[must_use]
    pub fn name(&self, scope: Scope, action: Action) -> String {
        self.rows()
            .find(|(binding, keys)| binding.scope == scope && binding.action == action && !keys.is_empty())
            .map_or_else(|| "(no key)".to_owned(), |(_, keys)| keys[0].to_string())
    }
}

impl Default for Keymap {
    /// Returns the keymap of the table, which a test keeps free of mistakes.
    fn default() -> Self {
        Self::new(&BTreeMap::new())
            .unwrap_or_else(|_| Self { actions: HashMap::new(), keys: vec![Vec::new(); BINDINGS.len()] })
    }
}

/// Checks that the action can have the key, whatever keys other actions have.
pub(crate) fn check_key(binding: &Binding, key: Key) -> Result<(), Problem> {
    let id = binding.id;
    let what = if binding.scope.takes_text() && key.character().is_some() {
        format!("\"{id}\" works where text is typed, so {key} would type a character instead")
    } else if let Some(other) = key.reported_as() {
        format!("\"{id}\" cannot have {key}: terminals send the same for it as for {other}")
    } else if let Some(second) = key.without_alt().filter(|_| binding.action.commits()) {
        format!(
            "\"{id}\" cannot have {key}: terminals send the same for Esc and a quick {second}, \
             and this action must not happen by accident"
        )
    } else {
        return Ok(());
    };
    Err(Problem::new(what, "give it another key"))
}

fn parse<'a>(binding: &Binding, keys: impl Iterator<Item = &'a str>) -> Result<Vec<Key>, Problem> {
    let parse = |text: &str| {
        text.parse().map_err(|Problem { what, hint }| Problem::new(format!("\"{}\": {what}", binding.id), hint))
    };
    keys.map(parse).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn settings(id: &str, keys: &[&str]) -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([(id.to_owned(), keys.iter().map(|key| (*key).to_owned()).collect())])
    }

    #[test]
    fn table_has_no_mistake() {
        let keymap = Keymap::new(&BTreeMap::new()).unwrap();
        let mut ids = HashSet::new();
        for (binding, keys) in keymap.rows() {
            assert!(ids.insert(binding.id), "{} is in the table twice", binding.id);
            assert!(!keys.is_empty(), "{} has no key", binding.id);
            assert!(Scope::ALL.contains(&binding.scope), "{} is in no help", binding.id);
        }
    }

    #[test]
    fn most_specific_scope_comes_first() {
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
    fn wrong_settings_are_errors() {
        for (id, keys, text) in [
            ("list.knew", &["n"][..], "no action has the id \"list.knew\""),
            ("list.new", &["hyper-n"], "\"list.new\": `hyper-n` is not a key"),
            ("list.sort", &["c"], "c is bound to both \"list.close\" and \"list.sort\""),
            ("form.submit", &["s"], "\"form.submit\" works where text is typed, so s would type a character instead"),
            ("anywhere.quit", &[], "\"anywhere.quit\" needs a key"),
        ] {
            assert_eq!(Keymap::new(&settings(id, keys)).unwrap_err().what, text);
        }
    }

    #[test]
    fn key_that_is_reported_as_another_is_rejected() {
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
            let text = format!("\"list.new\" cannot have {shown}: terminals send the same for it as for {instead}");
            assert_eq!(Keymap::new(&settings("list.new", &["n", key])).unwrap_err().what, text);
        }
        for key in ["ctrl-space", "ctrl-]", "ctrl-_", "ctrl-\\", "ctrl-h", "i", "m", "alt-i", "["] {
            let accepted = Keymap::new(&settings("list.new", &[key]));
            assert!(accepted.is_ok(), "{key}: {accepted:?}");
        }
    }

    #[test]
    fn committing_action_on_an_alt_chord_is_rejected() {
        for (id, key, second) in [
            ("form.submit", "alt-enter", "Enter"),
            ("dialog.submit", "alt-s", "s"),
            ("again.submit", "ctrl-alt-s", "Ctrl-S"),
            ("unknown.adopt", "alt-a", "a"),
            ("unknown.aside", "alt-f3", "F3"),
            ("quit.leave", "alt-l", "l"),
            ("quit.close", "alt-up", "Up"),
        ] {
            let problem = Keymap::new(&settings(id, &["f9", key])).unwrap_err();
            let reason = format!("terminals send the same for Esc and a quick {second}, and");
            assert!(problem.what.contains(&reason) && problem.what.contains(&format!("\"{id}\"")), "{problem}");
        }
        assert!(Keymap::new(&settings("list.new", &["alt-n"])).is_ok(), "what only opens something may");
    }
}
