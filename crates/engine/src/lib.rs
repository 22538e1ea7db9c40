//! HTTP, sign-in, the backends, the record on disk, the worker, and [`session::Session`], their facade.
//!
//! It does not depend on the screen or the keys, and never shares a wire type with the practice tenant.

pub mod auth;
pub mod backend;
pub mod failpoint;
pub mod http;
pub mod mmd;
pub mod process;
pub mod record;
pub mod redact;
pub mod session;
pub mod worker;
