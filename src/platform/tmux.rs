//! Copies text inside tmux, which has a buffer of its own and by default passes no copy of a program on to the terminal.

use std::{env, time::Duration};

use mmd_elevate_engine::process::run_detached_with_input;

/// How long a copy may take.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Where tmux put a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TmuxCopy {
    /// In the buffer that `prefix ]` pastes, and in the terminal's clipboard.
    BufferAndTerminal,
    /// In the buffer only.
    Buffer,
}

/// Returns whether the program runs inside tmux.
pub(crate) fn is_in_tmux() -> bool {
    env::var_os("TMUX").is_some_and(|socket| !socket.is_empty())
}

/// Copies a text. Returns `None` if tmux cannot be reached or does not take it.
pub(crate) async fn copy_in_tmux(text: &str) -> Option<TmuxCopy> {
    tokio::time::timeout(TIMEOUT, copy(text)).await.ok()?
}

async fn copy(text: &str) -> Option<TmuxCopy> {
    let output = run_detached_with_input("tmux", &["show-options", "-sv", "set-clipboard"], "", TIMEOUT).await.ok()?;
    let is_off = output.stdout.trim_ascii() == b"off";
    // Old versions of tmux have no -w.
    if !is_off && load(&["load-buffer", "-w", "-"], text).await.is_some() {
        return Some(TmuxCopy::BufferAndTerminal);
    }
    load(&["load-buffer", "-"], text).await.map(|()| TmuxCopy::Buffer)
}

async fn load(arguments: &[&str], text: &str) -> Option<()> {
    let output = run_detached_with_input("tmux", arguments, text, TIMEOUT).await.ok()?;
    output.status.success().then_some(())
}
