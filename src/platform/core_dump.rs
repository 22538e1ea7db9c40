//! Disables core dumps: a token is in memory, and a core file would put it on a disk.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Keeps a crash from leaving a core file and, on Linux, other programs of this user from reading the memory. Programs that
/// are started from here leave no core files either, unless they raise the limit.
pub fn disable_core_dumps() {
    let limit = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    if let Err(error) = setrlimit(Resource::Core, limit) {
        tracing::warn!(%error, "failed to disable core files");
    }
    // The limit does not apply to a program that reads cores from a pipe; this does.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "failed to protect the memory of this process");
    }
}
