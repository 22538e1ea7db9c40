//! A terminal dashboard for support agents who open and close elevation requests.
//!
//! The screen, and the modules that draw it:
//!
//! ```text
//!  view/header.rs: tenant, calls in flight, sign-in, clock
//! ╭ view/form.rs ─────────────╮╭ view/list.rs ─────────────────────╮
//! │ New request: six fields,  ││ Open requests: a row for each,    │
//! │ what is wrong beside each,││ from its ticket to its state      │
//! │ and what is suggested     │╰───────────────────────────────────╯
//! │                           │╭ view/details.rs ──────────────────╮
//! │                           ││ Request: all the selected one says│
//! │                  ╭ view/boxes.rs, view/help.rs ╮               │
//! │                  │ stand before all of this    │               │
//! ╰──────────────────╰─────────────────────────────╯───────────────╯
//!  view/footer.rs: what just happened, and the keys that work here
//! ```
//!
//! One pure middle, two thin edges, and plain data where they meet:
//!
//! ```text
//! terminal ─▶ keymap ─▶ Message ─▶ state::update(&mut Model) ─▶ Effect ─▶ app ─▶ port::Call ─▶ worker ─▶ api ─▶ service
//!  keys, pastes            ▲                │                                                    │
//! clock ────▶ Tick ────────┤                ▼                                                    │
//!                          │      view::draw(&Model) ─▶ cells ─▶ terminal                        │
//!                          └──── port::Reply { call_id, Result<Answer, Fault> } ◀────────────────┘
//! ```
//!
//! [`journal`] is the record on disk: the worker has every write durable in it before it is sent, and it brings back
//! what the last run left. [`app`] is the loop around it. [`config`] and [`cli`] say for which service, [`practice`] is one inside the program.
//! `ARCHITECTURE.md` says what each module may know of the others, and a test reads the sources and holds it.
pub mod action;
pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod domain;
mod http;
pub mod journal;
pub mod key;
pub mod keymap;
pub mod log;
pub mod platform;
pub mod port;
pub mod practice;
mod private;
pub mod redact;
mod rehearsal;
pub mod state;
pub mod terminal;
pub mod view;
pub mod worker;
