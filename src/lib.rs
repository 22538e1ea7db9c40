//! mmd-elevate
pub mod api;
pub mod domain;
pub mod port;
pub mod worker;
