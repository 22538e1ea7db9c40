//! What the environment says of the terminal, and what follows from it for what is drawn and asked.

use rstest::rstest;

use super::{GONE, Home, started};
use crate::support::pty::{self, Program};

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
