//! `mmd-elevate doctor`: what may be wrong, found out before anybody has to guess: a list of checks, each with a verdict and what to do.
//!
//! It changes nothing: no folder is made, and the practice tenant that it starts lives in memory. It returns data;
//! printing is for `main`. Nothing secret or personal is in it ([`Discretion`]), so that it can be pasted into a ticket.

mod discretion;
mod folder;
mod network;
mod report;
mod terminal;

use std::{
    io::{IsTerminal as _, stdout},
    net::Ipv4Addr,
    process::ExitCode,
    time::Duration,
};

use color_eyre::eyre;

pub use discretion::Discretion;
pub use report::{Check, Report, Verdict};

use super::runtime;
use crate::{
    app::practice_sign_in,
    cli::{DoctorArgs, Flags},
    config::{self, Config, ServiceSettings, Target, TenantProfile, variable},
    keys::Keymap,
    output::{finish, no_colour},
    platform,
};
use mmd_elevate_core::visible;
use mmd_elevate_engine::http::{BaseUrl, Trust};
use mmd_elevate_practice::{self as practice, Practice};

/// How long one step may take. There are fewer than ten, so the whole ends within a minute, whatever hangs.
const STEP: Duration = Duration::from_secs(5);

/// Checks everything that the dashboard needs and prints the report.
///
/// # Errors
/// Where the program itself fails; what the user can mend is told, with exit code 1.
pub fn run(args: &DoctorArgs, flags: &Flags) -> eyre::Result<ExitCode> {
    let runtime = runtime()?;
    let report = runtime.block_on(examine(flags, variable::of_process));
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

/// Checks everything that the dashboard needs, opened with these flags and this environment.
pub async fn examine(flags: &Flags, env: fn(&str) -> Option<String>) -> Report {
    let mut checks = Vec::new();
    let (config, check) = configuration(flags, env).await;
    checks.push(check);
    match config::state_dir(flags.state_dir.as_deref(), env) {
        Ok(path) => checks.extend(in_time("state-folder", "state folder", move || folder::checks(&path)).await),
        Err(error) => checks.push(Check::new("state-folder", "state folder").failed_as(&error.to_string())),
    }
    checks.extend(terminal::checks(env));
    let discretion = Discretion::new(env("HOME"), ["USER", "LOGNAME"].map(env));
    let Some((config, trust)) = config else {
        checks.extend(network::not_tried("the configuration cannot be used"));
        return Report::new(None, checks, &discretion);
    };
    let (subject, served) = match config.target {
        Target::Service(service) => {
            let subject = format!("tenant {} at {}", visible(&service.tenant.id), service.base_url);
            let discretion = discretion.and_tenant(&service.tenant.id);
            checks.extend(network::checks(&service, &trust).await);
            return Report::new(Some((subject, false)), checks, &discretion);
        }
        Target::Practice => ("the practice tenant".to_owned(), practise(&config.practice).await),
    };
    match served {
        Ok(service) => {
            checks.extend(network::checks(&service, &trust).await);
        }
        Err(what) => {
            checks.push(Check::new("practice", "practice tenant").failed(what, "see the log of the dashboard"));
            checks.extend(network::not_tried("the practice tenant could not be started"));
        }
    }
    Report::new(Some((subject, true)), checks, &discretion.and_tenant(practice::TENANT_ID))
}

async fn configuration(flags: &Flags, env: fn(&str) -> Option<String>) -> (Option<(Config, Trust)>, Check) {
    let check = Check::new("configuration", "configuration");
    let asked = flags.clone();
    let read = tokio::task::spawn_blocking(move || load(&asked, env));
    match tokio::time::timeout(STEP, read).await {
        Ok(Ok(Ok((config, trust, from)))) => {
            let check = match &config.doubts[..] {
                [] => check.ok(from),
                doubts => check.doubted(&from, doubts),
            };
            (Some((config, trust)), check)
        }
        Ok(Ok(Err(error))) => (None, check.failed_as(&error)),
        Ok(Err(_)) | Err(_) => (None, check.failed(slow(), SLOW_HINT)),
    }
}

/// The settings, whole and usable, and where they are from; or what is wrong with them, and a hint.
fn load(flags: &Flags, env: fn(&str) -> Option<String>) -> Result<(Config, Trust, String), String> {
    let mut config = config::load(flags, env).map_err(|error| error.to_string())?;
    config.doubts.extend(config::variable::doubts());
    Keymap::new(&config.keys).map_err(|error| format!("{error}\nhint: fix [keys] in the settings file"))?;
    practice::Settings::kept(&config.state_dir, false, config.practice.rules.as_deref())
        .map_err(|error| error.to_string())?;
    let ca_file = match &config.target {
        Target::Service(service) => service.ca_file.as_deref(),
        Target::Practice => None,
    };
    let trust = Trust::with_file(ca_file).map_err(|error| error.to_string())?;
    let from = match config::settings_file(flags, env) {
        Ok(path) if path.is_file() => format!("{} and the environment can be used", shown(&path)),
        _ => "there is no settings file; the environment and the defaults can be used".to_owned(),
    };
    Ok((config, trust, from))
}

/// Starts the practice tenant, in memory. It ends with the runtime.
async fn practise(how: &config::Practice) -> Result<ServiceSettings, String> {
    let rules = how.rules.as_deref().map(practice::Rules::load).transpose().map_err(|error| error.to_string())?;
    let settings = practice::Settings { rules: rules.unwrap_or_default(), ..practice::Settings::default() };
    let practice =
        Practice::bind((Ipv4Addr::LOCALHOST, 0).into(), settings).await.map_err(|error| error.to_string())?;
    let base_url = BaseUrl::parse(&practice.base_url()).map_err(|error| error.to_string())?;
    let sign_in = practice_sign_in(&practice).map_err(|error| error.to_string())?;
    tokio::spawn(practice.serve());
    let tenant = TenantProfile { name: None, id: practice::TENANT_ID.to_owned(), color: None };
    Ok(ServiceSettings { base_url, tenant, ca_file: None, sign_in })
}

/// Checks that touch the disk, which may never answer.
async fn in_time(
    id: &'static str,
    title: &'static str,
    checks: impl FnOnce() -> Vec<Check> + Send + 'static,
) -> Vec<Check> {
    match tokio::time::timeout(STEP, tokio::task::spawn_blocking(checks)).await {
        Ok(Ok(checks)) => checks,
        Ok(Err(_)) | Err(_) => vec![Check::new(id, title).failed(slow(), SLOW_HINT)],
    }
}

const SLOW_HINT: &str = "see whether the disk or the network folder answers";

fn slow() -> String {
    format!("no answer came from the disk within {} s", STEP.as_secs())
}

fn shown(path: &std::path::Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}
