//! mmd-elevate
pub mod cli;
pub mod config;
pub mod domain;
pub mod log;
pub mod port;
mod private;
