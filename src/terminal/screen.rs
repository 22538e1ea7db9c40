//! The screen: a guard that has the terminal while it lives, and gives it back however it ends.

use std::{env, io};

use crossterm::{Command, clipboard::CopyToClipboard};
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc::Sender;

use super::{FrameBackend, InputBatch, InputThread, title::title_text};
use crate::platform::{self, TtyOutput};

/// Asks for the colour of the background (OSC 11). A terminal that does not know it does not answer.
const BACKGROUND_QUERY: &[u8] = b"\x1b]11;?\x1b\\";

/// Why the terminal cannot be used. The text completes "failed to open the dashboard: ".
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// A standard stream is not a terminal.
    #[error("{0} is not a terminal")]
    Missing(&'static str),
    /// `TERM` names a terminal that cannot draw.
    #[error("this terminal cannot draw ({})", if .0.trim().is_empty() { "TERM is not set".to_owned() } else { format!("TERM is {:?}", .0) })]
    CannotDraw(String),
    /// The terminal did not take a setting or bytes.
    #[error("the settings of the terminal cannot be changed")]
    Switch(#[source] io::Error),
    /// The input thread did not stop reading in time.
    #[error("the terminal is still reading a key")]
    Reading,
    /// No shell could continue a stopped program.
    #[error("there is no shell that could continue the program")]
    NoShell,
}

impl TerminalError {
    /// Returns what to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing(_) => "start it in a terminal, without a pipe or a redirection",
            Self::CannotDraw(_) => "start it in a terminal emulator, which sets TERM to a name such as xterm-256color",
            Self::Switch(_) => "check whether the terminal is still open, or use another one",
            Self::Reading => "press a key and try again",
            Self::NoShell => "start it from a shell if you want to suspend it",
        }
    }
}

/// A terminal as the loop uses it. [`Screen`] is the real one; tests have their own.
pub trait Surface {
    /// Draws one frame without waiting for the terminal. While the terminal is suspended, or has not taken the last frame,
    /// nothing is drawn and `render` is not called.
    ///
    /// # Errors
    /// The terminal does not take bytes: most likely it is gone.
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()>;

    /// Returns whether the terminal has not taken the last frame. Another frame is due when it is [`Self::writable`].
    fn is_behind(&self) -> bool {
        false
    }

    /// Waits until the terminal may take bytes again.
    fn writable(&self) -> impl Future<Output = ()> {
        std::future::pending()
    }

    /// Copies text to the clipboard by OSC 52. Not every terminal supports it, and none confirms it.
    ///
    /// # Errors
    /// As for `draw`.
    fn copy_to_clipboard(&mut self, text: &str) -> io::Result<()>;

    /// Sets the title of the terminal's window: one line of harmless text, and at most 200 columns of it. The former title
    /// comes back whenever the terminal is given away, and this one when it is taken again.
    ///
    /// # Errors
    /// As for `draw`.
    fn set_title(&mut self, title: &str) -> io::Result<()>;

    /// Rings the terminal's bell.
    ///
    /// # Errors
    /// As for `draw`.
    fn bell(&mut self) -> io::Result<()>;

    /// Has the terminal report clicks and the wheel as [`Input::Mouse`](super::Input::Mouse), or no longer. Whenever the terminal
    /// is given away it reports nothing, and once it is taken again it reports as before.
    ///
    /// # Errors
    /// As for `draw`.
    fn capture_mouse(&mut self, is_on: bool) -> io::Result<()>;

    /// Asks the terminal for the colour of its background. The answer, if there is one, is an
    /// [`Input::Reply`](super::Input::Reply).
    ///
    /// # Errors
    /// As for `draw`.
    fn ask_background(&mut self) -> io::Result<()>;

    /// Gives the terminal to another program: no keys are read and nothing is drawn until `resume`.
    ///
    /// # Errors
    /// [`TerminalError::Reading`]; then the terminal is not given away.
    fn suspend(&mut self) -> Result<(), TerminalError>;

    /// Takes the terminal again. The next draw writes the whole frame.
    ///
    /// # Errors
    /// The terminal is gone.
    fn resume(&mut self) -> Result<(), TerminalError>;

    /// Takes the terminal again after a stop from outside, before which it could not be given back. The next draw writes the
    /// whole frame, because other programs may have used the terminal. Does nothing while the terminal is suspended.
    ///
    /// # Errors
    /// The terminal is gone.
    fn retake(&mut self) -> Result<(), TerminalError>;

    /// Suspends, stops the job until the shell continues it, and resumes. It blocks meanwhile.
    ///
    /// # Errors
    /// After [`TerminalError::NoShell`] and the errors of `suspend` the terminal is still taken; after those of `resume` it is
    /// not.
    fn stop(&mut self) -> Result<(), TerminalError>;
}

/// The real terminal in raw mode, on the alternate screen. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<FrameBackend<TtyOutput>>,
    input: Option<InputThread>,
    /// The title of the window, once one was set.
    title: Option<String>,
    /// Whether the mouse is reported.
    mouse: bool,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// There is no terminal, or it does not take its settings. Then it is left as it was.
    pub fn enter() -> Result<Self, TerminalError> {
        if let Some(stream) = platform::missing_terminal() {
            return Err(TerminalError::Missing(stream));
        }
        let term = env::var_os("TERM").unwrap_or_default().to_string_lossy().into_owned();
        if !platform::can_draw(&term) {
            return Err(TerminalError::CannotDraw(term));
        }
        // Made before the terminal is taken, so that a failure leaves nothing to give back.
        let terminal = Terminal::new(FrameBackend::new(TtyOutput)).map_err(TerminalError::Switch)?;
        platform::take().map_err(TerminalError::Switch)?;
        Ok(Self { terminal, input: None, title: None, mouse: false })
    }

    /// Starts to read inputs. Call it once, after the first frame. The channel closes when reading has failed.
    ///
    /// # Errors
    /// The thread cannot be started.
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
        self.terminal.backend_mut().reset();
        if let Some(title) = &self.title {
            platform::set_title(title).map_err(TerminalError::Switch)?;
        }
        if self.mouse {
            platform::capture_mouse(true).map_err(TerminalError::Switch)?;
        }
        self.terminal.clear().map_err(TerminalError::Switch)
    }

    /// Gives the terminal back now; dropping does the same. Frames that are drawn afterwards are not written.
    pub fn leave(&mut self) {
        platform::give_back();
    }
}

impl Surface for Screen {
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if platform::is_taken() && platform::flush()? {
            self.terminal.draw(render)?;
        }
        Ok(())
    }

    fn is_behind(&self) -> bool {
        platform::is_behind()
    }

    fn writable(&self) -> impl Future<Output = ()> {
        platform::writable()
    }

    fn copy_to_clipboard(&mut self, text: &str) -> io::Result<()> {
        let mut sequence = String::new();
        CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence).map_err(io::Error::other)?;
        self.terminal.backend_mut().write_directly(sequence.as_bytes())
    }

    fn set_title(&mut self, title: &str) -> io::Result<()> {
        platform::set_title(self.title.insert(title_text(title)))
    }

    fn bell(&mut self) -> io::Result<()> {
        self.terminal.backend_mut().write_directly(b"\x07")
    }

    fn capture_mouse(&mut self, is_on: bool) -> io::Result<()> {
        self.mouse = is_on;
        platform::capture_mouse(is_on)
    }

    fn ask_background(&mut self) -> io::Result<()> {
        self.terminal.backend_mut().write_directly(BACKGROUND_QUERY)
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
        if !platform::is_taken() {
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
