//! `template`: the list and one template, in every output mode, with the codes that they end with.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use mmd_elevate::templates::shipped;
use serde_json::{Value, json};

use crate::{
    record::folder,
    support::{
        corpus::{Specimen, corpus},
        harmless::assert_harmless_lines,
        service::valid,
    },
};

/// What `template` prints with this home folder: its code, its output and its errors.
fn told(arguments: &[&str], home: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
    let Output { status, stdout, stderr } =
        command.arg("template").args(arguments).env_clear().env("HOME", home).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[track_caller]
fn printed(arguments: &[&str], home: &Path) -> String {
    let (code, text, errors) = told(arguments, home);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    text
}

/// Writes a file of the agent's own templates.
fn own(home: &Path, name: &str, text: &str) {
    let folder = home.join(".config/mmd-elevate/templates");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

#[test]
fn list_has_the_agents_own_and_those_that_are_shipped() {
    let home = folder();
    own(home.path(), "mine.toml", "name = 'My text'\ncategory = 'Office'\nsubcategory = 'Excel'\ntext = 'Do it'\n");
    own(home.path(), "hides.toml", "name = 'OFFICE repair online'\nfor = 'plan'\ntext = 'Mine'\n");
    let text = printed(&["list"], home.path());
    assert_eq!(text.lines().count(), shipped().len() + 1, "{text}");
    assert!(text.contains("My text  both  Office / Excel  yours\n"), "{text}");
    assert!(text.contains("OFFICE repair online  plan  -  yours\n"), "{text}");
    assert!(!text.contains("Office repair online"), "one's own hides the other: {text}");
    let listed: Value = valid(&printed(&["list", "--json"], home.path()));
    assert_eq!(listed["schema"], 1);
    let templates = listed["templates"].as_array().unwrap();
    assert_eq!(templates.len(), text.lines().count());
    let mine = json!({ "name": "My text", "for": "both", "category": "Office", "subcategory": "Excel", "own": true, "text": "Do it" });
    assert!(templates.contains(&mine), "{listed}");
}

#[test]
fn show_prints_the_text_and_nothing_else() {
    let home = folder();
    let repair = shipped().into_iter().find(|template| template.name == "Office repair online").unwrap();
    for name in ["Office repair online", "office REPAIR online"] {
        assert_eq!(printed(&["show", name], home.path()), format!("{}\n", repair.text.trim_end()));
    }
    let shown: Value = valid(&printed(&["show", &repair.name, "--json"], home.path()));
    assert_eq!((&shown["schema"], &shown["template"]["text"]), (&json!(1), &json!(repair.text)));
    assert_eq!(shown["template"]["own"], false);
    for mode in [&[][..], &["--json"], &["--plain"]] {
        let (code, text, errors) = told(&[&["show", "office repare online"], mode].concat(), home.path());
        assert_eq!((code, text.as_str()), (Some(2), ""));
        assert!(
            errors.contains(
                "there is no template called `office repare online`\nhint: did you mean `Office repair online`?"
            ),
            "{errors}"
        );
    }
}

#[test]
fn file_that_is_none_is_told_beside_the_rest() {
    let home = folder();
    own(home.path(), "broken.toml", "name = 'x'\n");
    for mode in [&[][..], &["--json"]] {
        let (code, text, errors) = told(&[&["list"], mode].concat(), home.path());
        assert_eq!(code, Some(0));
        assert!(text.contains("Office repair online"), "{text}");
        assert!(errors.contains("broken.toml was not read") && errors.contains("\nhint: "), "{errors}");
    }
    let (code, text, errors) = told(&["list", "--config", "~bob/c.toml"], home.path());
    assert_eq!((code, text.as_str()), (Some(8), ""));
    assert!(errors.contains("\nhint: "), "{errors}");
}

#[test]
fn harmful_template_is_printed_harmless() {
    let home = folder();
    for Specimen { name: specimen, text } in corpus() {
        let value = toml::Value::from(text);
        own(home.path(), "harmful.toml", &format!("name = {value}\ncategory = {value}\ntext = {value}\n"));
        let name = value.as_str().unwrap();
        for mode in [&[][..], &["--json"]] {
            for command in [&["list"][..], &["show", name]] {
                if command.len() > 1 && name.contains('\0') || name.len() > 30_000 {
                    continue;
                }
                let (_, text, errors) = told(&[command, mode].concat(), home.path());
                assert_harmless_lines(&format!("{text}{errors}"), &format!("{} {mode:?}: {specimen}", command[0]));
            }
        }
    }
}
