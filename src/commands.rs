//! The dashboard and the subcommands, one file for each. A command prints only through [`crate::output`].

pub mod close;
pub mod completions;
pub mod config;
pub mod create;
pub mod dashboard;
pub mod doctor;
pub mod list;
pub mod man;
pub mod practice;
pub mod record;
pub mod report;
pub mod resolve;
pub mod show;
mod table;
pub mod template;
pub mod tenant;
pub mod texts;
pub mod untold;
pub mod write_result;

use color_eyre::eyre::{self, WrapErr as _};
use tokio::runtime::Runtime;

/// Starts the runtime on which everything runs that waits. One thread is enough: nothing on it blocks, and each thread
/// costs CPU and memory at the start.
fn runtime() -> eyre::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().wrap_err("failed to start the runtime")
}
