//! The guard: while a [`Screen`] lives, the terminal is ours.

use std::{env, io};

use crossterm::{Command, clipboard::CopyToClipboard};
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc::Sender;

use super::{FrameBackend, InputBatch, InputThread};
use crate::platform::{self, Output};

/// Why the terminal cannot be had. The text fits after "failed to open the dashboard: ".
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// No terminal to draw on.
    #[error("{0} is not a terminal")]
    Missing(&'static str),
    /// The terminal says of itself that it cannot draw.
    #[error("this terminal cannot draw ({})", if .0.trim().is_empty() { "TERM is not set".to_owned() } else { format!("TERM is {:?}", .0) })]
    CannotDraw(String),
    /// The terminal did not take a setting or the bytes of one.
    #[error("the terminal cannot be switched")]
    Switch(#[source] io::Error),
    /// The input thread did not stop reading in time.
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
            Self::CannotDraw(_) => "start it in a terminal emulator, which sets TERM to a name such as xterm-256color",
            Self::Switch(_) => "see whether the terminal is still open, and try another one",
            Self::Reading => "press a key and try again",
            Self::NoShell => "start it from a shell to be able to suspend it",
        }
    }
}

/// What the loop needs of a terminal. [`Screen`] is the real one; tests bring theirs.
pub trait Surface {
    /// Draws one frame, and never waits for the terminal. While the terminal is suspended, or has not taken the frame
    /// before, nothing is drawn, and the picture is not asked for.
    ///
    /// # Errors
    /// Where the terminal refuses bytes: it is most likely gone.
    fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()>;

    /// Whether the terminal has not taken the last frame, so that another has to be drawn when there is [`Self::room`].
    fn is_behind(&self) -> bool {
        false
    }

    /// Waits until the terminal may take bytes again.
    fn room(&self) -> impl Future<Output = ()> {
        std::future::pending()
    }

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

    /// Takes the terminal again after a stop from outside, which leaves no time to give it back. Others may have used it
    /// meanwhile: the next draw draws all of the frame. Does nothing while the terminal is suspended.
    ///
    /// # Errors
    /// Where the terminal is gone.
    fn retake(&mut self) -> Result<(), TerminalError>;

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
        let term = env::var_os("TERM").unwrap_or_default().to_string_lossy().into_owned();
        if !platform::can_draw(&term) {
            return Err(TerminalError::CannotDraw(term));
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
    pub fn read_input(&mut self, batches: Sender<InputBatch>) -> io::Result<()> {
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

    fn take(&mut self) -> Result<(), TerminalError> {
        platform::take().map_err(TerminalError::Switch)?;
        self.terminal.backend_mut().forget();
        self.terminal.clear().map_err(TerminalError::Switch)
    }

    /// Gives the terminal back now; dropping does the same. What is drawn afterwards goes nowhere.
    pub fn leave(&mut self) {
        platform::give_back();
    }
}

impl Surface for Screen {
    fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if platform::is_ours() && platform::catch_up()? {
            self.terminal.draw(picture)?;
        }
        Ok(())
    }

    fn is_behind(&self) -> bool {
        platform::is_behind()
    }

    fn room(&self) -> impl Future<Output = ()> {
        platform::room()
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
        self.take()?;
        if let Some(input) = &self.input {
            input.unpark();
        }
        Ok(())
    }

    fn retake(&mut self) -> Result<(), TerminalError> {
        if !platform::is_ours() {
            return Ok(());
        }
        platform::give_back();
        self.take()
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
