//! Text from the service, from a device's name or from a paste. It is stored unchanged, and can be shown only in a form that
//! cannot control a terminal.

use std::{borrow::Cow, fmt};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many combining marks are shown after one character; the rest are counted.
const MAX_MARKS: usize = 4;

/// Text from outside the program.
///
/// The raw text is for comparisons and for the wire. A person, a terminal, a log or a clipboard gets [`Untrusted::visible`].
/// There is no `Display`, so that `{}` does not compile.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Untrusted(Box<str>);

impl Untrusted {
    /// Wraps a text unchanged.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into_boxed_str())
    }

    /// Returns the unchanged text, for comparisons and for the wire.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Returns one line that cannot control a terminal: see [`visible`].
    #[must_use]
    pub fn visible(&self) -> Cow<'_, str> {
        visible(&self.0)
    }

    /// Returns each line of the text (`\n` and `\r\n` end one) in visible form.
    pub fn visible_lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.lines().map(visible)
    }

    /// Returns whether the text is empty or white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.visible())
    }
}

/// Returns the text on one line, with a visible mark for every control or invisible character: control pictures for C0 and
/// DEL (`␛`), `‹U+202E›` for the others, and a count for excess combining marks.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let (mut marks, mut before) = (0, None);
    let harmless = text.chars().all(|c| {
        marks = if is_combining(c) { marks + 1 } else { 0 };
        let is_hidden = is_active_or_hidden(c) && !is_emoji_selector(before, c);
        before = Some(c);
        marks <= MAX_MARKS && !is_hidden
    });
    if harmless { Cow::Borrowed(text) } else { Cow::Owned(escape(text)) }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        match c {
            c if is_emoji_selector(before, c) => out.push(c),
            '\0'..='\x1f' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('␀')),
            '\x7f' => out.push('␡'),
            c if is_active_or_hidden(c) => out.push_str(&format!("‹U+{:04X}›", u32::from(c))),
            c => out.push(c),
        }
        before = Some(c);
        let mut marks = 0;
        while let Some(mark) = chars.next_if(|c| is_combining(*c)) {
            marks += 1;
            if marks <= MAX_MARKS {
                out.push(mark);
            }
        }
        if marks > MAX_MARKS {
            out.push_str(&format!("‹+{} marks›", marks - MAX_MARKS));
        }
    }
    out
}

/// Returns how many characters of the text control a terminal or are invisible.
#[must_use]
pub fn invisible_characters(text: &str) -> usize {
    let mut before = None;
    let is_invisible = |c: &char| {
        let is_selector = is_emoji_selector(before.replace(*c), *c);
        *c != '\n' && is_active_or_hidden(*c) && !is_selector
    };
    text.chars().filter(is_invisible).count()
}

/// Returns whether a character is the selector that makes an emoji of the character before it. It hides nothing: both are
/// drawn as one sign, and a letter or a digit has no such form here.
fn is_emoji_selector(before: Option<char>, c: char) -> bool {
    let makes_wide = |before: char| before.width() == Some(1) && [before, c].iter().collect::<String>().width() == 2;
    c == '\u{fe0f}'
        && before.is_some_and(|before| !before.is_alphanumeric() && !before.is_ascii() && makes_wide(before))
}

fn is_combining(c: char) -> bool {
    c.width() == Some(0) && !is_active_or_hidden(c)
}

/// Returns whether a character is a control, format or default-ignorable character of Unicode: bidirectional controls,
/// zero-width characters, variation selectors, fillers, tags, line and paragraph separators.
fn is_active_or_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_or_hides_is_shown_as_a_mark() {
        for (raw, shown) in [
            ("MMD-0001", "MMD-0001"),
            ("a\x1b[2Jb", "a␛[2Jb"),
            ("a\rb\tc\nd", "a␍b␉c␊d"),
            ("a\u{9b}31m", "a‹U+009B›31m"),
            ("abc\u{202e}fed", "abc‹U+202E›fed"),
            ("MMD\u{200b}-1", "MMD‹U+200B›-1"),
            ("x\u{e0041}", "x‹U+E0041›"),
            ("Müller 东京 e\u{301}", "Müller 东京 e\u{301}"),
            ("⚠\u{fe0f} ☎\u{fe0f}", "⚠\u{fe0f} ☎\u{fe0f}"),
            ("MMD-1\u{fe0f}", "MMD-1‹U+FE0F›"),
            ("漢\u{fe0f} ⚠\u{fe0f}\u{fe0f}", "漢‹U+FE0F› ⚠\u{fe0f}‹U+FE0F›"),
        ] {
            assert_eq!(Untrusted::new(raw).visible(), shown);
        }
    }

    #[test]
    fn a_pile_of_combining_marks_is_counted_and_not_drawn() {
        let pile = format!("e{}", "\u{301}".repeat(10_000));
        assert_eq!(visible(&pile), format!("e{}‹+9996 marks›", "\u{301}".repeat(4)));
    }

    #[test]
    fn the_raw_text_is_kept_and_debug_is_harmless() {
        let text = Untrusted::new("a\x1b]52;c;AAAA\x07");
        assert_eq!(text.raw(), "a\x1b]52;c;AAAA\x07");
        assert!(!format!("{text:?}").contains('\x1b'));
    }
}
