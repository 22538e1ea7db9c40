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
    assert!(whole.base_url.is_some() && whole.tenant.is_some() && whole.report_folder.is_some());
    assert!(whole.tenants[0].color.is_some() && whole.tenants[0].base_url.is_some());
    assert!(!whole.keys.is_empty());
    // What an unknown setting's error lists is every setting there is.
    for (table, settings) in [
        ("", 16),
        ("[[tenants]]\n", 10),
        ("[sign_in]\n", 10),
        ("[[categories]]\n", 2),
        ("[appearance]\n", 5),
        ("[ages]\n", 2),
        ("[list]\n", 1),
        ("[record]\n", 1),
        ("[report]\n", 1),
        ("[practice]\n", 1),
        ("[patterns]\n", 2),
    ] {
        let error = error_in(&format!("{table}nonsense = 1\n"));
        let error = error.lines().find(|line| line.contains("what can be set here: ")).unwrap();
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
    "FILE, line 2, column 3: unknown setting `colour` in the file\nhint: what can be set here: `base_url`, `ca_file`, `tenant`, `sign_in`, `tenants`, `categories`, `appearance`, `ages`, `list`, `record`, `report`, `practice`, `patterns`, `ticket_url`, `read_only`, `keys`; mmd-elevate config schema describes each"
)]
#[case::unknown_in_a_table(
    "[appearance]\ncolour = 'red'",
    "FILE, line 2, column 1: unknown setting `colour` in [appearance]\nhint: what can be set here: `borders`, `accent`, `theme`, `title`, `bell`; mmd-elevate config schema describes each"
)]
#[case::mistyped(
    "base-url = 'https://h'",
    "FILE, line 1, column 1: unknown setting `base-url` in the file\nhint: did you mean `base_url`? what"
)]
#[case::mistyped_in_a_table(
    "[appearance]\nboarders = 'plain'",
    "FILE, line 2, column 1: unknown setting `boarders` in [appearance]\nhint: did you mean `borders`? "
)]
#[case::mistyped_table(
    "[apearance]\n",
    "FILE, line 1, column 2: unknown setting `apearance` in the file\nhint: did you mean `appearance`? "
)]
#[case::of_another_table(
    "accent = 'red'",
    "FILE, line 1, column 1: unknown setting `accent` in the file\nhint: `accent` belongs in [appearance]; "
)]
#[case::of_a_tenant(
    "[[tenants]]\nname = 'A'\nid = 'a.example'\ncolour = 'red'",
    "FILE, line 4, column 1: unknown setting `colour` in [[tenants]]\nhint: did you mean `color`? "
)]
#[case::token(
    "token = 'hunter2'",
    "FILE, line 1, column 1: unknown setting `token` in the file\nhint: secrets are not allowed in this file: set the token in MMD_ELEVATE_TOKEN"
)]
#[case::token_of_a_tenant(
    "[[tenants]]\nname = 'A'\nid = 'a'\nToken = 'hunter2'",
    "FILE, line 4, column 1: unknown setting `Token` in [[tenants]]\nhint: secrets are not allowed in this file: set the token in MMD_ELEVATE_TOKEN"
)]
#[case::token_among_keys(
    "[keys]\ntoken = 'hunter2, expected'",
    "FILE, line 2, column 1: no action has the id `token`\nhint: docs/keys.md lists the actions"
)]
#[case::wrong_type(
    "base_url = 5",
    "FILE, line 1, column 12: `base_url` must be text in quotes, and this is a number\nhint: write it in quotes: base_url = \"…\""
)]
#[case::a_list_for_text(
    "tenant = ['a']",
    "FILE, line 1, column 10: `tenant` must be text in quotes, and this is a list"
)]
#[case::a_date_for_text(
    "tenant = 2020-01-01",
    "FILE, line 1, column 10: `tenant` must be text in quotes, and this is a date"
)]
#[case::a_switch_for_a_table(
    "appearance = true",
    "FILE, line 1, column 14: [appearance] must be a table, and this is true or false\nhint: write it as a table: [appearance]"
)]
#[case::one_table_for_a_list(
    "[tenants]\nname = 'A'",
    "FILE, line 1, column 1: [[tenants]] must be a list of tables, and this is a table\nhint: write each of them as a table of its own: [[tenants]]"
)]
#[case::a_list_for_a_table(
    "[[record]]\nkeep_days = 5",
    "FILE, line 1, column 1: [record] must be a table, and this is a list"
)]
#[case::text_for_a_list(
    "[[categories]]\nname = 'A'\nsubcategories = 'a'",
    "FILE, line 3, column 17: `subcategories` must be a list in brackets, and this is text"
)]
#[case::a_number_in_a_list(
    "[[categories]]\nname = 'A'\nsubcategories = ['a', 5]",
    "FILE, line 3, column 23: `subcategories` must be text in quotes, and this is a number"
)]
#[case::wrong_choice(
    "[appearance]\nborders = 'round'",
    "FILE, line 2, column 11: `round` is not a border style\nhint: did you mean `rounded`? write \"rounded\", \"plain\" or \"ascii\""
)]
#[case::wrong_theme(
    "[appearance]\ntheme = 'dim'",
    "FILE, line 2, column 9: `dim` is not a theme\nhint: use one of auto, dark, light, high-contrast, mono"
)]
#[case::mistyped_theme(
    "[appearance]\ntheme = 'high_contrast'",
    "FILE, line 2, column 9: `high_contrast` is not a theme\nhint: did you mean `high-contrast`? "
)]
#[case::a_switch_in_quotes(
    "[appearance]\nbell = 'true'",
    "FILE, line 2, column 8: `bell` must be true or false, and this is text\nhint: write bell = true or bell = false, without quotes"
)]
#[case::a_number_for_a_switch(
    "[appearance]\ntitle = 1",
    "FILE, line 2, column 9: `title` must be true or false, and this is a number\nhint: write title = true"
)]
#[case::no_duration(
    "[ages]\nwarn = '2 moons'",
    "FILE, line 2, column 8: `2 moons` is not a duration\nhint: write hours and minutes, such as \"90m\", \"2h\" or \"1h 30m\""
)]
#[case::a_number_for_a_duration(
    "[ages]\nwarn = 2",
    "FILE, line 2, column 8: `warn` must be text in quotes, and this is a number\nhint: write it in quotes: warn = "
)]
#[case::no_time_at_all(
    "[ages]\nwarn = '0m'",
    "FILE, line 2, column 8: `0m` is out of range for `warn`\nhint: write hours and minutes"
)]
#[case::time_that_has_passed(
    "[ages]\nalarm = '-2h'",
    "FILE, line 2, column 9: `-2h` is out of range for `alarm`\nhint: "
)]
#[case::more_than_a_year(
    "[ages]\nalarm = '99999h'",
    "FILE, line 2, column 9: `99999h` is out of range for `alarm`\nhint: "
)]
#[case::warned_after_the_alarm(
    "[ages]\nwarn = '90m'\nalarm = '1h 30m'",
    "FILE, line 3, column 9: `warn` (1h 30m) is not less than `alarm` (1h 30m)\nhint: give `warn` a shorter time than `alarm`"
)]
#[case::alarm_before_the_usual_warning(
    "[ages]\nalarm = '1h'",
    "FILE, line 2, column 9: `warn` (2h) is not less than `alarm` (1h)\nhint: "
)]
#[case::warned_after_the_usual_alarm(
    "[ages]\nwarn = '9h'",
    "FILE, line 2, column 8: `warn` (9h) is not less than `alarm` (8h)\nhint: "
)]
#[case::refreshed_too_often(
    "[list]\nrefresh_seconds = 4",
    "FILE, line 2, column 19: `4` seconds are too short for `refresh_seconds`\nhint: give at least 5, or 0 so that the service is asked only on your request"
)]
#[case::refreshed_too_rarely(
    "[list]\nrefresh_seconds = 86401",
    "FILE, line 2, column 19: `86401` is out of range for `refresh_seconds`\nhint: give a whole number from 0 to 86400, such as 30"
)]
#[case::age_in_the_wrong_table(
    "[appearance]\nwarn = '2h'",
    "FILE, line 2, column 1: unknown setting `warn` in [appearance]\nhint: `warn` belongs in [ages]; "
)]
#[case::refresh_in_the_wrong_table(
    "refresh_seconds = 30",
    "FILE, line 1, column 1: unknown setting `refresh_seconds` in the file\nhint: `refresh_seconds` belongs in [list]; "
)]
#[case::not_toml(
    "base_url = https://host",
    "FILE, line 1, column 12: a text is not in quotes\nhint: write it in quotes"
)]
#[case::not_closed(
    "[[tenants]\n",
    "FILE, line 1, column 11: the brackets around a table's name are not closed\nhint: write [name]"
)]
#[case::text_not_closed("tenant = \"hunter2\n", "FILE, line 1, column ")]
#[case::list_not_closed("[keys]\n\"list.new\" = [\"n\"", "a list is not written correctly\nhint: write it in brackets")]
#[case::no_value("tenant =\n", "a setting has no value\nhint: write name = value")]
#[case::no_equals("tenant\n", "a setting has no value\nhint: ")]
#[case::backslash(
    "ca_file = \"C:\\certs\\ca.pem\"",
    "a backslash in double quotes begins an escape sequence\nhint: write \\\\"
)]
#[case::twice(
    "tenant = 'a'\ntenant = 'b'",
    "FILE, line 2, column 1: this name is set twice\nhint: keep one of the two"
)]
#[case::table_twice(
    "[record]\n[record]\n",
    "FILE, line 2, column 2: this name is set twice\nhint: keep one of the two"
)]
#[case::left_out(
    "[[tenants]]\nname = 'A'",
    "FILE, line 1, column 1: `id` is missing in [[tenants]]\nhint: give the tenant's id"
)]
#[case::color(
    "[appearance]\naccent = 'puce'",
    "FILE, line 2, column 10: `puce` is not a colour\nhint: name one of the terminal's colours (black, red, "
)]
#[case::mistyped_color(
    "[appearance]\naccent = 'Magneta'",
    "FILE, line 2, column 10: `Magneta` is not a colour\nhint: did you mean `magenta`? "
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
    "FILE, line 4, column 1: the tenant `a` shares its name or id with another\nhint: give every tenant a name and an id of its own"
)]
#[case::same_id(
    "[[tenants]]\nname = 'A'\nid = 'x'\n[[tenants]]\nname = 'B'\nid = 'X'",
    "the tenant `B` shares its name or id with another\nhint: "
)]
#[case::not_a_number_of_days(
    "[record]\nkeep_days = -1",
    "FILE, line 2, column 13: `-1` is out of range for `keep_days`\nhint: give a whole number from 0 to 36500, such as 90"
)]
#[case::too_many_days("[record]\nkeep_days = 99999999999999999999", "FILE, line 2, column 13: ")]
#[case::half_a_day(
    "[record]\nkeep_days = 0.5",
    "`keep_days` must be a whole number, and this is a number with a point\nhint: give"
)]
#[case::days_as_text("[record]\nkeep_days = '90'", "`keep_days` must be a whole number, and this is text\nhint: give")]
#[case::switch_as_text(
    "[practice]\ncolleagues = 'false'",
    "FILE, line 2, column 14: `colleagues` must be true or false, and this is text\nhint: write colleagues = true or colleagues = false, without quotes"
)]
#[case::switch_in_the_file(
    "colleagues = false",
    "FILE, line 1, column 1: unknown setting `colleagues` in the file\nhint: `colleagues` belongs in [practice]; "
)]
#[case::name_is_an_id(
    "[[tenants]]\nname = 'A'\nid = 'x'\n[[tenants]]\nname = 'x'\nid = 'b'",
    "the tenant `x` shares its name or id with another\nhint: "
)]
#[case::same_category(
    "[[categories]]\nname='A'\nsubcategories=[]\n[[categories]]\nname='A'\nsubcategories=[]",
    "the category `A` is defined twice\nhint: "
)]
#[case::hidden_text(
    "tenant = \"a\\u001b[2J\\nhint: b\"",
    "FILE, line 1, column 10: `a␛[2J␊hint: b` holds characters that cannot be seen\nhint: type the name again"
)]
#[case::hidden_key("\"a\\u001b[2J\" = 1", "FILE, line 1, column 1: unknown setting `a␛[2J` in the file\nhint: ")]
#[case::empty_name("tenant = ' '", "FILE, line 1, column 10: a name is empty\nhint: ")]
#[case::somebody_elses_home(
    "ca_file = '~ann/ca.pem'",
    "FILE, line 1, column 11: `~ann/ca.pem` names the home folder of another user"
)]
#[case::unknown_action(
    "[keys]\n\"list.knew\" = ['n']",
    "FILE, line 2, column 1: no action has the id `list.knew`\nhint: did you mean `list.new`? "
)]
#[case::action_without_quotes(
    "[keys]\nlist.new = ['n']",
    "FILE, line 2, column 1: no action has the id `list`\nhint: write the whole id in quotes: \"list.new\""
)]
#[case::unknown_key(
    "[keys]\n\"list.new\" = ['n', 'hyper-n']",
    "FILE, line 2, column 20: `hyper-n` is not a key\nhint: "
)]
#[case::key_by_another_name(
    "[keys]\n\"list.new\" = ['escape']",
    "FILE, line 2, column 15: `escape` is not a key\nhint: did you mean `esc`? "
)]
#[case::one_key_without_a_list(
    "[keys]\n\"list.new\" = 'n'",
    "FILE, line 2, column 14: `\"list.new\"` must be a list in brackets, and this is text"
)]
#[case::two_meanings(
    "[keys]\n\"list.sort\" = ['c']",
    "FILE, line 2, column 1: c is bound to both \"list.close\" and \"list.sort\"\nhint: "
)]
#[case::no_key_left("[keys]\n\"anywhere.quit\" = []", "FILE, line 2, column 1: \"anywhere.quit\" needs a key\nhint: ")]
#[case::taken_from_typing(
    "[keys]\n\"form.submit\" = ['ctrl-s', 's']",
    "FILE, line 2, column 28: \"form.submit\" works where text is typed, so s would type a character instead\nhint: "
)]
#[case::no_regular_expression(
    "[patterns]\nticket = ['INC-\\d+', '(']",
    "FILE, line 2, column 22: `ticket` holds an invalid regular expression: "
)]
#[case::no_regular_expression_of_a_tenant(
    "[[tenants]]\nname = 'A'\nid = 'a.example'\npatterns = { device = '*' }",
    "FILE, line 4, column 23: `device` holds an invalid regular expression: "
)]
#[case::a_number_for_a_pattern(
    "[patterns]\ndevice = 5",
    "FILE, line 2, column 10: `device` must be a list in brackets, and this is a number"
)]
#[case::no_place_for_the_ticket(
    "ticket_url = 'https://t.example/'",
    "FILE, line 1, column 14: the address of tickets has no place for the ticket: {ticket}\nhint: write it like \"https://tickets.example.com/{ticket}\""
)]
#[case::ticket_as_host_of_a_tenant(
    "[[tenants]]\nname = 'A'\nid = 'a.example'\nticket_url = 'https://{ticket}/'",
    "FILE, line 4, column 14: the address of tickets has {ticket} in the name of its host\nhint: write it like "
)]
#[case::another_scheme(
    "ticket_url = 'javascript:{ticket}'",
    "FILE, line 1, column 14: the address of tickets does not begin with https:// or http://\nhint: write it like "
)]
fn what_is_wrong_in_the_file_is_told_with_its_place(#[case] text: &str, #[case] expected: &str) {
    let error = error_in(text);
    assert!(error.contains(expected) && error.starts_with("FILE, line "), "{error}");
    assert_eq!(error.matches("\nhint: ").count(), 1, "{error}");
    assert!(!error.contains("hunter2") && !error.contains('\x1b'), "{error}");
    for word in [
        "invalid type",
        "expected a",
        "expected i64",
        "unknown field",
        "unknown variant",
        "missing field",
        "TOML parse error",
    ] {
        assert!(!error.contains(word), "{word}: {error}");
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once_in_its_order() {
    let text = "base_url = 5\ncolour = 1\n[appearance]\nborders = 'round'\naccent = 'puce'\n[record]\nkeep_days = -1\n\
                [keys]\n\"list.knew\" = ['n']\n\"list.new\" = ['hyper-n', 'nope']\n\
                [[tenants]]\nname = 'A'\n[tenants.sign_in]\nmethod = 'client_secret'\n";
    let error = error_in(text);
    assert!(error.starts_with("10 mistakes were found\nFILE, line 1, column 12: "), "{error}");
    let places: Vec<_> = error.lines().filter_map(|line| line.strip_prefix("FILE, line ")?.split_once(',')).collect();
    let lines: Vec<_> = places.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, ["1", "2", "4", "5", "7", "9", "10", "10", "11", "14"], "{error}");
    assert_eq!(error.matches("\nhint: ").count(), 10, "{error}");
}

#[test]
fn all_mistakes_in_ages_appearance_and_list_are_told_at_once() {
    let error = error_in(
        "[appearance]\ntheme = 'x'\ntitle = 'x'\nbell = 'x'\n[ages]\nwarn = 'x'\nalarm = 'x'\n[list]\nrefresh_seconds = 1\n",
    );
    let places: Vec<_> = error.lines().filter_map(|line| line.strip_prefix("FILE, line ")?.split_once(',')).collect();
    let lines: Vec<_> = places.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, ["2", "3", "4", "6", "7", "9"], "{error}");
}

#[test]
fn mistakes_in_the_notation_are_told_at_once_with_what_stands_before_them() {
    let lines_in = |text: &str| -> Vec<String> {
        let error = error_in(text);
        let line = |line: &str| Some(line.strip_prefix("FILE, line ")?.split_once(',')?.0.to_owned());
        error.lines().filter_map(line).collect()
    };
    let each_in_its_line =
        "base_url = 5\ntenant = contoso\ncolour = 1\n[[tenants]]\nname = 'A'\nid = \n[record]\nkeep_days = -1\n";
    assert_eq!(lines_in(each_in_its_line), ["1", "2", "3", "6", "8"]);
    // Behind what stays open, what follows may be meant otherwise.
    assert_eq!(lines_in("base_url = 5\ntenant = 'x\n[record\nkeep_days = -1\n"), ["1", "2", "3"]);
    assert_eq!(lines_in("[keys]\n\"list.new\" = ['n'\n[record]\nkeep_days = -1\n").len(), 1);
}

#[test]
fn mistakes_of_file_flags_and_environment_are_told_together() {
    let (_folder, path) = file("base_url = 5\n");
    let env = |name: &str| match name {
        variable::CONFIG => Some(path.to_str().unwrap().to_owned()),
        variable::LOG => Some("debugg".to_owned()),
        variable::STATE_DIR => Some("~ann/state".to_owned()),
        variable::TOKEN => Some("\"settings-canary-1\"".to_owned()),
        _ => None,
    };
    let flags = Flags { base_url: Some("host".to_owned()), ..Flags::default() };
    let error = config::load(&flags, env).unwrap_err().to_string();
    for said in [
        "5 mistakes were found\n",
        "MMD_ELEVATE_LOG: `debugg` is not a log level\nhint: did you mean `debug`? ",
        "MMD_ELEVATE_STATE_DIR: `~ann/state` names the home folder of another user",
        "MMD_ELEVATE_TOKEN: the token cannot be used: it is in quotes\nhint: take the quotes away",
        "--base-url: the base URL is not a URL\nhint: ",
        "line 1, column 12: `base_url` must be text in quotes",
    ] {
        assert!(error.contains(said), "{said}: {error}");
    }
    assert!(!error.contains("canary"), "{error}");
}

#[rstest]
#[case::days("[record]\nkeep_days = 0", "line 2, column 13: `keep_days = 0` deletes everything")]
#[case::cut_id(
    "[[tenants]]\nname = 'A'\nid = '7f3c2a10-0000-4000-8000-00000000667'",
    "line 3, column 6: the id of the tenant `A` looks like a GUID with a part missing"
)]
#[case::odd_id(
    "[[tenants]]\nname = 'A'\nid = '7f3c2a10-0000-4000-8000-00000000667x'",
    "looks like a GUID but is not one"
)]
#[case::no_domain("[[tenants]]\nname = 'A'\nid = 'contoso'", "is neither a GUID nor a domain name")]
#[case::same_colour(
    "[[tenants]]\nname='A'\nid='a.example'\ncolor='red'\n[[tenants]]\nname='B'\nid='b.example'\ncolor='red'",
    "line 8, column 7: the tenant `B` has the same colour as another"
)]
#[case::base_url("base_url = 'https://h/v1/tenants/x'", "line 1, column 12: the base URL holds a part of what")]
#[case::category(
    "[[categories]]\nname='A'\nsubcategories=[]\n[[categories]]\nname='a'\nsubcategories=[]",
    "line 4, column 1: the category `a` differs from another only by letter case"
)]
#[case::client_id(
    "[sign_in]\nmethod = 'client-secret'\nclient_id = 'app'\nsecret_file = 's'",
    "line 3, column 13: `client_id` is neither a GUID"
)]
#[case::client_id_is_the_tenant(
    "[[tenants]]\nname = 'A'\nid = '7f3c2a10-0000-4000-8000-000000006677'\n[tenants.sign_in]\nmethod = 'client-secret'\nclient_id = '7F3C2A10-0000-4000-8000-000000006677'\nsecret_file = 's'",
    "line 6, column 13: `client_id` is the tenant's id"
)]
#[case::shadow(
    "[keys]\n\"list.sort\" = ['q']",
    "line 2, column 1: q is bound to \"list.sort\", so it does not reach \"panes.quit\""
)]
#[case::shadowed(
    "[keys]\n\"panes.refresh\" = ['s']",
    "line 2, column 1: s is bound to \"list.sort\", so it does not reach \"panes.refresh\""
)]
#[case::shadow_of_a_text("[keys]\n\"line.take\" = ['ctrl-w']", "so it does not reach \"text.delete-word-left\"")]
#[case::pattern("[patterns]\nticket = '.*'", "line 2, column 10: `ticket` holds a pattern that matches every text")]
fn accepted_setting_that_may_not_be_meant_has_a_warning_with_its_place(#[case] text: &str, #[case] expected: &str) {
    let (_folder, path) = file(text);
    let warnings = FileSettings::load(&path).unwrap().unwrap().warnings;
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    let warning = warning.to_string().replace(path.to_str().unwrap(), "FILE");
    assert!(
        warning.starts_with("FILE, line ") && warning.contains(expected) && warning.contains("\nhint: "),
        "{warning}"
    );
}

#[test]
fn usual_settings_have_no_warning() {
    for text in [
        EXAMPLE,
        "[record]\nkeep_days = 1",
        "[keys]\n\"list.sort\" = ['S']\n\"list.close\" = ['n']\n\"list.new\" = ['c']\n\"details.close\" = ['n']",
        "[[tenants]]\nname = 'A'\nid = '7F3C2A10-0000-4000-8000-000000006677'",
        "[patterns]\nticket = 'INC-\\d+'\ndevice = ['MMD-.+', 'Kiosk-.+']",
    ] {
        assert_eq!(settings(text).warnings, [], "{text}");
    }
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
fn a_mark_before_the_text_is_dropped_and_utf_16_is_told() {
    assert_eq!(settings("\u{feff}tenant = 'a'\n").tenant.as_deref(), Some("a"));
    let (_folder, path) = file("");
    for (bytes, said) in [
        (
            "\u{feff}tenant = 'a'".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
            "it is UTF-16 text: save it as UTF-8",
        ),
        (b"# a\n# caf\xe9\n".to_vec(), "line 2 holds a character that is not UTF-8"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = FileSettings::load(&path).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// A folder in which each of these is no file, or none to be read.
fn no_files() -> (TempDir, Vec<(PathBuf, &'static str)>) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    std::mem::forget(std::os::unix::net::UnixListener::bind(at("socket")).unwrap());
    fs::create_dir(at("folder")).unwrap();
    fs::File::create(at("huge")).unwrap().set_len(1 << 40).unwrap();
    std::os::unix::fs::symlink(at("pipe"), at("link")).unwrap();
    let files = vec![
        (at("pipe"), "it is a pipe, not a file"),
        (at("link"), "it is a pipe, not a file"),
        (at("socket"), "it is a socket, not a file"),
        (at("folder"), "it is a folder, not a file"),
        (PathBuf::from("/dev/zero"), "it is a device, not a file"),
        (at("huge"), "it is longer than "),
    ];
    (folder, files)
}

#[test]
fn what_is_no_regular_file_is_refused_at_once_wherever_one_is_named() {
    let (_folder, files) = no_files();
    for (path, said) in files {
        let ca_file = mmd_elevate_engine::http::Trust::with_file(Some(&path)).unwrap_err().to_string();
        let rules = mmd_elevate_practice::Rules::load(&path).unwrap_err().to_string();
        for error in [loaded(&path).unwrap_err().to_string(), ca_file, rules] {
            assert!(error.contains(said) && error.contains("\nhint: "), "{}: {error}", path.display());
        }
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
