//! `mmd-elevate record`: maintains the record on disk. It never deletes what is open or unresolved.

use std::process::ExitCode;

use color_eyre::eyre::{self, WrapErr as _};
use jiff::{SignedDuration, Timestamp};
use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::record;

use crate::{
    cli::{Flags, PurgeArgs},
    config::{self, variable},
    exit::Exit,
    output::{fail, print_result},
};

/// Deletes settled entries that are older than the arguments say.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn purge(args: &PurgeArgs, flags: &Flags) -> eyre::Result<ExitCode> {
    let folder = match config::state_dir(flags.state_dir.as_deref(), variable::from_process) {
        Ok(folder) => folder,
        Err(problem) => return Ok(fail(Exit::Unusable, &problem)),
    };
    let age = SignedDuration::from_hours(24 * i64::from(args.older_than));
    let before = Timestamp::now().saturating_sub(age).wrap_err("failed to compute the date")?;
    match record::purge(&folder, before) {
        Ok(purged) => {
            let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
            let (writes, requests) =
                (counted(purged.writes, "settled write"), counted(purged.requests, "closed request"));
            let folder = folder.to_string_lossy();
            let text = format!("Deleted {writes} and {requests} of the record in {}.\n", visible(&folder));
            Ok(print_result(&text, ExitCode::SUCCESS))
        }
        Err(error) => Ok(fail(Exit::Unusable, &Problem::new(format!("failed to {error}"), error.hint()))),
    }
}
