//! Small words: cut text, ages, times, counts.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use textwrap::{Options, WordSplitter};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The text in at most this many columns; what is cut ends in `…`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used + 1 > width {
            break;
        }
        out.push_str(grapheme);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// The text in exactly this many columns, cut or filled with blanks to the right.
pub(super) fn fit(text: &str, width: usize) -> String {
    let mut out = cut(text, width);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(out.width())));
    out
}

/// The text on lines of at most this many columns, broken between words and never at the hyphen of a device or a ticket.
pub(super) fn wrap(text: &str, width: usize) -> Vec<Cow<'_, str>> {
    textwrap::wrap(text, Options::new(width.max(1)).word_splitter(WordSplitter::NoHyphenation))
}

/// How long ago, in the largest unit that says enough: minutes, hours, days.
pub(super) fn age(since: Timestamp, now: Timestamp) -> String {
    match now.duration_since(since).as_mins() {
        ..1 => "<1 min".to_owned(),
        minutes @ 1..60 => format!("{minutes} min"),
        minutes @ 60..2880 => format!("{} h", minutes / 60),
        minutes => format!("{} d", minutes / 1440),
    }
}

/// The agent's local time.
pub(super) fn local(at: Timestamp, zone: &TimeZone, format: &str) -> String {
    at.to_zoned(zone.clone()).strftime(format).to_string()
}

/// "1 request is", "2 requests are".
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so_and_keeps_its_columns() {
        for (text, width, shown) in [
            ("Excel", 5, "Excel"),
            ("Excel", 4, "Exc…"),
            ("东京都庁", 5, "东京…"),
            ("东京", 2, "…"),
            ("a", 0, ""),
            ("e\u{301}e", 1, "…"),
        ] {
            assert_eq!(cut(text, width), shown);
        }
        assert_eq!(fit("东", 4), "东  ");
    }

    #[test]
    fn ages_are_told_in_the_largest_unit_that_says_enough() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (seconds, told) in
            [(-5, "<1 min"), (59, "<1 min"), (60, "1 min"), (3_599, "59 min"), (7_200, "2 h"), (172_800, "2 d")]
        {
            let since = now - jiff::SignedDuration::from_secs(seconds);
            assert_eq!(age(since, now), told);
        }
    }
}
