//! The settings file: its example, every error with its place and its hint, and that nothing is ever written.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mmd_elevate::{
    cli::Flags,
    config::{self, Config, ConfigError, FileSettings, variable},
};
use rstest::rstest;
use tempfile::TempDir;

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// A folder with a settings file of this text.
fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// The settings of a file of this text.
pub(crate) fn settings(text: &str) -> FileSettings {
    let (_folder, path) = file(text);
    FileSettings::load(&path).unwrap().unwrap()
}

/// The error that this text makes, with FILE for the path.
fn error_in(text: &str) -> String {
    let (_folder, path) = file(text);
    let error = FileSettings::load(&path).unwrap_err().to_string();
    error.replace(path.to_str().unwrap(), "FILE")
}

#[test]
fn the_example_equals_the_defaults() {
    assert_eq!(settings(EXAMPLE), FileSettings::default());
    assert_eq!(settings(""), FileSettings::default());
}

#[test]
fn a_relative_path_begins_at_the_file() {
    let (folder, path) = file("ca_file = 'ca.pem'\n[[tenants]]\nname = 'n'\nid = 'i'\nca_file = '/etc/ca.pem'\n");
    let settings = FileSettings::load(&path).unwrap().unwrap();
    assert_eq!(settings.ca_file, Some(folder.path().join("ca.pem")));
    assert_eq!(settings.tenants[0].ca_file.as_deref(), Some(Path::new("/etc/ca.pem")));
    assert!(error_in("ca_file = ''").contains("a path is empty"));
}

/// The example with every optional line in force.
pub(crate) fn whole_example() -> String {
    let is_setting = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line != "#";
    EXAMPLE.lines().map(|line| if is_setting(line) { &line[1..] } else { line }.to_owned() + "\n").collect()
}

#[test]
fn the_example_documents_every_setting() {
    let whole = settings(&whole_example());
    assert!(whole.base_url.is_some() && whole.tenant.is_some());
    assert!(whole.tenants[0].color.is_some() && whole.tenants[0].base_url.is_some());
    assert!(!whole.keys.is_empty());
    // What an unknown setting's error lists is every setting there is.
    for (table, settings) in [
        ("", 9),
        ("[[tenants]]\n", 6),
        ("[sign_in]\n", 10),
        ("[[categories]]\n", 2),
        ("[appearance]\n", 2),
        ("[record]\n", 1),
    ] {
        let error = error_in(&format!("{table}nonsense = 1\n"));
        let (_, known) = error.split_once("what can be set here: ").unwrap();
        let names: Vec<_> = known.split('`').skip(1).step_by(2).collect();
        assert_eq!(names.len(), settings, "{error}");
        for name in names {
            let written = [format!("\n{name} = "), format!("\n[{name}]"), format!("\n[[{name}]]")];
            assert!(written.iter().any(|w| whole_example().contains(w)), "{name} is not in the example");
        }
    }
}

#[rstest]
#[case::unknown(
    "\n  colour = 1",
    "FILE, line 2, column 3: unknown setting `colour`\nhint: what can be set here: `base_url`, `ca_file`, `tenant`, `sign_in`, `tenants`, `categories`, `appearance`, `record`, `keys`; see config.example.toml"
)]
#[case::unknown_in_a_table(
    "[appearance]\ncolour = 'red'",
    "FILE, line 2, column 1: unknown setting `colour`\nhint: what can be set here: `borders` or `accent`; see config.example.toml"
)]
#[case::token(
    "token = 'hunter2'",
    "FILE, line 1, column 1: unknown setting `token`\nhint: secrets have no place in this file: hand the token over in MMD_ELEVATE_TOKEN"
)]
#[case::token_of_a_tenant(
    "[[tenants]]\nname = 'A'\nid = 'a'\nToken = 'hunter2'",
    "FILE, line 4, column 1: unknown setting `Token`\nhint: secrets have no place in this file: hand the token over in MMD_ELEVATE_TOKEN"
)]
#[case::token_among_keys(
    "[keys]\ntoken = 'hunter2, expected'",
    "FILE, line 2, column 9: invalid type: string\nhint: expected a sequence; config.example.toml shows every setting"
)]
#[case::wrong_type(
    "base_url = 5",
    "FILE, line 1, column 12: invalid type: integer `5`\nhint: expected a string; config.example.toml shows every setting"
)]
#[case::wrong_choice(
    "[appearance]\nborders = 'round'",
    "FILE, line 2, column 11: unknown variant `round`\nhint: expected one of `rounded`, `plain`, `ascii`; config.example.toml shows every setting"
)]
#[case::not_toml("base_url = https://host", "FILE, line 1, column 12: ")]
#[case::not_closed("[[tenants]\n", "FILE, line 1, column 11: unclosed array table\nhint: expected `]`;")]
#[case::twice(
    "tenant = 'a'\ntenant = 'b'",
    "FILE, line 2, column 1: duplicate key\nhint: correct the file; config.example.toml shows every setting"
)]
#[case::left_out(
    "[[tenants]]\nname = 'A'",
    "FILE, line 1, column 1: missing setting `id`\nhint: correct the file; config.example.toml shows every setting"
)]
#[case::color(
    "[appearance]\naccent = 'puce'",
    "FILE, line 2, column 10: `puce` is not a colour\nhint: name one of the terminal's colours (black, red, "
)]
#[case::plain_http(
    "base_url = 'http://host'",
    "FILE, line 1, column 12: the base URL is plain http, which would send the token in clear\nhint: use https; http is for this machine alone (127.0.0.1, [::1], localhost)"
)]
#[case::password_in_a_url(
    "base_url = 'https://me:hunter2@host/'",
    "FILE, line 1, column 12: the base URL holds a user name or a password\nhint: write it like https://host/path; the token goes into MMD_ELEVATE_TOKEN"
)]
#[case::id("[[tenants]]\nname = 'A'\nid = '..'", "FILE, line 3, column 6: `..` cannot be a tenant id\nhint: ")]
#[case::same_name(
    "[[tenants]]\nname = 'A'\nid = 'a1'\n[[tenants]]\nname = 'a'\nid = 'a2'",
    "the tenant `a` shares its name or id with another\nhint: give every tenant a name and an id of its own"
)]
#[case::same_id(
    "[[tenants]]\nname = 'A'\nid = 'x'\n[[tenants]]\nname = 'B'\nid = 'X'",
    "the tenant `B` shares its name or id with another\nhint: "
)]
#[case::not_a_number_of_days(
    "[record]\nkeep_days = -1",
    "FILE, line 2, column 13: `-1` is not a number of days\nhint: give a whole number, such as 90"
)]
#[case::name_is_an_id(
    "[[tenants]]\nname = 'A'\nid = 'x'\n[[tenants]]\nname = 'x'\nid = 'b'",
    "the tenant `x` shares its name or id with another\nhint: "
)]
#[case::same_category(
    "[[categories]]\nname='A'\nsubcategories=[]\n[[categories]]\nname='A'\nsubcategories=[]",
    "the category `A` is there twice\nhint: "
)]
#[case::hidden_text(
    "tenant = \"a\\u001b[2J\\nhint: b\"",
    "FILE, line 1, column 10: `a␛[2J␊hint: b` holds characters that cannot be seen\nhint: type the name again"
)]
#[case::hidden_key("\"a\\u001b[2J\" = 1", "FILE, line 1, column 1: unknown setting `a␛[2J`\nhint: ")]
#[case::empty_name("tenant = ' '", "FILE, line 1, column 10: a name is empty\nhint: ")]
fn what_is_wrong_in_the_file_is_told_with_its_place(#[case] text: &str, #[case] expected: &str) {
    let error = error_in(text);
    assert!(error.contains(expected) && error.starts_with("FILE, line "), "{error}");
    assert_eq!(error.matches("\nhint: ").count(), 1, "{error}");
    assert!(!error.contains("hunter2") && !error.contains('\x1b'), "{error}");
}

/// What `load` says of a file that is named by the environment.
fn loaded(path: &Path) -> Result<Config, ConfigError> {
    let env = |name: &str| match name {
        variable::CONFIG => Some(path.to_str().unwrap().to_owned()),
        variable::STATE_DIR => Some("/state".to_owned()),
        _ => None,
    };
    config::load(&Flags::default(), env)
}

#[test]
fn loading_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("deep/config.toml");
    assert_eq!(FileSettings::load(&missing), Ok(None));
    let error = loaded(&missing).unwrap_err().to_string();
    assert!(error.contains("deep/config.toml, which MMD_ELEVATE_CONFIG names\nhint: correct the path"), "{error}");
    let by_flag = Flags { config: Some(missing), ..Flags::default() };
    assert!(config::load(&by_flag, |_| None).unwrap_err().to_string().contains("which --config names"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_is_left_as_it_is_broken_or_not() {
    for text in ["[[[ broken", "unknown = 1\n", "tenant = 5\n", "# mine\n"] {
        let (folder, path) = file(text);
        let was = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(loaded(&path).is_ok(), text == "# mine\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), was);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let not_text = folder.path().join("not-text.toml");
    fs::write(&not_text, [0xff, 0xfe, 0]).unwrap();
    let below_a_file = not_text.join("config.toml");
    for path in [folder.path(), &not_text, &below_a_file] {
        let error = loaded(path).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()) && error.contains("\nhint: check that"), "{error}");
    }
}
