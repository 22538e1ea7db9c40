//! The command line: complete help, and what is refused before anything starts.

use clap::{CommandFactory, Parser};
use mmd_elevate::{
    cli::{Cli, Command},
    config::{DEFAULT_BASE_URL, variable},
};

fn refused(arguments: &[&str]) -> String {
    let error = Cli::try_parse_from([&["mmd-elevate"], arguments].concat()).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

#[test]
fn the_help_is_complete() {
    Cli::command().debug_assert();
    let help = Cli::command().render_long_help().to_string();
    for flag in Cli::command().get_arguments().filter_map(clap::Arg::get_long) {
        assert!(help.contains(&format!("--{flag}")), "{flag}");
    }
    for (name, what) in variable::ALL {
        assert!(help.contains(name), "{name}");
        assert!(!what.is_empty());
    }
    for word in ["practice", "config.toml", "config.example.toml", "mmd-elevate.log", "Exit codes", DEFAULT_BASE_URL] {
        assert!(help.contains(word), "{word}");
    }
}

#[test]
fn secrets_have_no_flag() {
    let flags: Vec<_> = Cli::command().get_arguments().filter_map(|a| a.get_long().map(str::to_owned)).collect();
    assert!(flags.iter().all(|f| !f.contains("token") && !f.contains("secret")), "{flags:?}");
}

#[test]
fn practice_is_served_on_this_machine_alone() {
    let Cli { command, .. } = Cli::parse_from(["mmd-elevate", "practice"]);
    let Some(Command::Practice(practice)) = command else { panic!("no command") };
    assert_eq!(practice.listen.to_string(), "127.0.0.1:0");
    let Cli { command, .. } = Cli::parse_from(["mmd-elevate", "practice", "--listen", "[::1]:8080"]);
    assert!(matches!(command, Some(Command::Practice(p)) if p.listen.port() == 8080));
    assert!(refused(&["practice", "--listen", "0.0.0.0:8080"]).contains("this machine alone"));
    assert!(refused(&["practice", "--listen", "8080"]).contains("127.0.0.1:8080"));
}

#[test]
fn what_is_wrong_on_the_command_line_is_said_at_once() {
    assert!(refused(&["--tenant", ""]).contains("--tenant"));
    assert!(refused(&["--log", "loud"]).contains("off, error, warn, info, debug, trace"));
    assert!(refused(&["--token", "x"]).contains("--token"));
    refused(&["--practice", "practice"]);
}
