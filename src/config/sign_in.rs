//! Reads how a tenant signs in: all settings of one method and none of another. It never repeats a value that may be a
//! secret.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{
    document::{DocumentReader, Value},
    names, path,
    suggest::suggest,
    value,
};
use mmd_elevate_core::Problem;
use mmd_elevate_engine::{
    auth::{self, Application, CertificateFiles, ClientSecretSource, DEFAULT_AUTHORITY, DEFAULT_SCOPE, Method},
    http::BaseUrl,
    redact::{self, Kind, quoted},
};

const SECRET_SOURCES: [&str; 3] = ["secret_env", "secret_file", "secret_command"];

/// How a tenant signs in. It holds no secret, only the source of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInSettings {
    method: MethodKind,
    client_id: String,
    secret: Option<SecretSource>,
    certificate: Option<CertificateFiles>,
    command: Vec<String>,
    authority: Option<BaseUrl>,
    scope: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SecretSource {
    /// The name of the variable, and the line of the file that gives it.
    Variable(String, usize),
    File(PathBuf),
    Command(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MethodKind {
    ClientSecret,
    Certificate,
    AzureCli,
    Command,
    Environment,
}

impl MethodKind {
    const ALL: [Self; 5] = [Self::ClientSecret, Self::Certificate, Self::AzureCli, Self::Command, Self::Environment];

    const fn name(self) -> &'static str {
        match self {
            Self::ClientSecret => "client-secret",
            Self::Certificate => "certificate",
            Self::AzureCli => "azure-cli",
            Self::Command => "command",
            Self::Environment => "environment",
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|method| method.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let hint = suggest(text, names, &format!("use one of `{}`", names.join("`, `")));
            Problem::new(format!("{} is not a sign-in method", quoted(text)), hint)
        })
    }

    /// Returns the settings that the method uses.
    const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::ClientSecret => &["client_id", "secret_env", "secret_file", "secret_command", "authority", "scope"],
            Self::Certificate => &["client_id", "certificate_file", "key_file", "authority", "scope"],
            Self::AzureCli => &["scope"],
            Self::Command => &["command"],
            Self::Environment => &[],
        }
    }
}

/// Reads the table that messages call `name`. Relative paths in it are relative to `folder`.
pub(super) fn read(
    reader: &mut DocumentReader<'_>,
    value: &Value<'_>,
    name: &'static str,
    folder: &Path,
) -> Option<SignInSettings> {
    let table = reader.table(value, name, &names::SIGN_IN)?;
    let method = reader.required(&table, "method", "set it, for example method = \"client-secret\"");
    let method = method.and_then(|value| reader.parse_text(value, "method", MethodKind::parse));
    let client_id = table.get("client_id").map(|value| reader.parse_text(value, "client_id", client_id));
    let secrets =
        SECRET_SOURCES.map(|name| table.get(name).map(|value| (value, secret_source(reader, value, name, folder))));
    let certificate = table.get("certificate_file").map(|_| path::read(reader, &table, "certificate_file", folder));
    let key = path::read(reader, &table, "key_file", folder);
    let command = table.get("command").map(|value| command_line(reader, value, "command"));
    let authority = table.get("authority").and_then(|value| reader.parse_text(value, "authority", authority));
    let scope = table.get("scope").and_then(|value| reader.parse_text(value, "scope", scope));
    // Which settings belong here depends on the method.
    let method = method?;
    for (key, _) in table.entries() {
        let key_name: &str = key.get_ref();
        if key_name != "method" && names::SIGN_IN.contains(&key_name) && !method.settings().contains(&key_name) {
            reader.error(key.span().start, unused_setting(key_name, method));
        }
    }
    if let Some((second, _)) = secrets.iter().flatten().nth(1) {
        let what = "the client secret has more than one source";
        reader.error(second.span().start, Problem::new(what, ONE_SOURCE));
    }
    let mut require = |is_given: bool, what: &str, hint: &str| {
        if !is_given {
            let what = format!("the sign-in method \"{}\" needs {what}", method.name());
            reader.incomplete(&table, Problem::new(what, hint));
        }
    };
    if matches!(method, MethodKind::ClientSecret | MethodKind::Certificate) {
        require(client_id.is_some(), "`client_id`", "give the application's id (a GUID)");
    }
    match method {
        MethodKind::ClientSecret => {
            require(secrets.iter().any(Option::is_some), "a source of the client secret", ONE_SOURCE);
        }
        MethodKind::Certificate => {
            let hint = "name the PEM file with the certificate, and its key";
            require(certificate.is_some(), "`certificate_file`", hint);
        }
        MethodKind::Command => {
            require(command.is_some(), "`command`", "give the program and its arguments, each in quotes of its own");
        }
        MethodKind::AzureCli | MethodKind::Environment => {}
    }
    Some(SignInSettings {
        method,
        client_id: client_id.flatten().unwrap_or_default(),
        secret: secrets.into_iter().flatten().find_map(|(_, source)| source),
        certificate: certificate.flatten().map(|certificate| CertificateFiles { certificate, key }),
        command: command.flatten().unwrap_or_default(),
        authority,
        scope: scope.unwrap_or_else(|| DEFAULT_SCOPE.to_owned()),
    })
}

const ONE_SOURCE: &str = "give one of secret_env, secret_file and secret_command";

fn unused_setting(name: &str, method: MethodKind) -> Problem {
    let what = format!("`{name}` is not used by the sign-in method \"{}\"", method.name());
    let hint = match method.settings() {
        [] => format!("remove `{name}`, or choose another method"),
        settings => format!("this method uses: {}", settings.join(", ")),
    };
    Problem::new(what, hint)
}

fn secret_source(
    reader: &mut DocumentReader<'_>,
    value: &Value<'_>,
    name: &str,
    folder: &Path,
) -> Option<SecretSource> {
    match name {
        "secret_env" => {
            let line = reader.line(value.span().start);
            reader.parse_text(value, name, variable).map(|variable| SecretSource::Variable(variable, line))
        }
        "secret_file" => {
            let parse = |text: &str| {
                path::validate(Path::new(text)).map_err(|_| hidden_value("`secret_file` is not a path"))?;
                Ok(path::relative_to(folder, text.into()))
            };
            reader.parse_text(value, name, parse).map(SecretSource::File)
        }
        _ => command_line(reader, value, "secret_command").map(SecretSource::Command),
    }
}

/// Returns a problem that does not show the value: it may be the secret itself instead of its source.
fn hidden_value(what: &str) -> Problem {
    let hint = "give the source of the secret, not the secret; the value is not shown, because it may be a secret";
    Problem::new(what, hint)
}

/// Checks the name of a variable.
fn variable(text: &str) -> Result<String, Problem> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(is_allowed) {
        return Err(hidden_value("`secret_env` is not the name of a variable"));
    }
    Ok(text.to_owned())
}

/// Describes a variable by its name, if the name cannot be a secret: words in capitals.
fn describe_variable(name: &str) -> String {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_name = name.contains('_') && name.split('_').all(is_word) && !redact::looks_secret(name);
    if is_name { format!("the variable {name}") } else { "the variable that `secret_env` names".to_owned() }
}

impl SignInSettings {
    /// Returns whether the token of the environment is used.
    pub(super) fn is_environment(&self) -> bool {
        self.method == MethodKind::Environment
    }

    /// Makes the method for this tenant. Returns `None` for the environment's token, which is not known here.
    pub(super) fn into_method(
        self,
        tenant_id: &str,
        env: &impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Method>, Problem> {
        let Self { method, client_id, secret, certificate, command, authority, scope } = self;
        let application = || {
            let authority = match authority {
                Some(authority) => authority,
                None => value::base_url(&format!("{DEFAULT_AUTHORITY}/{tenant_id}"))?,
            };
            Ok(Application { authority, client_id, scope: scope.clone() })
        };
        Ok(match (method, secret, certificate) {
            (MethodKind::ClientSecret, Some(secret), _) => {
                Some(Method::ClientSecret(application()?, read_secret(secret, env)?))
            }
            (MethodKind::Certificate, _, Some(CertificateFiles { certificate, key })) => {
                let certificate = path::expand_home(certificate, env)?;
                let key = key.map(|key| path::expand_home(key, env)).transpose()?;
                Some(Method::Certificate(application()?, CertificateFiles { certificate, key }))
            }
            (MethodKind::AzureCli, ..) => Some(Method::AzureCli { scope, tenant_id: tenant_id.to_owned() }),
            (MethodKind::Command, ..) => {
                split_program(command, env)?.map(|(program, arguments)| Method::Command { program, arguments })
            }
            (MethodKind::ClientSecret | MethodKind::Certificate | MethodKind::Environment, ..) => None,
        })
    }

    /// Returns a warning if the application's id may be wrong.
    pub(super) fn client_id_warning(&self, tenant_id: &str) -> Option<Problem> {
        let is_application = matches!(self.method, MethodKind::ClientSecret | MethodKind::Certificate);
        if !is_application || self.client_id.is_empty() {
            return None;
        }
        if self.client_id.eq_ignore_ascii_case(tenant_id) {
            return Some(Problem::new("`client_id` is the tenant's id", "give the id of the application"));
        }
        let hint = "copy the whole id of the application from the portal again";
        value::id_defect(&self.client_id).map(|defect| Problem::new(format!("`client_id` {defect}"), hint))
    }
}

fn read_secret(source: SecretSource, env: &impl Fn(&str) -> Option<String>) -> Result<ClientSecretSource, Problem> {
    match source {
        SecretSource::File(path) => Ok(ClientSecretSource::File(path::expand_home(path, env)?)),
        SecretSource::Command(command) => split_program(command, env)?
            .map(|(program, arguments)| ClientSecretSource::Command { program, arguments })
            .ok_or_else(|| Problem::new("a command is empty", "give the program and its arguments")),
        SecretSource::Variable(name, line) => {
            let describe = || format!("{} (line {line})", describe_variable(&name));
            let Some(text) = env(&name).filter(|text| !text.trim().is_empty()) else {
                let what = format!("the client secret is missing: {} is not set", describe());
                return Err(Problem::new(what, "set it to the client secret, or give another source"));
            };
            redact::register(Kind::Secret, &text);
            if text.contains(char::REPLACEMENT_CHARACTER) {
                return Err(Problem::new(format!("{} is not text (UTF-8)", describe()), "set it again"));
            }
            let secret = auth::parse_client_secret(&text).map_err(|unfit| {
                Problem::new(format!("the client secret in {} cannot be used: {unfit}", describe()), unfit.hint())
            })?;
            redact::register(Kind::Secret, secret);
            Ok(ClientSecretSource::Memory(SecretString::from(secret)))
        }
    }
}

/// Splits a command line into the program, with `~/` expanded, and its arguments as they are.
fn split_program(
    mut command: Vec<String>,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Option<(String, Vec<String>)>, Problem> {
    if command.is_empty() {
        return Ok(None);
    }
    let mut program = command.remove(0);
    if program.starts_with("~/") {
        program = path::expand_home(program.into(), env)?.to_string_lossy().into_owned();
    }
    Ok(Some((program, command)))
}

/// Reads a program and its arguments.
fn command_line(reader: &mut DocumentReader<'_>, value: &Value<'_>, name: &str) -> Option<Vec<String>> {
    let command = reader.list(value, name, |reader, value| {
        reader.parse_text(value, name, |argument| {
            if argument.contains('\0') {
                return Err(hidden_value(&format!("an argument of `{name}` holds a null character")));
            }
            Ok(argument.to_owned())
        })
    })?;
    if command.first().is_none_or(|program| program.trim().is_empty()) {
        let hint = "give the program and its arguments, each in quotes of its own";
        reader.error(value.span().start, Problem::new("a command is empty", hint));
        return None;
    }
    Some(command)
}

fn authority(text: &str) -> Result<BaseUrl, Problem> {
    BaseUrl::parse(text).map_err(|error| {
        let what = error.to_string().replace("the base URL", "the authority").replace("the token", "the secret");
        Problem::new(what, "write it like https://login.microsoftonline.com/TENANT-ID; http is for this machine only")
    })
}

fn scope(text: &str) -> Result<String, Problem> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Problem::new("`scope` is not a scope", "write it like https://service.example/.default"));
    }
    Ok(text.to_owned())
}

/// Checks an application's id. The error does not show the value, because it may be a secret.
fn client_id(text: &str) -> Result<String, Problem> {
    let hint = "write it as the portal shows it: a GUID; the value is not shown, because it may be a secret";
    value::tenant_id(text).map_err(|_| Problem::new("`client_id` is not a valid client id", hint))
}
