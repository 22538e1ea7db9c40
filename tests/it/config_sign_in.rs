//! How the settings say that a tenant signs in: the whole of one method, and no secret.

use std::{collections::HashMap, path::Path};

use mmd_elevate::{
    cli::{Cli, Flags},
    config::{Config, ConfigError, FileSettings, Target, resolve},
};
use mmd_elevate_engine::auth::{ClientSecretSource, Method};
use rstest::rstest;
use secrecy::ExposeSecret;

const APPLICATION: &str = "client_id = 'c1d0'\n";

fn flags() -> Flags {
    use clap::Parser;
    Cli::parse_from(["mmd-elevate"]).flags
}

/// What comes of a profile with this sign-in. The folder of the file is FOLDER.
fn resolved(file: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, file).unwrap();
    let text = |error: ConfigError| error.to_string().replace(path.to_str().unwrap(), "FILE");
    let settings = FileSettings::load(&path).map_err(text)?.unwrap();
    let env: HashMap<_, _> = env.iter().copied().chain([("MMD_ELEVATE_STATE_DIR", "/state")]).collect();
    resolve(&flags(), |name| env.get(name).map(|&value| value.to_owned()), settings).map_err(text)
}

fn profile(sign_in: &str) -> String {
    format!("[[tenants]]\nname = 'Contoso'\nid = 'contoso.example'\n[tenants.sign_in]\n{sign_in}")
}

#[track_caller]
fn method(file: &str, env: &[(&str, &str)]) -> Method {
    match resolved(file, env).unwrap().target {
        Target::Service(service) => service.sign_in,
        Target::Practice => panic!("practice"),
    }
}

#[test]
fn a_client_secret_has_one_of_three_places() {
    let with = |place: &str| profile(&format!("method = 'client-secret'\n{APPLICATION}{place}"));
    let Method::ClientSecret(application, ClientSecretSource::Memory(secret)) =
        method(&with("secret_env = 'THE_SECRET'"), &[("THE_SECRET", "canary\n"), ("MMD_ELEVATE_TOKEN", "token")])
    else {
        panic!("another method");
    };
    assert_eq!(secret.expose_secret(), "canary");
    assert_eq!(application.authority.to_string(), "https://login.microsoftonline.com/contoso.example");
    assert_eq!(application.scope, "https://mwaas-services-customerapi-prod.azurewebsites.net/.default");
    let Method::ClientSecret(_, ClientSecretSource::File(path)) = method(&with("secret_file = '/run/secret'"), &[])
    else {
        panic!("another method");
    };
    assert_eq!(path, Path::new("/run/secret"));
    let Method::ClientSecret(_, ClientSecretSource::File(path)) = method(&with("secret_file = 'secret'"), &[]) else {
        panic!("another method");
    };
    assert!(path.is_absolute() && path.ends_with("secret"), "beside the settings file: {path:?}");
    let Method::ClientSecret(_, ClientSecretSource::Command { program, arguments }) =
        method(&with("secret_command = ['pass', 'a b']"), &[])
    else {
        panic!("another method");
    };
    assert_eq!((program.as_str(), arguments), ("pass", vec!["a b".to_owned()]));
}

#[test]
fn every_other_method_arrives_whole() {
    let file = profile(&format!(
        "method = 'certificate'\n{APPLICATION}certificate_file = '/c'\nkey_file = 'k'\nauthority = 'http://127.0.0.1:1/t/'\nscope = 's/.default'"
    ));
    let Method::Certificate(application, files) = method(&file, &[]) else { panic!("another method") };
    assert_eq!(
        (application.authority.to_string().as_str(), application.scope.as_str()),
        ("http://127.0.0.1:1/t", "s/.default")
    );
    assert!(files.certificate == Path::new("/c") && files.key.unwrap().is_absolute());
    let Method::AzureCli { scope, tenant_id } = method(&profile("method = 'azure-cli'"), &[]) else {
        panic!("another method");
    };
    assert!(scope.ends_with("/.default") && tenant_id == "contoso.example");
    let file = profile("method = 'command'\ncommand = ['get', '-x']");
    assert!(
        matches!(method(&file, &[]), Method::Command { program, arguments } if program == "get" && arguments == ["-x"])
    );
    let token = ("MMD_ELEVATE_TOKEN", "canary");
    for file in [profile("method = 'environment'"), "tenant = 'x'\n[[tenants]]\nname = 'x'\nid = 'x'".to_owned()] {
        let method = method(&file, &[token]);
        assert!(matches!(method, Method::Environment(_)) && !format!("{method:?}").contains("canary"));
    }
}

#[test]
fn a_sign_in_beside_the_tenants_is_for_those_without_one() {
    let shared = "[sign_in]\nmethod = 'azure-cli'\n";
    let plain = "[[tenants]]\nname = 'Contoso'\nid = 'contoso.example'\n";
    assert!(matches!(method(&format!("{plain}{shared}"), &[]), Method::AzureCli { .. }));
    let own = profile("method = 'command'\ncommand = ['get']\n");
    assert!(matches!(method(&format!("{own}{shared}"), &[]), Method::Command { .. }));
    assert!(matches!(method(shared, &[("MMD_ELEVATE_TENANT_ID", "x")]), Method::AzureCli { .. }));
}

#[rstest]
#[case::secret_in_the_file("method = 'client-secret'\nclient_secret = 'canary'", "secret_file or secret_command")]
#[case::no_method("client_id = 'x'", "`method`")]
#[case::unknown_method("method = 'magic'", "`azure-cli`")]
#[case::no_client("method = 'client-secret'\nsecret_env = 'S'", "needs `client_id`")]
#[case::no_secret("method = 'client-secret'\nclient_id = 'x'", "needs a source of the client secret")]
#[case::two_secrets(
    "method = 'client-secret'\nclient_id = 'x'\nsecret_env = 'S'\nsecret_file = 's'",
    "more than one source"
)]
#[case::no_certificate("method = 'certificate'\nclient_id = 'x'", "needs `certificate_file`")]
#[case::no_command("method = 'command'", "needs `command`")]
#[case::empty_command("method = 'command'\ncommand = []", "a command is empty")]
#[case::shell("method = 'command'\ncommand = 'get token'", "must be a list in brackets, and this is text")]
#[case::of_another("method = 'azure-cli'\nclient_id = 'x'", "`client_id` is not used")]
#[case::of_none("method = 'environment'\nscope = 'x'", "`scope` is not used")]
#[case::client_id("method = 'certificate'\nclient_id = 'a b'\ncertificate_file = 'c'", "is not a valid client id")]
#[case::secret_for_a_client(
    "method = 'certificate'\nclient_id = 'eyJcanary.eyJ.sig'\ncertificate_file = 'c'",
    "is not shown"
)]
#[case::secret_for_a_variable(
    "method = 'client-secret'\nclient_id = 'x'\nsecret_env = 'canary~Q8.x'",
    "not the name of a variable"
)]
#[case::blank_for_a_variable(
    "method = 'client-secret'\nclient_id = 'x'\nsecret_env = 'canary secret'",
    "not the name of a variable"
)]
#[case::word_for_a_variable(
    "method = 'client-secret'\nclient_id = 'x'\nsecret_env = 'canary'",
    "the variable that `secret_env` names (line 7) is not set"
)]
#[case::capitals_for_a_variable(
    "method = 'client-secret'\nclient_id = 'x'\nsecret_env = 'S3CRCANARY'",
    "the variable that `secret_env` names (line 7) is not set"
)]
#[case::secret_for_a_file(
    "method = 'client-secret'\nclient_id = 'x'\nsecret_file = '~canary'",
    "`secret_file` is not a path"
)]
#[case::mistyped_place(
    "method = 'client-secret'\nclient_id = 'x'\nsecret_fil = 'canary'",
    "did you mean `secret_file`?"
)]
#[case::mistyped_method("method = 'client_secret'\nclient_id = 'x'\nsecret_env = 'S'", "did you mean `client-secret`?")]
#[case::home("method = 'certificate'\nclient_id = 'x'\ncertificate_file = '~ann/c'", "home folder of another user")]
#[case::scope("method = 'azure-cli'\nscope = 'a b'", "is not a scope")]
#[case::plain_authority(
    "method = 'certificate'\nclient_id = 'x'\ncertificate_file = 'c'\nauthority = 'http://canary.example'",
    "in clear"
)]
#[case::authority(
    "method = 'certificate'\nclient_id = 'x'\ncertificate_file = 'c'\nauthority = 'https://u:canary@h'",
    "the authority holds"
)]
#[case::unset_variable(
    "method = 'client-secret'\nclient_id = 'x'\nsecret_env = 'UNSET_SECRET'",
    "the variable UNSET_SECRET (line 7) is not set"
)]
#[case::no_token("method = 'environment'", "the token is missing")]
fn half_a_sign_in_is_an_error_and_never_another_method(#[case] sign_in: &str, #[case] words: &str) {
    let env = if sign_in.contains("environment") { None } else { Some(("MMD_ELEVATE_TOKEN", "token")) };
    let error = resolved(&profile(sign_in), env.as_slice()).unwrap_err();
    assert!(!error.to_lowercase().contains("canary"), "{error}");
    assert!(error.contains(words) && error.contains("\nhint: ") && !error.contains("canary"), "{error}");
}

#[test]
fn a_sign_in_without_a_tenant_is_no_practice() {
    let error = resolved("[sign_in]\nmethod = 'azure-cli'\n", &[]).unwrap_err();
    assert!(error.contains("the tenant is missing"), "{error}");
}

#[rstest]
#[case("\"canary~secret.1\"", "it is in quotes")]
#[case("canary~secret.1\ncanary", "it does not hold one line alone")]
#[case("canary\u{fffd}", "is not text (UTF-8)")]
fn a_secret_of_a_variable_that_cannot_be_used_is_told_and_not_shown(#[case] value: &str, #[case] words: &str) {
    let file = profile("method = 'client-secret'\nclient_id = 'x.example'\nsecret_env = 'THE_SECRET'");
    let error = resolved(&file, &[("THE_SECRET", value)]).unwrap_err();
    assert!(error.contains(words) && error.contains("\nhint: ") && !error.contains("canary"), "{error}");
}
