//! No core files: a token is in memory, and a core would put it on a disk.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Has a crash leave no core file, and on Linux no other program of this user's look into the memory. Programs that are
/// started from here leave no cores either, unless they raise the limit again.
pub fn forbid_core_files() {
    let limit = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    if let Err(error) = setrlimit(Resource::Core, limit) {
        tracing::warn!(%error, "core files are not forbidden");
    }
    // A limit does not bind a program that takes cores from a pipe; this does.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the memory of this process is not closed to others");
    }
}
