//! Programs that run beside the dashboard, without its terminal.
//!
//! Such a program has a session of its own (`setsid`), so that it has no controlling terminal: opening `/dev/tty` fails,
//! and it can neither prompt behind the screen nor read what is typed. Its standard input is empty. A program that
//! opens the terminal's device by its own name (`/dev/pts/3`) is not stopped by this.

use std::{
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

/// The most that is read of what a program prints, in bytes.
pub const MOST_PRINTED: usize = 64 << 10;

/// What a program has printed, and how it ended.
pub struct Printed {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
}

/// Why a program came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum DetachedError {
    /// It could not be started.
    #[error("it could not be started")]
    NotStarted(#[source] io::Error),
    /// It ran for longer than it was given.
    #[error("it did not end in time")]
    TimedOut,
    /// It printed more than [`MOST_PRINTED`].
    #[error("it printed too much")]
    TooMuch,
    /// What it printed could not be read.
    #[error("it could not be read")]
    Unreadable(#[source] io::Error),
}

/// The program and what it has started. Dropped, all of it that stayed in its process group is killed: what has made a
/// session of its own is out of reach.
struct Group(Box<dyn ChildWrapper>);

impl Drop for Group {
    fn drop(&mut self) {
        // There is nobody left to kill where it has ended in order.
        let _ = self.0.start_kill();
    }
}

/// Runs a program to its end: an argument vector, never a shell. Dropping the future kills the program.
///
/// # Errors
/// Says why.
pub async fn run_detached(
    program: &str,
    arguments: &[String],
    environment: &[(&str, &str)],
    limit: Duration,
) -> Result<Printed, DetachedError> {
    let mut command = CommandWrap::with_new(program, |command| {
        command.args(arguments).envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    });
    command.wrap(ProcessSession);
    let mut group = Group(command.spawn().map_err(DetachedError::NotStarted)?);
    tokio::time::timeout(limit, listen(&mut group)).await.map_err(|_| DetachedError::TimedOut)?
}

/// The same for a program that reads a text from its standard input.
///
/// # Errors
/// Says why.
pub async fn feed_detached(
    program: &str,
    arguments: &[&str],
    text: &str,
    limit: Duration,
) -> Result<Printed, DetachedError> {
    let mut command = CommandWrap::with_new(program, |command| {
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    });
    command.wrap(ProcessSession);
    let mut group = Group(command.spawn().map_err(DetachedError::NotStarted)?);
    let input = group.0.stdin().take();
    let feed = async {
        if let Some(mut input) = input {
            // One that does not read all of it says so by its status.
            let _ = input.write_all(text.as_bytes()).await;
        }
    };
    let run = async { tokio::join!(feed, listen(&mut group)).1 };
    tokio::time::timeout(limit, run).await.map_err(|_| DetachedError::TimedOut)?
}

async fn listen(group: &mut Group) -> Result<Printed, DetachedError> {
    let (stdout, stderr) = (group.0.stdout().take(), group.0.stderr().take());
    let reads = async { tokio::try_join!(bounded(stdout), bounded(stderr)) };
    tokio::pin!(reads);
    // Something that it left running may hold its output open for ever: with the program itself all of it ends.
    let (status, read) = tokio::select! {
        read = &mut reads => {
            let read = read?;
            (group.0.wait().await, read)
        }
        status = group.0.wait() => {
            let _ = group.0.start_kill();
            (status, reads.await?)
        }
    };
    let status = status.map_err(DetachedError::Unreadable)?;
    // What it said on standard error is read to let it go on, and forgotten: secrets may be in it.
    Ok(Printed { status, stdout: read.0 })
}

async fn bounded(from: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, DetachedError> {
    let Some(from) = from else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_PRINTED).unwrap_or(u64::MAX);
    from.take(most + 1).read_to_end(&mut bytes).await.map_err(DetachedError::Unreadable)?;
    if bytes.len() > MOST_PRINTED { Err(DetachedError::TooMuch) } else { Ok(bytes) }
}
