//! What runs beside the loop.

use tokio::runtime::{Handle, Runtime};

/// The runtime of the worker's calls and of the editor. When the loop has ended, however it ended, nothing of that is
/// waited for: who left was told of calls under way, and a call that hangs must not keep a program that panicked.
#[derive(Debug)]
pub struct Background {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Background {
    /// Takes charge of ending it.
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        Self { handle: runtime.handle().clone(), runtime: Some(runtime) }
    }

    /// What spawns and blocks on it.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
