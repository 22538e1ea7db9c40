//! How a tenant signs in, as the settings file says it: the whole of one method and nothing of another.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::{Refused, value};
use crate::{
    api::BaseUrl,
    auth::{Application, CertificateFiles, DEFAULT_AUTHORITY, DEFAULT_SCOPE, Method, SecretFrom},
    domain::visible,
};

/// How a tenant signs in. No secret is in it, only where one is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
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
    Variable(String),
    File(PathBuf),
    Command(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum MethodName {
    ClientSecret,
    Certificate,
    AzureCli,
    Command,
    Environment,
}

impl MethodName {
    const fn word(self) -> &'static str {
        match self {
            Self::ClientSecret => "client-secret",
            Self::Certificate => "certificate",
            Self::AzureCli => "azure-cli",
            Self::Command => "command",
            Self::Environment => "environment",
        }
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    method: MethodName,
    client_id: Option<String>,
    secret_env: Option<String>,
    secret_file: Option<PathBuf>,
    secret_command: Option<Vec<String>>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    command: Option<Vec<String>>,
    authority: Option<String>,
    scope: Option<String>,
}

impl Written {
    fn set(&self) -> impl Iterator<Item = &'static str> {
        let set = [
            ("client_id", self.client_id.is_some()),
            ("secret_env", self.secret_env.is_some()),
            ("secret_file", self.secret_file.is_some()),
            ("secret_command", self.secret_command.is_some()),
            ("certificate_file", self.certificate_file.is_some()),
            ("key_file", self.key_file.is_some()),
            ("command", self.command.is_some()),
            ("authority", self.authority.is_some()),
            ("scope", self.scope.is_some()),
        ];
        set.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name)
    }
}

impl TryFrom<Written> for SignInSettings {
    type Error = Refused;

    fn try_from(written: Written) -> Result<Self, Refused> {
        let method = written.method;
        if let Some(name) = written.set().find(|name| !method.takes().contains(name)) {
            let what = format!("`{name}` means nothing to the sign-in method \"{}\"", method.word());
            let hint = match method.takes() {
                [] => format!("take `{name}` out, or choose another method"),
                takes => format!("what can be set beside this method: {}", takes.join(", ")),
            };
            return Err(Refused::new(what, hint));
        }
        let missing = |what: &str, hint: &str| {
            Refused::new(format!("the sign-in method \"{}\" needs {what}", method.word()), hint)
        };
        let is_application = matches!(method, MethodName::ClientSecret | MethodName::Certificate);
        let client_id = match written.client_id {
            None if is_application => return Err(missing("`client_id`", "give the application's id (a GUID)")),
            id => id.map(|id| value::tenant_id(&id).map_err(|_| not_an_id(&id))).transpose()?.unwrap_or_default(),
        };
        let secrets = [
            written.secret_env.map(SecretPlace::Variable),
            written.secret_file.map(|path| whole(path).map(SecretPlace::File)).transpose()?,
            written.secret_command.map(|words| vector(words).map(SecretPlace::Command)).transpose()?,
        ];
        let mut secrets = secrets.into_iter().flatten();
        let (secret, second) = (secrets.next(), secrets.next());
        let one_place = "give one of secret_env, secret_file and secret_command";
        if second.is_some() {
            return Err(Refused::new("the client secret has more than one place", one_place));
        }
        if method == MethodName::ClientSecret && secret.is_none() {
            return Err(missing("the place of the client secret", one_place));
        }
        let certificate = match written.certificate_file {
            Some(certificate) => {
                let key = written.key_file.map(whole).transpose()?;
                Some(CertificateFiles { certificate: whole(certificate)?, key })
            }
            None if method == MethodName::Certificate => {
                return Err(missing("`certificate_file`", "name the PEM file with the certificate, and its key"));
            }
            None => None,
        };
        let command = written.command.map(vector).transpose()?.unwrap_or_default();
        if method == MethodName::Command && command.is_empty() {
            return Err(missing("`command`", "give the program and its arguments, each in quotes of its own"));
        }
        let authority = written.authority.map(|text| authority(&text)).transpose()?;
        let scope = written.scope.unwrap_or_else(|| DEFAULT_SCOPE.to_owned());
        if scope.is_empty() || !scope.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refused::new("`scope` is no scope", "write it like https://service.example/.default"));
        }
        Ok(Self { method, client_id, secret, certificate, command, authority, scope })
    }
}

impl SignInSettings {
    /// Whether it is the token of the environment.
    pub(super) fn is_environment(&self) -> bool {
        self.method == MethodName::Environment
    }

    /// Paths that are not whole begin where the settings file is.
    pub(super) fn beside(&mut self, folder: &Path) {
        let paths = [
            match &mut self.secret {
                Some(SecretPlace::File(path)) => Some(path),
                _ => None,
            },
            self.certificate.as_mut().and_then(|files| files.key.as_mut()),
        ];
        for path in paths.into_iter().flatten() {
            *path = folder.join(&*path);
        }
        if let Some(files) = &mut self.certificate {
            files.certificate = folder.join(&files.certificate);
        }
    }

    /// The method for this tenant. `None` for the environment's token, which is not known here.
    pub(super) fn method(
        self,
        tenant_id: &str,
        env: impl FnOnce(&str) -> Option<String>,
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
            (MethodName::Certificate, _, Some(files)) => Some(Method::Certificate(application()?, files)),
            (MethodName::AzureCli, ..) => Some(Method::AzureCli { scope, tenant_id: tenant_id.to_owned() }),
            (MethodName::Command, ..) => {
                split(command).map(|(program, arguments)| Method::Command { program, arguments })
            }
            (MethodName::ClientSecret | MethodName::Certificate | MethodName::Environment, ..) => None,
        })
    }
}

fn secret_from(place: SecretPlace, env: impl FnOnce(&str) -> Option<String>) -> Result<SecretFrom, Refused> {
    match place {
        SecretPlace::File(path) => Ok(SecretFrom::File(path)),
        SecretPlace::Command(words) => split(words)
            .map(|(program, arguments)| SecretFrom::Command { program, arguments })
            .ok_or_else(|| Refused::new("a command is empty", "give the program and its arguments")),
        SecretPlace::Variable(name) => match env(&name).filter(|text| !text.trim().is_empty()) {
            Some(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
                let what = format!("the variable {} is not text (UTF-8)", visible(&name));
                Err(Refused::new(what, "set it again"))
            }
            Some(text) => Ok(SecretFrom::Memory(SecretString::from(text.trim()))),
            None => {
                let what = format!("the client secret is missing: the variable {} is not set", visible(&name));
                Err(Refused::new(what, "set it to the client secret, or name another place of it"))
            }
        },
    }
}

fn split(mut words: Vec<String>) -> Option<(String, Vec<String>)> {
    (!words.is_empty()).then(|| (words.remove(0), words))
}

/// A program and its arguments.
fn vector(words: Vec<String>) -> Result<Vec<String>, Refused> {
    if words.first().is_none_or(|program| program.trim().is_empty()) || words.iter().any(|word| word.contains('\0')) {
        return Err(Refused::new(
            "a command is empty",
            "give the program and its arguments, each in quotes of its own",
        ));
    }
    Ok(words)
}

fn whole(path: PathBuf) -> Result<PathBuf, Refused> {
    if path.as_os_str().is_empty() || path.starts_with("~") {
        let what = format!("`{}` is no path", visible(&path.to_string_lossy()));
        return Err(Refused::new(what, "write the whole path, without ~"));
    }
    Ok(path)
}

fn authority(text: &str) -> Result<BaseUrl, Refused> {
    BaseUrl::parse(text).map_err(|error| {
        let what = error.to_string().replace("the base URL", "the authority").replace("the token", "the secret");
        Refused::new(what, "write it like https://login.microsoftonline.com/TENANT-ID; http is for this machine alone")
    })
}

fn not_an_id(text: &str) -> Refused {
    Refused::new(format!("`{}` cannot be a client id", visible(text)), "write it as the portal shows it: a GUID")
}
