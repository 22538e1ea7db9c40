//! The one integration crate: everything is asserted through what the program shows, sends and writes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod harness;
mod support;
