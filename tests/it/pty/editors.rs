//! Editors that die, lie, fail or return at once: what they saved is never lost, and the reason is the one that it was.

use std::path::PathBuf;

use rustix::process::Signal;

use super::{EDITOR, GONE, Home, started, wait_until};
use crate::support::pty::{self, Pty};

const TO_THE_PLAN: &str = "n\x1b[Z";

/// A dashboard whose editor is the script of this name in the home, with its own folder for temporary files.
fn dashboard(home: &Home) -> Pty {
    std::fs::create_dir(home.path("tmp")).unwrap();
    let editor = format!("sh {}", home.path("editor.sh"));
    started(home.dashboard().env("EDITOR", &editor).env("TMPDIR", &home.path("tmp")))
}

/// What is left of editors' folders.
fn kept(home: &Home) -> Vec<PathBuf> {
    std::fs::read_dir(home.path("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// What an editor does, what is said, what the plan is then, and what is kept in which file.
struct Case {
    script: &'static str,
    says: &'static str,
    plan: &'static str,
    kept: Option<(&'static str, &'static [u8])>,
}

const fn case(
    script: &'static str,
    says: &'static str,
    plan: &'static str,
    kept: Option<(&'static str, &'static [u8])>,
) -> Case {
    Case { script, says, plan, kept }
}

const CASES: &[Case] = &[
    // Saved, in one way or another.
    case(r#"printf one >"$1""#, "", "one", None),
    case(r#"printf two >"$1.new"; mv "$1.new" "$1""#, "", "two", None),
    case(r#"cp "$1" "$1~"; printf three >"$1""#, "", "three", None),
    case(r#"printf '\377\376f\0\366\0' >"$1""#, "", "fö", None),
    case(
        r#"printf 'caf\351 au lait' >"$1""#,
        "Not all that sh saved is UTF-8",
        "café au lait",
        Some(("text.md", b"caf\xe9 au lait")),
    ),
    case(r#"printf '\200 5' >"$1""#, "the rest was read as Latin-1", "€ 5", Some(("text.md", b"\x80 5"))),
    // Ended by a signal, after it had saved.
    case(
        r#"printf four >"$1"; kill -KILL $$"#,
        "sh was ended by SIGKILL; what it had saved is used",
        "four",
        Some(("text.md", b"four")),
    ),
    case(r#"printf five >"$1"; kill -SEGV $$"#, "sh was ended by SIGSEGV", "five", Some(("text.md", b"five"))),
    case(r#": >"$1"; kill -KILL $$"#, "sh was ended by SIGKILL: the text is unchanged", "five", Some(("text.md", b""))),
    case(
        r#"printf swap >"${1%/*}/.text.md.swp"; kill -TERM $$"#,
        "sh was ended by SIGTERM: the text is unchanged",
        "five",
        Some((".text.md.swp", b"swap")),
    ),
    case("kill -ABRT $$", "sh was ended by SIGABRT: the text is unchanged", "five", None),
    // Ended with an error, as `:cq` does.
    case("exit 1", "sh ended with an error (exit code 1): the text is unchanged", "five", None),
    case(
        r#"printf half >"$1"; exit 3"#,
        "sh ended with an error (exit code 3): the text is unchanged",
        "five",
        Some(("text.md", b"half")),
    ),
    case(r#"rm "$1"; exit 1"#, "sh ended with an error (exit code 1)", "five", None),
    // Ended well, and left nothing, or nothing that can be used.
    case("true", "sh ended at once: does it need --wait?", "five", Some(("text.md", b"five"))),
    case(r#"rm "$1""#, "sh left no file: the text is unchanged", "five", None),
    case(
        r#"mv "$1" "${1%/*}/other.md""#,
        "sh left no file: the text is unchanged",
        "five",
        Some(("other.md", b"five")),
    ),
    case(
        r#"rm "$1"; mkdir "$1"; printf x >"$1/x""#,
        "The file of sh is a folder: the text is unchanged",
        "five",
        Some(("text.md/x", b"x")),
    ),
    case(r#"rm "$1"; mkfifo "$1""#, "The file of sh is not a file: the text is unchanged", "five", Some(("", b""))),
    case(r#"rm "$1"; ln -s /dev/zero "$1""#, "The file of sh is not a file", "five", Some(("", b""))),
    case(r#"printf 'a\0b' >"$1""#, "The file of sh is not text", "five", Some(("text.md", b"a\0b"))),
    case(
        r#"head -c 1048577 /dev/zero | tr '\0' x >"$1""#,
        "The file of sh is more than 1 MiB",
        "five",
        Some(("", b"")),
    ),
    // Slow enough for a person.
    case("sleep 1.1", "", "five", None),
    case(
        r#"printf mine >"${1%/*}/mine.md"; sleep 1.1"#,
        "sh left the text unchanged, and other files beside it",
        "five",
        Some(("mine.md", b"mine")),
    ),
    case(r#"printf 'a\033[31mb' >"$1""#, "1 control character dropped from the edited text", "a[31mb", None),
];

#[test]
fn whatever_an_editor_does_its_text_is_taken_over_or_kept_and_named() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = dashboard(&home);
    pty.send(TO_THE_PLAN);
    for (n, Case { script, says, plan, kept: file }) in CASES.iter().enumerate() {
        for folder in kept(&home) {
            std::fs::remove_dir_all(folder).unwrap();
        }
        home.write("editor.sh", script);
        pty.send(EDITOR);
        pty.wait_until_taken(n + 2);
        pty.wait_for(&format!("plan after {script}"), |screen| {
            let text = screen.contents();
            text.contains(says) && text.contains(&format!("│   {plan} ")) && screen.alternate_screen()
        });
        let left = kept(&home);
        assert_eq!(left.len(), usize::from(file.is_some()), "{script}: {left:?}\n{}", pty.screen());
        assert!(!pty.screen().contains("paste"), "{script}");
        let Some((name, bytes)) = file else { continue };
        let folder = left[0].to_str().unwrap();
        assert!(pty.screen().contains(&format!("it is kept: {folder}")), "{script}: {}", pty.screen());
        wait_until("the log to name it too", || home.read("logs/mmd-elevate.log").contains(folder));
        if !name.is_empty() {
            assert_eq!(std::fs::read(left[0].join(name)).unwrap(), *bytes, "{script}");
        }
    }
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn an_editor_that_cannot_be_started_is_told_with_the_reason_that_it_was() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    home.write("a file", "");
    home.write("plain", "");
    let (missing, file, plain) = (home.path("no\nwhere"), home.path("a file"), home.path("plain"));
    let nowhere = home.path("no␊where");
    for (editor, tmpdir, what, hint) in [
        ("true", missing.as_str(), format!("the temporary folder {nowhere} does not exist"), "set TMPDIR to a folder"),
        ("true", &file, format!("the temporary folder {file} is not a folder"), "set TMPDIR to a folder"),
        ("no-such-editor", "/tmp", "no-such-editor does not exist".to_owned(), "set VISUAL or EDITOR"),
        (&plain, "/tmp", format!("{plain} is not executable"), "set VISUAL or EDITOR"),
        ("vi 'oops", "/tmp", "its command has an open quote: vi 'oops".to_owned(), "close the quote"),
    ] {
        let own = Home::new();
        let mut pty = started(own.dashboard().env("EDITOR", editor).env("TMPDIR", tmpdir));
        pty.send(format!("{TO_THE_PLAN}A plan{EDITOR}"));
        pty.wait_for_text(&format!("The editor was not started: {what}"));
        let screen = pty.screen();
        assert!(screen.contains("A plan") && screen.contains(&format!("hint: {hint}")), "{screen}");
        pty.send("\x03\x03");
        assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
        pty.assert_given_back();
    }
}

#[test]
fn what_an_editor_had_saved_when_the_system_ended_both_is_there_at_the_next_start() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    home.write("editor.sh", r#"printf "saved in the editor" >"$1"; touch "$HOME/opened"; exec sleep 60"#);
    let mut pty = dashboard(&home);
    pty.send(format!("{TO_THE_PLAN}A plan{EDITOR}"));
    wait_until("opening the editor", || std::fs::exists(home.path("opened")).unwrap());
    pty.signal(Signal::TERM);
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 143);
    let mut pty = home.dashboard().start();
    pty.wait_for_text("This is how you left it");
    pty.send("\r");
    pty.wait_for_text("Draft in the form");
    pty.send("n");
    pty.wait_for_text("saved in the editor");
}
