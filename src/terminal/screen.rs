//! The guard: while a [`Screen`] lives, the terminal is ours.

use std::io;

use crossterm::{Command, clipboard::CopyToClipboard};
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc::Sender;

use super::{FrameBackend, Input, InputThread};
use crate::platform::{self, Output};

/// Why the terminal cannot be had. The text fits after "failed to open the dashboard: ".
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// No terminal to draw on.
    #[error("{0} is not a terminal")]
    Missing(&'static str),
    /// The terminal did not take a setting or the bytes of one.
    #[error("the terminal cannot be switched")]
    Switch(#[source] io::Error),
    /// The input thread is in the middle of a key sequence and did not stop reading.
    #[error("the terminal is still reading a key")]
    Reading,
    /// Nobody is there who could continue a stopped program.
    #[error("no shell is there to continue the program")]
    NoShell,
}

impl TerminalError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing(_) => "start it in a terminal, without a pipe or a redirection",
            Self::Switch(_) => "see whether the terminal is still open, and try another one",
            Self::Reading => "press a key and try again",
            Self::NoShell => "start it from a shell to be able to suspend it",
        }
    }
}

/// What the loop needs of a terminal. [`Screen`] is the real one; tests bring theirs.
pub trait Surface {
    /// Draws one frame. While the terminal is suspended nothing is drawn, and the picture is not asked for.
    ///
    /// # Errors
    /// Where the terminal takes no bytes: it is most likely gone.
    fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()>;

    /// Puts text into the clipboard of the terminal's user, by OSC 52. No answer comes: not every terminal does it.
    ///
    /// # Errors
    /// As for `draw`.
    fn copy_to_clipboard(&mut self, text: &str) -> io::Result<()>;

    /// Gives the terminal to another program: no keys are read and nothing is drawn until `resume`.
    ///
    /// # Errors
    /// [`TerminalError::Reading`]; the terminal is still ours then.
    fn suspend(&mut self) -> Result<(), TerminalError>;

    /// Takes the terminal again. The next draw draws all of the frame.
    ///
    /// # Errors
    /// Where the terminal is gone.
    fn resume(&mut self) -> Result<(), TerminalError>;

    /// Suspends, stops the job until the shell continues it, and resumes. Blocks meanwhile.
    ///
    /// # Errors
    /// [`TerminalError::NoShell`] and those of `suspend` leave everything as it is; those of `resume` do not.
    fn stop(&mut self) -> Result<(), TerminalError>;
}

/// The real terminal in raw mode, on the alternate screen. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<FrameBackend<Output>>,
    input: Option<InputThread>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Where there is none, or it does not take its settings; nothing stays switched on then.
    pub fn enter() -> Result<Self, TerminalError> {
        if let Some(stream) = platform::missing_terminal() {
            return Err(TerminalError::Missing(stream));
        }
        // First, so that a failure finds a guard that is complete.
        let terminal = Terminal::new(FrameBackend::new(Output)).map_err(TerminalError::Switch)?;
        platform::take().map_err(TerminalError::Switch)?;
        Ok(Self { terminal, input: None })
    }

    /// Starts to read keys, pastes and resizes; call it once, after the first frame. The channel closes when reading has
    /// failed for good.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub fn read_input(&mut self, batches: Sender<Vec<Input>>) -> io::Result<()> {
        self.input = Some(InputThread::start(batches)?);
        Ok(())
    }

    fn park_input(&self) -> Result<(), TerminalError> {
        if let Some(input) = &self.input
            && !input.park()
        {
            input.unpark();
            return Err(TerminalError::Reading);
        }
        Ok(())
    }

    /// Gives the terminal back now; dropping does the same. What is drawn afterwards goes nowhere.
    pub fn leave(&mut self) {
        platform::give_back();
    }
}

impl Surface for Screen {
    fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if platform::is_ours() {
            self.terminal.draw(picture)?;
        }
        Ok(())
    }

    fn copy_to_clipboard(&mut self, text: &str) -> io::Result<()> {
        let mut sequence = String::new();
        CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence).map_err(io::Error::other)?;
        self.terminal.backend_mut().write_apart(sequence.as_bytes())
    }

    fn suspend(&mut self) -> Result<(), TerminalError> {
        self.park_input()?;
        platform::lend();
        Ok(())
    }

    fn resume(&mut self) -> Result<(), TerminalError> {
        platform::take().map_err(TerminalError::Switch)?;
        self.terminal.backend_mut().forget();
        self.terminal.clear().map_err(TerminalError::Switch)?;
        if let Some(input) = &self.input {
            input.unpark();
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<(), TerminalError> {
        if !platform::has_shell() {
            return Err(TerminalError::NoShell);
        }
        self.park_input()?;
        platform::give_back();
        let stopped = platform::stop_until_continued();
        platform::forget_settings();
        self.resume()?;
        stopped.map_err(TerminalError::Switch)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}
