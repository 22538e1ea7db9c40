#![no_main]

#[path = "../bodies/keys.rs"]
mod keys;

libfuzzer_sys::fuzz_target!(|data: &[u8]| keys::keys(data));
