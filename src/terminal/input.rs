//! The input thread: reads bytes from the terminal and sends batches of inputs. What the bytes mean is for [`Parser`].

mod gate;
mod key;
mod parser;
mod paste;
mod reply;
mod sequence;
mod state;

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossterm::event::{KeyEvent, KeyEventKind, MouseEvent};
use gate::Gate;
pub use parser::Parser;
pub use reply::TerminalReply;
use tokio::sync::mpsc::Sender;

use crate::platform::{self, TerminalReader, Waker};
use mmd_elevate_engine::failpoint;

/// The name of the thread. A panic in it ends the program.
pub(super) const THREAD_NAME: &str = "input";
/// A read of at least this many bytes is followed by another one: terminals send a long text in parts.
const LONG_READ: usize = 128;
/// How long the next part of a long text may take to belong to the same batch.
const PART_TIMEOUT: Duration = Duration::from_micros(100);
/// A batch is sent when it has this many inputs or this age, so that a flood of input does not stop the screen.
const MAX_INPUTS: usize = 65_536;
const MAX_AGE: Duration = Duration::from_millis(20);
/// How long parking waits for the thread.
const PARK_TIMEOUT: Duration = Duration::from_millis(250);
/// How many bytes are read at once. The kernel buffers no more for a terminal.
const BUFFER_SIZE: usize = 4_096;

/// An input of the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed or repeats.
    Key(KeyEvent),
    /// A paste: untrusted text with any line ends and control characters. A long one comes in parts.
    Paste(String),
    /// The size of the terminal, in columns and rows, has changed.
    Resize(u16, u16),
    /// A mouse report. They may come although the program has not switched them on.
    Mouse(MouseEvent),
    /// The terminal's window got the focus, or lost it.
    Focus(bool),
    /// The terminal replied to a query.
    Reply(TerminalReply),
    /// The terminal sends bytes that are not UTF-8. This is reported once.
    NotUtf8,
}

/// The inputs of one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputBatch {
    /// When the first of them was read.
    pub at: Instant,
    /// The inputs, in the order in which they came.
    pub inputs: Vec<Input>,
}

/// Reads the terminal as long as the process lives. The thread is never joined, because it sleeps in the kernel.
#[derive(Debug)]
pub struct InputThread {
    gate: Arc<Gate>,
    waker: Waker,
}

impl InputThread {
    /// Starts the thread. The channel closes when the thread ends by an error or a panic.
    ///
    /// # Errors
    /// The system has no thread, descriptor or signal handler left.
    pub fn start(batches: Sender<InputBatch>) -> io::Result<Self> {
        let gate = Arc::new(Gate::default());
        let thread_gate = Arc::clone(&gate);
        let (reader, waker) = platform::terminal_reader()?;
        thread::Builder::new().name(THREAD_NAME.into()).spawn(move || {
            if let Err(error) = read_batches(&thread_gate, &reader, &batches) {
                tracing::error!(%error, "failed to read the terminal");
            }
        })?;
        Ok(Self { gate, waker })
    }

    /// Keeps the thread from reading, so that another program gets the keys. Returns whether it has stopped in time.
    #[must_use]
    pub fn park(&self) -> bool {
        self.gate.close(PARK_TIMEOUT, || self.waker.wake())
    }

    /// Lets the thread read again.
    pub fn unpark(&self) {
        self.gate.open();
    }
}

fn read_batches(gate: &Gate, reader: &TerminalReader, batches: &Sender<InputBatch>) -> io::Result<()> {
    let mut parser = Parser::default();
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        // The rest of a sequence may have gone to another program.
        let flushed = if gate.enter() { parser.flush() } else { Vec::new() };
        let batch = read_batch(reader, &mut parser, &mut buffer, flushed);
        gate.leave();
        let batch = batch?;
        if batch.inputs.is_empty() {
            continue;
        }
        failpoint::panic_if_asked("input");
        if batches.blocking_send(batch).is_err() {
            return Ok(());
        }
    }
}

/// Waits for the first bytes, a change of size or the parser's deadline, and then reads all bytes that are there.
fn read_batch(
    reader: &TerminalReader,
    parser: &mut Parser,
    buffer: &mut [u8],
    mut inputs: Vec<Input>,
) -> io::Result<InputBatch> {
    let limit = match parser.deadline() {
        _ if !inputs.is_empty() => Some(Duration::ZERO),
        deadline => deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
    };
    let mut outcome = reader.read(buffer, limit)?;
    let at = Instant::now();
    let mut resized = outcome.resized;
    while outcome.bytes > 0 {
        inputs.append(&mut parser.feed(&buffer[..outcome.bytes], Instant::now()));
        if inputs.len() >= MAX_INPUTS || at.elapsed() >= MAX_AGE {
            break;
        }
        let timeout = if outcome.bytes >= LONG_READ { PART_TIMEOUT } else { Duration::ZERO };
        // The next batch returns the error of a terminal that is gone; the inputs before it are sent first.
        outcome = reader.read(buffer, Some(timeout)).unwrap_or_default();
        resized |= outcome.resized;
    }
    inputs.append(&mut parser.idle(Instant::now()));
    if resized {
        // Sent even if the size is the same: only the loop knows the size for which it has drawn.
        let (columns, rows) = platform::size();
        inputs.push(Input::Resize(columns, rows));
    }
    Ok(InputBatch { at, inputs: without_releases(inputs) })
}

/// Removes key releases, which the program does not use.
fn without_releases(mut inputs: Vec<Input>) -> Vec<Input> {
    inputs.retain(|input| !matches!(input, Input::Key(key) if key.kind == KeyEventKind::Release));
    inputs
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    #[test]
    fn key_releases_are_removed() {
        let key = |kind| Input::Key(KeyEvent::new_with_kind(KeyCode::Char('a'), KeyModifiers::NONE, kind));
        let [press, release, repeat] = [KeyEventKind::Press, KeyEventKind::Release, KeyEventKind::Repeat].map(key);
        assert_eq!(without_releases(vec![press.clone(), release, repeat.clone()]), [press, repeat]);
    }
}
