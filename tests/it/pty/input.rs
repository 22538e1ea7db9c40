//! What the terminal sends: late replies, pastes without an end, bytes of another encoding, and keys that come as one.

use super::{EDITOR, GONE, Home, SUBMIT, create, leave, started};
use crate::support::pty::{self, Pty};

/// Answers to questions that another program has asked.
const REPLIES: [&str; 9] = [
    "\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
    "\x1b]10;rgb:cdcd/d6d6/f4f4\x1b\\",
    "\x1b]4;7;rgb:ba/c2/de\x1b\\",
    "\x1b[?2026;2$y",
    "\x1b[?62;22c",
    "\x1b[>1;4000;31c",
    "\x1bP>|tmux 3.4\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b[24;80R",
];

fn with_one_open(home: &Home) -> Pty {
    let mut pty = started(home.dashboard());
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("● open");
    pty
}

fn interrupt(mut pty: Pty) {
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn late_replies_are_no_keys_in_form_list_and_dialog() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.send("n");
    for reply in REPLIES {
        pty.send(format!("{reply}x"));
    }
    pty.send("END");
    pty.wait_for_text("xxxxxxxxxEND");
    pty.send("\x18\x1b");
    pty.wait_for_text("n new");
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("● open");
    let before = pty.panes();
    pty.send(REPLIES.concat());
    pty.send("c");
    pty.wait_for_text("Close request");
    for reply in REPLIES {
        pty.send(format!("{reply}y"));
    }
    pty.wait_for_text("yyyyyyyyy");
    pty.send("\x1b");
    // The details say what was typed in the dialog.
    pty.wait_for("the list as it was", |screen| pty::panes(screen)[..8] == before[..8]);
    pty.wait_for_text("Actions taken, not sent yet");
    interrupt(pty);
}

#[test]
fn replies_to_an_editor_that_come_after_it_are_no_keys() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    // As a terminal over a slow line: the answers to what the editor asked come once it has ended.
    home.write("editor.sh", r#"printf '\033]11;?\007\033[c'; printf ' edited' >>"$1""#);
    let mut pty = started(home.dashboard().env("EDITOR", &format!("sh {}", home.path("editor.sh"))));
    pty.send("n\x1b[ZA plan\x0f");
    pty.wait_until_taken(2);
    pty.send(format!("{}, and more", REPLIES.concat()));
    pty.wait_for_text("A plan edited, and more");
    interrupt(pty);
}

#[test]
fn esc_and_enter_that_come_together_leave_the_close_dialog_and_send_nothing() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = with_one_open(&home);
    pty.send("c");
    pty.wait_for_text("Close request");
    pty.send("half a text");
    pty.wait_for_text("half a text");
    // What tmux makes of the two keys within its escape-time.
    pty.send("\x1b\r");
    pty.wait_for("the list", |screen| !screen.contents().contains("Close request"));
    pty.send("c");
    // The text alone is also in the details.
    pty.wait_for_text("Close request");
    pty.wait_for_text("half a text");
    assert!(pty.screen().contains("● open"), "{}", pty.screen());
    assert!(!pty.has_shown("closing"), "nothing was sent");
    pty.send("\x1b[12~");
    pty.wait_for_text("Request closed");
    interrupt(pty);
}

#[test]
fn ctrl_c_works_in_a_paste_without_end_and_in_a_reply_without_end() {
    if pty::missing() {
        return;
    }
    for begun in ["\x1b[200~half a paste", "\x1b]11;rgb:1e", "\x1bP1$r", "\x1b[?2026;"] {
        let home = Home::new();
        let mut pty = started(home.dashboard());
        pty.send("nINC-1");
        pty.wait_for_text("INC-1");
        pty.send(begun);
        interrupt(pty);
    }
}

#[test]
fn paste_without_end_is_shown_and_the_keys_work_again() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.send("n\x1b[200~INC-");
    pty.wait_for_text("INC-");
    // The rest of it, which could be keys, and then a key.
    pty.send("10442\x1b[201~");
    pty.wait_for_text("INC-10442");
    pty.send("\x1b");
    pty.wait_for_text("n new");
    pty.send("n\x1b[200~-B");
    pty.wait_for_text("INC-10442-B");
    pty.send("\x1b");
    pty.wait_for_text("n new");
    pty.send("q");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn bytes_of_another_encoding_stand_as_replacements_and_are_told() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.send(b"ncaf\xe9 au lait");
    pty.wait_for_text("au lait");
    pty.wait_for_text("The terminal sends bytes that are not UTF-8");
    let shown = String::from_utf8(pty.bytes()).unwrap();
    assert!(shown.contains('\u{fffd}') && pty.screen().contains("caf"), "{}", pty.screen());
    interrupt(pty);
}

#[test]
fn held_key_does_not_pass_a_warning_that_was_not_seen() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.send("nINC-7\t\u{41c}MD-03690457680\tTitle\tOffice\tExcel\tPlan");
    pty.wait_for_text("only looks");
    pty.send(SUBMIT.repeat(3));
    pty.wait_for_text("Not sent yet");
    for _ in 0..3 {
        pty.send(SUBMIT);
    }
    // Another key first: nobody holds two.
    pty.send("\x1b[F");
    assert!(!pty.has_shown("sending"), "{}", pty.screen());
    pty.send(SUBMIT);
    pty.wait_for("the answer", |screen| {
        ["sending", "open", "does not exist"].iter().any(|it| screen.contents().contains(it))
    });
    interrupt(pty);
}

#[test]
fn key_that_commits_typed_behind_the_editor_is_dropped() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    home.write("editor.sh", r#"printf ' edited' >>"$1""#);
    let mut pty = started(home.dashboard().env("EDITOR", &format!("sh {}", home.path("editor.sh"))));
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("● open");
    pty.send("c");
    pty.wait_for_text("Close request");
    // What the editor leaves was not seen when Ctrl-S was pressed.
    pty.send(format!("A text{EDITOR}{SUBMIT}!"));
    pty.wait_for_text("A text edited!");
    assert!(!pty.has_shown("closing"), "{}", pty.screen());
    pty.send(SUBMIT);
    pty.wait_for_text("Request closed");
    interrupt(pty);
}

#[test]
fn question_on_leaving_is_answered_once_it_was_seen() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = with_one_open(&home);
    pty.send("ql");
    pty.wait_for_text("Leave?");
    pty.send("\x1b");
    pty.wait_for("the list", |screen| !screen.contents().contains("Leave?"));
    leave(&mut pty);
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}
