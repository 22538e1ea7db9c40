//! Parse, install hooks, load the settings, run. The only place that prints.
#![expect(clippy::print_stdout, reason = "what is said before and after the dashboard goes here")]

use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr, stdout},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use color_eyre::eyre::{self, WrapErr};
use jiff::{SignedDuration, Timestamp};
use mmd_elevate::{
    app::{App, Background, Ended, Wires, open_service, setup},
    cli::{Cli, Command, DoctorArgs, PracticeArgs, PurgeArgs, RecordArgs, RecordCommand},
    config::{self, variable},
    doctor,
    domain::visible,
    journal::{self, Journal},
    log, platform, port,
    practice::{self, Practice},
    state::Model,
    terminal::{self, Screen},
    worker::{self, Timing},
};
use tokio::{runtime::Runtime, sync::mpsc};

/// The variable that the served practice tenant's client secret is proposed for.
const PRACTICE_SECRET: &str = "PRACTICE_CLIENT_SECRET";

/// How long the record may take for its last writes.
const LAST_WRITES: Duration = Duration::from_millis(600);

/// The exit code for a command line that cannot be understood.
const WRONG_COMMAND_LINE: u8 = 2;

fn main() -> eyre::Result<ExitCode> {
    platform::forbid_core_files();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let _ = stderr().write_all(harmless(&error.render().to_string()).as_bytes());
            return Ok(ExitCode::from(WRONG_COMMAND_LINE));
        }
        Err(help) => help.exit(),
    };
    color_eyre::install()?;
    match cli.command {
        Some(Command::Practice(args)) => serve_practice(&args),
        Some(Command::Record(RecordArgs { command: RecordCommand::Purge(args) })) => purge(&args),
        Some(Command::Doctor(args)) => examine(&args),
        None => open_dashboard(&cli.flags),
    }
}

/// Text for standard error, a mark for whatever a terminal would act on: paths, arguments and settings are repeated there.
fn harmless(text: &str) -> String {
    text.lines().flat_map(|line| [visible(line), "\n".into()]).collect()
}

/// What happened, then what to do about it; exit code 1.
fn refuse(what: impl Display, hint: Option<&str>) -> ExitCode {
    let hint = hint.map_or_else(String::new, |hint| format!("hint: {hint}\n"));
    // `eprintln!` would panic where nobody is left to read it.
    let _ = stderr().write_all(harmless(&format!("mmd-elevate: {what}\n{hint}")).as_bytes());
    ExitCode::FAILURE
}

fn runtime() -> eyre::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().wrap_err("failed to start the runtime")
}

fn open_dashboard(flags: &mmd_elevate::cli::Flags) -> eyre::Result<ExitCode> {
    let config = match config::load(flags, variable::of_process) {
        Ok(config) => config,
        Err(error) => return Ok(refuse(error, None)),
    };
    let (state_dir, level) = (config.state_dir.clone(), config.log);
    let parts = match setup(config, !no_colour(), platform::user(), Timestamp::now()) {
        Ok(parts) => parts,
        Err(error) => return Ok(refuse(&error, error.hint())),
    };
    terminal::install_panic_hook();
    // Before the terminal is taken: a signal that comes right then must find it watched.
    let (to_watch, system) = mpsc::channel(8);
    platform::watch(to_watch).wrap_err("failed to watch for signals")?;
    let mut screen = match Screen::enter() {
        Ok(screen) => screen,
        Err(error) => return Ok(refuse(format!("failed to open the dashboard: {error}"), Some(error.hint()))),
    };
    // The first whole frame is drawn from what is at hand; all that is slow starts after it.
    let mut app = App::new(&mut screen, Model::new(parts.setup), parts.theme, Timestamp::now);
    if let Err(error) = app.draw() {
        tracing::debug!(%error, "the loop finds the same and ends");
    }
    let _log = match log::start(&state_dir, level) {
        Ok(guard) => guard,
        Err(error) => {
            let told = error.to_string();
            let (what, hint) = told.split_once("\nhint: ").unwrap_or((&told, ""));
            app.warn(what.to_owned(), hint.to_owned());
            None
        }
    };
    let background = Background::new(runtime()?);
    let (to_read, inputs) = mpsc::channel(64);
    app.surface().read_input(to_read).wrap_err("failed to read the terminal")?;
    let (calls, from_loop) = mpsc::channel(port::CALLS_WAITING);
    let (to_loop, words) = mpsc::channel(port::CALLS_WAITING);
    let service = open_service(parts.target, parts.trust, parts.practice, to_loop.clone());
    let journal = Journal::open(parts.place, Timestamp::now);
    let worker = worker::run(service, journal, Timing::default(), from_loop, to_loop);
    let worker = background.handle().spawn(worker);
    let ended = background.handle().block_on(app.run(Wires { inputs, system, calls, words }));
    screen.leave();
    // What was typed last goes to disk. A disk that does not answer must not keep who has left.
    let saved = background.handle().block_on(async { tokio::time::timeout(LAST_WRITES, worker).await });
    if saved.is_err() {
        tracing::error!("the record did not end in time");
    }
    Ok(match ended? {
        Ended::ByAgent => ExitCode::SUCCESS,
        Ended::BySystem(ending) => ExitCode::from(u8::try_from(ending.exit_code()).unwrap_or(1)),
    })
}

fn examine(args: &DoctorArgs) -> eyre::Result<ExitCode> {
    let runtime = runtime()?;
    let report = runtime.block_on(doctor::examine(&args.flags, variable::of_process));
    // A look-up or a disk that never answers must not keep the process.
    runtime.shutdown_background();
    if args.json {
        print!("{}", report.json());
    } else {
        let is_terminal = stdout().is_terminal();
        let columns = if is_terminal { usize::from(platform::size().0).min(100) } else { 80 };
        print!("{}", report.text(columns, is_terminal && !no_colour()));
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the person wants no colours (no-color.org).
fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

fn purge(args: &PurgeArgs) -> eyre::Result<ExitCode> {
    let folder = match config::state_dir(args.state_dir.as_deref(), variable::of_process) {
        Ok(folder) => folder,
        Err(error) => return Ok(refuse(error, None)),
    };
    let age = SignedDuration::from_hours(24 * i64::from(args.older_than));
    let before = Timestamp::now().saturating_sub(age).wrap_err("failed to reckon the day")?;
    match journal::purge(&folder, before) {
        Ok(purged) => {
            let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
            let (writes, requests) =
                (counted(purged.intents, "settled write"), counted(purged.requests, "closed request"));
            println!("Deleted {writes} and {requests} of the record in {}.", visible(&folder.to_string_lossy()));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(refuse(format!("failed to {error}"), Some(error.hint()))),
    }
}

fn serve_practice(args: &PracticeArgs) -> eyre::Result<ExitCode> {
    let folder = match config::state_dir(args.state_dir.as_deref(), variable::of_process) {
        Ok(folder) => folder,
        Err(error) => return Ok(refuse(error, None)),
    };
    let settings = match practice::Settings::kept(&folder, args.fresh, args.rules.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return Ok(refuse(error, None)),
    };
    runtime()?.block_on(async {
        let practice = match Practice::bind(args.listen, settings).await {
            Ok(practice) => practice,
            Err(error) => {
                let why = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
                return Ok(refuse(format!("failed to {error}{why}"), error.hint()));
            }
        };
        if let Some(warning) = practice.warning() {
            let _ = stderr().write_all(harmless(&format!("mmd-elevate: {warning}")).as_bytes());
        }
        println!("The practice tenant answers until Ctrl-C. To use it from another terminal:\n");
        println!("export {}={}", variable::BASE_URL, practice.base_url());
        println!("export {}={}", variable::TENANT_ID, practice::TENANT_ID);
        println!("export {}={}", variable::TOKEN, practice.token());
        println!("\nOr, for tokens that end and are renewed, in the settings file in place of these variables:\n");
        println!("[[tenants]]\nname = \"Contoso\"\nid = \"{}\"", practice::TENANT_ID);
        println!("base_url = \"{}\"\n\n[tenants.sign_in]", practice.base_url());
        println!("method = \"client-secret\"\nauthority = \"{}\"", practice.authority());
        println!("client_id = \"{}\"\nsecret_env = \"{PRACTICE_SECRET}\"\n", practice::CLIENT_ID);
        println!("and in the environment:\n\nexport {PRACTICE_SECRET}={}", practice.client_secret());
        practice.serve().await;
        Ok(ExitCode::SUCCESS)
    })
}
