//! Help, completions, man pages and mistakes on the command line: all are of the one definition.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use clap::{Command as Definition, CommandFactory as _};
use mmd_elevate::cli::Cli;
use rstest::rstest;

use crate::record::folder;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

fn run(arguments: &[&str], home: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
    let Output { status, stdout, stderr } = command.args(arguments).env_clear().env("HOME", home).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Every command but `help`, with its name as it is typed.
fn commands() -> Vec<(String, Definition)> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let (mut found, mut left) = (Vec::new(), vec![("mmd-elevate".to_owned(), root)]);
    while let Some((name, command)) = left.pop() {
        left.extend(command.get_subcommands().map(|sub| (format!("{name} {}", sub.get_name()), sub.clone())));
        found.push((name, command));
    }
    found
}

fn flags(command: &Definition) -> impl Iterator<Item = &str> {
    command.get_arguments().filter_map(clap::Arg::get_long)
}

#[test]
fn every_command_has_examples_that_can_be_run_as_they_stand() {
    for (name, command) in commands().into_iter().filter(|(name, _)| name != "mmd-elevate") {
        let help = command.get_after_help().unwrap_or_else(|| panic!("{name} has no examples")).to_string();
        let help = help.replace("\\\n", "");
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{name} has no examples"));
        let examples: Vec<_> = examples.lines().filter_map(|line| line.strip_prefix("  mmd-elevate ")).collect();
        assert!(!examples.is_empty(), "{name}");
        for example in examples {
            // What follows is for the shell.
            let end = [" > ", " >> ", " | "].iter().filter_map(|sign| example.find(sign)).min();
            let arguments = &example[..end.unwrap_or(example.len())];
            let words = shlex::split(arguments).unwrap();
            let line = std::iter::once("mmd-elevate".to_owned()).chain(words);
            let cli = Cli::read(line).unwrap_or_else(|error| panic!("{name}: {example}: {error}"));
            assert!(cli.command.is_some());
            let of_command = name.strip_prefix("mmd-elevate ").unwrap();
            assert!(example.starts_with(of_command), "{name}: {example}");
        }
    }
}

#[test]
fn completions_have_every_command_and_every_flag() {
    let home = folder();
    for shell in SHELLS {
        let (code, script, errors) = run(&["completions", shell], home.path());
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{shell}");
        for (name, command) in commands() {
            let word = name.rsplit(' ').next().unwrap();
            assert!(script.contains(word), "{shell} does not know {name}");
            for flag in flags(&command) {
                let written = if shell == "fish" { format!("-l {flag}") } else { format!("--{flag}") };
                assert!(script.contains(&written), "{shell} does not know --{flag} of {name}");
            }
        }
    }
    let script = run(&["completions", "bash"], home.path()).1;
    let path = home.path().join("completions");
    fs::write(&path, script).unwrap();
    // Where there is a bash, it reads the script.
    if let Ok(checked) = Command::new("bash").arg("-n").arg(&path).output() {
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn man_has_a_page_for_each_command_with_its_flags_and_its_examples() {
    let home = folder();
    let pages = home.path().join("man/man1");
    let (code, text, errors) = run(&["man", pages.to_str().unwrap()], home.path());
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(text.contains(pages.to_str().unwrap()), "{text}");
    let mut expected = BTreeSet::new();
    for (name, command) in commands() {
        let file = name.replace(' ', "-") + ".1";
        let page = fs::read_to_string(pages.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        for flag in flags(&command) {
            assert!(page.contains(&flag.replace('-', "\\-")), "{file} does not have --{flag}");
        }
        assert!(name == "mmd-elevate" || page.contains("Examples:"), "{file} has no examples");
        expected.insert(file);
    }
    let written: BTreeSet<_> =
        fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(written, expected);
    let (code, page, errors) = run(&["man"], home.path());
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(page.contains(".TH mmd-elevate 1") && page.contains("Exit codes"), "{page}");
}

#[test]
fn pages_that_cannot_be_written_end_with_one() {
    let home = folder();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let (code, text, errors) = run(&["man", file.to_str().unwrap()], home.path());
    assert_eq!((code, text.as_str()), (Some(1), ""));
    assert!(
        errors.starts_with("mmd-elevate: failed to write man pages to ") && errors.contains("\nhint: "),
        "{errors}"
    );
    assert_eq!(run(&["man", "~bob/x"], home.path()).0, Some(2));
}

/// Mistakes are told in the voice of every other error.
#[rstest]
#[case::command(&["recrod"], "unrecognized subcommand 'recrod'", "did you mean `record`? mmd-elevate --help shows what can be given")]
#[case::several(&["creat"], "unrecognized subcommand 'creat'", "did you mean `create` or `report`? mmd-elevate --help shows what can be given")]
#[case::subcommand(&["config", "shwo"], "unrecognized subcommand 'shwo'", "did you mean `show`? mmd-elevate config --help shows what can be given")]
#[case::flag(&["doctor", "--tenat", "A"], "unexpected argument '--tenat' found", "did you mean `--tenant`? mmd-elevate doctor --help shows what can be given")]
#[case::value(&["completions", "bsh"], "invalid value 'bsh' for '<SHELL>'", "did you mean `bash`? use one of bash, elvish, fish, powershell, zsh")]
#[case::level(&["--log", "debgu"], "invalid value 'debgu' for '--log <LEVEL>': `debgu` is not a log level", "did you mean `debug`? use one of off, error, warn, info, debug, trace")]
#[case::missing(&["template", "show"], "the following required arguments were not provided: <NAME>", "mmd-elevate template show --help shows what can be given")]
#[case::no_effect(&["record", "purge", "--tenant", "A"], "the flag '--tenant' has no effect on 'mmd-elevate record': it reads the record in the state folder alone", "mmd-elevate --help shows what can be given")]
#[case::both(&["--json", "--plain", "doctor"], "the argument '--json' cannot be used with '--plain'", "mmd-elevate --help shows what can be given")]
fn mistake_is_told_with_what_was_meant(#[case] arguments: &[&str], #[case] what: &str, #[case] hint: &str) {
    let home = folder();
    let expected = format!("mmd-elevate: {what}\nhint: {hint}\n");
    assert_eq!(run(arguments, home.path()), (Some(2), String::new(), expected));
}

#[test]
fn what_was_typed_is_repeated_harmless() {
    let home = folder();
    let (code, _, errors) = run(&["\u{1b}[2J\u{202e}x"], home.path());
    assert_eq!(code, Some(2));
    crate::support::harmless::assert_harmless_lines(&errors, "the mistake");
}
