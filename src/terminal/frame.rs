//! A ratatui backend that collects a whole frame and writes it at once. It never reads from the terminal.

use std::io::{self, Write};

use ratatui::{
    backend::{Backend, ClearType, CrosstermBackend, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
};

use crate::platform;

/// Synchronized update: the terminal shows a frame only when it is complete. A terminal that does not know it ignores it.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// Collects what ratatui draws, with the cursor, and writes it on `flush`, which ratatui calls once per draw. A frame without
/// a change is not written.
#[derive(Debug)]
pub struct FrameBackend<W> {
    frame: Vec<u8>,
    output: W,
    cursor: Cursor,
}

/// The known state of the terminal's cursor, so that only changes are written.
#[derive(Debug, Default)]
struct Cursor {
    is_visible: Option<bool>,
    position: Option<Position>,
}

impl<W: Write> FrameBackend<W> {
    /// Makes a backend that writes each frame to `output` by one `write`.
    pub fn new(output: W) -> Self {
        Self { frame: Vec::new(), output, cursor: Cursor::default() }
    }

    /// Drops the frame and the known state of the cursor, after another program had the terminal.
    pub fn reset(&mut self) {
        self.frame.clear();
        self.cursor = Cursor::default();
    }

    /// Writes bytes that belong to no frame at once.
    ///
    /// # Errors
    /// The output does not take them.
    pub fn write_directly(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }

    fn encode(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        if self.frame.is_empty() {
            self.frame.extend_from_slice(BEGIN);
        }
        CrosstermBackend::new(&mut self.frame)
    }
}

impl<W: Write> Backend for FrameBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.cursor.position = None;
        self.encode().draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor.is_visible.replace(false) == Some(false) {
            return Ok(());
        }
        self.encode().hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor.is_visible.replace(true) == Some(true) {
            return Ok(());
        }
        self.encode().show_cursor()
    }

    /// Returns where the cursor was put last. A query to the terminal would be answered to the input thread.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.position.unwrap_or(Position::ORIGIN))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor.position.replace(position) == Some(position) {
            return Ok(());
        }
        self.encode().set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.encode().clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.encode().clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(platform::size().into())
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        self.frame.extend_from_slice(END);
        let written = self.output.write_all(&self.frame);
        self.frame.clear();
        written
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, TerminalOptions, Viewport, layout::Rect, widgets::Paragraph};

    use super::*;

    /// Each write as one string.
    #[derive(Default)]
    struct Writes(Vec<String>);

    impl Write for &mut Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            panic!("a frame needs no flush")
        }
    }

    fn writes(frames: &[(&str, Option<(u16, u16)>)]) -> Vec<String> {
        let mut writes = Writes::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, 10, 2));
        let mut terminal =
            Terminal::with_options(FrameBackend::new(&mut writes), TerminalOptions { viewport }).unwrap();
        for (text, cursor) in frames {
            terminal
                .draw(|frame| {
                    frame.render_widget(Paragraph::new(*text), frame.area());
                    if let Some(at) = *cursor {
                        frame.set_cursor_position(at);
                    }
                })
                .unwrap();
        }
        drop(terminal);
        writes.0
    }

    #[test]
    fn frame_is_one_synchronized_write_with_the_cursor() {
        let writes = writes(&[("one", Some((3, 0)))]);
        assert_eq!(writes.len(), 1, "{writes:?}");
        let frame = &writes[0];
        assert!(frame.starts_with("\x1b[?2026h\x1b[1;1Hone"), "{frame:?}");
        assert!(frame.ends_with("\x1b[?25h\x1b[1;4H\x1b[?2026l"), "{frame:?}");
    }

    #[test]
    fn unchanged_frame_is_not_written() {
        assert_eq!(writes(&[("one", None), ("one", None)]).len(), 1);
        assert_eq!(writes(&[("one", Some((3, 0))), ("one", Some((3, 0)))]).len(), 1);
    }

    #[test]
    fn moved_cursor_is_written_alone() {
        let writes = writes(&[("one", Some((3, 0))), ("one", Some((1, 0)))]);
        assert_eq!(writes[1..], ["\x1b[?2026h\x1b[1;2H\x1b[?2026l"]);
    }

    #[test]
    fn cursor_is_restored_after_cells_were_drawn() {
        let writes = writes(&[("one", Some((1, 0))), ("two", Some((1, 0)))]);
        assert!(writes[1].ends_with("\x1b[1;2H\x1b[?2026l"), "{writes:?}");
    }
}
