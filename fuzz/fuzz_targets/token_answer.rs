#![no_main]

#[path = "../bodies/token_answer.rs"]
mod token_answer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| token_answer::token_answer(data));
