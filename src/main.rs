//! Reads the command line, installs the error hooks and runs the command.

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdout},
    process::ExitCode,
};

use color_eyre::{
    config::HookBuilder,
    eyre::{self, WrapErr as _},
};
use mmd_elevate::{
    cli::{Cli, CliCommand, usage_problem},
    commands,
    exit::Exit,
    output::{Output, fail, is_colour_off, print_error, print_result, turn_colour_off},
    platform,
};
use mmd_elevate_engine::redact::redact;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = stderr().write_all(redact(&format!("Error: {error:?}\n")).as_bytes());
        ExitCode::FAILURE
    })
}

fn run() -> eyre::Result<ExitCode> {
    platform::disable_core_dumps();
    platform::handle_file_size_limit()
        .wrap_err("failed to install a signal handler for the limit on the size of files")?;
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            return Ok(if let Some(problem) = usage_problem(&error) {
                fail(Exit::Usage, &problem)
            } else {
                print_error(&error.render().to_string());
                Exit::Usage.into()
            });
        }
        Err(help) => {
            let (help, is_terminal) = (help.render(), stdout().is_terminal());
            let text = if is_terminal && !is_colour_off() { help.ansi().to_string() } else { help.to_string() };
            return Ok(print_result(&text, ExitCode::SUCCESS));
        }
    };
    if cli.output.no_color {
        turn_colour_off();
    }
    install_error_hooks()?;
    let flags = &cli.flags;
    match cli.command {
        Some(CliCommand::Practice(args)) => commands::practice::run(&args, flags),
        Some(CliCommand::Record(args)) => commands::record::run(&args, flags, Output::new(&cli.output)),
        Some(CliCommand::Create(args)) => commands::create::run(&args, flags, Output::new(&cli.output)),
        Some(CliCommand::Close(args)) => commands::close::run(&args, flags, Output::new(&cli.output)),
        Some(CliCommand::Resolve(args)) => commands::resolve::run(&args, flags, Output::new(&cli.output)),
        Some(CliCommand::Config(args)) => Ok(commands::config::run(&args, flags, Output::new(&cli.output))),
        Some(CliCommand::Template(args)) => Ok(commands::template::run(&args, flags, Output::new(&cli.output))),
        Some(CliCommand::Completions(args)) => Ok(commands::completions::run(args)),
        Some(CliCommand::Man(args)) => Ok(commands::man::run(&args)),
        Some(CliCommand::Report(args)) => commands::report::run(&args, flags, Output::new(&cli.output)),
        Some(CliCommand::List(args)) => commands::list::run(args, flags, Output::new(&cli.output)),
        Some(CliCommand::Show(args)) => commands::show::run(args, flags, Output::new(&cli.output)),
        Some(CliCommand::Doctor) => commands::doctor::run(flags, &cli.output),
        None => commands::dashboard::run(flags),
    }
}

/// Installs the reports of errors and panics, which leave secrets out.
fn install_error_hooks() -> eyre::Result<()> {
    let (panics, errors) = HookBuilder::default().into_hooks();
    errors.install()?;
    std::panic::set_hook(Box::new(move |info| {
        let report = format!("{}\n", panics.panic_report(info));
        let _ = stderr().write_all(redact(&report).as_bytes());
    }));
    Ok(())
}
