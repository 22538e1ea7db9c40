//! Reads bytes from the terminal: waits for them with a time limit, and can be woken. It never interprets them.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    stdio::stdin,
};
use signal_hook::{consts::SIGWINCH, low_level::pipe};

/// The byte that [`Waker::wake`] writes. The signal handler writes another one.
const WAKE: u8 = b'w';

/// Reads standard input. Only one thread may do so.
#[derive(Debug)]
pub(crate) struct TerminalReader {
    woken: UnixStream,
}

/// Ends a wait of the [`TerminalReader`] from another thread. A wake-up lasts until the next wait.
#[derive(Debug)]
pub(crate) struct Waker(UnixStream);

/// The result of a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadOutcome {
    /// How many bytes are in the buffer: none if the time ran out or the thread was woken.
    pub(crate) bytes: usize,
    /// Whether the size of the terminal has changed.
    pub(crate) resized: bool,
}

/// Makes a reader and its waker, and watches for changes of the terminal's size from now on.
///
/// # Errors
/// The system has no descriptors or signal handlers left.
pub(crate) fn terminal_reader() -> io::Result<(TerminalReader, Waker)> {
    let (woken, wakes) = UnixStream::pair()?;
    woken.set_nonblocking(true)?;
    wakes.set_nonblocking(true)?;
    pipe::register(SIGWINCH, wakes.try_clone()?)?;
    Ok((TerminalReader { woken }, Waker(wakes)))
}

impl Waker {
    /// Ends the current wait, or else the next one.
    pub(crate) fn wake(&self) {
        // A full pipe wakes the reader too.
        let _ = (&self.0).write(&[WAKE]);
    }
}

impl TerminalReader {
    /// Waits for bytes, at most for `limit`, and reads those that are there. Without a limit it sleeps until something
    /// happens.
    ///
    /// # Errors
    /// The terminal is gone or cannot be read.
    pub(crate) fn read(&self, buffer: &mut [u8], limit: Option<Duration>) -> io::Result<ReadOutcome> {
        let input = stdin();
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let mut watched = [PollFd::new(&input, PollFlags::IN), PollFd::new(&self.woken, PollFlags::IN)];
        match poll(&mut watched, limit.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(ReadOutcome::default()),
            Err(error) => return Err(error.into()),
        }
        let [input_events, wake_events] = watched.map(|watched| watched.revents());
        if !wake_events.is_empty() {
            // The bytes are left for the next wait: the thread may have been woken so that another program reads them.
            return Ok(ReadOutcome { bytes: 0, resized: self.drain() });
        }
        if input_events.is_empty() {
            return Ok(ReadOutcome::default());
        }
        match rustix::io::read(input, buffer) {
            Ok(0) if input_events.intersects(PollFlags::HUP | PollFlags::ERR) => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Ok(bytes) => Ok(ReadOutcome { bytes, resized: false }),
            // Another program may have left the terminal non-blocking and read from it since.
            Err(Errno::AGAIN | Errno::INTR) => Ok(ReadOutcome::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes all wake-ups, and returns whether one of them was a change of the terminal's size.
    fn drain(&self) -> bool {
        let (mut resized, mut bytes) = (false, [0; 64]);
        while let Ok(count @ 1..) = (&self.woken).read(&mut bytes) {
            resized |= bytes[..count].iter().any(|byte| *byte != WAKE);
        }
        resized
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wake_before_the_wait_ends_it_without_a_change_of_size() {
        let (reader, waker) = terminal_reader().unwrap();
        waker.wake();
        waker.wake();
        assert_eq!(reader.read(&mut [0; 16], None).unwrap(), ReadOutcome::default());
        signal_hook::low_level::raise(SIGWINCH).unwrap();
        assert_eq!(reader.read(&mut [0; 16], None).unwrap(), ReadOutcome { bytes: 0, resized: true });
    }
}
