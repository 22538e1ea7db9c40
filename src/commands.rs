//! What a person can run: the dashboard, and one file for each subcommand.

pub mod dashboard;
pub mod doctor;
pub mod practice;
pub mod record;

use color_eyre::eyre::{self, WrapErr as _};
use tokio::runtime::Runtime;

fn runtime() -> eyre::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().wrap_err("failed to start the runtime")
}
