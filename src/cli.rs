//! The command line. It only parses; what flags mean beside environment and file is for [`config`].

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand, builder::NonEmptyStringValueParser};
use tracing::level_filters::LevelFilter;

use crate::config::{self, DEFAULT_BASE_URL, variable};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "mmd-elevate",
    version,
    about = "A dashboard for support agents who open and close elevation requests",
    long_about = LONG_ABOUT,
    after_help = "Environment variables, files and exit codes: see --help.",
    after_long_help = after_help(),
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to do instead of opening the dashboard.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What the dashboard is opened with.
    #[command(flatten)]
    pub flags: Flags,
}

/// What the dashboard is opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Flags {
    /// Read settings from this file, which must exist
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Where the service answers: https, or http to this machine alone
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new(), long_help = base_url_help())]
    pub base_url: Option<String>,
    /// Trust the CA certificates in this file (PEM) beside the system's
    #[arg(long, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,
    /// The tenant to work for: the name or id of a profile in the settings, or any tenant's id (a GUID)
    #[arg(long, value_name = "NAME|ID", value_parser = NonEmptyStringValueParser::new())]
    pub tenant: Option<String>,
    /// Keep the record, logs and the practice tenant in this folder
    #[arg(long, value_name = "PATH")]
    pub state_dir: Option<PathBuf>,
    /// How much is logged: off, error, warn, info (the default), debug or trace
    #[arg(long, value_name = "LEVEL", value_parser = config::level)]
    pub log: Option<LevelFilter>,
    /// Open the practice tenant, whatever service is configured
    #[arg(long)]
    pub practice: bool,
    /// Begin the practice tenant anew, and forget what it kept
    #[arg(long)]
    pub fresh: bool,
    /// Have the practice tenant misbehave as this file says; see practice-rules.example.toml
    #[arg(long, value_name = "PATH")]
    pub practice_rules: Option<PathBuf>,
}

/// What to do instead of opening the dashboard.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the practice tenant alone, and print its base URL, tenant id and token
    Practice(PracticeArgs),
    /// Check everything that the dashboard needs, and say what to do; the result holds no secret
    Doctor(DoctorArgs),
    /// Look after the record of what was sent
    Record(RecordArgs),
}

/// What is checked, and how it is told.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct DoctorArgs {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// What the dashboard would be opened with.
    #[command(flatten)]
    pub flags: Flags,
}

/// What to do with the record.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct RecordArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RecordCommand,
}

/// What to do with the record.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum RecordCommand {
    /// Delete what is settled; never what is open or unresolved
    Purge(PurgeArgs),
}

/// What is deleted.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct PurgeArgs {
    /// Only what was settled more than this many days ago; 0 is all of it
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    pub older_than: u32,
    /// The folder of the record
    #[arg(long, value_name = "PATH")]
    pub state_dir: Option<PathBuf>,
}

/// How the practice tenant is served.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct PracticeArgs {
    /// The address to listen on, on this machine; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value_t = (Ipv4Addr::LOCALHOST, 0).into(),
        value_parser = loopback
    )]
    pub listen: SocketAddr,
    /// Begin the tenant anew, and forget what it kept
    #[arg(long)]
    pub fresh: bool,
    /// Have the tenant misbehave as this file says; see practice-rules.example.toml
    #[arg(long, value_name = "PATH")]
    pub rules: Option<PathBuf>,
    /// Keep the tenant in this folder, where the dashboard's practice finds it too
    #[arg(long, value_name = "PATH")]
    pub state_dir: Option<PathBuf>,
}

/// Practice speaks plain http with a token that it prints, so it stays on this machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<SocketAddr>().map_err(|_| "expected an address and a port, such as 127.0.0.1:8080")?;
    if !address.ip().is_loopback() {
        return Err("the practice tenant is served on this machine alone: use 127.0.0.1 or [::1]".to_owned());
    }
    Ok(address)
}

const LONG_ABOUT: &str = "\
A dashboard for support agents who open and close elevation requests.

With nothing configured it opens the practice tenant: a service inside the program, with devices and requests to try \
everything on. Any base URL, tenant or token, in a flag, the environment or the settings file, means a service: then \
tenant and token must both be there. A flag goes over the environment, the environment over the file, the file over \
the defaults.";

fn base_url_help() -> String {
    format!(
        "Where the service answers: https, or http to this machine alone [default for a tenant: {DEFAULT_BASE_URL}]"
    )
}

fn after_help() -> String {
    let width = variable::ALL.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let variables: Vec<_> = variable::ALL.iter().map(|(name, what)| format!("  {name:width$}  {what}")).collect();
    let variables = variables.join(
        "
",
    );
    format!(
        "\
Environment (empty counts as unset):
{variables}

Files:
  Settings  ~/.config/mmd-elevate/config.toml, or below XDG_CONFIG_HOME
            (Windows: %APPDATA%\\mmd-elevate\\config\\config.toml). It need not
            exist and is never written; config.example.toml has every setting.
  Logs      mmd-elevate.log in ~/.local/state/mmd-elevate, or below XDG_STATE_HOME
            (Windows: %APPDATA%\\mmd-elevate\\data)
  Record    record.db in the same folder: what was sent, what is open, drafts
  Practice  practice.json in the same folder, for all who serve from it

Exit codes:
  0  all went well
  1  something failed; the message says what and what to do
  2  the command line is wrong"
    )
}
