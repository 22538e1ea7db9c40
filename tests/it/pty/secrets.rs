//! What a crash would leave behind.

use super::{Home, started};
use crate::support::pty;

#[cfg(target_os = "linux")]
#[test]
fn no_core_file_is_left_that_would_hold_a_token() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let pty = started(home.dashboard());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", pty.id())).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(cores.split_whitespace().nth(4), Some("0"), "{cores}");
}
