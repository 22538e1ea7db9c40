//! Lines of the command line and of standard error that repeat what somebody wrote into an argument, a variable or a
//! file: nothing in them acts on the terminal in which the command was given.

use std::{fs, path::Path, process::Command};

use rstest::rstest;

use crate::support::{
    corpus::{Specimen, corpus},
    harmless::assert_harmless_lines,
};

/// Runs a command that fails or only prints, and looks at all that it says.
#[track_caller]
fn assert_says_harmless(name: &str, folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
    command.env_clear().env("MMD_ELEVATE_STATE_DIR", folder.join("state")).env("HOME", folder);
    // Not without a terminal: where nothing is refused before it, this is.
    let output = command.args(arguments).envs(variables.iter().copied()).output().unwrap();
    assert!(matches!(output.status.code(), Some(0..=2 | 8)), "{name}: {:?}", output.status);
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!said.trim().is_empty() && !said.contains("panicked"), "{name}: {said}");
    assert_harmless_lines(&said, name);
    said
}

/// No argument and no variable of a process holds a NUL.
fn corpus_without_nul() -> impl Iterator<Item = Specimen> {
    corpus().into_iter().map(|it| Specimen { text: it.text.replace('\0', ""), ..it })
}

#[rstest]
#[case::no_flag(&["--{}"])]
#[case::no_command(&["{}"])]
#[case::config(&["--config", "{}"])]
#[case::base_url(&["--base-url", "{}"])]
#[case::tenant(&["--base-url", "https://service.example", "--tenant", "{}"])]
#[case::level(&["--log", "{}"])]
#[case::state_folder(&["--state-dir", "/dev/null/{}"])]
#[case::dashboard_rules(&["--practice", "--practice-rules", "{}"])]
#[case::listen(&["practice", "--listen", "{}"])]
#[case::rules(&["practice", "--rules", "{}"])]
#[case::practice_folder(&["practice", "--state-dir", "/dev/null/{}"])]
#[case::days(&["record", "purge", "--older-than", "{}"])]
#[case::template(&["create", "--practice", "--template", "{}"])]
#[case::plan_file(&["create", "--practice", "--plan-file", "{}"])]
#[case::lines(&["create", "--practice", "--from", "{}"])]
#[case::actions_file(&["close", "--practice", "3f2b0c5e", "--actions-file", "{}"])]
#[case::record_folder(&["record", "purge", "--yes", "--state-dir", "/nowhere/{}"])]
fn no_argument_acts_when_it_is_repeated(#[case] arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for Specimen { name, text } in corpus_without_nul() {
        let arguments: Vec<_> = arguments.iter().map(|argument| argument.replace("{}", &text)).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        assert_says_harmless(name, folder.path(), &arguments, &[]);
    }
}

#[rstest]
fn no_variable_acts_when_it_is_repeated(
    #[values("BASE_URL", "TENANT_ID", "TOKEN", "LOG", "CONFIG", "STATE_DIR")] variable: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let variable = format!("MMD_ELEVATE_{variable}");
    for Specimen { name, text } in corpus_without_nul() {
        assert_says_harmless(name, folder.path(), &[], &[(&variable, &text)]);
    }
}

#[rstest]
#[case::unknown_setting("{} = 1")]
#[case::unknown_setting_with_a_hint_of_its_own("\"a\\nhint: \\u001b[2J\" = 1\n# {}")]
#[case::tenant("tenant = {}")]
#[case::base_url("base_url = {}")]
#[case::name("[[tenants]]\nname = {}\nid = 'x'")]
#[case::id("[[tenants]]\nname = 'x'\nid = {}")]
#[case::colour("[[tenants]]\nname = 'x'\nid = 'x'\ncolor = {}")]
#[case::category("[[categories]]\nname = {}\nsubcategories = ['x']")]
#[case::subcategory("[[categories]]\nname = 'x'\nsubcategories = [{}]")]
#[case::accent("[appearance]\naccent = {}")]
#[case::borders("[appearance]\nborders = {}")]
#[case::days("[record]\nkeep_days = {}")]
#[case::action("[keys]\n{} = ['x']")]
#[case::key("[keys]\nquit = [{}]")]
fn no_setting_acts_when_it_is_repeated(#[case] settings: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    for Specimen { name, text } in corpus() {
        // As a string with escapes, and as it is.
        for written in [serde_json::to_string(&text).unwrap(), text] {
            fs::write(&file, settings.replace("{}", &written)).unwrap();
            assert_says_harmless(name, folder.path(), &["--config", file.to_str().unwrap()], &[]);
        }
    }
}

#[rstest]
#[case::call("[[rules]]\non = {}\ndo = 'fail'")]
#[case::deed("[[rules]]\non = 'create'\ndo = {}")]
#[case::unknown("[[rules]]\non = 'create'\ndo = 'fail'\n{} = 1")]
#[case::no_rules("{}")]
fn no_rule_of_practice_acts_when_it_is_repeated(#[case] rules: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    for Specimen { name, text } in corpus() {
        fs::write(&file, rules.replace("{}", &serde_json::to_string(&text).unwrap())).unwrap();
        assert_says_harmless(name, folder.path(), &["practice", "--rules", file.to_str().unwrap()], &[]);
    }
}

/// What is said of a record that is none, and lies in this folder.
fn damaged_record_in(folder: &Path) -> String {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("record.db"), "not a database").unwrap();
    assert_says_harmless(
        "a folder",
        folder,
        &["record", "purge", "--yes", "--state-dir", folder.to_str().unwrap()],
        &[],
    )
}

#[test]
fn no_path_acts_when_it_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    // The system takes names of 255 bytes at most, and no slash in them.
    for Specimen { name, text } in corpus_without_nul().filter(|specimen| specimen.text.len() < 256) {
        let said = damaged_record_in(&folder.path().join(text.replace('/', "")));
        assert!(said.contains("record.db"), "{name}: {said}");
    }
}

/// What is refused is still told in words, with a mark for what would have acted.
#[test]
fn what_is_repeated_is_marked_and_not_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, "[keys]\n\"a\\u001b[2J\\u202e\" = []\n").unwrap();
    let said = assert_says_harmless("an action", folder.path(), &["--config", file.to_str().unwrap()], &[]);
    assert!(said.contains("no action has the id `a␛[2J‹U+202E›`") && said.contains("\nhint: "), "{said}");
    let said = damaged_record_in(&folder.path().join("a\x1b[2J\u{202e}\nb"));
    assert!(said.contains("/a␛[2J‹U+202E›␊b/record.db") && said.contains("\nhint: "), "{said}");
}
