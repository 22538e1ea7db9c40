//! Reads the command line, installs the hooks and runs the command.

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdout},
    process::ExitCode,
};

use color_eyre::{
    config::HookBuilder,
    eyre::{self, WrapErr as _},
};
use mmd_elevate::{
    cli::{Cli, CliCommand, RecordArgs, RecordCommand},
    commands,
    output::{complain, finish, no_colour},
    platform,
};
use mmd_elevate_engine::redact::redact;

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
            complain(&error.render().to_string());
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
        Some(CliCommand::Practice(args)) => commands::practice::run(&args, flags),
        Some(CliCommand::Record(RecordArgs { command: RecordCommand::Purge(args) })) => {
            commands::record::purge(&args, flags)
        }
        Some(CliCommand::Doctor(args)) => commands::doctor::run(&args, flags),
        None => commands::dashboard::run(flags),
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
