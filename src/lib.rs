//! A terminal dashboard for support agents who open and close elevation requests.
//!
//! The dashboard is a pure function of messages between two thin edges:
//!
//! ```text
//! keys ─▶ keymap ─▶ Message ─▶ update ─▶ Effect ─▶ app ─▶ Command ─▶ engine worker ─▶ service, record
//!                       ▲                             Event ◀──────┘
//!                       └────────────────────────────────┘
//! ```
//!
//! This crate is the program: what a person runs and sees. `mmd-elevate-core` has the pure types and rules,
//! `mmd-elevate-engine` everything that waits, `mmd-elevate-practice` the practice tenant. `ARCHITECTURE.md` maps the code.

pub mod app;
pub mod cli;
pub mod commands;
pub mod config;
pub mod dashboard;
pub mod exit;
pub mod json;
pub mod keys;
pub mod log;
pub mod output;
pub mod platform;
pub mod report;
pub mod templates;
pub mod terminal;
