//! The one integration crate: everything is asserted through what the program shows, sends and writes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod auth;
mod book;
mod cli;
mod commands;
mod commands_close;
mod commands_create;
mod commands_list;
mod config;
mod config_file;
mod config_sign_in;
mod docs;
mod doctor;
mod files;
mod flows;
mod fuzz;
mod harness;
mod input;
mod interleavings;
mod latency;
mod log;
mod packages;
mod practice;
mod printing;
mod pty;
mod real_loop;
mod record;
mod report;
mod session;
mod support;
mod tls;
mod untrusted;
mod worker;
