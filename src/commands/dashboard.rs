//! `mmd-elevate`: starts the dashboard, runs it, and ends its parts in time. Nothing slow runs before the first frame.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use color_eyre::eyre::{self, WrapErr as _};
use jiff::Timestamp;
use mmd_elevate_core::{CALLS_WAITING, Event, Problem};
use mmd_elevate_engine::{session::Session, worker::Timing};
use tokio::{sync::mpsc, task::JoinSet};

use super::runtime;
use crate::{
    app::{App, BackgroundRuntime, Channels, ExitReason, open_service, open_session, setup},
    cli::Flags,
    config::{self, variable},
    dashboard::Model,
    exit::Exit,
    log,
    output::{fail, is_colour_off},
    platform,
    templates::TemplateFolders,
    terminal::{self, Screen, TerminalFeatures},
};

/// How long the record may take for its last writes at the end.
const LAST_WRITES_TIMEOUT: Duration = Duration::from_millis(600);

/// Opens the dashboard and runs it until the agent or the system ends it.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn run(flags: &Flags) -> eyre::Result<ExitCode> {
    let config = match config::load(flags, variable::from_process) {
        Ok(config) => config,
        Err(error) => return Ok(fail(Exit::Unusable, &error)),
    };
    let (state_dir, level) = (config.state_dir.clone(), config.log);
    let report_folder = absolute(config.report_folder.as_deref().unwrap_or(Path::new(".")));
    let warnings = [variable::warnings(), config.warnings.clone()].concat();
    let features = TerminalFeatures::from_environment(variable::from_process);
    // Beside the settings, whether or not there is a file of them.
    let templates = match config::settings_file(flags, variable::from_process) {
        Ok(file) => file.with_file_name("templates"),
        Err(problem) => return Ok(fail(Exit::Unusable, &problem)),
    };
    let components = match setup(config, !is_colour_off(), features, platform::user(), Timestamp::now()) {
        Ok(components) => components,
        Err(problem) => return Ok(fail(Exit::Unusable, &problem)),
    };
    terminal::install_panic_hook();
    // Before the terminal is taken, so that a signal in between gives it back.
    let (system_events, system) = mpsc::channel(8);
    platform::watch(system_events).wrap_err("failed to watch for signals")?;
    let mut screen = match Screen::enter() {
        Ok(screen) => screen,
        Err(error) => {
            return Ok(fail(
                Exit::Failed,
                &Problem::new(format!("failed to open the dashboard: {error}"), error.hint()),
            ));
        }
    };
    // The first frame needs nothing slow; everything slow starts after it.
    let mut app = App::new(
        &mut screen,
        Model::new(components.setup)
            .with_patterns(components.patterns)
            .with_ticket_url(components.ticket_url)
            .with_read_only(components.read_only)
            .with_preferences(components.preferences),
        components.theme,
        Timestamp::now,
    )
    .with_background_question(components.asks_background)
    .with_title(components.title)
    .with_report_folder(report_folder)
    .with_template_folders(TemplateFolders { own: templates, state: state_dir.clone() });
    if let Err(error) = app.draw() {
        tracing::debug!(%error, "failed to draw the first frame; the loop will fail too and end");
    }
    let (session_events, events) = mpsc::channel(CALLS_WAITING);
    let log_events = session_events.clone();
    // If the channel is full, there are more important events than this one.
    let on_failure = move |problem| drop(log_events.try_send(Event::Warning(problem)));
    let _log = match log::start(&state_dir, level, on_failure) {
        Ok(guard) => guard,
        Err(problem) => {
            app.warn(problem);
            None
        }
    };
    for warning in &warnings {
        tracing::warn!(hint = %warning.hint, "{}", warning.what);
    }
    if let [Problem { what, hint }, more @ ..] = &warnings[..] {
        let count = if more.is_empty() { String::new() } else { format!(" ({} more: mmd-elevate doctor)", more.len()) };
        app.warn(Problem::new(format!("{what}{count}"), hint));
    }
    let background = BackgroundRuntime::new(runtime()?);
    let (input_batches, inputs) = mpsc::channel(64);
    app.surface().read_input(input_batches).wrap_err("failed to read the terminal")?;
    let service = open_service(components.target, components.trust, components.practice, session_events.clone());
    let (handle, timing) = (background.handle(), Timing::default());
    let session = open_session(handle, service, components.place, components.read_only, timing, session_events);
    let tenants = components.others.tenants();
    app.set_tenants(tenants, components.others.into_opener(background.handle().clone(), Timing::default()));
    let reason = background.handle().block_on(app.run(Channels { inputs, system, events }, &session));
    let sessions = app.take_sessions();
    screen.leave();
    // The last drafts of all tenants go to disk. A disk that does not answer must not keep the program from ending.
    let saved = background.handle().block_on(async {
        let mut ending: JoinSet<()> = sessions.into_iter().chain([session]).map(Session::end).collect();
        tokio::time::timeout(LAST_WRITES_TIMEOUT, async { while ending.join_next().await.is_some() {} }).await
    });
    if saved.is_err() {
        tracing::error!("the record did not end in time");
    }
    Ok(match reason? {
        ExitReason::Quit => ExitCode::SUCCESS,
        ExitReason::Terminated(termination) => ExitCode::from(u8::try_from(termination.exit_code()).unwrap_or(1)),
    })
}

/// Returns the path from the root on, so that notices can name it. If the current folder is unknown, it stays as it is.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.components().collect())
}
