//! Parse, install hooks, load the settings, run. The only place that prints: to standard output by [`print`] alone.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write, stderr, stdout},
    process::ExitCode,
    time::Duration,
};

use color_eyre::{
    config::HookBuilder,
    eyre::{self, WrapErr},
};
use jiff::{SignedDuration, Timestamp};
use mmd_elevate::{
    app::{App, Background, Ended, Wires, open_service, setup},
    cli::{Cli, Command, DoctorArgs, Flags, PracticeArgs, PurgeArgs, RecordArgs, RecordCommand},
    config::{self, variable},
    doctor,
    domain::visible,
    journal::{self, Journal},
    log, platform,
    port::{self, FromWorker},
    practice::{self, Practice},
    redact::redact,
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

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = stderr().write_all(redact(&format!("Error: {error:?}\n")).as_bytes());
        ExitCode::FAILURE
    })
}

fn run() -> eyre::Result<ExitCode> {
    platform::forbid_core_files();
    platform::survive_file_limit().wrap_err("failed to watch for the limit on the size of files")?;
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let _ = stderr().write_all(harmless(&error.render().to_string()).as_bytes());
            return Ok(ExitCode::from(WRONG_COMMAND_LINE));
        }
        Err(help) => {
            let (help, is_terminal) = (help.render(), stdout().is_terminal());
            let text = if is_terminal && !no_colour() { help.ansi().to_string() } else { help.to_string() };
            return Ok(finish(&text, ExitCode::SUCCESS));
        }
    };
    install_reports()?;
    let flags = &cli.flags;
    match cli.command {
        Some(Command::Practice(args)) => serve_practice(&args, flags),
        Some(Command::Record(RecordArgs { command: RecordCommand::Purge(args) })) => purge(&args, flags),
        Some(Command::Doctor(args)) => examine(&args, flags),
        None => open_dashboard(flags),
    }
}

/// Reports of errors and panics, without the secrets that a message in them may repeat.
fn install_reports() -> eyre::Result<()> {
    let (panics, errors) = HookBuilder::default().into_hooks();
    errors.install()?;
    std::panic::set_hook(Box::new(move |info| {
        let report = format!("{}\n", panics.panic_report(info));
        let _ = stderr().write_all(redact(&report).as_bytes());
    }));
    Ok(())
}

/// Text for standard error, without secrets, a mark for whatever a terminal would act on: paths, arguments and settings
/// are repeated there.
fn harmless(text: &str) -> String {
    redact(text).lines().flat_map(|line| [visible(line), "\n".into()]).collect()
}

/// What happened, then what to do about it; exit code 1.
fn refuse(what: impl Display, hint: Option<&str>) -> ExitCode {
    let hint = hint.map_or_else(String::new, |hint| format!("hint: {hint}\n"));
    // `eprintln!` would panic where nobody is left to read it.
    let _ = stderr().write_all(harmless(&format!("mmd-elevate: {what}\n{hint}")).as_bytes());
    ExitCode::FAILURE
}

/// Prints to standard output, all of it.
fn print(text: &str) -> io::Result<()> {
    let mut output = stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Prints the last that a command has to say, and ends it with this code.
fn finish(text: &str, code: ExitCode) -> ExitCode {
    print(text).map_or_else(|error| unprinted(&error, code), |()| code)
}

/// The end of a command whose output was not taken. Who closes a pipe has read enough: the command ends quietly, with
/// the code that it would have had. Anything else is a failure.
fn unprinted(error: &io::Error, code: ExitCode) -> ExitCode {
    match error.kind() {
        io::ErrorKind::BrokenPipe => code,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            refuse("failed to print: the disk is full", Some("make room, or print to another place"))
        }
        io::ErrorKind::FileTooLarge => refuse(
            "failed to print: the limit on the size of files is reached",
            Some("raise the limit (ulimit -f), or print to another place"),
        ),
        _ => refuse(format!("failed to print: {error}"), Some("print to another place")),
    }
}

fn runtime() -> eyre::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().wrap_err("failed to start the runtime")
}

fn open_dashboard(flags: &Flags) -> eyre::Result<ExitCode> {
    let config = match config::load(flags, variable::of_process) {
        Ok(config) => config,
        Err(error) => return Ok(refuse(error, None)),
    };
    let (state_dir, level) = (config.state_dir.clone(), config.log);
    let doubts = [variable::doubts(), config.doubts.clone()].concat();
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
    let mut app =
        App::new(&mut screen, Model::new(parts.setup).with_patterns(parts.patterns), parts.theme, Timestamp::now);
    if let Err(error) = app.draw() {
        tracing::debug!(%error, "the loop finds the same and ends");
    }
    let (calls, from_loop) = mpsc::channel(port::CALLS_WAITING);
    let (to_loop, words) = mpsc::channel(port::CALLS_WAITING);
    let tells = to_loop.clone();
    // A full channel has worse to tell.
    let on_failure = move |what, hint| drop(tells.try_send(FromWorker::Warning(what, hint)));
    let _log = match log::start(&state_dir, level, on_failure) {
        Ok(guard) => guard,
        Err(error) => {
            let told = error.to_string();
            let (what, hint) = told.split_once("\nhint: ").unwrap_or((&told, ""));
            app.warn(what.to_owned(), hint.to_owned());
            None
        }
    };
    for doubt in &doubts {
        tracing::warn!("{doubt}");
    }
    if let [first, more @ ..] = &doubts[..] {
        let (what, hint) = first.split_once("\nhint: ").unwrap_or((first, "see mmd-elevate doctor"));
        let count = if more.is_empty() { String::new() } else { format!(" ({} more: mmd-elevate doctor)", more.len()) };
        app.warn(format!("{what}{count}"), hint.to_owned());
    }
    let background = Background::new(runtime()?);
    let (to_read, inputs) = mpsc::channel(64);
    app.surface().read_input(to_read).wrap_err("failed to read the terminal")?;
    let service = open_service(parts.target, parts.trust, parts.practice, to_loop.clone());
    let place = parts.place;
    let journal = move || Journal::open(place.clone(), Timestamp::now);
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

fn examine(args: &DoctorArgs, flags: &Flags) -> eyre::Result<ExitCode> {
    let runtime = runtime()?;
    let report = runtime.block_on(doctor::examine(flags, variable::of_process));
    // A look-up or a disk that never answers must not keep the process.
    runtime.shutdown_background();
    let text = if args.json {
        report.json()
    } else {
        let is_terminal = stdout().is_terminal();
        let columns = if is_terminal { usize::from(platform::size().0).min(100) } else { 80 };
        report.text(columns, is_terminal && !no_colour())
    };
    Ok(finish(&text, if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

/// Whether the person wants no colours (no-color.org).
fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

fn purge(args: &PurgeArgs, flags: &Flags) -> eyre::Result<ExitCode> {
    let folder = match config::state_dir(flags.state_dir.as_deref(), variable::of_process) {
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
            let folder = folder.to_string_lossy();
            let text = format!("Deleted {writes} and {requests} of the record in {}.\n", visible(&folder));
            Ok(finish(&text, ExitCode::SUCCESS))
        }
        Err(error) => Ok(refuse(format!("failed to {error}"), Some(error.hint()))),
    }
}

fn serve_practice(args: &PracticeArgs, flags: &Flags) -> eyre::Result<ExitCode> {
    let folder = match config::state_dir(flags.state_dir.as_deref(), variable::of_process) {
        Ok(folder) => folder,
        Err(error) => return Ok(refuse(error, None)),
    };
    let rules = args.rules.as_deref().or(flags.practice_rules.as_deref());
    let rules = match config::expanded("--practice-rules", rules, variable::of_process) {
        Ok(rules) => rules,
        Err(error) => return Ok(refuse(error, None)),
    };
    let settings = match practice::Settings::kept(&folder, flags.fresh, rules.as_deref()) {
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
        // Who has not got the address cannot use it.
        if let Err(error) = print(&invitation(&practice)) {
            return Ok(unprinted(&error, ExitCode::SUCCESS));
        }
        practice.serve().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// How to use the practice tenant from another process.
fn invitation(practice: &Practice) -> String {
    format!(
        "\
The practice tenant answers until Ctrl-C. To use it from another terminal:

export {}={}
export {}={tenant}
export {}={}

Or, for tokens that end and are renewed, in the settings file in place of these variables:

[[tenants]]
name = \"Contoso\"
id = \"{tenant}\"
base_url = \"{}\"

[tenants.sign_in]
method = \"client-secret\"
authority = \"{}\"
client_id = \"{}\"
secret_env = \"{PRACTICE_SECRET}\"

and in the environment:

export {PRACTICE_SECRET}={}
",
        variable::BASE_URL,
        practice.base_url(),
        variable::TENANT_ID,
        variable::TOKEN,
        practice.token(),
        practice.base_url(),
        practice.authority(),
        practice::CLIENT_ID,
        practice.client_secret(),
        tenant = practice::TENANT_ID,
    )
}
