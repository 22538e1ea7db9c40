//! Settings: flag over environment over file over default, and what is no whole.

use std::{collections::HashMap, path::Path, time::Duration};

use mmd_elevate::{
    cli::Flags,
    config::{
        AgeSettings, BordersSetting, Config, ConfigError, ServiceSettings, Target, ThemeSetting, resolve, variable,
    },
};
use mmd_elevate_engine::auth::Method;
use ratatui::style::Color;
use rstest::rstest;
use tracing::level_filters::LevelFilter;

use crate::config_file::settings;

const ID: &str = "7f3c2a10-0000-4000-8000-000000006677";
const OTHER_ID: &str = "00000000-0000-4000-8000-00000000000b";
const TWO_TENANTS: &str = r#"
    [[tenants]]
    name = "Contoso"
    id = "7f3c2a10-0000-4000-8000-000000006677"
    color = "magenta"
    base_url = "https://contoso.example.com/v1"

    [[tenants]]
    name = "Fabrikam"
    id = "00000000-0000-4000-8000-00000000000b"
"#;

/// Flags as typed.
fn flags(typed: &str) -> Flags {
    use clap::Parser;
    mmd_elevate::cli::Cli::parse_from(["mmd-elevate"].into_iter().chain(typed.split_whitespace())).flags
}

/// Resolves with an environment that holds these variables and a state folder.
fn resolved(typed: &str, env: &[(&str, &str)], file: &str) -> Result<Config, ConfigError> {
    let mut env: HashMap<_, _> = env.iter().copied().collect();
    env.entry(variable::STATE_DIR).or_insert("/state");
    resolve(&flags(typed), |name| env.get(name).map(|&v| v.to_owned()), settings(file))
}

fn service(config: Config) -> ServiceSettings {
    match config.target {
        Target::Service(service) => *service,
        Target::Practice => panic!("practice"),
    }
}

#[test]
fn everything_of_the_file_arrives() {
    let text = "[[categories]]\nname = \"Z\"\nsubcategories = []\n[[categories]]\nname = \"A\"\nsubcategories = [\"2\", \"1\"]\n\
                [appearance]\nborders = \"ascii\"\naccent = \"#00ff7f\"\n[keys]\n\"anywhere.help\" = [\"f2\"]\n";
    let config = resolved("", &[], text).unwrap();
    assert!(matches!(config.target, Target::Practice));
    let names: Vec<_> = config.categories.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["Z", "A"]);
    assert_eq!(config.categories[1].subcategories, ["2", "1"]);
    assert_eq!((config.appearance.borders, config.appearance.accent), (BordersSetting::Ascii, Color::Rgb(0, 255, 127)));
    assert_eq!(config.keys["anywhere.help"], ["f2"]);
}

#[test]
fn appearance_ages_and_refresh_of_the_file_arrive_and_have_defaults() {
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let config = resolved("", &[], "").unwrap();
    let appearance = config.appearance;
    assert_eq!(
        (appearance.borders, appearance.theme, appearance.title, appearance.bell),
        (BordersSetting::Auto, ThemeSetting::Auto, true, false)
    );
    assert_eq!(config.ages, AgeSettings { warn: hours(2), alarm: hours(8) });
    assert_eq!(config.refresh, Some(Duration::from_secs(30)));

    let text = "[appearance]\ntheme = 'high-contrast'\ntitle = false\nbell = true\n\
                [ages]\nwarn = '30m'\nalarm = '1h 30m'\n[list]\nrefresh_seconds = 5\n";
    let config = resolved("", &[], text).unwrap();
    let appearance = config.appearance;
    assert_eq!((appearance.theme, appearance.title, appearance.bell), (ThemeSetting::HighContrast, false, true));
    assert_eq!(config.ages, AgeSettings { warn: hours(1) / 2, alarm: hours(3) / 2 });
    assert_eq!(config.refresh, Some(Duration::from_secs(5)));
    assert_eq!(resolved("", &[], "[list]\nrefresh_seconds = 0").unwrap().refresh, None);
    assert_eq!(
        resolved("", &[], "[ages]\nalarm = '3h'").unwrap().ages,
        AgeSettings { warn: hours(2), alarm: hours(3) }
    );
}

// Flag over environment over file over default.
#[rstest]
#[case::default("", &[], "", "https://mmdls.microsoft.com/support/odata/v1")]
#[case::file("", &[], "base_url = 'https://file/'", "https://file")]
#[case::environment("", &[(variable::BASE_URL, "https://env")], "base_url = 'https://file'", "https://env")]
#[case::flag("--base-url https://flag", &[(variable::BASE_URL, "https://env")], "base_url = 'https://file'", "https://flag")]
#[case::blank_is_unset("", &[(variable::BASE_URL, " ")], "base_url = 'https://file'", "https://file")]
#[case::profile("--tenant contoso", &[], TWO_TENANTS, "https://contoso.example.com/v1")]
#[case::flag_over_profile("--tenant contoso --base-url http://[::1]:1", &[], TWO_TENANTS, "http://[::1]:1")]
fn base_url(#[case] typed: &str, #[case] env: &[(&str, &str)], #[case] file: &str, #[case] url: &str) {
    let env = [env, &[(variable::TENANT_ID, ID), (variable::TOKEN, "t")]].concat();
    let service = service(resolved(typed, &env, file).unwrap());
    assert_eq!((service.base_url.to_string().as_str(), service.tenant.id.as_str()), (url, ID));
}

const CA_TENANT: &str =
    "ca_file = '/file.pem'\n[[tenants]]\nname = 'Contoso'\nid = 'contoso.example'\nca_file = '/own.pem'";

#[rstest]
#[case::none("", &[], "", None)]
#[case::file("", &[], "ca_file = '/file.pem'", Some("/file.pem"))]
#[case::profile("--tenant contoso", &[], CA_TENANT, Some("/own.pem"))]
#[case::environment("--tenant contoso", &[(variable::CA_FILE, "env.pem")], CA_TENANT, Some("env.pem"))]
#[case::flag("--ca-file flag.pem", &[(variable::CA_FILE, "env.pem")], "", Some("flag.pem"))]
fn ca_file(#[case] typed: &str, #[case] env: &[(&str, &str)], #[case] file: &str, #[case] path: Option<&str>) {
    let tenant = if file == CA_TENANT { &[][..] } else { &[(variable::TENANT_ID, ID)] };
    let env = [env, tenant, &[(variable::TOKEN, "t")]].concat();
    let service = service(resolved(typed, &env, file).unwrap());
    assert_eq!(service.ca_file.as_deref(), path.map(Path::new));
}

#[test]
fn a_ca_file_alone_means_no_service() {
    let config = resolved("--ca-file flag.pem", &[], "ca_file = '/file.pem'").unwrap();
    assert!(matches!(config.target, Target::Practice));
}

#[rstest]
#[case::the_only_profile("", "", "[[tenants]]\nname = 'Solo'\nid = 'solo.example'", Some("Solo"), "solo.example")]
#[case::file("", "", "tenant = 'fabrikam'", Some("Fabrikam"), OTHER_ID)]
#[case::environment("", ID, "tenant = 'Fabrikam'", Some("Contoso"), ID)]
#[case::flag("--tenant Fabrikam", ID, "", Some("Fabrikam"), OTHER_ID)]
#[case::flag_by_id("--tenant 7F3C2A10-0000-4000-8000-000000006677", "", "", Some("Contoso"), ID)]
#[case::another_id(
    "--tenant 11111111-0000-4000-8000-000000000000",
    "",
    "",
    None,
    "11111111-0000-4000-8000-000000000000"
)]
#[case::another_id_of_the_environment("", "other.example", "", None, "other.example")]
fn tenant(#[case] typed: &str, #[case] env: &str, #[case] file: &str, #[case] name: Option<&str>, #[case] id: &str) {
    let file = if file.contains("[[") { file.to_owned() } else { format!("{file}\n{TWO_TENANTS}") };
    let service = service(resolved(typed, &[(variable::TENANT_ID, env), (variable::TOKEN, "canary")], &file).unwrap());
    assert_eq!((service.tenant.name.as_deref(), service.tenant.id.as_str()), (name, id));
    assert_eq!(service.tenant.color, (id == ID).then_some(Color::Magenta));
    assert!(matches!(service.sign_in, Method::Environment(_)));
    assert!(!format!("{service:?}").contains("canary"));
}

#[test]
fn state_folder_and_level_have_their_layers() {
    let env = [(variable::STATE_DIR, "/env"), (variable::LOG, "warn")];
    let config = resolved("", &env, "").unwrap();
    assert_eq!((config.state_dir.as_path(), config.log), (Path::new("/env"), LevelFilter::WARN));
    let config = resolved("--state-dir /flag --log trace", &env, "").unwrap();
    assert_eq!((config.state_dir.as_path(), config.log), (Path::new("/flag"), LevelFilter::TRACE));
    let config = resolved("", &[(variable::STATE_DIR, ""), (variable::LOG, "")], "").unwrap();
    assert!(config.state_dir.ends_with("mmd-elevate"));
    assert_eq!(config.log, LevelFilter::INFO);
}

#[test]
fn nothing_or_blanks_set_is_practice_and_practice_can_be_forced() {
    let blanks = [(variable::BASE_URL, ""), (variable::TENANT_ID, ""), (variable::TOKEN, " ")];
    for (typed, env, file) in [
        ("", &[][..], ""),
        ("", &blanks, ""),
        ("--practice", &[], TWO_TENANTS),
        ("--practice --base-url https://host", &[(variable::TOKEN, "t")], "tenant = 'nobody'"),
    ] {
        assert!(matches!(resolved(typed, env, file).unwrap().target, Target::Practice), "{typed} {env:?} {file}");
    }
}

#[rstest]
#[case("--base-url https://host", &[], "", "the tenant and the token are missing")]
#[case("", &[(variable::BASE_URL, "https://host")], "", "the tenant and the token are missing")]
#[case("", &[], "base_url = 'https://host'", "the tenant and the token are missing")]
#[case("", &[(variable::TOKEN, "t")], "", "the tenant is missing\nhint: set the tenant with --tenant, MMD_ELEVATE_TENANT_ID")]
#[case("", &[(variable::TENANT_ID, ID)], "", "the token is missing\nhint: set the token with MMD_ELEVATE_TOKEN")]
#[case("--tenant 7f3c2a10-0000-4000-8000-000000006677", &[], "", "the token is missing")]
#[case("", &[], "[[tenants]]\nname = 'Solo'\nid = 'solo.example'", "the token is missing")]
#[case("", &[(variable::TOKEN, "t")], TWO_TENANTS, "2 tenants are configured and none is chosen\nhint: choose with --tenant NAME: Contoso, Fabrikam")]
#[case("--tenant Nobody", &[], TWO_TENANTS, "--tenant: no tenant named `Nobody` is configured\nhint: give one of Contoso, Fabrikam,")]
#[case("--tenant Nobody", &[], "", "--tenant: no tenant named `Nobody` is configured\nhint: give the id")]
#[case("", &[], "tenant = 'Nobody'", "`tenant` in the settings file: no tenant named `Nobody` is configured\nhint: ")]
#[case("", &[(variable::TENANT_ID, "a/b")], "", "MMD_ELEVATE_TENANT_ID: `a/b` cannot be a tenant id\nhint: ")]
#[case("", &[(variable::TENANT_ID, "a\x1b[2J")], "", "MMD_ELEVATE_TENANT_ID: `a␛[2J` cannot be a tenant id\nhint: ")]
#[case("", &[(variable::TENANT_ID, "\u{fffd}")], "", "MMD_ELEVATE_TENANT_ID: the value is not text (UTF-8)\nhint: ")]
#[case("--base-url http://host", &[], "", "--base-url: the base URL is plain http, which would send the token in clear\nhint: use https;")]
#[case("", &[(variable::BASE_URL, "host")], "", "MMD_ELEVATE_BASE_URL: the base URL is not a URL\nhint: write it like https://")]
#[case("--base-url https://me:hunter2@host/", &[], "", "--base-url: the base URL holds a user name or a password\nhint: ")]
#[case("--base-url https://host/?code=hunter2", &[], "", "--base-url: the base URL holds a query or a fragment\nhint: ")]
#[case("", &[(variable::TOKEN, "Bearer hunter2")], "", "MMD_ELEVATE_TOKEN: the token cannot be used: it begins with a word such as Bearer\nhint: take the word")]
#[case("", &[(variable::TOKEN, "'hunter2'")], "", "MMD_ELEVATE_TOKEN: the token cannot be used: it is in quotes\nhint: take the quotes")]
#[case("", &[(variable::TOKEN, "hunter2\nhunter2")], "", "MMD_ELEVATE_TOKEN: the token cannot be used: a blank stands within it\nhint: give")]
#[case("", &[(variable::TOKEN, "hunter2é")], "", "MMD_ELEVATE_TOKEN: the token holds a character that no token has, or is too long\nhint: set")]
#[case("--tenant Fabrikan", &[], TWO_TENANTS, "--tenant: no tenant named `Fabrikan` is configured\nhint: did you mean `Fabrikam`? give one of Contoso, Fabrikam,")]
#[case("--tenant eyJhunter2.eyJ.sig", &[], TWO_TENANTS, "--tenant: no tenant named a value that is not shown")]
#[case("", &[(variable::TENANT_ID, "eyJhunter2.eyJ.sig")], "", "MMD_ELEVATE_TENANT_ID: a value that is not shown, because it looks like a secret, cannot be a tenant id\nhint: ")]
#[case("", &[(variable::PRACTICE_COLLEAGUES, "no")], "", "MMD_ELEVATE_PRACTICE_COLLEAGUES: `no` is not true or false\nhint: set it to true or false")]
#[case("", &[(variable::LOG, "loud")], "", "MMD_ELEVATE_LOG: `loud` is not a log level\nhint: use one of off, error, warn, info, debug, trace")]
fn what_cannot_be_resolved_says_why_and_what_to_do(
    #[case] typed: &str,
    #[case] env: &[(&str, &str)],
    #[case] file: &str,
    #[case] expected: &str,
) {
    let error = resolved(typed, env, file).unwrap_err().to_string();
    assert!(error.contains(expected) && error.contains("\nhint: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn what_is_for_practice_is_refused_for_a_service() {
    let config = resolved("--fresh --practice-rules rules.toml", &[], "").unwrap();
    assert!(config.practice.fresh && config.practice.rules.as_deref() == Some(Path::new("rules.toml")));
    for typed in ["--fresh", "--practice-rules rules.toml"] {
        let flag = typed.split(' ').next().unwrap();
        let env = [(variable::TENANT_ID, ID), (variable::TOKEN, "token")];
        let refused = resolved(typed, &env, "").unwrap_err().to_string();
        assert!(refused.starts_with(flag) && refused.ends_with("hint: add --practice"), "{refused}");
        assert!(resolved(&format!("--practice {typed}"), &env, "").is_ok());
    }
}

// Environment over file over default.
#[rstest]
#[case::default(&[], "", true)]
#[case::file(&[], "[practice]\ncolleagues = false", false)]
#[case::empty_table(&[], "[practice]", true)]
#[case::environment(&[(variable::PRACTICE_COLLEAGUES, "True")], "[practice]\ncolleagues = false", true)]
#[case::environment_alone(&[(variable::PRACTICE_COLLEAGUES, "false")], "", false)]
#[case::blank_is_unset(&[(variable::PRACTICE_COLLEAGUES, " ")], "[practice]\ncolleagues = false", false)]
fn colleagues_of_the_practice_tenant(#[case] env: &[(&str, &str)], #[case] file: &str, #[case] expected: bool) {
    assert_eq!(resolved("", env, file).unwrap().practice.colleagues, expected);
    // The setting of the practice tenant does not stand in the way of a service.
    let env = [env, &[(variable::TENANT_ID, ID), (variable::TOKEN, "token")]].concat();
    assert_eq!(resolved("", &env, file).unwrap().practice.colleagues, expected);
}

#[test]
fn a_tilde_is_the_home_folder_in_every_path_and_no_folder_is_made() {
    let file = "ca_file = '~/file.pem'\n[[tenants]]\nname = 'A'\nid = 'a.example'\n[tenants.sign_in]\nmethod = 'certificate'\n\
                client_id = 'app.example'\ncertificate_file = '~/c.pem'\nkey_file = '~/k.pem'";
    let env = [("HOME", "/home/ann"), (variable::STATE_DIR, "~/state")];
    let config = resolved("--practice-rules ~/rules.toml --practice", &env, "").unwrap();
    assert_eq!(config.state_dir, Path::new("/home/ann/state"));
    assert_eq!(config.practice.rules.as_deref(), Some(Path::new("/home/ann/rules.toml")));
    let of_file = service(resolved("", &env, file).unwrap());
    assert_eq!(of_file.ca_file.as_deref(), Some(Path::new("/home/ann/file.pem")));
    let Method::Certificate(_, files) = of_file.sign_in else { panic!("another method") };
    assert_eq!((files.certificate, files.key), ("/home/ann/c.pem".into(), Some("/home/ann/k.pem".into())));
    let by_flag = service(resolved("--ca-file ~/flag.pem", &env, file).unwrap());
    assert_eq!(by_flag.ca_file.as_deref(), Some(Path::new("/home/ann/flag.pem")));
    let by_variable = service(resolved("", &[&env[..], &[(variable::CA_FILE, "~/env.pem")]].concat(), file).unwrap());
    assert_eq!(by_variable.ca_file.as_deref(), Some(Path::new("/home/ann/env.pem")));
    let command =
        "[[tenants]]\nname = 'A'\nid = 'a.example'\n[tenants.sign_in]\nmethod = 'command'\ncommand = ['~/get', '~/x']";
    let Method::Command { program, arguments } = service(resolved("", &env, command).unwrap()).sign_in else {
        panic!("another method")
    };
    assert_eq!(
        (program.as_str(), &arguments[..]),
        ("/home/ann/get", &["~/x".to_owned()][..]),
        "arguments are as they are"
    );
    let of_reports = |file| resolved("--practice", &env, file).unwrap().report_folder;
    assert_eq!(of_reports("[report]\nfolder = '~/handover'").as_deref(), Some(Path::new("/home/ann/handover")));
    assert_eq!(of_reports(""), None);
    for (typed, set) in [
        ("--state-dir ~bob/x", &[][..]),
        ("--ca-file ~bob/x", &[]),
        ("--practice-rules ~bob", &[]),
        ("", &[(variable::STATE_DIR, "~bob/x")]),
        ("", &[(variable::CA_FILE, "~+")]),
    ] {
        let error = resolved(typed, &[&[("HOME", "/home/ann")], set].concat(), "").unwrap_err().to_string();
        let from = typed.split(' ').next().filter(|from| !from.is_empty()).unwrap_or_else(|| set[0].0);
        assert!(error.starts_with(&format!("{from}: ")) && error.contains("\nhint: write ~/"), "{error}");
    }
    let settings = mmd_elevate::config::settings_file(&flags("--config ~/c.toml"), |_| Some("/home/ann".to_owned()));
    assert_eq!(settings.unwrap(), Path::new("/home/ann/c.toml"));
}

#[test]
fn patterns_of_a_tenant_go_over_those_of_the_file_and_those_over_the_built_in() {
    use mmd_elevate_core::DeviceNameWarning;
    let file = format!("[patterns]\nticket = 'AB\\d+'\n{TWO_TENANTS}[tenants.patterns]\ndevice = ['ZZ\\d+']\n");
    let doubt = |typed: &str, file: &str, device: &str| {
        let config = resolved(typed, &[(variable::TOKEN, "t")], file).unwrap();
        DeviceNameWarning::check(device, "T-1", &config.patterns)
    };
    let (contoso, fabrikam) = ("--tenant contoso", "--tenant fabrikam");
    assert_eq!(doubt(contoso, &file, "ab12"), Some(DeviceNameWarning::TicketNumber));
    assert_eq!(doubt(contoso, &file, "INC-4711"), None, "the built-in ones are replaced");
    assert_eq!(doubt(fabrikam, &file, "MMD-1"), Some(DeviceNameWarning::NotADevice));
    assert_eq!(doubt(fabrikam, &file, "zz9"), None);
    assert_eq!(doubt(fabrikam, &file, "AB12"), Some(DeviceNameWarning::TicketNumber));
    assert_eq!(doubt(contoso, TWO_TENANTS, "INC-4711"), Some(DeviceNameWarning::TicketNumber));
}

/// The tenants that can be switched to: each with its name and base URL, or with what is wrong.
fn others(config: &Config) -> Vec<(String, String)> {
    let others = config.others.iter().map(|other| {
        let settings = other.settings.as_ref();
        let url = settings.map_or_else(ToString::to_string, |settings| settings.service.base_url.to_string());
        (other.tenant.name.clone().unwrap(), url)
    });
    others.collect()
}

#[test]
fn other_tenants_of_the_file_can_be_switched_to_with_settings_of_their_own() {
    let sign_in = "[tenants.sign_in]\nmethod = 'command'\ncommand = ['get']\n";
    let file = format!(
        "base_url = 'https://all.example.com/v1'\n{TWO_TENANTS}
         categories = [{{ name = 'Own', subcategories = [] }}]\npatterns = {{ device = 'ZZ' }}\n{sign_in}
         [[tenants]]\nname = 'Northwind'\nid = 'northwind.example'\n{sign_in}"
    );
    let config = resolved("--tenant contoso", &[(variable::TOKEN, "t")], &file).unwrap();
    let all = "https://all.example.com/v1".to_owned();
    assert_eq!(others(&config), [("Fabrikam".to_owned(), all.clone()), ("Northwind".to_owned(), all.clone())]);
    assert_eq!(config.position, 0);
    let categories =
        |config: &Config, index: usize| config.others[index].settings.as_ref().unwrap().options.categories.len();
    assert_eq!((categories(&config, 0), categories(&config, 1), config.categories.len()), (1, 3, 3));
    let config = resolved("--tenant northwind", &[], &file).unwrap();
    assert_eq!((config.position, others(&config)[1].0.as_str()), (2, "Fabrikam"));
    let config = resolved("--tenant fabrikam", &[], &file).unwrap();
    assert_eq!((config.position, config.categories[0].name.as_str()), (1, "Own"));
    let method = |config: &Config| config.others[1].settings.as_ref().unwrap().service.sign_in.clone();
    assert!(matches!(method(&config), Method::Command { .. }));
    assert!(resolved("--practice", &[], &file).unwrap().others.is_empty());
}

#[test]
fn token_of_the_environment_is_for_the_tenant_of_the_start_alone() {
    for file in [TWO_TENANTS.to_owned(), format!("{TWO_TENANTS}[tenants.sign_in]\nmethod = 'environment'\n")] {
        let config = resolved("--tenant contoso", &[(variable::TOKEN, "t")], &file).unwrap();
        let problem = config.others[0].settings.as_ref().unwrap_err();
        assert_eq!(problem.what, "the token in MMD_ELEVATE_TOKEN is for the tenant that was chosen at the start");
        assert!(problem.hint.contains("[tenants.sign_in]"));
    }
}

#[test]
fn mistake_in_the_sign_in_of_another_tenant_does_not_keep_the_program_from_starting() {
    let broken = "[tenants.sign_in]\nmethod = 'client-secret'\nclient_id = 'app.example'\nsecret_env = 'MISSING'\n";
    let file = format!("{TWO_TENANTS}{broken}");
    let config = resolved("--tenant contoso", &[(variable::TOKEN, "t")], &file).unwrap();
    assert!(config.others[0].settings.is_err());
    resolved("--tenant fabrikam", &[], &file).unwrap_err();
}

#[test]
fn ticket_url_of_a_tenant_goes_over_that_of_the_file() {
    let file = format!(
        "ticket_url = 'https://a.example/{{ticket}}'\n{TWO_TENANTS}ticket_url = 'http://f.example/?{{ticket}}'\n"
    );
    let address = |typed: &str, file: &str| {
        let form = resolved(typed, &[(variable::TOKEN, "t")], file).unwrap().ticket_url;
        form.map(|form| form.address(&mmd_elevate_core::Untrusted::new("INC-1")).unwrap())
    };
    assert_eq!(address("--tenant contoso", &file).as_deref(), Some("https://a.example/INC-1"));
    assert_eq!(address("--tenant fabrikam", &file).as_deref(), Some("http://f.example/?INC-1"));
    assert_eq!(address("--practice", &file).as_deref(), Some("https://a.example/INC-1"));
    assert_eq!(address("--tenant contoso", TWO_TENANTS), None);
}

#[test]
fn read_only_is_asked_for_by_the_flag_or_the_file_and_a_tenant_may_differ() {
    let file = format!("read_only = true\n{TWO_TENANTS}read_only = false\n");
    let read_only = |typed: &str, file: &str| resolved(typed, &[(variable::TOKEN, "t")], file).unwrap().read_only;
    assert!(!read_only("--tenant contoso", TWO_TENANTS));
    assert!(read_only("--tenant contoso --read-only", TWO_TENANTS));
    assert!(read_only("--tenant contoso", &file));
    assert!(!read_only("--tenant fabrikam", &file));
    assert!(read_only("--tenant fabrikam --read-only", &file), "the flag takes nothing back");
    assert!(read_only("--practice", &file));
}

#[test]
fn id_of_the_environment_that_is_cut_has_a_warning() {
    let warnings = |id: &str| resolved("", &[(variable::TENANT_ID, id), (variable::TOKEN, "t")], "").unwrap().warnings;
    assert_eq!(warnings(ID), []);
    let warnings = warnings("7f3c2a10-0000-4000-8000");
    assert!(
        warnings[0].what.starts_with("MMD_ELEVATE_TENANT_ID: the id looks like a GUID with a part missing"),
        "{warnings:?}"
    );
}
