//! What the environment says of the terminal, and what follows from it for what is drawn and asked.

use std::time::Duration;

use rstest::rstest;

use super::{GONE, Home, started};
use crate::support::{
    harmless::{Sequence, sequences},
    pty::{self, Program},
};

fn with(program: Program, set: &[(&str, &str)]) -> Program {
    set.iter().fold(program, |program, (name, value)| program.env(name, value))
}

/// The screen of a dashboard with this environment and these settings.
fn screen(set: &[(&str, &str)], settings: &str) -> String {
    let home = Home::new();
    home.write("config.toml", settings);
    let program = home.dashboard().env("MMD_ELEVATE_CONFIG", &home.path("config.toml"));
    let mut pty = started(with(program, set));
    let screen = pty.screen();
    pty.send("q");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    screen
}

#[rstest]
#[case::linux_console(&[("TERM", "linux")], "")]
#[case::vt(&[("TERM", "vt100")], "")]
#[case::another_encoding(&[("LANG", "de_DE.ISO-8859-1")], "")]
#[case::no_locale(&[("LANG", "")], "")]
#[case::set_so(&[], "[appearance]\nborders = 'ascii'")]
fn borders_are_ascii_where_the_terminal_has_nothing_else(#[case] set: &[(&str, &str)], #[case] settings: &str) {
    if pty::missing() {
        return;
    }
    let screen = screen(set, settings);
    assert!(screen.contains("+-") && !screen.contains(['─', '│', '╭', '┌']), "{screen}");
}

#[rstest]
#[case::utf8(&[], "", "╭")]
#[case::utf8_over_others(&[("LC_ALL", "C.UTF-8"), ("LANG", "C")], "", "╭")]
#[case::set_so(&[("TERM", "linux"), ("LANG", "C")], "[appearance]\nborders = 'rounded'", "╭")]
#[case::set_plain(&[("LANG", "C")], "[appearance]\nborders = 'plain'", "┌")]
fn borders_are_lines_where_the_terminal_has_them_or_the_settings_say_so(
    #[case] set: &[(&str, &str)],
    #[case] settings: &str,
    #[case] corner: &str,
) {
    if pty::missing() {
        return;
    }
    let screen = screen(set, settings);
    assert!(screen.contains(corner) && !screen.contains("+-"), "{screen}");
}

const QUERY: &str = "\x1b]11;?\x1b\\";

/// How often a dashboard with this environment and these settings asks for the background.
fn questions(set: &[(&str, &str)], settings: &str) -> usize {
    let home = Home::new();
    home.write("config.toml", settings);
    let program = home.dashboard().env("MMD_ELEVATE_CONFIG", &home.path("config.toml"));
    let mut pty = started(with(program, set));
    pty.send("?");
    pty.wait_for_text("Help");
    pty.send("qq");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    let bytes = pty.bytes();
    let text = String::from_utf8_lossy(&bytes);
    if let Some((before, _)) = text.split_once(QUERY) {
        assert!(before.ends_with("\x1b[?2026l"), "it is asked after a frame");
    }
    sequences(&bytes).iter().filter(|sequence| **sequence == Sequence::BackgroundQuery).count()
}

#[rstest]
#[case::many_colours(&[], "", 1)]
#[case::true_colour(&[("TERM", "xterm"), ("COLORTERM", "truecolor")], "", 1)]
#[case::known_name(&[("TERM", "tmux")], "", 1)]
#[case::few_colours(&[("TERM", "xterm")], "", 0)]
#[case::console(&[("TERM", "linux"), ("COLORTERM", "truecolor")], "", 0)]
#[case::no_colours(&[("NO_COLOR", "1")], "", 0)]
#[case::dark(&[], "[appearance]\ntheme = 'dark'", 0)]
#[case::mono(&[], "[appearance]\ntheme = 'mono'", 0)]
fn background_is_asked_for_once_where_it_matters(
    #[case] set: &[(&str, &str)],
    #[case] settings: &str,
    #[case] times: usize,
) {
    if !pty::missing() {
        assert_eq!(questions(set, settings), times);
    }
}

#[test]
fn answer_is_no_input_and_nothing_waits_for_it() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.send("n");
    pty.wait_for_text("New request");
    // In the middle of a word.
    pty.send("INC-1\x1b]11;rgb:ffff/ffff/ffff\x1b\\0442");
    pty.wait_for_text("INC-10442");
    let before = pty.processor_time();
    std::thread::sleep(Duration::from_millis(300));
    if let (Some(before), Some(after)) = (before, pty.processor_time()) {
        assert!(after.saturating_sub(before) < Duration::from_millis(100));
    }
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}
