//! Keys: how they are written, which action each is bound to, and the lookup in both directions. What an action does is for
//! the dashboard.

mod action;
mod keymap;
mod notation;

pub use action::{Action, BINDINGS, Binding, Marking, Motion, Scope, Tab, TextEdit};
pub use keymap::Keymap;
pub(crate) use keymap::check_key;
pub use notation::Key;
