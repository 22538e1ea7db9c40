//! `mmd-elevate doctor`: checks everything that the dashboard needs, and says what to do about each check that fails.
//!
//! It changes nothing: it makes no folder, and its practice tenant lives in memory. The report holds nothing secret or
//! personal ([`Anonymizer`]), so that it can be pasted into a ticket.

mod folder;
mod network;
mod privacy;
mod report;
mod step;
mod terminal;

use std::{
    io::{IsTerminal as _, stdout},
    net::Ipv4Addr,
    path::Path,
    process::ExitCode,
};

use color_eyre::eyre;

pub use privacy::Anonymizer;
pub use report::{Check, DoctorReport, Verdict};

use report::display_path;
use step::{STEP_TIMEOUT, disk_timeout, run_blocking};

use super::runtime;
use crate::{
    app::practice::{bind, service, settings},
    cli::Flags,
    config::{self, Config, ConfigError, ServiceSettings, Target, variable},
    keys::Keymap,
    output::{OutputFlags, is_colour_off, print_result},
    platform,
};
use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::http::Trust;
use mmd_elevate_practice as practice;

/// Checks everything that the dashboard needs and prints the report.
///
/// # Errors
/// The program itself fails. A failed check is part of the report and makes exit code 1.
pub fn run(flags: &Flags, output: &OutputFlags) -> eyre::Result<ExitCode> {
    let runtime = runtime()?;
    let report = runtime.block_on(check_all(flags, variable::from_process));
    // A lookup or a disk that never answers must not keep the process from ending.
    runtime.shutdown_background();
    let text = if output.json {
        report.json()
    } else {
        let is_terminal = stdout().is_terminal();
        let columns = if is_terminal { usize::from(platform::size().0).min(100) } else { 80 };
        report.text(columns, is_terminal && !is_colour_off())
    };
    Ok(print_result(&text, if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

/// Checks everything that the dashboard needs with these flags and this environment.
pub async fn check_all(flags: &Flags, env: fn(&str) -> Option<String>) -> DoctorReport {
    let mut checks = Vec::new();
    let (config, check) = configuration(flags, env).await;
    checks.push(check);
    match config::state_dir(flags.state_dir.as_deref(), env) {
        Ok(path) => checks.extend(run_blocking("state-folder", "state folder", move || folder::checks(&path)).await),
        Err(problem) => checks.push(Check::new("state-folder", "state folder").failed(problem)),
    }
    checks.extend(terminal::checks(env));
    let anonymizer = Anonymizer::new(env("HOME"), ["USER", "LOGNAME"].map(env));
    let Some((config, trust)) = config else {
        checks.extend(network::not_tried("the configuration cannot be used"));
        return DoctorReport::new(None, checks, &anonymizer);
    };
    let (subject, started) = match config.target {
        Target::Service(service) => {
            let subject = format!("tenant {} at {}", visible(&service.tenant.id), service.base_url);
            let anonymizer = anonymizer.with_tenant(&service.tenant.id);
            checks.extend(network::checks(&service, &trust).await);
            return DoctorReport::new(Some((subject, false)), checks, &anonymizer);
        }
        Target::Practice => ("the practice tenant".to_owned(), start_practice(config.practice.rules.as_deref()).await),
    };
    match started {
        Ok(service) => checks.extend(network::checks(&service, &trust).await),
        Err(problem) => {
            checks.push(Check::new("practice", "practice tenant").failed(problem));
            checks.extend(network::not_tried("the practice tenant could not be started"));
        }
    }
    DoctorReport::new(Some((subject, true)), checks, &anonymizer.with_tenant(practice::TENANT_ID))
}

async fn configuration(flags: &Flags, env: fn(&str) -> Option<String>) -> (Option<(Config, Trust)>, Check) {
    let check = Check::new("configuration", "configuration");
    let flags = flags.clone();
    let read = tokio::task::spawn_blocking(move || load(&flags, env));
    match tokio::time::timeout(STEP_TIMEOUT, read).await {
        Ok(Ok(Ok((config, trust, source)))) => {
            let check = check.ok_with_warnings(source, &config.warnings);
            (Some((config, trust)), check)
        }
        Ok(Ok(Err(error))) => (None, check.failed_with_all(error.problems())),
        Ok(Err(_)) | Err(_) => (None, check.failed(disk_timeout())),
    }
}

/// Loads all settings, and returns them with a sentence on where they are from.
fn load(flags: &Flags, env: fn(&str) -> Option<String>) -> Result<(Config, Trust, String), ConfigError> {
    let mut config = config::load(flags, env)?;
    config.warnings.extend(variable::warnings());
    Keymap::new(&config.keys)?;
    settings(&config.state_dir, false, config.practice.rules.as_deref())?;
    let ca_file = match &config.target {
        Target::Service(service) => service.ca_file.as_deref(),
        Target::Practice => None,
    };
    let trust = Trust::with_file(ca_file)?;
    let source = match config::settings_file(flags, env) {
        Ok(path) if path.is_file() => format!("{} and the environment can be used", display_path(&path)),
        _ => "there is no settings file; the environment and the defaults can be used".to_owned(),
    };
    Ok((config, trust, source))
}

/// Starts the practice tenant in memory. It ends with the runtime.
async fn start_practice(rules: Option<&Path>) -> Result<ServiceSettings, Problem> {
    let settings = practice::Settings { keep: None, ..settings(Path::new(""), false, rules)? };
    let practice = bind((Ipv4Addr::LOCALHOST, 0).into(), settings).await?;
    let service = service(&practice)?;
    tokio::spawn(practice.serve());
    Ok(service)
}
