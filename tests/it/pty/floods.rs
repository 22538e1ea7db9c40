//! Much at once: long pastes, fast typing, many resizes.

use super::{EDITOR, GONE, Home, started, wait_until};
use crate::support::pty::{self, Pty};

const MARK: &str = "THEEND";

/// 10 kB of words, so that they wrap, with a mark at the end.
fn long_text(line_end: &str) -> String {
    let words: Vec<_> = (0..1_250).map(|n| format!("{n:06}")).collect();
    let lines: Vec<_> = words.chunks(50).map(|line| line.join(" ")).collect();
    format!("{} {MARK}", lines.join(line_end))
}

/// The plan of action as the program has it: what an editor finds in its file.
fn arrives_whole(bytes: &str, text: &str) {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    home.write("editor.sh", r#"cp "$1" "$HOME/copy"; mv "$HOME/copy" "$HOME/plan""#);
    let mut pty = started(home.dashboard().env("EDITOR", &format!("sh {}", home.path("editor.sh"))));
    pty.send("n\x1b[Z");
    pty.send(bytes);
    pty.wait_for_text(MARK);
    pty.send(EDITOR);
    wait_until("the copy", || !home.read("plan").is_empty());
    assert_eq!(home.read("plan"), text);
    pty.wait_until_taken(2);
    leave(pty);
}

fn leave(mut pty: Pty) {
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn ten_kilobytes_pasted_at_once_arrive_whole() {
    let text = long_text("\n");
    arrives_whole(&format!("\x1b[200~{text}\x1b[201~"), &text);
}

#[test]
fn ten_kilobytes_typed_at_once_arrive_whole() {
    let text = long_text(" ");
    assert!(text.len() > 8_000);
    arrives_whole(&text, &text);
}

#[test]
fn ten_kilobytes_of_wide_characters_arrive_whole() {
    let text = format!("{} {MARK}", "Größe 漢字 🙂 ".repeat(500).trim_end());
    arrives_whole(&text, &text);
}

#[test]
fn a_storm_of_resizes_ends_with_the_screen_as_it_was() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.send("nINC-10442");
    pty.wait_for_text("INC-10442");
    pty.wait_for_text("No open requests");
    pty.wait_for_text("draft saved");
    let before = pty.panes();
    for size in [(1, 1), (2, 1), (300, 100), (10, 3), (40, 12), (39, 11), (99, 24), (120, 20)].iter().cycle().take(48) {
        pty.resize(size.0, size.1);
    }
    // No size of the storm, so that it has to be drawn.
    pty.resize(60, 20);
    pty.wait_for_text("INC-10442");
    pty.resize(120, 36);
    pty.wait_for("the screen as it was", |screen| pty::panes(screen) == before);
    leave(pty);
}
