//! The flags that settings are read from. What a flag means together with environment and file is for `resolve`.

use std::path::PathBuf;

use clap::{Args, builder::NonEmptyStringValueParser};
use tracing::level_filters::LevelFilter;

use super::{DEFAULT_BASE_URL, value::level};

/// The flags of the dashboard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Flags {
    /// Read settings from this file, which must exist
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// The base URL of the service: https, or http to this machine only
    #[arg(long, global = true, value_name = "URL", value_parser = NonEmptyStringValueParser::new(), long_help = base_url_help())]
    pub base_url: Option<String>,
    /// Trust the CA certificates in this file (PEM) in addition to the system's
    #[arg(long, global = true, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,
    /// The tenant to work for: the name or id of a profile in the settings, or any tenant's id (a GUID)
    #[arg(long, global = true, value_name = "NAME|ID", value_parser = NonEmptyStringValueParser::new())]
    pub tenant: Option<String>,
    /// Keep the record, logs and the practice tenant in this folder
    #[arg(long, global = true, value_name = "PATH")]
    pub state_dir: Option<PathBuf>,
    /// The log level: off, error, warn, info (the default), debug or trace
    #[arg(long, global = true, value_name = "LEVEL", value_parser = level)]
    pub log: Option<LevelFilter>,
    /// Open no request and close none: show what there is
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Open the practice tenant, even if a service is configured
    #[arg(long, global = true)]
    pub practice: bool,
    /// Start the practice tenant afresh and discard what it stored
    #[arg(long, global = true)]
    pub fresh: bool,
    /// Make the practice tenant misbehave by the rules in this file; see practice --print-rules
    #[arg(long, global = true, value_name = "PATH")]
    pub practice_rules: Option<PathBuf>,
}

/// The names of the flags, in the order of [`Flags`].
pub(crate) const FLAG_NAMES: [&str; 10] = [
    "--config",
    "--base-url",
    "--ca-file",
    "--tenant",
    "--state-dir",
    "--log",
    "--read-only",
    "--practice",
    "--fresh",
    "--practice-rules",
];

impl Flags {
    /// Returns the names of the flags that are given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let Self { config, base_url, ca_file, tenant, state_dir, log, read_only, practice, fresh, practice_rules } =
            self;
        let given = [
            config.is_some(),
            base_url.is_some(),
            ca_file.is_some(),
            tenant.is_some(),
            state_dir.is_some(),
            log.is_some(),
            *read_only,
            *practice,
            *fresh,
            practice_rules.is_some(),
        ];
        FLAG_NAMES.into_iter().zip(given).filter(|(_, is_given)| *is_given).map(|(flag, _)| flag).collect()
    }
}

fn base_url_help() -> String {
    format!(
        "The base URL of the service: https, or http to this machine only [default for a tenant: {DEFAULT_BASE_URL}]"
    )
}
