//! `mmd-elevate`: the dashboard.

use std::{process::ExitCode, time::Duration};

use color_eyre::eyre::{self, WrapErr as _};
use jiff::Timestamp;
use mmd_elevate_core::{CALLS_WAITING, Event, Problem};
use mmd_elevate_engine::{record::Record, session::Session, worker::Timing};
use tokio::sync::mpsc;

use super::runtime;
use crate::{
    app::{App, Background, Channels, Ended, open_service, setup},
    cli::Flags,
    config::{self, variable},
    dashboard::Model,
    log,
    output::{no_colour, refuse},
    platform,
    terminal::{self, Screen},
};

/// How long the record may take for its last writes.
const LAST_WRITES: Duration = Duration::from_millis(600);

/// Opens the dashboard and runs it until the agent or the system ends it.
///
/// # Errors
/// Where the program itself fails; what the user can mend is told, with exit code 1.
pub fn run(flags: &Flags) -> eyre::Result<ExitCode> {
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
    let (to_loop, events) = mpsc::channel(CALLS_WAITING);
    let tells = to_loop.clone();
    // A full channel has worse to tell.
    let on_failure = move |what, hint| drop(tells.try_send(Event::Warning(Problem::new(what, hint))));
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
    let journal = move || Record::open(place.clone(), Timestamp::now);
    let session = Session::open(background.handle(), service, journal, Timing::default(), to_loop);
    let channels = Channels { inputs, system, events };
    let ended = background.handle().block_on(app.run(channels, &session));
    screen.leave();
    // What was typed last goes to disk. A disk that does not answer must not keep who has left.
    let saved = background.handle().block_on(async { tokio::time::timeout(LAST_WRITES, session.end()).await });
    if saved.is_err() {
        tracing::error!("the record did not end in time");
    }
    Ok(match ended? {
        Ended::ByAgent => ExitCode::SUCCESS,
        Ended::BySystem(ending) => ExitCode::from(u8::try_from(ending.exit_code()).unwrap_or(1)),
    })
}
