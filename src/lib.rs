//! mmd-elevate
pub mod action;
pub mod api;
pub mod domain;
pub mod key;
pub mod keymap;
pub mod port;
pub mod practice;
pub mod state;
pub mod view;
pub mod worker;
