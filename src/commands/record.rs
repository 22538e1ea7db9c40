//! `mmd-elevate record`: looking after the record on disk.

use std::process::ExitCode;

use color_eyre::eyre::{self, WrapErr as _};
use jiff::{SignedDuration, Timestamp};
use mmd_elevate_core::visible;
use mmd_elevate_engine::record;

use crate::{
    cli::{Flags, PurgeArgs},
    config::{self, variable},
    output::{finish, refuse},
};

/// Deletes what is settled and old.
///
/// # Errors
/// Where the program itself fails; what the user can mend is told, with exit code 1.
pub fn purge(args: &PurgeArgs, flags: &Flags) -> eyre::Result<ExitCode> {
    let folder = match config::state_dir(flags.state_dir.as_deref(), variable::of_process) {
        Ok(folder) => folder,
        Err(error) => return Ok(refuse(error, None)),
    };
    let age = SignedDuration::from_hours(24 * i64::from(args.older_than));
    let before = Timestamp::now().saturating_sub(age).wrap_err("failed to reckon the day")?;
    match record::purge(&folder, before) {
        Ok(purged) => {
            let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
            let (writes, requests) =
                (counted(purged.intents, "settled write"), counted(purged.requests, "closed request"));
            let folder = folder.to_string_lossy();
            let text = format!("Deleted {writes} and {requests} of the record in {}.\n", visible(&folder));
            Ok(finish(&text, ExitCode::SUCCESS))
        }
        Err(error) => Ok(refuse(format!("failed to {error}"), Some(error.hint()))),
    }
}
