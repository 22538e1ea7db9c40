//! Keys: how they are written, what they do, and the look-up between both. What an action does is for the dashboard.

mod action;
mod keymap;
mod notation;

pub use action::{Action, BINDINGS, Binding, Motion, Scope, TextEdit};
pub use keymap::{Keymap, KeymapError};
pub use notation::*;
