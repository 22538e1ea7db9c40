//! What the tests stand on.

mod modes;
pub(crate) mod pty;
