//! The command line. It only parses; what flags mean beside environment and file is for [`config`].

use std::{
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{
    Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, builder::NonEmptyStringValueParser,
    error::ErrorKind,
};
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
    after_long_help = after_help()
)]
pub struct Cli {
    /// What to do instead of opening the dashboard.
    #[command(subcommand)]
    pub command: Option<CliCommand>,
    /// What the dashboard, or what is done instead, is opened with: before the subcommand or behind it.
    #[command(flatten)]
    pub flags: Flags,
}

impl Cli {
    /// Reads a command line. A flag that means nothing to its subcommand is refused, and not passed over: it would be
    /// believed to act.
    ///
    /// # Errors
    /// What is wrong with it, or the help that was asked for.
    pub fn read(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let matches = Self::command().try_get_matches_from(&arguments)?;
        let cli = Self::from_arg_matches(&matches)?;
        let refused = |words: String| Err(Self::command().error(ErrorKind::ArgumentConflict, words));
        let Some(command) = &cli.command else { return Ok(cli) };
        // Of two that stand on both sides of the subcommand the parser takes the second and says nothing.
        let is_it = |argument: &OsString, flag: &str| {
            let argument = argument.to_string_lossy();
            argument == flag || argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='))
        };
        let times = |flag: &str| arguments.iter().filter(|argument| is_it(argument, flag)).count();
        if let Some(flag) = FLAGS.into_iter().find(|flag| times(flag) > 1) {
            return refused(format!("the flag '{flag}' is given twice: give it once, before or behind the subcommand"));
        }
        let (name, takes, why) = command.takes();
        let foreign = cli.flags.set().into_iter().find(|flag| !takes.contains(flag));
        match foreign {
            Some(flag) => refused(format!("the flag '{flag}' means nothing to 'mmd-elevate {name}': {why}")),
            None => Ok(cli),
        }
    }
}

/// What the dashboard is opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Flags {
    /// Read settings from this file, which must exist
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Where the service answers: https, or http to this machine alone
    #[arg(long, global = true, value_name = "URL", value_parser = NonEmptyStringValueParser::new(), long_help = base_url_help())]
    pub base_url: Option<String>,
    /// Trust the CA certificates in this file (PEM) beside the system's
    #[arg(long, global = true, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,
    /// The tenant to work for: the name or id of a profile in the settings, or any tenant's id (a GUID)
    #[arg(long, global = true, value_name = "NAME|ID", value_parser = NonEmptyStringValueParser::new())]
    pub tenant: Option<String>,
    /// Keep the record, logs and the practice tenant in this folder
    #[arg(long, global = true, value_name = "PATH")]
    pub state_dir: Option<PathBuf>,
    /// How much is logged: off, error, warn, info (the default), debug or trace
    #[arg(long, global = true, value_name = "LEVEL", value_parser = config::level)]
    pub log: Option<LevelFilter>,
    /// Open the practice tenant, whatever service is configured
    #[arg(long, global = true)]
    pub practice: bool,
    /// Begin the practice tenant anew, and forget what it kept
    #[arg(long, global = true)]
    pub fresh: bool,
    /// Have the practice tenant misbehave as this file says; see practice-rules.example.toml
    #[arg(long, global = true, value_name = "PATH")]
    pub practice_rules: Option<PathBuf>,
}

/// The flags, in the order of [`Flags`].
const FLAGS: [&str; 9] = [
    "--config",
    "--base-url",
    "--ca-file",
    "--tenant",
    "--state-dir",
    "--log",
    "--practice",
    "--fresh",
    "--practice-rules",
];

impl Flags {
    /// The flags that are given, as they are written.
    fn set(&self) -> Vec<&'static str> {
        let Self { config, base_url, ca_file, tenant, state_dir, log, practice, fresh, practice_rules } = self;
        let set = [
            config.is_some(),
            base_url.is_some(),
            ca_file.is_some(),
            tenant.is_some(),
            state_dir.is_some(),
            log.is_some(),
            *practice,
            *fresh,
            practice_rules.is_some(),
        ];
        FLAGS.into_iter().zip(set).filter(|(_, is_set)| *is_set).map(|(flag, _)| flag).collect()
    }
}

/// What to do instead of opening the dashboard.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum CliCommand {
    /// Serve the practice tenant alone, and print its base URL, tenant id and token
    Practice(PracticeArgs),
    /// Check everything that the dashboard needs, and say what to do; the result holds no secret
    Doctor(DoctorArgs),
    /// Look after the record of what was sent
    Record(RecordArgs),
}

impl CliCommand {
    /// What it is called, the flags that mean something to it, and why the others do not.
    const fn takes(&self) -> (&'static str, &'static [&'static str], &'static str) {
        match self {
            Self::Doctor(_) => ("doctor", &FLAGS, ""),
            Self::Practice(_) => (
                "practice",
                &["--state-dir", "--fresh", "--practice-rules"],
                "it serves the practice tenant, and reads no settings of a service",
            ),
            Self::Record(_) => ("record", &["--state-dir"], "it looks after the record in the state folder alone"),
        }
    }
}

/// What is checked, and how it is told.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct DoctorArgs {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
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
    /// The same as --practice-rules
    #[arg(long, value_name = "PATH", conflicts_with = "practice_rules")]
    pub rules: Option<PathBuf>,
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
  Settings  ~/.config/mmd-elevate/config.toml, or below XDG_CONFIG_HOME. It need
            not exist and is never written; config.example.toml has every setting.
  Logs      mmd-elevate.log in ~/.local/state/mmd-elevate, or below XDG_STATE_HOME
  Record    record.db in the same folder: what was sent, what is open, drafts
  Practice  practice.json in the same folder, for all who serve from it

Exit codes:
  0  all went well, or nobody read on (a closed pipe)
  1  something failed; the message says what and what to do
  2  the command line is wrong
  128 and a signal's number: that signal ended the dashboard"
    )
}
