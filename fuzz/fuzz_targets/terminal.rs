#![no_main]

#[path = "../bodies/terminal.rs"]
mod terminal;

libfuzzer_sys::fuzz_target!(|data: &[u8]| terminal::terminal(data));
