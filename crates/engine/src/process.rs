//! Runs programs without the dashboard's terminal.
//!
//! Such a program has its own session (`setsid`) and so no controlling terminal: opening `/dev/tty` fails, and it can neither
//! prompt on the screen nor read what is typed. A program that opens the device of the terminal by name (`/dev/pts/3`) is not
//! prevented from using it.

use std::{
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

/// The longest output of a program, in bytes.
pub const MAX_OUTPUT: usize = 64 << 10;

/// The output of a program, and how it ended.
pub struct ProgramOutput {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
}

/// Why running a program failed.
#[derive(Debug, thiserror::Error)]
pub enum DetachedError {
    /// It could not be started.
    #[error("it could not be started")]
    NotStarted(#[source] io::Error),
    /// It exceeded its time limit.
    #[error("it did not end in time")]
    TimedOut,
    /// It printed more than [`MAX_OUTPUT`].
    #[error("it printed too much")]
    TooMuch,
    /// Its output could not be read.
    #[error("it could not be read")]
    Unreadable(#[source] io::Error),
}

/// The process group of a program, which is killed on drop. A child that has started its own session is not part of it.
struct ProcessGroup(Box<dyn ChildWrapper>);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // It fails if the group has ended already.
        let _ = self.0.start_kill();
    }
}

/// Runs a program with empty standard input, without a shell. Dropping the future kills the program.
///
/// # Errors
/// The program cannot be started or read, or exceeds a limit.
pub async fn run_detached(
    program: &str,
    arguments: &[String],
    environment: &[(&str, &str)],
    limit: Duration,
) -> Result<ProgramOutput, DetachedError> {
    let mut command = CommandWrap::with_new(program, |command| {
        command.args(arguments).envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    });
    command.wrap(ProcessSession);
    let mut group = ProcessGroup(command.spawn().map_err(DetachedError::NotStarted)?);
    tokio::time::timeout(limit, wait_for_output(&mut group)).await.map_err(|_| DetachedError::TimedOut)?
}

/// Runs a program with a text on its standard input, without a shell. Dropping the future kills the program.
///
/// # Errors
/// The program cannot be started or read, or exceeds a limit.
pub async fn run_detached_with_input(
    program: &str,
    arguments: &[&str],
    text: &str,
    limit: Duration,
) -> Result<ProgramOutput, DetachedError> {
    let mut command = CommandWrap::with_new(program, |command| {
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    });
    command.wrap(ProcessSession);
    let mut group = ProcessGroup(command.spawn().map_err(DetachedError::NotStarted)?);
    let input = group.0.stdin().take();
    let feed = async {
        if let Some(mut input) = input {
            // The exit status shows whether the program has read its input.
            let _ = input.write_all(text.as_bytes()).await;
        }
    };
    let run = async { tokio::join!(feed, wait_for_output(&mut group)).1 };
    tokio::time::timeout(limit, run).await.map_err(|_| DetachedError::TimedOut)?
}

/// Starts a program without input and output, without a shell, and leaves it running, also after this program has ended. Waits
/// until it ends, at most for `limit`. Returns how it ended, or `None` if it still runs.
///
/// # Errors
/// The program cannot be started or waited for.
pub async fn start_detached(
    program: &str,
    arguments: &[String],
    limit: Duration,
) -> Result<Option<ExitStatus>, DetachedError> {
    let mut command = CommandWrap::with_new(program, |command| {
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    });
    command.wrap(ProcessSession);
    let mut child = command.spawn().map_err(DetachedError::NotStarted)?;
    let ended = tokio::time::timeout(limit, child.wait()).await;
    ended.ok().transpose().map_err(DetachedError::Unreadable)
}

async fn wait_for_output(group: &mut ProcessGroup) -> Result<ProgramOutput, DetachedError> {
    let (stdout, stderr) = (group.0.stdout().take(), group.0.stderr().take());
    let reads = async { tokio::try_join!(read_bounded(stdout), read_bounded(stderr)) };
    tokio::pin!(reads);
    // A child that is left running may keep the output open, so the whole group is killed when the program ends.
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
    // Standard error is read so that the program does not block, and discarded: it may hold secrets.
    Ok(ProgramOutput { status, stdout: read.0 })
}

async fn read_bounded(from: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, DetachedError> {
    let Some(from) = from else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_OUTPUT).unwrap_or(u64::MAX);
    from.take(most + 1).read_to_end(&mut bytes).await.map_err(DetachedError::Unreadable)?;
    if bytes.len() > MAX_OUTPUT { Err(DetachedError::TooMuch) } else { Ok(bytes) }
}
