//! A surface for the real loop that keeps what was drawn.

use std::io;

use mmd_elevate::terminal::{Surface, TerminalError};
use ratatui::{Frame, Terminal, backend::TestBackend};
use tokio::sync::watch;

/// What has been drawn: how often, and the last of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drawn {
    pub(crate) times: usize,
    pub(crate) screen: String,
    /// How often the background was asked for.
    pub(crate) questions: usize,
    /// The titles that were set, in order.
    pub(crate) titles: Vec<String>,
    /// How often the bell rang.
    pub(crate) bells: usize,
    /// Whether the mouse is reported.
    pub(crate) mouse: bool,
}

/// A surface that shows each frame to the test.
#[derive(Debug)]
pub(crate) struct Stage {
    terminal: Terminal<TestBackend>,
    drawn: watch::Sender<Drawn>,
}

impl Stage {
    /// One of 120 columns and 36 rows, and what is drawn on it.
    pub(crate) fn new() -> (Self, watch::Receiver<Drawn>) {
        let (to_test, drawn) = watch::channel(Drawn::default());
        (Self { terminal: Terminal::new(TestBackend::new(120, 36)).unwrap(), drawn: to_test }, drawn)
    }
}

impl Surface for Stage {
    fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(picture).unwrap();
        let screen = self.terminal.backend().to_string();
        self.drawn.send_modify(|drawn| {
            drawn.times += 1;
            drawn.screen = screen;
        });
        Ok(())
    }

    fn copy_to_clipboard(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn set_title(&mut self, title: &str) -> io::Result<()> {
        self.drawn.send_modify(|drawn| drawn.titles.push(title.to_owned()));
        Ok(())
    }

    fn bell(&mut self) -> io::Result<()> {
        self.drawn.send_modify(|drawn| drawn.bells += 1);
        Ok(())
    }

    fn capture_mouse(&mut self, is_on: bool) -> io::Result<()> {
        self.drawn.send_modify(|drawn| drawn.mouse = is_on);
        Ok(())
    }

    fn ask_background(&mut self) -> io::Result<()> {
        self.drawn.send_modify(|drawn| {
            assert!(drawn.times > 0, "it is asked after the first frame");
            drawn.questions += 1;
        });
        Ok(())
    }

    fn suspend(&mut self) -> Result<(), TerminalError> {
        Ok(())
    }

    fn resume(&mut self) -> Result<(), TerminalError> {
        Ok(())
    }

    fn retake(&mut self) -> Result<(), TerminalError> {
        Ok(())
    }

    fn stop(&mut self) -> Result<(), TerminalError> {
        Err(TerminalError::NoShell)
    }
}
