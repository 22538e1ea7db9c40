//! `mmd-elevate completions`: prints the completions for a shell, made of the definition of the command line.

use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::{
    cli::{Cli, CompletionsArgs},
    output::print_result,
};

/// Prints the completions and returns the exit code.
#[must_use]
pub fn run(args: CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mmd-elevate", &mut script);
    print_result(&String::from_utf8_lossy(&script), ExitCode::SUCCESS)
}
