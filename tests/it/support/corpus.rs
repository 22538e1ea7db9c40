//! Text that means harm. It is kept in one place, so that every way to the agent is tried with all of it.

/// One text, and what it would do.
#[derive(Clone, Debug)]
pub(crate) struct Specimen {
    pub(crate) name: &'static str,
    /// A letter stands at both ends, so that no field takes it for blank.
    pub(crate) text: String,
}

/// Bytes that are no UTF-8, as a header or a body may hold them: among them an overlong ESC and a lone CSI of one byte.
pub(crate) const NOT_UTF8: [&[u8]; 5] =
    [b"a\xc0\x9bz", b"a\x9b2Jz", b"a\x9d0;title\x9cz", b"a\xed\xa0\xaez", b"a\xf0\x9fz"];

/// All of it.
pub(crate) fn corpus() -> Vec<Specimen> {
    let range = |from: u32, to: u32| (from..=to).filter_map(char::from_u32).collect::<String>();
    let repeated = |text: &str, times| text.repeat(times);
    [
        ("all of C0 and DEL", range(0, 0x1f) + "\x7f"),
        ("all of C1", range(0x80, 0x9f)),
        ("CSI: clear, home, red, hide the cursor", "\x1b[2J\x1b[H\x1b[31m\x1b[?25l".into()),
        ("CSI of C1", "\u{9b}2J\u{9b}31m".into()),
        ("leaving the alternate screen and synchronized update", "\x1b[?1049l\x1b[?2026l\x1b[?2004l".into()),
        ("asking the terminal, which would answer as if typed", "\x1b[6n\x1b[c\x05\x1b[21t".into()),
        ("reset", "\x1bc\x1b[!p".into()),
        ("OSC 0: title", "\x1b]0;title\x07".into()),
        ("OSC 8: link", "\x1b]8;;https://elsewhere.example\x1b\\click\x1b]8;;\x1b\\".into()),
        ("OSC 52: clipboard", "\x1b]52;c;cm0gLXJmIH4K\x07\x1b]52;c;?\x1b\\".into()),
        ("OSC 52 of C1", "\u{9d}52;c;cm0gLXJmIH4K\u{9c}".into()),
        ("DCS, SOS, PM and APC", "\x1bP+q544e\x1b\\\x1bXsos\x1b\\\x1b^pm\x1b\\\x1b_Gf=32;AAAA\x1b\\".into()),
        ("a sequence without an end", "\x1b]0;".into()),
        ("the end of a paste", "\x1b[201~q\x1b[200~".into()),
        ("CR overwrites", "MMD-1\rMMD-2".into()),
        ("BS overwrites", "good\x08\x08\x08\x08evil".into()),
        ("tabs and lines", "\t\tb\nc\x0b\x0cd\u{85}e\u{2028}f\u{2029}g".into()),
        ("ten thousand combining marks", repeated("\u{301}", 10_000)),
        ("marks on nothing", repeated("\u{200d}\u{20dd}\u{302}", 40)),
        ("an over-long line", repeated("0123456789", 3_000)),
        ("over-long and wide, without a place to wrap", repeated("漢", 8_000)),
        ("bidi overrides", "\u{202a}\u{202b}\u{202d}\u{202e}exe.fdp\u{202c}".into()),
        ("bidi isolates and marks", "\u{2066}\u{2067}\u{2068}b\u{2069}\u{200e}\u{200f}\u{61c}".into()),
        ("zero-width", "MMD\u{200b}-\u{200c}1\u{200d}\u{2060}\u{2064}\u{feff}\u{ad}\u{34f}\u{180e}".into()),
        ("fillers", "\u{115f}\u{1160}\u{3164}\u{ffa0}".into()),
        ("tags", "\u{e0001}\u{e0041}\u{e007f}".into()),
        ("variation selectors", "b\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}".into()),
        ("interlinear and format characters", "\u{fff9}\u{fffa}\u{fffb}\u{13430}\u{1d173}\u{1bca0}".into()),
    ]
    .into_iter()
    .map(|(name, text)| Specimen { name, text: format!("a{text}z") })
    .collect()
}
