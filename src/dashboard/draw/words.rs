//! Small words: cut text, ages, times, counts.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use textwrap::{Options, WordSplitter};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// How many columns the text takes. A terminal gives each cluster its columns, also where letters would join into one.
pub(in crate::dashboard) fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(UnicodeWidthStr::width).sum() }
}

/// The text in at most this many columns; what is cut ends in `…`.
pub(in crate::dashboard) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
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

/// The text in at most this many columns; what is cut begins with `…` and keeps its end, by which devices differ.
pub(in crate::dashboard) fn cut_head(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut used = 0;
    for grapheme in text.graphemes(true).rev() {
        used += grapheme.width();
        if used + 1 > width {
            break;
        }
        kept.push(grapheme);
    }
    if width > 0 {
        kept.push("…");
    }
    kept.into_iter().rev().collect()
}

/// The text in exactly this many columns, cut or filled with blanks to the right.
pub(in crate::dashboard) fn fit(text: &str, width: usize) -> String {
    let mut out = cut(text, width);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(columns(&out))));
    out
}

/// The text on lines of at most this many columns, broken between words and never at the hyphen of a device or a ticket.
pub(in crate::dashboard) fn wrap(text: &str, width: usize) -> Vec<Cow<'_, str>> {
    textwrap::wrap(text, Options::new(width.max(1)).word_splitter(WordSplitter::NoHyphenation))
}

/// How long ago, in the largest unit that says enough: minutes, hours, days.
pub(in crate::dashboard) fn age(since: Timestamp, now: Timestamp) -> String {
    match now.duration_since(since).as_mins() {
        ..1 => "<1 min".to_owned(),
        minutes @ 1..60 => format!("{minutes} min"),
        minutes @ 60..2880 => format!("{} h", minutes / 60),
        minutes => format!("{} d", minutes / 1440),
    }
}

/// The agent's local time.
pub(in crate::dashboard) fn local(at: Timestamp, zone: &TimeZone, format: &str) -> String {
    at.to_zoned(zone.clone()).strftime(format).to_string()
}

/// "1 request is", "2 requests are".
pub(in crate::dashboard) fn counted(count: usize, one: &str, many: &str) -> String {
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
        // Lam and alef are drawn in two cells, although a font joins them into one sign.
        assert_eq!((columns("لا"), fit("لا", 3).as_str()), (2, "لا "));
        for (text, width, shown) in
            [("MMD-0017", 8, "MMD-0017"), ("MMD-0017", 5, "…0017"), ("a", 0, ""), ("东京", 3, "…京")]
        {
            assert_eq!(cut_head(text, width), shown);
        }
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
