//! What the bytes of a terminal mean: every row of the tables in one piece, cut in two at every byte, and byte by byte.

use std::time::{Duration, Instant};

use crossterm::event::KeyEventKind;
use mmd_elevate::{
    keys::Key,
    terminal::{Input, Parser, TerminalReply},
};
use proptest::prelude::*;

/// Longer than any bound in time.
const LONG: Duration = Duration::from_secs(5);

/// As a reader of this file writes it: keys by their names, the rest by what it is.
fn shown(input: &Input) -> String {
    match input {
        Input::Key(event) => {
            let key = Key::from(*event);
            match event.kind {
                KeyEventKind::Press => key.to_string(),
                KeyEventKind::Repeat => format!("repeat {key}"),
                KeyEventKind::Release => format!("release {key}"),
            }
        }
        Input::Paste(text) => format!("paste {text:?}"),
        Input::Resize(columns, rows) => format!("resize {columns}x{rows}"),
        Input::Mouse(event) => format!("{:?} at {},{}", event.kind, event.column, event.row),
        Input::Focus(got) => format!("focus {got}"),
        Input::Reply(TerminalReply::Foreground(r, g, b)) => format!("foreground {r} {g} {b}"),
        Input::Reply(TerminalReply::Background(r, g, b)) => format!("background {r} {g} {b}"),
        Input::NotUtf8 => "not UTF-8".to_owned(),
    }
}

/// What these pieces mean where they come one right after the other, and then nothing more.
fn meant(pieces: &[&[u8]]) -> Vec<String> {
    let (mut parser, now) = (Parser::default(), Instant::now());
    let mut inputs: Vec<Input> = pieces.iter().flat_map(|piece| parser.feed(piece, now)).collect();
    inputs.extend(parser.idle(now + LONG));
    assert_eq!(parser.deadline(), None, "everything has an end");
    inputs.iter().map(shown).collect()
}

fn assert_rows(rows: &[(&[u8], &[&str])]) {
    for (bytes, expected) in rows {
        let row = bytes.escape_ascii();
        assert_eq!(meant(&[bytes]), *expected, "{row}");
        for at in 1..bytes.len() {
            let (first, second) = bytes.split_at(at);
            assert_eq!(meant(&[first, second]), *expected, "{row} cut after {at}");
        }
        let each: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(meant(&each), *expected, "{row} byte by byte");
    }
}

#[test]
fn characters_and_control_keys_are_read() {
    assert_rows(&[
        (b"aZ ?", &["a", "Z", "Space", "?"]),
        ("äß漢🙂".as_bytes(), &["ä", "ß", "漢", "🙂"]),
        (b"\r\n\t", &["Enter", "Enter", "Tab"]),
        (b"\x7f\x08", &["Backspace", "Ctrl-H"]),
        (b"\x00\x01\x03\x13\x1a", &["Ctrl-Space", "Ctrl-A", "Ctrl-C", "Ctrl-S", "Ctrl-Z"]),
        (b"\x1c\x1d\x1e\x1f", &["Ctrl-\\", "Ctrl-]", "Ctrl-^", "Ctrl-_"]),
        (b"\x1b", &["Esc"]),
        (b"\x1b\x1b", &["Esc", "Esc"]),
        (b"\x1b\x1b\x1b", &["Esc", "Esc", "Esc"]),
    ]);
}

#[test]
fn alt_chords_are_read() {
    assert_rows(&[
        (b"\x1ba", &["Alt-A"]),
        (b"\x1b\r", &["Alt-Enter"]),
        (b"\x1b\t\x1b\x7f", &["Alt-Tab", "Alt-Backspace"]),
        (b"\x1b\x13", &["Ctrl-Alt-S"]),
        ("\x1bé".as_bytes(), &["Alt-É"]),
        (b"\x1b[\x1bO", &["Alt-[", "Alt-O"]),
        (b"\x1b]", &["Alt-]"]),
        (b"\x1bP", &["Alt-P"]),
        (b"\x1b\\", &["Alt-\\"]),
        (b"\x1b(\x1b1", &["Alt-(", "Alt-1"]),
        (b"\x1b\x1b[A", &["Alt-Up"]),
        (b"\x1b\x1bOB", &["Alt-Down"]),
        (b"\x1b\x1b[3~", &["Alt-Delete"]),
        (b"\x1b\x1bx", &["Esc", "Alt-X"]),
        (b"\x1b\x1b\x1b[C", &["Esc", "Alt-Right"]),
        (b"\x1b[1;3A\x1b[1;7D", &["Alt-Up", "Ctrl-Alt-Left"]),
        (b"\x1b\x03", &["Esc", "Ctrl-C"]),
    ]);
}

#[test]
fn keys_of_terminals_are_read() {
    assert_rows(&[
        // xterm, and what follows it: tmux, screen, VTE, iTerm2.
        (b"\x1b[A\x1b[B\x1b[C\x1b[D", &["Up", "Down", "Right", "Left"]),
        (b"\x1bOA\x1bOB\x1bOC\x1bOD", &["Up", "Down", "Right", "Left"]),
        (b"\x1b[H\x1b[F\x1bOH\x1bOF", &["Home", "End", "Home", "End"]),
        (b"\x1b[1~\x1b[4~\x1b[7~\x1b[8~", &["Home", "End", "Home", "End"]),
        (b"\x1b[2~\x1b[3~\x1b[5~\x1b[6~", &["Insert", "Delete", "PgUp", "PgDn"]),
        (b"\x1bOP\x1bOQ\x1bOR\x1bOS", &["F1", "F2", "F3", "F4"]),
        (b"\x1b[P\x1b[Q\x1b[R\x1b[S", &["F1", "F2", "F3", "F4"]),
        (b"\x1b[11~\x1b[12~\x1b[13~\x1b[14~\x1b[15~", &["F1", "F2", "F3", "F4", "F5"]),
        (b"\x1b[17~\x1b[18~\x1b[19~\x1b[20~\x1b[21~", &["F6", "F7", "F8", "F9", "F10"]),
        (b"\x1b[23~\x1b[24~\x1b[25~\x1b[34~", &["F11", "F12", "F13", "F20"]),
        (b"\x1b[1;5A\x1b[1;2B\x1b[1;6C", &["Ctrl-Up", "Shift-Down", "Ctrl-Shift-Right"]),
        (b"\x1b[1;5H\x1b[1;5F\x1b[3;5~", &["Ctrl-Home", "Ctrl-End", "Ctrl-Delete"]),
        (b"\x1b[1;5P\x1b[1;2R\x1b[15;5~", &["Ctrl-F1", "Shift-F3", "Ctrl-F5"]),
        (b"\x1b[Z", &["Shift-Tab"]),
        (b"\x1bO5P\x1bO1;2Q", &["Ctrl-F1", "Shift-F2"]),
        (b"\x1bOM\x1bOk\x1bOp\x1bOy\x1bOn", &["Enter", "+", "0", "9", "."]),
        // rxvt.
        (b"\x1b[a\x1b[d\x1bOa\x1bOd", &["Shift-Up", "Shift-Left", "Ctrl-Up", "Ctrl-Left"]),
        (b"\x1b[3$\x1b[3^\x1b[3@", &["Shift-Delete", "Ctrl-Delete", "Ctrl-Shift-Delete"]),
        (b"\x1b[5$x\x1b[23^", &["Shift-PgUp", "x", "Ctrl-F11"]),
        // The Linux console.
        (b"\x1b[[A\x1b[[B\x1b[[C\x1b[[D\x1b[[E", &["F1", "F2", "F3", "F4", "F5"]),
        // modifyOtherKeys, both ways to write it.
        (b"\x1b[27;5;13~\x1b[27;6;9~", &["Ctrl-Enter", "Ctrl-Shift-Tab"]),
        (b"\x1b[27;5;115~\x1b[115;5u", &["Ctrl-S", "Ctrl-S"]),
        (b"\x1b[27;2;65~\x1b[27;3;120~", &["A", "Alt-X"]),
        // kitty.
        (b"\x1b[27u\x1b[13u\x1b[9;2u\x1b[127;3u", &["Esc", "Enter", "Shift-Tab", "Alt-Backspace"]),
        (b"\x1b[97;2u\x1b[97:65;2u\x1b[49:33;2u", &["A", "A", "!"]),
        (b"\x1b[97;5u\x1b[97;5:1u", &["Ctrl-A", "Ctrl-A"]),
        (b"\x1b[97;1:2u\x1b[97;1:3u", &["repeat a", "release a"]),
        (b"\x1b[1;5:2A\x1b[3;1:3~", &["repeat Ctrl-Up", "release Delete"]),
        (b"\x1b[97;;229u\x1b[97;2;197u", &["å", "Å"]),
        (b"\x1b[57364u\x1b[57376u\x1b[57414u\x1b[57400u", &["F1", "F13", "Enter", "1"]),
        (b"\x1b[97;65u\x1b[97;66u\x1b[97;129u", &["A", "a", "a"]),
        // Modifiers alone, media keys, and the desktop's own chords type nothing.
        (b"\x1b[57441;2u\x1b[57428u\x1b[97;9u\x1b[1;9Ax", &["x"]),
        // What nobody knows is no text.
        (b"\x1b[99~\x1b[1;2;3;4;5A\x1b[4x\x1bOz|", &["|"]),
    ]);
}

#[test]
fn mouse_and_focus_are_read_and_are_no_keys() {
    assert_rows(&[
        (b"\x1b[<0;12;7M\x1b[<0;12;7m", &["Down(Left) at 11,6", "Up(Left) at 11,6"]),
        (b"\x1b[<34;1;1M\x1b[<35;2;3M", &["Drag(Right) at 0,0", "Moved at 1,2"]),
        (b"\x1b[<64;1;1M\x1b[<65;1;1M\x1b[<80;1;1M", &["ScrollUp at 0,0", "ScrollDown at 0,0", "ScrollUp at 0,0"]),
        (b"\x1b[<0;0;1M\x1b[<128;1;1Mx", &["x"]),
        // X10: three bytes of any kind, also such as no UTF-8 holds.
        (b"\x1b[M !!x", &["x"]),
        (b"\x1b[M#\xff\x7fx", &["x"]),
        (b"\x1b[32;10;20Mx", &["x"]),
        (b"\x1b[I\x1b[O", &["focus true", "focus false"]),
    ]);
}

#[test]
fn replies_are_never_keys() {
    assert_rows(&[
        (b"a\x1b]11;rgb:1e1e/1e1e/2e2e\x07b", &["a", "background 30 30 46", "b"]),
        (b"a\x1b]11;rgb:ff/0/80\x1b\\b", &["a", "background 255 0 128", "b"]),
        (b"\x1b]10;#fff\x07\x1b]11;rgba:ffff/8080/0000/ffff\x07", &["foreground 255 255 255", "background 255 128 0"]),
        (b"a\x1b]11;?\x07\x1b]4;1;rgb:cd/00/00\x1b\\\x1b]52;c;aGk=\x07b", &["a", "b"]),
        (b"a\x1b]11;rgb:xx/yy/zz\x07\x1b]11;rgb:1/2\x07\x1b]11;#12345\x07b", &["a", "b"]),
        (b"a\x1b]0;t\xc3\xaft\xe9\r\n\x7f\x07b", &["a", "b"]),
        (b"a\x1bP1$r0m\x1b\\\x1bP>|tmux 3.4\x1b\\\x1bP!|00000000\x1b\\b", &["a", "b"]),
        (b"a\x1b_Gi=31;OK\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\b", &["a", "b"]),
        (b"a\x1bPbell\x07stays\x1b\\b", &["a", "b"]),
        (b"a\x1b[?2026;2$y\x1b[4;2$y\x1b[?62;22c\x1b[>0;276;0c\x1b[=0cb", &["a", "b"]),
        (b"a\x1b[?1u\x1b[>4;2m\x1b[?997;1n\x1b[0n\x1b[12;40R\x1b[1;40Rb", &["a", "b"]),
        (b"a\x1b[8;36;120t\x1b[4;700;1200t\x1b[?1;0;256S\x1b[<1;2;3c\x1b[1 qb", &["a", "b"]),
        // Ended by what begins next, by CAN and by SUB.
        (b"a\x1b]11;rgb\x1b[Ab", &["a", "Up", "b"]),
        (b"a\x1b]11;rgb\x18b\x1bPx\x1ac", &["a", "b", "c"]),
        (b"a\x1b[12\x18b\x1b[12\x1ac", &["a", "b", "c"]),
        (b"a\x1b[12\x1b[Ab", &["a", "Up", "b"]),
        (b"a\x1b[12\rb", &["a", "Enter", "b"]),
        ("a\x1b[12éb".as_bytes(), &["a", "é", "b"]),
        // Ctrl-C is a key in all of them.
        (b"\x1b]11;rgb\x03a", &["Ctrl-C", "a"]),
        (b"\x1bPq#0\x03a", &["Ctrl-C", "a"]),
        (b"\x1b_G\x03\x1b[1;\x03\x1b[M \x03\x1bO1\x03", &["Ctrl-C"; 4]),
        (b"\x1b]11;rgb\x1b\x03a", &["Esc", "Ctrl-C", "a"]),
        (b"\xc3\x03", &["\u{fffd}", "not UTF-8", "Ctrl-C"]),
    ]);
}

#[test]
fn invalid_bytes_cost_no_neighbour_and_are_told_once() {
    assert_rows(&[
        (b"caf\xe9 au", &["c", "a", "f", "\u{fffd}", "not UTF-8", "Space", "a", "u"]),
        (b"\xe4\xf6x\xff", &["\u{fffd}", "not UTF-8", "\u{fffd}", "x", "\u{fffd}"]),
        (b"\xe6\xbca", &["\u{fffd}", "\u{fffd}", "not UTF-8", "a"]),
        (b"\xe6\xbc", &["\u{fffd}", "\u{fffd}", "not UTF-8"]),
        (b"\xe6\xc3\xa9", &["\u{fffd}", "not UTF-8", "é"]),
        (b"\xed\xa0\x80\xc0\xafx", &["\u{fffd}", "not UTF-8", "\u{fffd}", "\u{fffd}", "\u{fffd}", "\u{fffd}", "x"]),
        (b"\xe9\r\x1b[A", &["\u{fffd}", "not UTF-8", "Enter", "Up"]),
        (b"\x1b\xe9x", &["Esc", "\u{fffd}", "not UTF-8", "x"]),
        (b"\x1b[200~caf\xe9 \xe6\xbc\x1b[201~x", &["paste \"caf\u{fffd} \u{fffd}\u{fffd}\"", "not UTF-8", "x"]),
    ]);
}

#[test]
fn pastes_are_text_up_to_their_end() {
    assert_rows(&[
        (b"a\x1b[200~one\r\ntwo\x1b[201~b", &["a", "paste \"one\\r\\ntwo\"", "b"]),
        ("\x1b[200~漢\t🙂\x1b[201~".as_bytes(), &["paste \"漢\\t🙂\""]),
        (b"\x1b[200~\x1b[201~\x1b[201~x", &["x"]),
        (b"\x1b[200~\x1b[A\x1b[20\x1b]11;?\x07\x1b[201~x", &["paste \"\\u{1b}[A\\u{1b}[20\\u{1b}]11;?\\u{7}\"", "x"]),
        (b"\x1b[200~a\x1b[200~b\x1b[201~x", &["paste \"a\\u{1b}[200~b\"", "x"]),
        // Pasted, Ctrl-C is harmless; pressed, it is a key.
        (b"\x1b[200~a\x03b\x03\x1b[201~x", &["paste \"a\\u{3}b\\u{3}\"", "x"]),
        (b"\x1b[200~half\x03", &["paste \"half\"", "Ctrl-C"]),
        (b"\x1b[200~\x03\x03", &["Ctrl-C", "Ctrl-C"]),
        (b"\x1b[200~half", &["paste \"half\""]),
        (b"\x1b[200~half\x1b[20", &["paste \"half\""]),
    ]);
}

/// A parser, and a clock that the test moves.
struct Terminal {
    parser: Parser,
    now: Instant,
}

impl Terminal {
    fn new() -> Self {
        Self { parser: Parser::default(), now: Instant::now() }
    }

    fn sends(&mut self, bytes: impl AsRef<[u8]>) -> Vec<String> {
        self.parser.feed(bytes.as_ref(), self.now).iter().map(shown).collect()
    }

    fn waits(&mut self, millis: u64) -> Vec<String> {
        self.now += Duration::from_millis(millis);
        self.parser.idle(self.now).iter().map(shown).collect()
    }
}

#[test]
fn escape_waits_a_moment_for_its_sequence_and_no_longer() {
    let mut terminal = Terminal::new();
    assert!(terminal.sends("\x1b").is_empty());
    assert!(terminal.waits(8).is_empty());
    assert_eq!(terminal.sends("[A"), ["Up"]);
    assert!(terminal.sends("\x1b").is_empty());
    assert_eq!(terminal.waits(10), ["Esc"]);
    assert_eq!(terminal.sends("[A"), ["[", "A"]);
}

#[test]
fn unterminated_reply_ends_by_time_and_its_late_terminator_is_no_key() {
    for begun in ["\x1b]11;rgb:1e1e", "\x1bP1$r", "\x1b_G", "\x1b^x", "\x1bXx", "\x1b[?2026;2", "\x1b[12;", "\x1bO1"] {
        let mut terminal = Terminal::new();
        assert!(terminal.sends(begun).is_empty(), "{begun:?}");
        assert!(terminal.waits(90).is_empty(), "{begun:?}");
        assert!(terminal.waits(10).is_empty(), "{begun:?}");
        assert_eq!(terminal.sends("q"), ["q"], "{begun:?}");
    }
    let mut terminal = Terminal::new();
    terminal.sends("\x1b]11;rgb:1e1e");
    terminal.waits(100);
    assert!(terminal.sends("\x1b\\").is_empty());
    assert_eq!(terminal.sends("\x1b\\"), ["Alt-\\"], "only once");
}

#[test]
fn unterminated_reply_ends_by_size() {
    for begun in ["\x1b]11;", "\x1bP", "\x1b_", "\x1b["] {
        let mut terminal = Terminal::new();
        assert!(terminal.sends(begun).is_empty());
        assert!(terminal.sends("1".repeat(64 * 1024 - 8)).is_empty(), "{begun:?}");
        let rest = terminal.sends("1".repeat(20));
        assert!((1..=20).contains(&rest.len()), "{begun:?}: {rest:?}");
        assert_eq!(terminal.sends("q"), ["q"], "{begun:?}");
    }
    let long = format!("\x1b]52;c;{}\x07q", "A".repeat(60_000));
    assert_eq!(Terminal::new().sends(long), ["q"]);
}

#[test]
fn paste_without_end_is_delivered_and_the_keys_work_again() {
    for (key, expected) in [
        ("q", "q"),
        ("\r", "Enter"),
        ("\x1b", "Esc"),
        ("\x1b[A", "Up"),
        ("\x1bOP", "F1"),
        ("\x13", "Ctrl-S"),
        ("é", "é"),
        ("\x1b\r", "Alt-Enter"),
    ] {
        let mut terminal = Terminal::new();
        assert!(terminal.sends("\x1b[200~half a text").is_empty());
        assert!(terminal.waits(990).is_empty());
        assert_eq!(terminal.waits(10), ["paste \"half a text\""]);
        let mut keys = terminal.sends(key);
        keys.extend(terminal.waits(100));
        assert_eq!(keys, [expected]);
        assert_eq!(terminal.sends("jk"), ["j", "k"], "and from then on at once");
    }
}

#[test]
fn text_before_a_late_end_of_a_paste_is_still_text() {
    for late in ["q", "q\r", "\x1b[A\r", "one\r\ntwo", "\x03q", "c\x13"] {
        let mut terminal = Terminal::new();
        terminal.sends("\x1b[200~half");
        assert_eq!(terminal.waits(1_000), ["paste \"half\""]);
        let mut inputs = terminal.sends(late);
        inputs.extend(terminal.waits(30));
        inputs.extend(terminal.sends("\x1b[201~j"));
        let expected = match late.strip_prefix('\x03') {
            // Without anything before it nobody can tell: the key that always works.
            Some(rest) => vec!["Ctrl-C".to_owned(), format!("paste {rest:?}"), "j".to_owned()],
            None => vec![format!("paste {late:?}"), "j".to_owned()],
        };
        assert_eq!(inputs, expected);
    }
}

#[test]
fn several_characters_at_once_after_a_paste_without_end_are_text_of_it() {
    let mut terminal = Terminal::new();
    terminal.sends("\x1b[200~half");
    terminal.waits(1_000);
    assert!(terminal.sends("qy\rl").is_empty());
    assert_eq!(terminal.waits(60), ["paste \"qy\\rl\""]);
    assert!(terminal.sends("more").is_empty());
    assert_eq!(terminal.sends("\x1b[201~q"), ["paste \"more\"", "q"]);
}

#[test]
fn ctrl_c_works_in_and_after_a_paste_without_end() {
    let mut terminal = Terminal::new();
    terminal.sends("\x1b[200~half");
    terminal.sends("\x03");
    assert_eq!(terminal.waits(100), ["paste \"half\"", "Ctrl-C"]);
    assert_eq!(terminal.sends("\x03"), ["Ctrl-C"]);
    assert!(terminal.sends("ab\x03").is_empty());
    assert_eq!(terminal.waits(100), ["paste \"ab\"", "Ctrl-C"]);
}

#[test]
fn long_paste_is_delivered_in_parts_that_cut_no_character() {
    let text = format!("{}{}", "a", "漢字🙂".repeat(250_000));
    let mut terminal = Terminal::new();
    let mut inputs = terminal.parser.feed(b"\x1b[200~", terminal.now);
    for piece in text.as_bytes().chunks(4_095) {
        inputs.extend(terminal.parser.feed(piece, terminal.now));
    }
    assert!(inputs.len() >= 2, "it is {} bytes", text.len());
    inputs.extend(terminal.parser.feed(b"\x1b[201~", terminal.now));
    let parts = inputs.iter().map(|input| match input {
        Input::Paste(text) => text.as_str(),
        other => panic!("{other:?}"),
    });
    assert_eq!(parts.collect::<String>(), text);
    assert_eq!(terminal.sends("q"), ["q"]);
}

#[test]
fn character_that_is_not_completed_is_told_in_time() {
    let mut terminal = Terminal::new();
    assert!(terminal.sends(b"\xe9").is_empty());
    assert_eq!(terminal.waits(100), ["\u{fffd}", "not UTF-8"]);
    assert_eq!(terminal.sends("é"), ["é"]);
}

#[test]
fn what_was_begun_ends_when_another_program_has_the_terminal() {
    let mut terminal = Terminal::new();
    terminal.sends("\x1b[200~half");
    let flushed: Vec<_> = terminal.parser.flush().iter().map(shown).collect();
    assert_eq!(flushed, ["paste \"half\""]);
    assert_eq!(terminal.parser.deadline(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_bytes_ctrl_c_is_a_key(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                prop::sample::select(vec!["\x1b[200~", "\x1b[201~", "\x1b]11;", "\x1bP", "\x1b[", "\x1bO", "\x1b", "\x1b[M", "\x1b[["])
                    .prop_map(|text| text.as_bytes().to_vec()),
            ],
            0..12,
        ),
        pauses in prop::collection::vec(0_u64..1_500, 12),
    ) {
        let mut terminal = Terminal::new();
        for (piece, pause) in pieces.iter().zip(pauses) {
            terminal.sends(piece);
            terminal.waits(pause);
        }
        let mut inputs = terminal.sends("\x03");
        inputs.extend(terminal.waits(2_000));
        prop_assert!(inputs.iter().any(|input| input == "Ctrl-C"), "{inputs:?}");
        prop_assert_eq!(terminal.sends("\x03"), ["Ctrl-C"]);
    }

    #[test]
    fn valid_text_cut_anywhere_is_typed_whole(text in "\\PC{0,60}", cut in any::<prop::sample::Index>()) {
        let at = cut.index(text.len() + 1);
        let (mut parser, now) = (Parser::default(), Instant::now());
        let (first, second) = text.as_bytes().split_at(at);
        let mut inputs = parser.feed(first, now);
        inputs.extend(parser.feed(second, now));
        let typed: String = inputs.iter().filter_map(|input| match input {
            Input::Key(event) => Key::from(*event).character(),
            _ => None,
        }).collect();
        prop_assert_eq!(typed, text);
    }
}
