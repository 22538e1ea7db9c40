//! The command line: complete help, and what is refused before anything starts.

use clap::{CommandFactory, Parser};
use mmd_elevate::{
    cli::{Cli, CliCommand, RecordArgs, RecordCommand},
    config::{DEFAULT_BASE_URL, FileSettings, variable},
    output::OutputFlags,
};

fn refused(arguments: &[&str]) -> String {
    let error = Cli::read([&["mmd-elevate"], arguments].concat()).unwrap_err();
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
    for word in [
        "practice",
        "config.toml",
        "config init",
        "mmd-elevate.log",
        "practice.json",
        "record.db",
        "record",
        "Exit codes",
        DEFAULT_BASE_URL,
    ] {
        assert!(help.contains(word), "{word}");
    }
}

#[test]
fn every_command_has_a_help_that_says_what_its_flags_do() {
    let mut command = Cli::command();
    command.build();
    let mut commands: Vec<_> = command.get_subcommands().filter(|command| command.get_name() != "help").collect();
    let mut names = Vec::new();
    while let Some(command) = commands.pop() {
        names.push(command.get_name());
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for flag in command.get_arguments() {
            assert!(flag.get_help().is_some(), "{} {}", command.get_name(), flag.get_id());
        }
        commands.extend(command.get_subcommands().filter(|command| command.get_name() != "help"));
    }
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "check",
            "close",
            "completions",
            "config",
            "create",
            "doctor",
            "export",
            "init",
            "list",
            "list",
            "list",
            "man",
            "path",
            "path",
            "practice",
            "purge",
            "record",
            "report",
            "resolve",
            "schema",
            "show",
            "show",
            "show",
            "show",
            "template"
        ]
    );
}

#[test]
fn the_record_is_purged_of_what_is_older_than_it_is_kept() {
    let purge = |arguments: &[&str]| {
        let Cli { command, flags, .. } = Cli::read([&["mmd-elevate", "record", "purge"], arguments].concat()).unwrap();
        let Some(CliCommand::Record(RecordArgs { command: RecordCommand::Purge(purge) })) = command else {
            panic!("no command")
        };
        (purge.older_than, flags.state_dir)
    };
    assert_eq!(
        purge(&[]),
        (FileSettings::default().record.keep_days, None),
        "what the settings say where nobody set it"
    );
    assert_eq!(purge(&["--older-than", "0", "--state-dir", "/s"]), (0, Some("/s".into())));
    assert!(refused(&["record", "purge", "--older-than", "soon"]).contains("--older-than"));
}

#[test]
fn secrets_have_no_flag() {
    let flags: Vec<_> = Cli::command().get_arguments().filter_map(|a| a.get_long().map(str::to_owned)).collect();
    assert!(flags.iter().all(|f| !f.contains("token") && !f.contains("secret")), "{flags:?}");
}

#[test]
fn practice_is_served_on_this_machine_alone() {
    let Cli { command, .. } = Cli::parse_from(["mmd-elevate", "practice"]);
    let Some(CliCommand::Practice(practice)) = command else { panic!("no command") };
    assert_eq!(practice.listen.to_string(), "127.0.0.1:0");
    let Cli { command, .. } = Cli::parse_from(["mmd-elevate", "practice", "--listen", "[::1]:8080"]);
    assert!(matches!(command, Some(CliCommand::Practice(p)) if p.listen.port() == 8080));
    assert!(refused(&["practice", "--listen", "0.0.0.0:8080"]).contains("this machine alone"));
    assert!(refused(&["practice", "--listen", "8080"]).contains("127.0.0.1:8080"));
}

#[test]
fn practice_is_begun_anew_and_misbehaves_on_request() {
    let Cli { flags, .. } = Cli::parse_from(["mmd-elevate", "--practice", "--fresh", "--practice-rules", "r.toml"]);
    assert!(flags.practice && flags.fresh && flags.practice_rules == Some("r.toml".into()));
    let arguments = ["mmd-elevate", "practice", "--fresh", "--rules", "r.toml", "--state-dir", "/s"];
    let Cli { command, flags, .. } = Cli::read(arguments).unwrap();
    let Some(CliCommand::Practice(practice)) = command else { panic!("no command") };
    assert!(flags.fresh);
    assert_eq!((practice.rules, flags.state_dir), (Some("r.toml".into()), Some("/s".into())));
}

#[test]
fn what_is_wrong_on_the_command_line_is_said_at_once() {
    assert!(refused(&["--tenant", ""]).contains("--tenant"));
    assert!(refused(&["--log", "loud"]).contains("off, error, warn, info, debug, trace"));
    assert!(refused(&["--token", "x"]).contains("--token"));
    refused(&["--practice", "practice"]);
}

#[test]
fn a_flag_means_the_same_before_and_behind_the_subcommand() {
    for (flag, value) in [
        ("--config", Some("/c")),
        ("--base-url", Some("https://h")),
        ("--ca-file", Some("/ca")),
        ("--tenant", Some("A")),
        ("--state-dir", Some("/s")),
        ("--log", Some("debug")),
        ("--practice-rules", Some("/r")),
        ("--practice", None),
        ("--fresh", None),
    ] {
        let flag: Vec<_> = [flag].into_iter().chain(value).collect();
        let before = Cli::read([&["mmd-elevate"], &flag[..], &["doctor"]].concat()).unwrap();
        let behind = Cli::read([&["mmd-elevate", "doctor"], &flag[..], &["--json"]].concat()).unwrap();
        assert_eq!(before.flags, behind.flags, "{flag:?}");
        assert_ne!(before.flags, mmd_elevate::cli::Flags::default(), "{flag:?}");
        assert!(matches!(before.command, Some(CliCommand::Doctor)));
    }
    for arguments in [
        &["--state-dir", "/s", "record", "purge"][..],
        &["record", "--state-dir", "/s", "purge"],
        &["record", "purge", "--state-dir", "/s"],
        &["practice", "--state-dir", "/s"],
        &["--state-dir", "/s", "practice"],
    ] {
        let cli = Cli::read([&["mmd-elevate"], arguments].concat()).unwrap();
        assert_eq!(cli.flags.state_dir, Some("/s".into()), "{arguments:?}");
    }
}

#[test]
fn how_results_are_printed_is_said_before_or_behind_the_subcommand_and_once() {
    for flag in ["--json", "--no-color"] {
        let before = Cli::read(["mmd-elevate", flag, "doctor"]).unwrap().output;
        let behind = Cli::read(["mmd-elevate", "doctor", flag]).unwrap().output;
        assert_eq!(before, behind, "{flag}");
        assert_ne!(before, OutputFlags::default(), "{flag}");
    }
    assert!(refused(&["--json", "doctor", "--json"]).contains("is given twice"));
    assert!(refused(&["--json", "--plain", "doctor"]).contains("--plain"));
}

#[test]
fn a_flag_that_means_nothing_to_a_subcommand_is_refused_with_the_reason() {
    for (arguments, flag, reason) in [
        (&["--practice", "practice"][..], "--practice", "serves the practice tenant"),
        (&["practice", "--tenant", "A"], "--tenant", "serves the practice tenant"),
        (&["--config", "/c", "practice"], "--config", "reads no settings"),
        (&["record", "purge", "--base-url", "https://h"], "--base-url", "the record in the state folder alone"),
        (&["--log", "debug", "record", "purge"], "--log", "the record in the state folder alone"),
        (&["--fresh", "record", "purge"], "--fresh", "the record in the state folder alone"),
        (&["--json"], "--json", "it opens the dashboard"),
        (&["doctor", "--plain"], "--plain", "a text for people or JSON"),
    ] {
        let error = refused(arguments);
        assert!(error.contains(&format!("'{flag}' has no effect on")) && error.contains(reason), "{error}");
    }
    assert!(refused(&["practice", "--rules", "a", "--practice-rules", "b"]).contains("--rules"));
    for arguments in [&["--config", "a", "doctor", "--config=b"][..], &["--practice", "doctor", "--practice"]] {
        assert!(refused(arguments).contains("is given twice"), "{arguments:?}");
    }
}
