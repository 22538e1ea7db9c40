#![no_main]

#[path = "../bodies/list_pages.rs"]
mod list_pages;

libfuzzer_sys::fuzz_target!(|data: &[u8]| list_pages::list_pages(data));
