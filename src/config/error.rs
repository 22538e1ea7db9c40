//! What can be wrong with settings, and what to do.

use std::{fmt, path::PathBuf};

use super::document::suggest;
use mmd_elevate_core::visible;
use mmd_elevate_engine::redact::quoted;

/// A value that will not do: what is wrong with it, and what to do. Whoever makes one makes its text harmless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}\nhint: {hint}")]
pub struct Refused {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl Refused {
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// Why the settings cannot be used. Its text is two lines: what happened, and a hint; more of them where there are
/// several mistakes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file that was asked for by name is not there.
    #[error("there is no settings file {}, which {named_by} names\n\
            hint: correct the path, or leave {named_by} out", shown(.path))]
    NoFile {
        /// The file.
        path: PathBuf,
        /// The flag or variable that names it.
        named_by: &'static str,
    },
    /// The file cannot be opened or read.
    #[error("the settings file {} cannot be read: {reason}\n\
            hint: check that it is a text file (UTF-8) that you may read, or name another with --config", shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, in the system's words.
        reason: String,
    },
    /// The file is not TOML, or holds a setting that is unknown or wrong.
    #[error("{}{}: {refused}", shown(.path), SettingPlace(*.at))]
    InFile {
        /// The file.
        path: PathBuf,
        /// Line and column, from one.
        at: Option<(usize, usize)>,
        /// What is wrong there.
        refused: Refused,
    },
    /// A flag or variable holds a value that will not do.
    #[error("{from}: {refused}")]
    Value {
        /// The flag or variable.
        from: &'static str,
        /// What is wrong with it.
        refused: Refused,
    },
    /// A service is configured, but not the whole of it.
    #[error("a service is configured, but not the whole of it: {} missing\n\
            hint: set {}; or use --practice for the practice tenant", missing_words(.0), missing_hints(.0))]
    Incomplete(Vec<Missing>),
    /// There are several profiles and nothing says which.
    #[error("{} tenants are configured and none is chosen\nhint: choose with --tenant NAME: {}", .0.len(), listed(.0))]
    TenantNotChosen(
        /// The names of the profiles.
        Vec<String>,
    ),
    /// No profile has this name or id.
    #[error("{from}: no tenant of the name {} is configured\nhint: {}", quoted(.wanted), other_tenants(.wanted, .known))]
    UnknownTenant {
        /// The flag or setting.
        from: &'static str,
        /// What it names.
        wanted: String,
        /// The names of the profiles.
        known: Vec<String>,
    },
    /// Several things are wrong.
    #[error("{} mistakes were found\n{}", .0.len(), .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(
        /// Each of them, none of this kind.
        Vec<ConfigError>,
    ),
    /// The platform tells of no home folder.
    #[error("no home folder is known, so there is no place for {what}\nhint: set HOME, or {instead}")]
    NoHome {
        /// What has no place.
        what: &'static str,
        /// The flag and variable that name one.
        instead: &'static str,
    },
}

impl ConfigError {
    /// One error of all of them. There is at least one.
    pub(super) fn from_all(errors: Vec<Self>) -> Self {
        let mut all = Vec::with_capacity(errors.len());
        for error in errors {
            match error {
                Self::Several(errors) => all.extend(errors),
                error => all.push(error),
            }
        }
        if all.len() == 1 { all.remove(0) } else { Self::Several(all) }
    }
}

/// A part of a service that is not configured. (The base URL has a default.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Which tenant.
    Tenant,
    /// The token.
    Token,
}

impl Missing {
    const fn word(self) -> &'static str {
        match self {
            Self::Tenant => "the tenant is",
            Self::Token => "the token is",
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Tenant => "the tenant with --tenant, MMD_ELEVATE_TENANT_ID or [[tenants]] in the settings file",
            Self::Token => "the token with MMD_ELEVATE_TOKEN",
        }
    }
}

fn missing_words(missing: &[Missing]) -> String {
    match missing {
        [one] => one.word().to_owned(),
        _ => "the tenant and the token are".to_owned(),
    }
}

fn missing_hints(missing: &[Missing]) -> String {
    missing.iter().map(|m| m.hint()).collect::<Vec<_>>().join("; set ")
}

fn other_tenants(wanted: &str, known: &[String]) -> String {
    if known.is_empty() {
        return "give the id of the tenant (a GUID), or add [[tenants]] to the settings file".to_owned();
    }
    let hint = format!("give one of {}, or the id of another tenant (a GUID)", listed(known));
    suggest(wanted, known.iter().map(String::as_str), &hint)
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| visible(name)).collect::<Vec<_>>().join(", ")
}

fn shown(path: &std::path::Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}

/// `, line 3, column 1`, or nothing where the place is not known.
struct SettingPlace(Option<(usize, usize)>);

impl fmt::Display for SettingPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, ", line {line}, column {column}"),
            None => Ok(()),
        }
    }
}
