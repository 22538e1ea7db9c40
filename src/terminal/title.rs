//! The text of the window's title: one line that does nothing.

use mmd_elevate_core::visible;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// How many columns a title has at most. No window shows more, and a terminal may drop a title that is too long.
const MAX_WIDTH: usize = 200;

/// Returns the text without control and invisible characters, in at most [`MAX_WIDTH`] columns.
pub(super) fn title_text(text: &str) -> String {
    let text = visible(text);
    let mut width = 0;
    let is_shown = |grapheme: &&str| {
        width += grapheme.width();
        width <= MAX_WIDTH
    };
    text.graphemes(true).take_while(is_shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_is_one_harmless_line_of_at_most_200_columns() {
        assert_eq!(title_text("Contoso · 2 open"), "Contoso · 2 open");
        assert_eq!(title_text("a\x07b\x1b\\c\nd\u{9c}e"), "a␇b␛\\c␊d‹U+009C›e");
        assert_eq!(title_text(&"x".repeat(500)).len(), 200);
        assert_eq!(title_text(&format!("x{}", "東".repeat(500))).width(), 199);
    }
}
