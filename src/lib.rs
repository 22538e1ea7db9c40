//! mmd-elevate
pub mod domain;
pub mod port;
pub mod practice;
