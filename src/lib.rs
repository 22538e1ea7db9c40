//! mmd-elevate
pub mod domain;
pub mod platform;
pub mod port;
pub mod terminal;
