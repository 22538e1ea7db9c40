//! A text that is being typed. The only file that knows the text-area crate.

use ratatui::{
    layout::Position,
    style::{Modifier, Style},
};
use tui_textarea::{CursorMove, CursorRenderMode, TextArea, WrapMode};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::keys::TextEdit;
use mmd_elevate_core::is_edge_blank;

/// How many changes can be undone in one text.
const UNDO_DEPTH: usize = 1_000;

/// What of a paste was not taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// How many control characters.
    pub controls: usize,
    /// How many line ends around a text for one line.
    pub line_ends: usize,
    /// Whether blanks around it.
    pub blanks: bool,
}

impl Dropped {
    /// Counts what stood around the text; `any` is whether anything of it was dropped.
    fn count_edges(&mut self, text: &str, any: bool) {
        if !any {
            return;
        }
        let equal = text.replace("\r\n", "\n").replace('\r', "\n");
        let ends = |text: &str| text.matches('\n').count();
        self.line_ends = ends(&equal) - ends(equal.trim_matches(is_edge_blank));
        self.blanks = self.line_ends == 0;
    }
}

/// A text with a cursor and a history, of one line or of many.
#[derive(Clone, Debug)]
pub struct TextField {
    area: TextArea<'static>,
    one_line: bool,
    /// The blanks that came with a template, as they are written: `<user>`.
    blanks: Vec<String>,
}

/// The longest blank, in characters.
const LONGEST_BLANK: usize = 60;

/// The blanks of a template's text, in their order: what stands between `<` and `>` on one line.
pub(crate) fn blanks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(start) = rest.find('<') {
            rest = &rest[start..];
            let end = rest[1..].find(['<', '>']).map(|end| end + 1);
            match end {
                Some(end) if rest.as_bytes()[end] == b'>' && end > 1 && rest[..end].chars().count() < LONGEST_BLANK => {
                    found.push(rest[..=end].to_owned());
                    rest = &rest[end + 1..];
                }
                Some(end) => rest = &rest[end..],
                None => break,
            }
        }
    }
    found
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
        area.set_selection_style(Style::new().add_modifier(Modifier::REVERSED));
        Self { area, one_line, blanks: Vec::new() }
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

    /// Where the cursor stands in what was drawn last, `width` columns wide. The crate reckons by characters, and a terminal
    /// draws some of them as one.
    #[must_use]
    pub fn cursor(&self, width: u16) -> Option<Position> {
        let drawn = self.area.rendered_cursor_position()?;
        let (row, column) = self.area.cursor();
        let line = self.lines().get(row)?;
        let before: String = line.chars().take(column).collect();
        let by_characters: usize = before.chars().map(|c| c.width().unwrap_or(0)).sum();
        let as_drawn: usize = before.graphemes(true).map(UnicodeWidthStr::width).sum();
        // A line that is scrolled or wrapped stands where the crate says.
        let is_whole = line.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() < usize::from(width);
        let (more, less) = if is_whole { (as_drawn, by_characters) } else { (0, 0) };
        let columns = |count: usize| u16::try_from(count).unwrap_or(0);
        Some(Position { x: (drawn.x + columns(more)).saturating_sub(columns(less)), ..drawn })
    }

    /// Takes typing. A single character joins the run of typing that undo takes back as one.
    pub fn type_text(&mut self, text: &str) {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => self.area.insert_char(c),
            // What was typed at once is not trimmed: more may follow it.
            _ => self.restore(text),
        }
    }

    /// Takes a paste: line ends are made equal, control characters dropped. In one line a line end or a tab becomes a
    /// space, so that words do not run together, and what would stand at the ends of the whole line as a blank is dropped.
    pub fn paste(&mut self, text: &str) -> Dropped {
        let (clean, mut dropped) = self.clean(text);
        let mut kept = clean.as_str();
        if self.one_line {
            let (before, after) = Self::split(&self.area);
            if before.is_empty() {
                kept = kept.trim_start_matches(is_edge_blank);
            }
            if after.is_empty() {
                kept = kept.trim_end_matches(is_edge_blank);
            }
            dropped.count_edges(text, clean.len() > kept.len());
        }
        self.area.insert_str(kept);
        dropped
    }

    /// Inserts what was typed before, to the letter but for control characters.
    pub(super) fn restore(&mut self, text: &str) {
        let (clean, _) = self.clean(text);
        self.area.insert_str(clean);
    }

    /// Replaces the whole text, so that undo brings the old one back.
    pub fn replace(&mut self, text: &str) -> Dropped {
        self.area.cancel_selection();
        self.area.clear();
        self.paste(text)
    }

    /// Inserts a text at the cursor, as one step that undo takes back. Where it `has_blanks`, the first of them is selected.
    /// Returns how many there are.
    pub(super) fn insert(&mut self, text: &str, has_blanks: bool) -> usize {
        self.area.cancel_selection();
        let at = self.area.cursor();
        let (clean, _) = self.clean(text);
        self.area.insert_str(&clean);
        let new = if has_blanks { blanks(&clean) } else { Vec::new() };
        let count = new.len();
        for blank in new {
            if !self.blanks.contains(&blank) {
                self.blanks.push(blank);
            }
        }
        if count > 0 {
            self.jump(at);
            self.select_next_blank();
        }
        count
    }

    /// The blanks that came with a template and are not filled in.
    #[must_use]
    pub fn unfilled_blanks(&self) -> Vec<&str> {
        let is_there = |blank: &&String| self.lines().iter().any(|line| line.contains(blank.as_str()));
        self.blanks.iter().filter(is_there).map(String::as_str).collect()
    }

    /// Selects the next blank behind the cursor, so that typing replaces it. Returns whether there is one.
    pub(super) fn select_next_blank(&mut self) -> bool {
        if self.blanks.is_empty() {
            return false;
        }
        let (row, column) = self.area.cursor();
        let mut next = None;
        for (at, line) in self.lines().iter().enumerate().skip(row) {
            let from = if at == row { line.char_indices().nth(column).map_or(line.len(), |(at, _)| at) } else { 0 };
            let of =
                |blank: &String| line[from..].find(blank.as_str()).map(|start| (from + start, blank.chars().count()));
            if let Some((start, length)) = self.blanks.iter().filter_map(of).min() {
                next = Some((at, line[..start].chars().count(), length));
                break;
            }
        }
        let Some((row, column, length)) = next else { return false };
        self.area.cancel_selection();
        self.jump((row, column));
        self.area.start_selection();
        self.jump((row, column + length));
        true
    }

    /// Selects the first blank that is not filled in.
    pub(super) fn select_first_blank(&mut self) -> bool {
        self.area.cancel_selection();
        self.jump((0, 0));
        self.select_next_blank()
    }

    fn jump(&mut self, (row, column): (usize, usize)) {
        let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(place(row), place(column)));
    }

    /// Drops the blanks around a field of one line, as changes that undo takes back. Returns whether there were any.
    pub(super) fn trim(&mut self) -> bool {
        let line = self.first_line();
        let kept = line.trim_matches(is_edge_blank);
        if !self.one_line || kept.len() == line.len() {
            return false;
        }
        let length = |text: &str| text.chars().count();
        let (all, left) = (length(line), length(line.trim_start_matches(is_edge_blank)));
        let (before, kept) = (all - left, length(kept));
        let at = self.area.cursor().1.saturating_sub(before).min(kept);
        let jump = |area: &mut TextArea<'static>, column: usize| {
            area.move_cursor(CursorMove::Jump(0, u16::try_from(column).unwrap_or(u16::MAX)));
        };
        // From the end, so that the places before it stay where they are.
        for (from, count) in [(before + kept, all - before - kept), (0, before)] {
            if count > 0 {
                jump(&mut self.area, from);
                self.area.delete_str(count);
            }
        }
        jump(&mut self.area, at);
        true
    }

    fn clean(&self, text: &str) -> (String, Dropped) {
        let equal = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut dropped = Dropped::default();
        let clean = equal
            .chars()
            .filter_map(|c| match c {
                '\n' | '\t' if self.one_line => Some(' '),
                '\n' | '\t' => Some(c),
                c if c.is_control() => {
                    dropped.controls += 1;
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
        if area.is_selecting() {
            match edit {
                TextEdit::DeleteLeft
                | TextEdit::DeleteRight
                | TextEdit::DeleteWordLeft
                | TextEdit::DeleteWordRight
                | TextEdit::DeleteToLineStart
                | TextEdit::DeleteToLineEnd => {
                    // What is selected goes, and no more.
                    area.delete_char();
                    return;
                }
                TextEdit::NewLine => {}
                TextEdit::Left
                | TextEdit::Right
                | TextEdit::Up
                | TextEdit::Down
                | TextEdit::WordLeft
                | TextEdit::WordRight
                | TextEdit::LineStart
                | TextEdit::LineEnd
                | TextEdit::TextStart
                | TextEdit::TextEnd
                | TextEdit::PageUp
                | TextEdit::PageDown
                | TextEdit::Undo
                | TextEdit::Redo => area.cancel_selection(),
            }
        }
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

    fn dropped(controls: usize, line_ends: usize, blanks: bool) -> Dropped {
        Dropped { controls, line_ends, blanks }
    }

    #[test]
    fn a_paste_is_cleaned_for_its_kind_of_field() {
        for (pasted, one_line, multi_line, controls) in [
            ("a\r\nb\rc\nd", "a b c d", "a\nb\nc\nd", 0),
            ("a\x1b[2Jb\x07", "a[2Jb", "a[2Jb", 2),
            ("a\tb", "a b", "a\tb", 0),
            ("\u{202e}Ü\"", "\u{202e}Ü\"", "\u{202e}Ü\"", 0),
        ] {
            for (mut field, text) in [(TextField::one_line(), one_line), (TextField::multi_line(), multi_line)] {
                assert_eq!(field.paste(pasted), dropped(controls, 0, false));
                assert_eq!(field.text(), text);
            }
        }
    }

    #[test]
    fn a_paste_into_one_line_leaves_blanks_and_line_ends_around_it_behind() {
        for (pasted, text, line_ends, blanks) in [
            ("INC-5\n", "INC-5", 1, false),
            ("\r\nINC-5\r\n\r\n", "INC-5", 3, false),
            (" INC-5\t", "INC-5", 0, true),
            ("\u{a0}INC-5\u{feff}", "INC-5", 0, true),
            ("\u{200b}\u{3000}INC 5\u{2060}", "INC 5", 0, true),
            ("INC-5\r", "INC-5", 1, false),
            (" \n ", "", 1, false),
            ("INC\n5", "INC 5", 0, false),
        ] {
            let mut field = TextField::one_line();
            assert_eq!(field.paste(pasted), dropped(0, line_ends, blanks), "{pasted:?}");
            assert_eq!(field.text(), text, "{pasted:?}");
        }
        let mut field = TextField::one_line();
        field.paste("ab");
        field.edit(TextEdit::Left);
        assert_eq!(field.paste(" \n"), Dropped::default(), "between words it is a blank like another");
        assert_eq!(field.text(), "a  b");
        let mut field = TextField::multi_line();
        assert_eq!((field.paste(" a\n"), field.text().as_str()), (Dropped::default(), " a\n"));
    }

    #[test]
    fn trimming_keeps_the_cursor_at_its_character_and_can_be_undone() {
        let mut field = TextField::one_line();
        field.restore("  \u{a0}Ünï x \u{200b}");
        field.edit(TextEdit::Left);
        field.edit(TextEdit::Left);
        field.edit(TextEdit::Left);
        assert!(field.trim());
        field.type_text("!");
        assert_eq!(field.text(), "Ünï !x");
        assert!(!field.trim());
        for _ in 0..3 {
            field.edit(TextEdit::Undo);
        }
        assert_eq!(field.text(), "  \u{a0}Ünï x \u{200b}");
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
    fn blanks_stand_between_marks_on_one_line() {
        for (text, found) in [
            ("remove <which add-in>, test with <user>", vec!["<which add-in>", "<user>"]),
            ("a < b, c > d", vec!["< b, c >"]),
            ("<> << <a> >", vec!["<a>"]),
            ("<a\nb> <é>", vec!["<é>"]),
            ("none", vec![]),
        ] {
            assert_eq!(blanks(text), found, "{text:?}");
        }
        assert!(blanks(&format!("<{}>", "x".repeat(100))).is_empty());
    }

    #[test]
    fn blanks_of_a_template_are_gone_through_and_typing_replaces_them() {
        let mut field = TextField::multi_line();
        field.type_text("Ä ");
        assert_eq!(field.insert("remove <add-in>\ntest with <user>, <add-in>", true), 3);
        field.type_text("X");
        assert_eq!(field.text(), "Ä remove X\ntest with <user>, <add-in>");
        assert_eq!(field.unfilled_blanks(), ["<add-in>", "<user>"]);
        assert!(field.select_next_blank());
        field.type_text("Ann");
        assert!(field.select_next_blank());
        field.edit(TextEdit::DeleteLeft);
        assert_eq!(field.text(), "Ä remove X\ntest with Ann, ");
        assert!(!field.select_next_blank() && field.unfilled_blanks().is_empty());
    }

    #[test]
    fn moving_leaves_the_blank_as_it_is() {
        for edit in [TextEdit::Left, TextEdit::LineEnd, TextEdit::Down] {
            let mut field = TextField::multi_line();
            field.insert("with <user>", true);
            field.edit(edit);
            field.type_text("x");
            assert!(field.text().contains("<user"), "{edit:?} {}", field.text());
        }
    }

    #[test]
    fn inserting_is_one_step_that_is_undone_and_text_with_marks_of_its_own_has_no_blanks() {
        let mut field = TextField::multi_line();
        field.type_text("a <b> ");
        field.insert("x\ny", false);
        assert!(field.unfilled_blanks().is_empty() && !field.select_first_blank());
        field.edit(TextEdit::Undo);
        assert_eq!(field.text(), "a <b> ");
        let mut field = TextField::multi_line();
        field.insert("one\n<two>", true);
        field.edit(TextEdit::Undo);
        assert_eq!(field.text(), "");
        assert!(field.unfilled_blanks().is_empty());
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
