//! mmd-elevate
pub mod action;
pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod key;
pub mod keymap;
pub mod log;
pub mod platform;
pub mod port;
pub mod practice;
mod private;
mod rehearsal;
pub mod state;
pub mod terminal;
pub mod view;
pub mod worker;
