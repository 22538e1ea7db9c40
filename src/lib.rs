//! mmd-elevate
pub mod api;
pub mod domain;
pub mod port;
