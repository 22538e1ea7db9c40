//! A text that is being typed. The only file that knows the text-area crate.

use tui_textarea::{CursorMove, CursorRenderMode, TextArea, WrapMode};
use unicode_segmentation::UnicodeSegmentation;

use crate::action::TextEdit;

/// How many changes can be undone in one text.
const UNDO_DEPTH: usize = 1_000;

/// A text with a cursor and a history, of one line or of many.
#[derive(Clone, Debug)]
pub struct TextField {
    area: TextArea<'static>,
    one_line: bool,
}

impl TextField {
    /// An empty field of one line.
    #[must_use]
    pub fn one_line() -> Self {
        Self::new(true)
    }

    /// An empty text that wraps softly.
    #[must_use]
    pub fn multi_line() -> Self {
        Self::new(false)
    }

    fn new(one_line: bool) -> Self {
        let mut area = TextArea::default();
        area.set_max_histories(UNDO_DEPTH);
        area.set_undo_coalescing(true);
        // The cursor is the terminal's own.
        area.set_cursor_render_mode(CursorRenderMode::Hidden);
        area.set_cursor_line_style(area.style());
        if !one_line {
            area.set_wrap_mode(WrapMode::WordOrGlyph);
        }
        Self { area, one_line }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// The text's lines; an empty text has one.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    /// The first line: all of a field of one line.
    #[must_use]
    pub fn first_line(&self) -> &str {
        self.lines().first().map_or("", String::as_str)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Whether there is nothing to read in it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.lines().iter().all(|line| line.trim().is_empty())
    }

    /// What draws it, scrolled to where it was.
    #[must_use]
    pub const fn widget(&self) -> &TextArea<'static> {
        &self.area
    }

    /// Takes typing. A single character joins the run of typing that undo takes back as one.
    pub fn type_text(&mut self, text: &str) {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => self.area.insert_char(c),
            _ => {
                self.paste(text);
            }
        }
    }

    /// Takes a paste: line ends are made equal, control characters dropped. In one line a line end or a tab becomes a
    /// space, so that words do not run together. Returns how many characters were dropped.
    pub fn paste(&mut self, text: &str) -> usize {
        let (clean, dropped) = self.clean(text);
        self.area.insert_str(clean);
        dropped
    }

    /// Replaces the whole text, so that undo brings the old one back. Returns how many characters were dropped.
    pub fn replace(&mut self, text: &str) -> usize {
        self.area.clear();
        self.paste(text)
    }

    /// Takes the text out and leaves an empty one that can be undone.
    pub fn clear(&mut self) {
        self.area.clear();
    }

    fn clean(&self, text: &str) -> (String, usize) {
        let equal = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut dropped = 0;
        let clean = equal
            .chars()
            .filter_map(|c| match c {
                '\n' | '\t' if self.one_line => Some(' '),
                '\n' | '\t' => Some(c),
                c if c.is_control() => {
                    dropped += 1;
                    None
                }
                c => Some(c),
            })
            .collect();
        (clean, dropped)
    }

    /// Moves the cursor or changes the text around it, by what a reader takes for one character.
    pub fn edit(&mut self, edit: TextEdit) {
        let area = &mut self.area;
        match edit {
            TextEdit::Left => Self::repeat(area, Self::before(area), |area| area.move_cursor(CursorMove::Back)),
            TextEdit::Right => Self::repeat(area, Self::after(area), |area| area.move_cursor(CursorMove::Forward)),
            TextEdit::DeleteLeft => Self::repeat(area, Self::before(area), |area| _ = area.delete_char()),
            TextEdit::DeleteRight => _ = area.delete_str(Self::after(area)),
            TextEdit::Up => area.move_cursor(CursorMove::Up),
            TextEdit::Down => area.move_cursor(CursorMove::Down),
            TextEdit::WordLeft => area.move_cursor(CursorMove::WordBack),
            TextEdit::WordRight => area.move_cursor(CursorMove::WordForward),
            TextEdit::LineStart => area.move_cursor(CursorMove::Head),
            TextEdit::LineEnd => area.move_cursor(CursorMove::End),
            TextEdit::TextStart => area.move_cursor(CursorMove::Jump(0, 0)),
            TextEdit::TextEnd => {
                area.move_cursor(CursorMove::Bottom);
                area.move_cursor(CursorMove::End);
            }
            TextEdit::PageUp => (0..10).for_each(|_| area.move_cursor(CursorMove::Up)),
            TextEdit::PageDown => (0..10).for_each(|_| area.move_cursor(CursorMove::Down)),
            TextEdit::NewLine if self.one_line => {}
            TextEdit::NewLine => area.insert_newline(),
            TextEdit::DeleteWordLeft => _ = area.delete_word(),
            TextEdit::DeleteWordRight => _ = area.delete_next_word(),
            TextEdit::DeleteToLineStart => _ = area.delete_line_by_head(),
            TextEdit::DeleteToLineEnd => _ = area.delete_line_by_end(),
            TextEdit::Undo => _ = area.undo(),
            TextEdit::Redo => _ = area.redo(),
        }
    }

    fn repeat(area: &mut TextArea<'static>, times: usize, mut step: impl FnMut(&mut TextArea<'static>)) {
        (0..times).for_each(|_| step(area));
    }

    /// How many `char`s the grapheme before the cursor has; the line end before a line counts as one.
    fn before(area: &TextArea<'static>) -> usize {
        let (head, _) = Self::split(area);
        head.graphemes(true).next_back().map_or(1, |grapheme| grapheme.chars().count())
    }

    /// How many `char`s the grapheme after the cursor has.
    fn after(area: &TextArea<'static>) -> usize {
        let (_, tail) = Self::split(area);
        tail.graphemes(true).next().map_or(1, |grapheme| grapheme.chars().count())
    }

    fn split<'a>(area: &'a TextArea<'static>) -> (&'a str, &'a str) {
        let (row, column) = area.cursor();
        let line = area.lines().get(row).map_or("", String::as_str);
        let at = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
        line.split_at(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_is_cleaned_for_its_kind_of_field() {
        for (pasted, one_line, multi_line, dropped) in [
            ("a\r\nb\rc\nd", "a b c d", "a\nb\nc\nd", 0),
            ("a\x1b[2Jb\x07", "a[2Jb", "a[2Jb", 2),
            ("a\tb", "a b", "a\tb", 0),
            ("\u{202e}Ü\"", "\u{202e}Ü\"", "\u{202e}Ü\"", 0),
        ] {
            for (mut field, text) in [(TextField::one_line(), one_line), (TextField::multi_line(), multi_line)] {
                assert_eq!(field.paste(pasted), dropped);
                assert_eq!(field.text(), text);
            }
        }
    }

    #[test]
    fn deleting_takes_what_a_reader_takes_for_one_character() {
        let mut field = TextField::one_line();
        field.paste("ae\u{301}👩‍🚒");
        field.edit(TextEdit::DeleteLeft);
        assert_eq!(field.text(), "ae\u{301}");
        field.edit(TextEdit::Left);
        field.edit(TextEdit::DeleteLeft);
        assert_eq!(field.text(), "e\u{301}");
        field.edit(TextEdit::DeleteRight);
        assert_eq!(field.text(), "");
    }

    #[test]
    fn undo_brings_back_what_was_replaced() {
        let mut field = TextField::multi_line();
        field.type_text("first");
        field.replace("second\nline");
        field.edit(TextEdit::Undo);
        field.edit(TextEdit::Undo);
        assert_eq!(field.text(), "first");
        field.edit(TextEdit::Redo);
        field.edit(TextEdit::Redo);
        assert_eq!(field.text(), "second\nline");
    }
}
