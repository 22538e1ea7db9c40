//! Parse, install hooks, load the settings, run. The only place that prints.
#![expect(clippy::print_stdout, reason = "what is said before and after the dashboard goes here")]

use std::{
    fmt::Display,
    io::{Write, stderr},
    process::ExitCode,
};

use clap::Parser;
use color_eyre::eyre::{self, WrapErr};
use jiff::Timestamp;
use mmd_elevate::{
    app::{App, Background, Ended, Wires, setup},
    cli::{Cli, Command, PracticeArgs},
    config::{self, variable},
    log, platform, port,
    practice::{self, Practice},
    state::Model,
    terminal::{self, Screen},
    worker,
};
use tokio::{runtime::Runtime, sync::mpsc};

fn main() -> eyre::Result<ExitCode> {
    let cli = Cli::parse();
    color_eyre::install()?;
    match cli.command {
        Some(Command::Practice(args)) => serve_practice(&args),
        None => open_dashboard(&cli.flags),
    }
}

/// What happened, then what to do about it; exit code 1.
fn refuse(what: impl Display, hint: Option<&str>) -> ExitCode {
    let hint = hint.map_or_else(String::new, |hint| format!("hint: {hint}\n"));
    // `eprintln!` would panic where nobody is left to read it.
    let _ = write!(stderr(), "mmd-elevate: {what}\n{hint}");
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
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let parts = match setup(config, !no_colour, Timestamp::now()) {
        Ok(parts) => parts,
        Err(error) => return Ok(refuse(error, Some("mend [keys] in the settings file"))),
    };
    terminal::install_panic_hook();
    // Before the terminal is taken: a signal that comes right then must find it watched.
    let (to_loop, system) = mpsc::channel(8);
    platform::watch(to_loop).wrap_err("failed to watch for signals")?;
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
    let (to_loop, inputs) = mpsc::channel(64);
    app.surface().read_input(to_loop).wrap_err("failed to read the terminal")?;
    let (calls, from_loop) = mpsc::channel(port::CALLS_WAITING);
    let (to_loop, words) = mpsc::channel(port::CALLS_WAITING);
    background.handle().spawn(worker::run(parts.service, from_loop, to_loop));
    let ended = background.handle().block_on(app.run(Wires { inputs, system, calls, words }));
    screen.leave();
    Ok(match ended? {
        Ended::ByAgent => ExitCode::SUCCESS,
        Ended::BySystem(ending) => ExitCode::from(u8::try_from(ending.exit_code()).unwrap_or(1)),
    })
}

fn serve_practice(args: &PracticeArgs) -> eyre::Result<ExitCode> {
    runtime()?.block_on(async {
        let practice = match Practice::bind(args.listen, practice::Settings::default()).await {
            Ok(practice) => practice,
            Err(error) => {
                let hint = "take another port, or 0 for any that is free";
                return Ok(refuse(format!("failed to serve the practice tenant: {error}"), Some(hint)));
            }
        };
        println!("The practice tenant answers until Ctrl-C. To use it from another terminal:\n");
        println!("export {}={}", variable::BASE_URL, practice.base_url());
        println!("export {}={}", variable::TENANT_ID, practice::TENANT_ID);
        println!("export {}={}", variable::TOKEN, practice.token());
        practice.serve().await.wrap_err("failed to serve the practice tenant")?;
        Ok(ExitCode::SUCCESS)
    })
}
