//! mmd-elevate
pub mod action;
pub mod domain;
pub mod key;
pub mod keymap;
pub mod port;
pub mod state;
pub mod practice;
