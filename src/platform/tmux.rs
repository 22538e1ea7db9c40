//! Copying inside tmux, which keeps a buffer of its own and, by itself, hands no copy of a program on.

use std::{env, time::Duration};

use mmd_elevate_engine::process::feed_detached;

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(1);

/// What tmux did with a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InTmux {
    /// It is in the buffer that `prefix ]` pastes, and was sent on to the terminal.
    SentOn,
    /// It is in the buffer alone.
    Buffer,
}

/// Whether the terminal is a tmux.
pub(crate) fn is_in_tmux() -> bool {
    env::var_os("TMUX").is_some_and(|socket| !socket.is_empty())
}

/// Gives tmux a text. `None` where tmux cannot be asked or does not take it.
pub(crate) async fn copy_in_tmux(text: &str) -> Option<InTmux> {
    tokio::time::timeout(LIMIT, copy(text)).await.ok()?
}

async fn copy(text: &str) -> Option<InTmux> {
    let printed = feed_detached("tmux", &["show-options", "-sv", "set-clipboard"], "", LIMIT).await.ok()?;
    let is_off = printed.stdout.trim_ascii() == b"off";
    // An old tmux has no -w.
    if !is_off && load(&["load-buffer", "-w", "-"], text).await.is_some() {
        return Some(InTmux::SentOn);
    }
    load(&["load-buffer", "-"], text).await.map(|()| InTmux::Buffer)
}

async fn load(arguments: &[&str], text: &str) -> Option<()> {
    let printed = feed_detached("tmux", arguments, text, LIMIT).await.ok()?;
    printed.status.success().then_some(())
}
