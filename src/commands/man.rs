//! `mmd-elevate man`: prints the man page, or writes one for each command, made of the definition of the command line.

use std::{fs, io, path::Path, process::ExitCode};

use clap::CommandFactory as _;

use crate::{
    cli::{Cli, ManArgs},
    config::{self, variable},
    exit::Exit,
    output::{fail, print_result},
};
use mmd_elevate_core::{Problem, visible};

/// Prints the page of the program, or writes all pages to the folder, and returns the exit code.
#[must_use]
pub fn run(args: &ManArgs) -> ExitCode {
    let folder = match config::expand_path("man", args.dir.as_deref(), variable::from_process) {
        Ok(folder) => folder,
        Err(problem) => return fail(Exit::Usage, &problem),
    };
    let result = match &folder {
        Some(folder) => write(folder),
        None => page().map(|page| print_result(&page, ExitCode::SUCCESS)),
    };
    result.unwrap_or_else(|error| {
        let folder = folder.unwrap_or_default();
        let what = format!("failed to write man pages to {}: {error}", visible(&folder.to_string_lossy()));
        fail(Exit::Failed, &Problem::new(what, "name a folder that you may write to"))
    })
}

fn page() -> io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn write(folder: &Path) -> io::Result<ExitCode> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    let text = format!("Wrote a page for each command to {}.\n", visible(&folder.to_string_lossy()));
    Ok(print_result(&text, ExitCode::SUCCESS))
}
