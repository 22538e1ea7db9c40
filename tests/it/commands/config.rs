//! `config`: every subcommand in every output mode, with the codes that it ends with.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use mmd_elevate::{config::variable, keys::BINDINGS};
use serde_json::{Value, json};

use crate::{
    config_file::whole_example,
    record::folder,
    support::{
        corpus::{Specimen, corpus},
        harmless::assert_harmless_lines,
        service::valid,
    },
};

const TOKEN: &str = "a-token-that-nobody-may-see";

/// Runs `config` with a home folder and these variables.
fn run(arguments: &[&str], home: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
    command.arg("config").args(arguments).env_clear().env("HOME", home).envs(variables.iter().copied());
    command.output().unwrap()
}

/// What it prints, with its code and its errors.
fn told(arguments: &[&str], home: &Path, variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = run(arguments, home, variables);
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[track_caller]
fn json(arguments: &[&str], home: &Path, variables: &[(&str, &str)], code: i32) -> Value {
    let (ended, text, errors) = told(&[arguments, &["--json"]].concat(), home, variables);
    assert_eq!((ended, errors.as_str()), (Some(code), ""));
    valid(&text)
}

/// Writes a settings file and returns its path.
fn settings(home: &Path, text: &str) -> String {
    let path = home.join("settings.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn path_is_the_file_that_flag_variable_or_platform_names() {
    let home = folder();
    for (arguments, variables, file) in [
        (&["path"][..], &[][..], home.path().join(".config/mmd-elevate/config.toml")),
        (&["path"], &[(variable::CONFIG, "/c.toml")], "/c.toml".into()),
        (&["path", "--config", "~/d.toml"], &[(variable::CONFIG, "/c.toml")], home.path().join("d.toml")),
    ] {
        let file = file.to_str().unwrap();
        assert_eq!(told(arguments, home.path(), variables), (Some(0), format!("{file}\n"), String::new()));
        let expected = json!({ "schema": 1, "file": file, "fileExists": false });
        assert_eq!(json(arguments, home.path(), variables, 0), expected);
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    for arguments in
        [&["path", "--config", "~bob/c"][..], &["init", "--config", "~bob/c"], &["check", "--config", "~bob/c"]]
    {
        let (code, text, errors) = told(arguments, home.path(), &[]);
        assert_eq!((code, text.as_str()), (Some(8), ""));
        assert!(errors.contains("\nhint: write ~/"), "{errors}");
    }
}

#[test]
fn init_writes_an_example_that_is_valid_and_private_and_never_writes_over_a_file() {
    let home = folder();
    let path = home.path().join(".config/mmd-elevate/config.toml");
    let (code, text, errors) = told(&["init"], home.path(), &[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert_eq!(fs::read_to_string(&path).unwrap(), include_str!("../../../config.example.toml"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let checked = json(&["check"], home.path(), &[], 0);
    assert_eq!(
        (&checked["ok"], &checked["fileExists"], &checked["warnings"]),
        (&json!(true), &json!(true), &json!([]))
    );

    fs::write(&path, "# mine\n").unwrap();
    let (code, text, errors) = told(&["init"], home.path(), &[]);
    assert_eq!((code, text.as_str()), (Some(8), ""));
    assert!(errors.contains("exists, and nothing was written\nhint: "), "{errors}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n");
    // A link that leads nowhere is a file too.
    let link = home.path().join("link.toml");
    std::os::unix::fs::symlink(home.path().join("nowhere"), &link).unwrap();
    assert_eq!(told(&["init", "--config", link.to_str().unwrap()], home.path(), &[]).0, Some(8));
    assert!(!home.path().join("nowhere").exists());
    // Where a file stands in place of the folder.
    let blocked = path.join("config.toml");
    let (code, _, errors) = told(&["init", "--config", blocked.to_str().unwrap()], home.path(), &[]);
    assert_eq!(code, Some(8));
    assert!(errors.contains("failed to write the settings file"), "{errors}");
    let other = home.path().join("other.toml");
    let written = json(&["init", "--config", other.to_str().unwrap()], home.path(), &[], 0);
    assert_eq!((&written["file"], &written["fileExists"]), (&json!(other), &json!(true)));
}

#[test]
fn check_tells_all_mistakes_at_once_and_ends_with_one() {
    let home = folder();
    let wrong = settings(home.path(), "colour = 'red'\n[appearance]\nborders = 'round'\n[list]\nrefresh_seconds = 1\n");
    let arguments = ["check", "--config", &wrong, "--base-url", "ftp://h"];
    let (code, text, errors) = told(&arguments, home.path(), &[]);
    assert_eq!((code, errors.as_str()), (Some(1), ""), "the mistakes are the result");
    assert!(text.starts_with(&format!("{wrong}: 4 mistakes, 0 warnings\n")), "{text}");
    let (mistakes, hints) = (text.matches("mistake: ").count(), text.matches("\nhint: ").count());
    assert_eq!((mistakes, hints), (4, 4), "{text}");
    for place in ["--base-url", "line 1, column 1", "line 3, column 11", "line 5, column 19"] {
        assert!(text.contains(place), "{place}: {text}");
    }
    let checked = json(&arguments, home.path(), &[], 1);
    assert_eq!((&checked["ok"], checked["mistakes"].as_array().unwrap().len()), (&json!(false), 4));

    // What a file names is read too.
    let service = "tenant = 'A'\nca_file = 'none.pem'\n[[tenants]]\nname = 'A'\nid = 'a.example'\n";
    let other = "[[tenants]]\nname = 'B'\nid = 'b.example'\n";
    let path = settings(home.path(), &format!("{service}{other}"));
    let checked = json(&["check", "--config", &path], home.path(), &[(variable::TOKEN, TOKEN)], 1);
    assert!(checked["mistakes"][0]["what"].as_str().unwrap().contains("none.pem"), "{checked}");
    let warnings = &checked["warnings"].as_array().unwrap();
    assert!(
        warnings.iter().any(|it| it["what"].as_str().unwrap().contains("tenant B cannot be opened")),
        "{warnings:?}"
    );
    let rules = settings(home.path(), "[[rules]]\non = 'create'\ndo = 'explode'\n");
    let (code, text, _) = told(&["check", "--practice", "--practice-rules", &rules], home.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("explode"), "{text}");
}

#[test]
fn check_without_a_file_says_so_and_warns_about_variables() {
    let home = folder();
    let (code, text, errors) = told(&["check"], home.path(), &[("MMD_ELEVATE_TENANT", "x")]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(text.starts_with("there is no file ") && text.contains("0 mistakes, 1 warning\n"), "{text}");
    assert!(text.contains("warning: `MMD_ELEVATE_TENANT` is not a variable"), "{text}");
}

#[test]
fn show_tells_the_layer_of_each_setting_and_no_secret() {
    let home = folder();
    let path = settings(
        home.path(),
        &format!(
            "base_url = 'https://file.example/v1'\nread_only = true\nticket_url = 'https://root.example/{{ticket}}'\n\
             [ages]\nwarn = '1h'\n[keys]\n\"list.new\" = ['N']\n[[tenants]]\nname = 'A'\nid = 'a.example'\n\
             ticket_url = 'https://a.example/{{ticket}}'\n[tenants.sign_in]\nmethod = 'client-secret'\n\
             client_id = '00000000-0000-4000-8000-00000000c1d0'\nsecret_command = ['pass', '{TOKEN}']\n"
        ),
    );
    let arguments = ["show", "--config", &path, "--log", "debug"];
    let variables = [(variable::BASE_URL, "https://variable.example"), (variable::TOKEN, TOKEN)];
    let shown = json(&arguments, home.path(), &variables, 0);
    assert_eq!((&shown["schema"], &shown["practice"], &shown["file"]), (&json!(1), &json!(false), &json!(path)));
    let settings = shown["settings"].as_array().unwrap();
    for (setting, value, source, from) in [
        ("log", json!("debug"), "flag", json!("--log")),
        ("base_url", json!("https://variable.example"), "variable", json!(variable::BASE_URL)),
        ("tenant", json!("a.example"), "file", json!("[[tenants]] in the settings file")),
        ("token", json!("[token]"), "variable", json!(variable::TOKEN)),
        ("read_only", json!(true), "file", json!("the settings file")),
        ("ticket_url", json!("https://a.example/{ticket}"), "file", json!("[[tenants]] in the settings file")),
        ("ages.warn", json!("1h"), "file", json!("the settings file")),
        ("ages.alarm", json!("8h"), "default", Value::Null),
        ("appearance.borders", json!("auto"), "default", Value::Null),
        ("list.refresh_seconds", json!(30), "default", Value::Null),
        ("practice.colleagues", json!(true), "default", Value::Null),
        ("ca_file", Value::Null, "default", Value::Null),
        ("patterns.device", Value::Null, "default", Value::Null),
        ("keys.\"list.new\"", json!(["N"]), "file", json!("the settings file")),
        ("sign_in.method", json!("client-secret"), "file", json!("[tenants.sign_in] in the settings file")),
        (
            "sign_in.secret_command",
            json!("pass [arguments are not shown]"),
            "file",
            json!("[tenants.sign_in] in the settings file"),
        ),
        ("tenants", json!(["A"]), "file", json!("the settings file")),
    ] {
        let found = settings.iter().find(|it| it["setting"] == setting);
        let expected = json!({ "setting": setting, "value": value, "source": source, "from": from });
        assert_eq!(found, Some(&expected), "{setting}");
    }
    let (code, text, errors) = told(&arguments, home.path(), &variables);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(text.lines().count(), settings.len(), "one line for each");
    assert!(text.lines().all(|line| line.split("  ").count() == 3), "{text}");
    assert!(text.contains("log  \"debug\"  --log\n") && text.contains("ages.alarm  \"8h\"  default\n"), "{text}");
    assert!(!format!("{shown}{text}").contains(TOKEN));
}

#[test]
fn show_has_every_setting_that_can_be_set() {
    let home = folder();
    let shown = json(&["show", "--practice"], home.path(), &[(variable::BASE_URL, "https://h")], 0);
    assert_eq!(shown["practice"], true);
    let names_in = |shown: &Value| -> Vec<String> {
        let names = shown["settings"].as_array().unwrap().iter().map(|it| it["setting"].as_str().unwrap().to_owned());
        names.collect()
    };
    assert!(names_in(&shown).iter().all(|name| name != "base_url"), "the practice tenant has none");
    let service = [(variable::TENANT_ID, "t.example"), (variable::TOKEN, TOKEN)];
    let names = names_in(&json(&["show"], home.path(), &service, 0));
    let schema: Value = serde_json::from_str(&fs::read_to_string("docs/schema/config.json").unwrap()).unwrap();
    for (table, value) in schema["properties"].as_object().unwrap() {
        // A sign-in and keys are shown as far as they are set.
        let properties = match table.as_str() {
            "sign_in" | "keys" => continue,
            "patterns" => schema["$defs"]["patterns"]["properties"].as_object(),
            _ => value["properties"].as_object(),
        };
        let expected: Vec<_> = match properties {
            Some(properties) => properties.keys().map(|name| format!("{table}.{name}")).collect(),
            None => vec![table.clone()],
        };
        assert!(expected.iter().all(|name| names.contains(name)), "{expected:?} are not all in {names:?}");
    }
}

#[test]
fn show_ends_with_eight_where_settings_cannot_be_used() {
    let home = folder();
    let path = settings(home.path(), "tenant = 'A'\nread_only = 1\n");
    for arguments in
        [&["show", "--config", &path][..], &["show", "--config", &path, "--json"], &["show", "--tenant", "A"]]
    {
        let (code, text, errors) = told(arguments, home.path(), &[]);
        assert_eq!((code, text.as_str()), (Some(8), ""));
        assert!(errors.starts_with("mmd-elevate: ") && errors.contains("\nhint: "), "{errors}");
    }
}

#[test]
fn harmful_settings_are_shown_harmless() {
    let home = folder();
    for Specimen { name, text } in corpus() {
        let value = toml::Value::from(text).to_string();
        let path = settings(home.path(), &format!("[report]\nfolder = {value}\n"));
        for command in ["show", "check", "path"] {
            for mode in [&[][..], &["--json"]] {
                let Output { stdout, stderr, .. } =
                    run(&[&[command, "--config", &path], mode].concat(), home.path(), &[]);
                let printed = String::from_utf8([stdout, stderr].concat()).unwrap();
                assert_harmless_lines(&printed, &format!("{command} {mode:?}: {name}"));
            }
        }
    }
}

#[test]
fn schema_takes_the_example_and_refuses_what_is_wrong() {
    let home = folder();
    let (code, text, errors) = told(&["schema"], home.path(), &[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let whole: toml::Table = whole_example().parse().unwrap();
    let as_json = |table: toml::Table| serde_json::to_value(table).unwrap();
    let errors: Vec<_> = validator.iter_errors(&as_json(whole)).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for wrong in [
        "colour = 'red'",
        "base_url = 1",
        "read_only = 'yes'",
        "appearance.theme = 'pink'",
        "appearance.accent = '#fff'",
        "list.refresh_seconds = 4",
        "record.keep_days = -1",
        "tenants = [{ name = 'A' }]",
        "categories = [{ name = 'A' }]",
        "sign_in = { client_id = 'x' }",
        "sign_in = { method = 'magic' }",
        "keys.\"no.such\" = ['x']",
        "keys.\"list.new\" = 'x'",
        "ticket_url = 'https://host/'",
    ] {
        assert!(!validator.is_valid(&as_json(wrong.parse().unwrap())), "{wrong}");
    }
}

/// `UPDATE_DOCS=1 cargo test --test it commands::config` writes them anew.
#[test]
fn schema_has_the_keys_of_the_one_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/config.json");
    let was = fs::read_to_string(&path).unwrap();
    let mut schema: Value = serde_json::from_str(&was).unwrap();
    let keys = |help: &str| json!({ "type": "array", "items": { "type": "string" }, "description": help });
    let actions = BINDINGS.iter().map(|binding| (binding.id.to_owned(), keys(binding.help)));
    schema["properties"]["keys"]["properties"] = Value::Object(actions.collect());
    let text = format!("{schema:#}\n");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, text).unwrap();
    } else {
        assert_eq!(was, text, "hint: UPDATE_DOCS=1 cargo test --test it commands::config");
    }
}
