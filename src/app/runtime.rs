//! The runtime of everything that runs beside the loop. It never waits for a task when the loop has ended.

use tokio::runtime::{Handle, Runtime};

/// Runs the worker's calls and the editor. Dropping it waits for none of them, however the loop ended: the agent was warned
/// about running calls, and a call that hangs must not keep a program from ending that panicked.
#[derive(Debug)]
pub struct BackgroundRuntime {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl BackgroundRuntime {
    /// Takes over the runtime.
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        Self { handle: runtime.handle().clone(), runtime: Some(runtime) }
    }

    /// Returns the handle for spawning and blocking.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for BackgroundRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
