//! What is said beside the dashboard: incomplete settings, and the practice tenant served alone.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::{GONE, Home, PROGRAM, create, started};
use crate::support::pty;

#[test]
fn half_a_service_is_an_error_and_never_practice() {
    let home = Home::new();
    for (name, value, missing) in [
        ("MMD_ELEVATE_BASE_URL", "https://service.example/v1", "the tenant and the token are missing"),
        ("MMD_ELEVATE_TENANT_ID", "7f3c0b1a-2d4e-4f60-8a9b-c1d2e3f46677", "the token is missing"),
        ("MMD_ELEVATE_TOKEN", "token.token.token", "the tenant is missing"),
    ] {
        let output = Command::new(PROGRAM).env_clear().envs(home.environment()).env(name, value).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(8), "{name}: {said}");
        assert!(said.contains(missing) && said.contains("\nhint: set "), "{name}: {said}");
        assert!(!said.contains(value), "{said}");
        assert!(output.stdout.is_empty());
    }
}

/// `mmd-elevate practice`, killed when the test ends.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn practice_served_alone_prints_what_another_process_needs() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut command = Command::new(PROGRAM);
    command.args(["practice", "--listen", "127.0.0.1:0"]).env_clear().envs(home.environment());
    let mut served = Served(command.stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(served.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    // Read from until the end: a pipe that nobody reads any more would end the program.
    let mut printed = lines.filter_map(|line| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    let exports: Vec<_> = printed.by_ref().take(3).collect();
    let names: Vec<_> = exports.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["MMD_ELEVATE_BASE_URL", "MMD_ELEVATE_TENANT_ID", "MMD_ELEVATE_TOKEN"]);

    let program = exports.iter().fold(home.dashboard(), |program, (name, value)| program.env(name, value));
    let mut pty = started(program);
    assert!(!pty.has_shown("PRACTICE TENANT"), "it is a service like any other");
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("● open");
    super::leave(&mut pty);
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    let token = &exports[2].1;
    assert!(!String::from_utf8_lossy(&pty.bytes()).contains(token.as_str()));
    assert!(!home.read("logs/mmd-elevate.log").contains(token.as_str()));
}
