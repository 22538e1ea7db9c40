//! Parses the command line. What flags mean together with environment and file is for [`config`](crate::config).

use std::{
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

mod examples;
mod usage;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, error::ErrorKind};

use clap_complete::Shell;
use jiff::civil::Date;
pub use usage::usage_problem;

pub use crate::config::Flags;
use crate::{
    config::{FLAG_NAMES, variable},
    exit::Exit,
    output::{OUTPUT_FLAG_NAMES, OutputFlags},
    report::{Format, Period},
};

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
    /// The flags, which can stand before or after the subcommand.
    #[command(flatten)]
    pub flags: Flags,
    /// How results are printed, before or after the subcommand.
    #[command(flatten)]
    pub output: OutputFlags,
}

impl Cli {
    /// Reads a command line. A flag that the subcommand does not use is an error, because an agent would believe that it has
    /// an effect.
    ///
    /// # Errors
    /// What is wrong with the command line, or the help that was requested.
    pub fn read(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let matches = Self::command().try_get_matches_from(&arguments)?;
        let cli = Self::from_arg_matches(&matches)?;
        let error = |message: String| Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        // Of a flag before and a flag after the subcommand the parser silently takes the second.
        let is_flag = |argument: &OsString, flag: &str| {
            let argument = argument.to_string_lossy();
            argument == flag || argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='))
        };
        let count = |flag: &str| arguments.iter().filter(|argument| is_flag(argument, flag)).count();
        if let Some(flag) = FLAG_NAMES.into_iter().chain(OUTPUT_FLAG_NAMES).find(|flag| count(flag) > 1) {
            return error(format!("the flag '{flag}' is given twice: give it once, before or after the subcommand"));
        }
        let (name, accepted, reason) = cli.command.as_ref().map_or(DASHBOARD_FLAGS, CliCommand::accepted_flags);
        let mut given = cli.flags.given().into_iter().chain(cli.output.given());
        let useless = given.find(|flag| !accepted.iter().any(|flags| flags.contains(flag)));
        match useless {
            Some(flag) => error(format!("the flag '{flag}' has no effect on 'mmd-elevate{name}': {reason}")),
            None => Ok(cli),
        }
    }
}

/// What to do instead of opening the dashboard.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum CliCommand {
    /// Serve the practice tenant without the dashboard, and print its base URL, tenant id and token
    #[command(after_help = examples::PRACTICE)]
    Practice(PracticeArgs),
    /// Check everything that the dashboard needs, and say what to do; the report holds no secret
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Open an elevation request
    Create(Box<CreateArgs>),
    /// Close elevation requests
    Close(CloseArgs),
    /// Look for what has an unknown outcome; what is found is settled
    Resolve(ResolveArgs),
    /// Maintain the record of what was sent
    #[command(after_help = examples::RECORD)]
    Record(RecordArgs),
    /// Find, check and show the settings, or write a file of them
    #[command(after_help = examples::CONFIG)]
    Config(ConfigArgs),
    /// List templates of texts, or print one
    #[command(after_help = examples::TEMPLATE)]
    Template(TemplateArgs),
    /// List the requests of the tenant: those that are open, of all agents
    #[command(after_help = examples::LIST)]
    List(ListArgs),
    /// Show one request with all its texts
    #[command(after_help = examples::SHOW)]
    Show(ShowArgs),
    /// Report what was opened, what was closed and what is still open, as the record knows it
    #[command(after_help = examples::REPORT)]
    Report(ReportArgs),
    /// Print the completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the man page, or write a page for each command to a folder
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}

/// The name of a subcommand after that of the program, the flags that it uses, and why it uses no others.
type AcceptedFlags = (&'static str, &'static [&'static [&'static str]], &'static str);

const DASHBOARD_FLAGS: AcceptedFlags =
    ("", &[&FLAG_NAMES, &["--no-color"]], "it opens the dashboard; a subcommand prints results");

impl CliCommand {
    /// Returns the flags that the subcommand uses.
    const fn accepted_flags(&self) -> AcceptedFlags {
        match self {
            Self::Doctor => {
                (" doctor", &[&FLAG_NAMES, &["--json", "--no-color"]], "its report is a text for people or JSON")
            }
            Self::Practice(PracticeArgs { print_rules: true, .. }) => {
                (" practice --print-rules", &[&["--no-color"]], "it prints an example of rules and serves nothing")
            }
            Self::Practice(_) => (
                " practice",
                &[&["--state-dir", "--fresh", "--practice-rules", "--no-color"]],
                "it serves the practice tenant, and reads no settings of a service",
            ),
            Self::List(_) => (" list", &[&FLAG_NAMES, &OUTPUT_FLAG_NAMES], ""),
            Self::Show(_) => (" show", &[&FLAG_NAMES, &OUTPUT_FLAG_NAMES], ""),
            Self::Report(_) => (" report", &[&FLAG_NAMES, &OUTPUT_FLAG_NAMES], ""),
            Self::Create(_) => (" create", &[&FLAG_NAMES, &OUTPUT_FLAG_NAMES], ""),
            Self::Close(_) => (" close", &[&FLAG_NAMES, &OUTPUT_FLAG_NAMES], ""),
            Self::Resolve(_) => (" resolve", &[&FLAG_NAMES, &OUTPUT_FLAG_NAMES], ""),
            Self::Record(_) => {
                (" record", &[&["--state-dir"], &OUTPUT_FLAG_NAMES], "it reads the record in the state folder alone")
            }
            Self::Completions(_) => (" completions", &[&["--no-color"]], "it prints a script for a shell"),
            Self::Man(_) => (" man", &[&["--no-color"]], "it writes man pages"),
            Self::Template(_) => (
                " template",
                &[&["--config", "--state-dir"], &OUTPUT_FLAG_NAMES],
                "it reads the templates that are shipped and those beside the settings file",
            ),
            Self::Config(ConfigArgs { command }) => match command {
                ConfigCommand::Path => {
                    (" config path", &[&["--config"], &OUTPUT_FLAG_NAMES], "it only finds the settings file")
                }
                ConfigCommand::Check => (" config check", &[&FLAG_NAMES, &OUTPUT_FLAG_NAMES], ""),
                ConfigCommand::Show => (" config show", &[&FLAG_NAMES, &OUTPUT_FLAG_NAMES], ""),
                ConfigCommand::Init => {
                    (" config init", &[&["--config"], &OUTPUT_FLAG_NAMES], "it writes an example of the settings file")
                }
                ConfigCommand::Schema => {
                    (" config schema", &[&OUTPUT_FLAG_NAMES], "it prints the schema of the settings file")
                }
            },
        }
    }
}

/// The arguments of `create`.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(after_help = CREATE_EXAMPLES)]
pub struct CreateArgs {
    /// The number of your own ticket
    #[arg(long, value_name = "TICKET", allow_hyphen_values = true)]
    pub ticket: Option<String>,
    /// The name of the device
    #[arg(long, value_name = "DEVICE", allow_hyphen_values = true)]
    pub device: Option<String>,
    /// One line that says what is wrong
    #[arg(long, value_name = "TITLE", allow_hyphen_values = true)]
    pub title: Option<String>,
    /// The category
    #[arg(long, value_name = "CATEGORY", allow_hyphen_values = true)]
    pub category: Option<String>,
    /// The subcategory
    #[arg(long, value_name = "SUBCATEGORY", allow_hyphen_values = true)]
    pub subcategory: Option<String>,
    /// What you are going to do on the device; - reads it from standard input
    #[arg(long, value_name = "TEXT|-", allow_hyphen_values = true, conflicts_with_all = ["plan_file", "template"])]
    pub plan: Option<String>,
    /// Read the plan from this file
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    pub plan_file: Option<PathBuf>,
    /// Fill in a form in your editor (VISUAL or EDITOR), which begins with what is given
    #[arg(long)]
    pub editor: bool,
    /// Take the plan from this template, and its category where none is given
    #[arg(long, value_name = "NAME")]
    pub template: Option<String>,
    /// Open it even if the device has open requests; the device is not listed then
    #[arg(long)]
    pub allow_open: bool,
    /// Open it even if it is unknown whether the same was opened before
    #[arg(long)]
    pub again: bool,
    /// Go on looking until the outcome is known, for this many seconds (600 where none are given)
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "600")]
    pub wait: Option<u64>,
    /// Check everything and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Open one request for each line of this file, a JSON object each; - reads them from standard input
    #[arg(
        long,
        value_name = "FILE.jsonl|-",
        conflicts_with_all = [
            "ticket", "device", "title", "category", "subcategory", "plan", "plan_file", "editor", "template"
        ]
    )]
    pub from: Option<PathBuf>,
}

const CREATE_EXAMPLES: &str = "\
Examples:
  mmd-elevate create --ticket INC-10442 --device MMD-03690457680 \\
    --title 'Excel add-in crashes' --category Office --subcategory Excel \\
    --plan 'Remove the add-in, test with the user'
  mmd-elevate create --template 'Office repair online' --editor
  mmd-elevate create --from requests.jsonl --json";

/// The arguments of `close`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(after_help = CLOSE_EXAMPLES)]
pub struct CloseArgs {
    /// The ids of the requests, or their first characters: at least 8, as many as mean one request
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// What was done on the device; - reads it from standard input
    #[arg(long, value_name = "TEXT|-", allow_hyphen_values = true, conflicts_with = "actions_file")]
    pub actions: Option<String>,
    /// Read what was done from this file
    #[arg(long, value_name = "FILE")]
    pub actions_file: Option<PathBuf>,
    /// Write what was done in your editor (VISUAL or EDITOR), which begins with what is given
    #[arg(long)]
    pub editor: bool,
    /// Find the requests and send nothing
    #[arg(long)]
    pub dry_run: bool,
}

const CLOSE_EXAMPLES: &str = "\
Examples:
  mmd-elevate close 3f2b0c5e --actions 'Removed the add-in, the user has tested it'
  mmd-elevate close 3f2b0c5e 77a1d4c0 --actions - --json <done.txt";

/// The arguments of `resolve`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(after_help = RESOLVE_EXAMPLES)]
pub struct ResolveArgs {
    /// The number of one intent; without it, all that is unknown is looked for
    #[arg(value_name = "INTENT", value_parser = clap::value_parser!(i64).range(1..))]
    pub intent: Option<i64>,
}

const RESOLVE_EXAMPLES: &str = "\
Examples:
  mmd-elevate resolve
  mmd-elevate resolve 12 --json";

/// The arguments of `record`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct RecordArgs {
    /// What to do with the record.
    #[command(subcommand)]
    pub command: RecordCommand,
}

/// What to do with the record.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum RecordCommand {
    /// Print where the record is, whether it exists or not
    #[command(after_help = examples::RECORD_PATH)]
    Path,
    /// List the writes in the record, of all tenants, the oldest first
    #[command(after_help = examples::RECORD_LIST)]
    List,
    /// Show one write with its texts
    #[command(after_help = examples::RECORD_SHOW)]
    Show {
        /// The number of the write, as `record list` and `create --json` tell it
        intent: i64,
    },
    /// Print all writes as one JSON document
    #[command(after_help = examples::RECORD_EXPORT)]
    Export,
    /// Delete settled entries; open and unresolved entries are kept
    #[command(after_help = examples::PURGE)]
    Purge(PurgeArgs),
}

/// The arguments of `record purge`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct PurgeArgs {
    /// Delete what was settled more than this many days ago; 0 deletes everything that is settled
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    pub older_than: u32,
    /// Count what would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Delete without asking; it is needed where there is no terminal to ask on
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
}

/// The arguments of `config`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct ConfigArgs {
    /// What to do with the settings.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to do with the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Print where the settings file is, whether it exists or not
    #[command(after_help = examples::CONFIG_PATH)]
    Path,
    /// Check flags, variables and the settings file, and tell all mistakes at once
    #[command(after_help = examples::CONFIG_CHECK)]
    Check,
    /// Print the settings that are in force, each with the flag, variable or file that gives it; secrets are not shown
    #[command(after_help = examples::CONFIG_SHOW)]
    Show,
    /// Write a commented example to the place of the settings file; a file that exists is never written over
    #[command(after_help = examples::CONFIG_INIT)]
    Init,
    /// Print the JSON schema of the settings file, for editors
    #[command(after_help = examples::CONFIG_SCHEMA)]
    Schema,
}

/// The arguments of `template`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct TemplateArgs {
    /// What to do with templates.
    #[command(subcommand)]
    pub command: TemplateCommand,
}

/// What to do with templates.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum TemplateCommand {
    /// List the templates: your own, which stand in the folder `templates` beside the settings file, and those that are shipped
    #[command(after_help = examples::TEMPLATE_LIST)]
    List,
    /// Print the text of a template
    #[command(after_help = examples::TEMPLATE_SHOW)]
    Show {
        /// The name of the template, in any letter case
        name: String,
    },
}

/// The arguments of `list`.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ListArgs {
    /// What is listed, in the words of the dashboard's filter: excel, by:ana, device:17, is:closed, age:>2h, closed:today,
    /// each perhaps after not:
    #[arg(value_name = "FILTER WORD")]
    pub words: Vec<String>,
    /// List at most so many; 0 lists all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
    /// Go on, and list what is new or changed whenever the service is asked again (`[list] refresh_seconds`)
    #[arg(long)]
    pub watch: bool,
}

/// The arguments of `show`.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ShowArgs {
    /// The id of the request, or its beginning: at least 8 characters
    pub id: String,
}

/// The arguments of `report`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct ReportArgs {
    /// Report what happened since then: today, 24h, or a date such as 2026-11-22
    #[arg(long, value_name = "today|24h|DATE", default_value = "today", value_parser = since)]
    pub since: Since,
    /// The format; --json is the same as --format json
    #[arg(long, value_name = "FORMAT", value_enum, conflicts_with = "json")]
    pub format: Option<ReportFormat>,
    /// Write it to this file, which must not exist, instead of printing it
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// When the time of a report begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// A period that ends now.
    Period(Period),
    /// The first moment of a day in the agent's time zone.
    Date(Date),
}

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Markdown: for a ticket, a chat or a wiki.
    Md,
    /// A table with a row for each request.
    Csv,
    /// A document for programs.
    Json,
}

impl From<ReportFormat> for Format {
    fn from(format: ReportFormat) -> Self {
        match format {
            ReportFormat::Md => Self::Markdown,
            ReportFormat::Csv => Self::Csv,
            ReportFormat::Json => Self::Json,
        }
    }
}

/// Parses when the time of a report begins.
fn since(text: &str) -> Result<Since, String> {
    match text {
        "today" => Ok(Since::Period(Period::Today)),
        "24h" => Ok(Since::Period(Period::Day)),
        date => {
            date.parse().map(Since::Date).map_err(|_| "expected today, 24h or a date such as 2026-11-22".to_owned())
        }
    }
}

/// The arguments of `completions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// The arguments of `man`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct ManArgs {
    /// The folder to which a page for each command is written; without one, the page of the program is printed
    pub dir: Option<PathBuf>,
}

/// The arguments of `practice`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct PracticeArgs {
    /// The loopback address to listen on; port 0 takes a free one
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
    /// Print an example of every rule, for a file of your own, and serve nothing
    #[arg(long, conflicts_with_all = ["listen", "rules"])]
    pub print_rules: bool,
}

/// Parses an address that only this machine can reach: the practice tenant prints its token and uses plain http.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<SocketAddr>().map_err(|_| "expected an address and a port, such as 127.0.0.1:8080")?;
    if !address.ip().is_loopback() {
        return Err("the practice tenant is served on this machine alone: use 127.0.0.1 or [::1]".to_owned());
    }
    Ok(address)
}

const LONG_ABOUT: &str = "\
A dashboard for support agents who open and close elevation requests.

With nothing configured it opens the practice tenant: a service inside the program, with invented devices and requests \
for practising. As soon as a flag, the environment or the settings file gives a base URL, a tenant or a token, the program \
talks to that service, and needs both a tenant and a token. A flag overrides the environment, the environment overrides \
the file, and the file overrides the defaults.";

fn after_help() -> String {
    let width = variable::ALL.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let variables: Vec<_> = variable::ALL.iter().map(|(name, what)| format!("  {name:width$}  {what}")).collect();
    let variables = variables.join("\n");
    let codes: Vec<_> = Exit::ALL.iter().map(|exit| format!("  {:<8} {}", exit.code(), exit.meaning())).collect();
    let codes = codes.join("\n");
    format!(
        "\
Environment (empty counts as unset):
{variables}

Files:
  Settings  ~/.config/mmd-elevate/config.toml, or below XDG_CONFIG_HOME. It need
            not exist, and only `config init` writes it, with every setting.
  Logs      mmd-elevate.log in ~/.local/state/mmd-elevate, or below XDG_STATE_HOME
  Record    record.db in the same folder: what was sent, what is open, drafts
  Practice  practice.json in the same folder

Exit codes:
{codes}
  128 + n  signal n ended it; what was being sent stays in the record
A reader that closes the pipe changes no exit code."
    )
}
