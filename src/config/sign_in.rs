//! How a tenant signs in, as the settings file says it: the whole of one method and nothing of another.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{
    Refused,
    document::{DocumentReader, Value, suggest},
    file::file_path,
    path, value,
};
use mmd_elevate_engine::{
    auth::{self, Application, CertificateFiles, DEFAULT_AUTHORITY, DEFAULT_SCOPE, Method, SecretFrom},
    http::BaseUrl,
    redact::{self, Kind, quoted},
};

/// Every name that the table may have.
pub(super) const NAMES: [&str; 10] = [
    "method",
    "client_id",
    "secret_env",
    "secret_file",
    "secret_command",
    "certificate_file",
    "key_file",
    "command",
    "authority",
    "scope",
];
const SECRETS: [&str; 3] = ["secret_env", "secret_file", "secret_command"];

/// How a tenant signs in. No secret is in it, only where one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInSettings {
    method: MethodName,
    client_id: String,
    secret: Option<SecretPlace>,
    certificate: Option<CertificateFiles>,
    command: Vec<String>,
    authority: Option<BaseUrl>,
    scope: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SecretPlace {
    /// Its name, and the line of the file that gives it.
    Variable(String, usize),
    File(PathBuf),
    Command(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MethodName {
    ClientSecret,
    Certificate,
    AzureCli,
    Command,
    Environment,
}

impl MethodName {
    const ALL: [Self; 5] = [Self::ClientSecret, Self::Certificate, Self::AzureCli, Self::Command, Self::Environment];

    const fn word(self) -> &'static str {
        match self {
            Self::ClientSecret => "client-secret",
            Self::Certificate => "certificate",
            Self::AzureCli => "azure-cli",
            Self::Command => "command",
            Self::Environment => "environment",
        }
    }

    fn parse(text: &str) -> Result<Self, Refused> {
        Self::ALL.into_iter().find(|method| method.word() == text).ok_or_else(|| {
            let words = Self::ALL.map(Self::word);
            let hint = suggest(text, words, &format!("use one of `{}`", words.join("`, `")));
            Refused::new(format!("{} is no method to sign in", quoted(text)), hint)
        })
    }

    /// The settings that mean something for it.
    const fn takes(self) -> &'static [&'static str] {
        match self {
            Self::ClientSecret => &["client_id", "secret_env", "secret_file", "secret_command", "authority", "scope"],
            Self::Certificate => &["client_id", "certificate_file", "key_file", "authority", "scope"],
            Self::AzureCli => &["scope"],
            Self::Command => &["command"],
            Self::Environment => &[],
        }
    }
}

/// Reads the table. `name` is what it is called, `folder` where relative paths begin.
pub(super) fn read(
    reading: &mut DocumentReader<'_>,
    value: &Value<'_>,
    name: &'static str,
    folder: &Path,
) -> Option<SignInSettings> {
    let table = reading.table(value, name, &NAMES)?;
    let method = reading.needed(&table, "method", "say how: method = \"client-secret\", for instance");
    let method = method.and_then(|value| reading.checked(value, "method", MethodName::parse));
    let client_id = table.get("client_id").map(|value| reading.checked(value, "client_id", client_id));
    let secrets = SECRETS.map(|name| table.get(name).map(|value| (value, secret_place(reading, value, name, folder))));
    let certificate = table.get("certificate_file").map(|_| file_path(reading, &table, "certificate_file", folder));
    let key = file_path(reading, &table, "key_file", folder);
    let command = table.get("command").map(|value| vector(reading, value, "command"));
    let authority = table.get("authority").and_then(|value| reading.checked(value, "authority", authority));
    let scope = table.get("scope").and_then(|value| reading.checked(value, "scope", scope));
    // What belongs to it is only known with the method.
    let method = method?;
    for (key, _) in table.entries() {
        let key_name: &str = key.get_ref();
        if key_name != "method" && NAMES.contains(&key_name) && !method.takes().contains(&key_name) {
            reading.wrong(key.span().start, foreign(key_name, method));
        }
    }
    if let Some((second, _)) = secrets.iter().flatten().nth(1) {
        let what = "the client secret has more than one place";
        reading.wrong(second.span().start, Refused::new(what, ONE_PLACE));
    }
    let mut needs = |is_there: bool, what: &str, hint: &str| {
        if !is_there {
            let what = format!("the sign-in method \"{}\" needs {what}", method.word());
            reading.incomplete(&table, Refused::new(what, hint));
        }
    };
    if matches!(method, MethodName::ClientSecret | MethodName::Certificate) {
        needs(client_id.is_some(), "`client_id`", "give the application's id (a GUID)");
    }
    match method {
        MethodName::ClientSecret => {
            needs(secrets.iter().any(Option::is_some), "the place of the client secret", ONE_PLACE);
        }
        MethodName::Certificate => {
            let hint = "name the PEM file with the certificate, and its key";
            needs(certificate.is_some(), "`certificate_file`", hint);
        }
        MethodName::Command => {
            needs(command.is_some(), "`command`", "give the program and its arguments, each in quotes of its own");
        }
        MethodName::AzureCli | MethodName::Environment => {}
    }
    Some(SignInSettings {
        method,
        client_id: client_id.flatten().unwrap_or_default(),
        secret: secrets.into_iter().flatten().find_map(|(_, place)| place),
        certificate: certificate.flatten().map(|certificate| CertificateFiles { certificate, key }),
        command: command.flatten().unwrap_or_default(),
        authority,
        scope: scope.unwrap_or_else(|| DEFAULT_SCOPE.to_owned()),
    })
}

const ONE_PLACE: &str = "give one of secret_env, secret_file and secret_command";

fn foreign(name: &str, method: MethodName) -> Refused {
    let what = format!("`{name}` means nothing to the sign-in method \"{}\"", method.word());
    let hint = match method.takes() {
        [] => format!("take `{name}` out, or choose another method"),
        takes => format!("what can be set beside this method: {}", takes.join(", ")),
    };
    Refused::new(what, hint)
}

fn secret_place(reading: &mut DocumentReader<'_>, value: &Value<'_>, name: &str, folder: &Path) -> Option<SecretPlace> {
    match name {
        "secret_env" => {
            let (line, _) = reading.place(value.span().start);
            reading.checked(value, name, variable).map(|variable| SecretPlace::Variable(variable, line))
        }
        "secret_file" => {
            let check = |text: &str| path::checked(Path::new(text)).map_err(|_| not_shown("`secret_file` is no path"));
            let place = |text: &str| check(text).map(|()| path::beside(text.into(), folder));
            reading.checked(value, name, place).map(SecretPlace::File)
        }
        _ => vector(reading, value, "secret_command").map(SecretPlace::Command),
    }
}

/// What stands where the place of a secret belongs may be the secret itself.
fn not_shown(what: &str) -> Refused {
    let hint = "give the name of the place, and not the secret; what is there is not shown, because it may be one";
    Refused::new(what, hint)
}

/// The form that a variable's name has.
fn variable(text: &str) -> Result<String, Refused> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(fits) {
        return Err(not_shown("`secret_env` is no name of a variable"));
    }
    Ok(text.to_owned())
}

/// A variable's name, where it is surely none of a secret that stands in its place: words in capitals.
fn shown_variable(name: &str) -> String {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_name = name.contains('_') && name.split('_').all(is_word) && !redact::looks_secret(name);
    if is_name { format!("the variable {name}") } else { "the variable that `secret_env` names".to_owned() }
}

impl SignInSettings {
    /// Whether it is the token of the environment.
    pub(super) fn is_environment(&self) -> bool {
        self.method == MethodName::Environment
    }

    /// The method for this tenant. `None` for the environment's token, which is not known here.
    pub(super) fn method(
        self,
        tenant_id: &str,
        env: &impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Method>, Refused> {
        let Self { method, client_id, secret, certificate, command, authority, scope } = self;
        let application = || {
            let authority = match authority {
                Some(authority) => authority,
                None => value::base_url(&format!("{DEFAULT_AUTHORITY}/{tenant_id}"))?,
            };
            Ok(Application { authority, client_id, scope: scope.clone() })
        };
        Ok(match (method, secret, certificate) {
            (MethodName::ClientSecret, Some(secret), _) => {
                Some(Method::ClientSecret(application()?, secret_from(secret, env)?))
            }
            (MethodName::Certificate, _, Some(CertificateFiles { certificate, key })) => {
                let certificate = path::expanded(certificate, env)?;
                let key = key.map(|key| path::expanded(key, env)).transpose()?;
                Some(Method::Certificate(application()?, CertificateFiles { certificate, key }))
            }
            (MethodName::AzureCli, ..) => Some(Method::AzureCli { scope, tenant_id: tenant_id.to_owned() }),
            (MethodName::Command, ..) => {
                split(command, env)?.map(|(program, arguments)| Method::Command { program, arguments })
            }
            (MethodName::ClientSecret | MethodName::Certificate | MethodName::Environment, ..) => None,
        })
    }

    /// What can be doubted of it, with what to do.
    pub(super) fn doubts(&self, tenant_id: &str) -> Vec<(String, &'static str)> {
        let is_application = matches!(self.method, MethodName::ClientSecret | MethodName::Certificate);
        if !is_application || self.client_id.is_empty() {
            return Vec::new();
        }
        if self.client_id.eq_ignore_ascii_case(tenant_id) {
            return vec![("`client_id` is the tenant's id".to_owned(), "give the id of the application")];
        }
        let hint = "copy the application's id from the portal once more, whole";
        value::id_doubt(&self.client_id).map(|what| (format!("`client_id` {what}"), hint)).into_iter().collect()
    }
}

fn secret_from(place: SecretPlace, env: &impl Fn(&str) -> Option<String>) -> Result<SecretFrom, Refused> {
    match place {
        SecretPlace::File(path) => Ok(SecretFrom::File(path::expanded(path, env)?)),
        SecretPlace::Command(words) => split(words, env)?
            .map(|(program, arguments)| SecretFrom::Command { program, arguments })
            .ok_or_else(|| Refused::new("a command is empty", "give the program and its arguments")),
        SecretPlace::Variable(name, line) => {
            let shown = || format!("{} (line {line})", shown_variable(&name));
            let Some(text) = env(&name).filter(|text| !text.trim().is_empty()) else {
                let what = format!("the client secret is missing: {} is not set", shown());
                return Err(Refused::new(what, "set it to the client secret, or name another place of it"));
            };
            redact::register(Kind::Secret, &text);
            if text.contains(char::REPLACEMENT_CHARACTER) {
                return Err(Refused::new(format!("{} is not text (UTF-8)", shown()), "set it again"));
            }
            let secret = auth::client_secret(&text).map_err(|unfit| {
                Refused::new(format!("the client secret in {} cannot be used: {unfit}", shown()), unfit.hint())
            })?;
            redact::register(Kind::Secret, secret);
            Ok(SecretFrom::Memory(SecretString::from(secret)))
        }
    }
}

/// The program, whose path may begin at the home folder, and its arguments as they are.
fn split(
    mut words: Vec<String>,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Option<(String, Vec<String>)>, Refused> {
    if words.is_empty() {
        return Ok(None);
    }
    let program = words.remove(0);
    let is_below_home = program.starts_with("~/");
    let program =
        if is_below_home { path::expanded(program.into(), env)?.to_string_lossy().into_owned() } else { program };
    Ok(Some((program, words)))
}

/// A program and its arguments.
fn vector(reading: &mut DocumentReader<'_>, value: &Value<'_>, name: &str) -> Option<Vec<String>> {
    let words = reading.list(value, name, |reading, value| {
        reading.checked(value, name, |word| {
            if word.contains('\0') {
                return Err(not_shown(&format!("a word of `{name}` holds a character that no program takes")));
            }
            Ok(word.to_owned())
        })
    })?;
    if words.first().is_none_or(|program| program.trim().is_empty()) {
        let hint = "give the program and its arguments, each in quotes of its own";
        reading.wrong(value.span().start, Refused::new("a command is empty", hint));
        return None;
    }
    Some(words)
}

fn authority(text: &str) -> Result<BaseUrl, Refused> {
    BaseUrl::parse(text).map_err(|error| {
        let what = error.to_string().replace("the base URL", "the authority").replace("the token", "the secret");
        Refused::new(what, "write it like https://login.microsoftonline.com/TENANT-ID; http is for this machine alone")
    })
}

fn scope(text: &str) -> Result<String, Refused> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refused::new("`scope` is no scope", "write it like https://service.example/.default"));
    }
    Ok(text.to_owned())
}

/// It is not shown where it will not do: a secret may stand there.
fn client_id(text: &str) -> Result<String, Refused> {
    let hint = "write it as the portal shows it: a GUID; what is there is not shown, because it may be a secret";
    value::tenant_id(text).map_err(|_| Refused::new("`client_id` cannot be a client id", hint))
}
