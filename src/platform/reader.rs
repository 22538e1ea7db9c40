//! Bytes from the terminal: waits for them with a time limit, reads them, and can be woken. It never interprets them.

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

/// What [`Waker::wake`] writes. The signal handler writes another byte.
const WAKE: u8 = b'w';

/// Reads standard input for the one thread that may.
#[derive(Debug)]
pub(crate) struct TerminalReader {
    woken: UnixStream,
}

/// Ends a wait of the [`TerminalReader`] from another thread. A wake-up is kept until the next wait.
#[derive(Debug)]
pub(crate) struct Waker(UnixStream);

/// What a wait has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// How many bytes are in the buffer; none where the time ran out or the thread was woken.
    pub(crate) bytes: usize,
    /// Whether the terminal says that its size has changed.
    pub(crate) resized: bool,
}

/// Makes a reader and what wakes it, and watches for changes of the terminal's size from now on.
///
/// # Errors
/// Where the system has no descriptors or handlers left.
pub(crate) fn terminal_reader() -> io::Result<(TerminalReader, Waker)> {
    let (woken, wakes) = UnixStream::pair()?;
    woken.set_nonblocking(true)?;
    wakes.set_nonblocking(true)?;
    pipe::register(SIGWINCH, wakes.try_clone()?)?;
    Ok((TerminalReader { woken }, Waker(wakes)))
}

impl Waker {
    /// Ends the wait that is under way, or else the next one.
    pub(crate) fn wake(&self) {
        // A pipe that is full wakes as well.
        let _ = (&self.0).write(&[WAKE]);
    }
}

impl TerminalReader {
    /// Waits for bytes, for as long as `limit` says, and reads what is there. Without a limit it sleeps in the kernel
    /// until something happens.
    ///
    /// # Errors
    /// Where the terminal is gone or cannot be read.
    pub(crate) fn read(&self, buffer: &mut [u8], limit: Option<Duration>) -> io::Result<Arrival> {
        let input = stdin();
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let mut watched = [PollFd::new(&input, PollFlags::IN), PollFd::new(&self.woken, PollFlags::IN)];
        match poll(&mut watched, limit.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Arrival::default()),
            Err(error) => return Err(error.into()),
        }
        let [input_has, woken] = watched.map(|watched| watched.revents());
        if !woken.is_empty() {
            // What has come stays for the next wait: the thread may have been woken so that another program reads it.
            return Ok(Arrival { bytes: 0, resized: self.drain() });
        }
        if input_has.is_empty() {
            return Ok(Arrival::default());
        }
        match rustix::io::read(input, buffer) {
            Ok(0) if input_has.intersects(PollFlags::HUP | PollFlags::ERR) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => Ok(Arrival { bytes, resized: false }),
            // Another program may have left the terminal non-blocking and read from it since.
            Err(Errno::AGAIN | Errno::INTR) => Ok(Arrival::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes all wake-ups, and says whether one of them was a change of the terminal's size.
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
    fn wake_before_the_wait_is_kept_and_is_no_change_of_size() {
        let (reader, waker) = terminal_reader().unwrap();
        waker.wake();
        waker.wake();
        assert_eq!(reader.read(&mut [0; 16], None).unwrap(), Arrival::default());
        signal_hook::low_level::raise(SIGWINCH).unwrap();
        assert_eq!(reader.read(&mut [0; 16], None).unwrap(), Arrival { bytes: 0, resized: true });
    }
}
