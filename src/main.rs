//! mmd-elevate
fn main() {}
