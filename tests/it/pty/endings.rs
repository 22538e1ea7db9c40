//! However the program ends, the terminal is given back as it was and the exit code says why.

use std::time::Duration;

use rstest::rstest;
use rustix::process::Signal;

use super::{GONE, Home, PROGRAM, create, started};
use crate::support::pty::{self, Pty};

/// What a hung-up terminal may cost: a reader that spins would use all of the time until the program is gone.
const LITTLE: Duration = Duration::from_millis(300);

#[rstest]
#[case(Signal::INT, 130)]
#[case(Signal::TERM, 143)]
#[case(Signal::HUP, 129)]
#[case(Signal::QUIT, 131)]
fn a_signal_ends_it(#[case] signal: Signal, #[case] code: u32) {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.send("nhalf a ticket");
    pty.wait_for_text("half a ticket");
    pty.signal(signal);
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), code);
    pty.assert_given_back();
    assert_eq!(pty.said_after(), "");
}

/// Every signal that ends a program that does not know it, but those of a fault of the processor.
#[test]
fn every_deadly_signal_gives_the_terminal_back_and_saves_what_was_typed() {
    if pty::missing() {
        return;
    }
    let mut names =
        vec!["HUP", "INT", "QUIT", "TRAP", "ABRT", "USR1", "USR2", "ALRM", "TERM", "XCPU", "VTALRM", "PROF", "SYS"];
    if cfg!(target_os = "linux") {
        names.extend(["IO", "PWR", "STKFLT", "RTMIN", "RTMIN+3", "RTMAX"]);
    }
    for name in names {
        let home = Home::new();
        let mut pty = started(home.dashboard());
        pty.send("nhalf a ticket");
        pty.wait_for_text("half a ticket");
        let mut kill = std::process::Command::new("bash");
        kill.args(["-c", r#"kill -"$0" "$1""#, name]).arg(pty.id().to_string());
        if !kill.status().is_ok_and(|status| status.success()) {
            continue; // A signal that is not known here.
        }
        let code = pty.wait_for_exit(GONE).exit_code();
        assert!((129..=192).contains(&code), "{name}: {code}");
        pty.assert_given_back();
        assert_eq!(pty.said_after(), "", "{name}");
        let saved = ["record.db", "record.db-wal"].iter().any(|file| {
            let bytes = std::fs::read(home.path(&format!("logs/{file}"))).unwrap_or_default();
            bytes.windows(13).any(|found| found == b"half a ticket")
        });
        assert!(saved, "{name}");
    }
}

#[rstest]
#[case::a_pipe(Signal::PIPE)]
#[case::the_limit_on_the_size_of_files(Signal::XFSZ)]
fn a_signal_that_a_failed_write_tells_better_ends_nothing(#[case] signal: Signal) {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    pty.signal(signal);
    pty.send("nhalf a ticket");
    pty.wait_for_text("half a ticket");
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

/// The limit stands where the record cannot be made at all, and where it can be begun and not go on.
#[rstest]
#[case(0)]
#[case(16)]
#[case(128)]
#[case(160)]
fn the_limit_on_the_size_of_files_is_told_as_a_full_disk(#[case] blocks: u32) {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let script = format!(r#"ulimit -f {blocks}; exec "$0""#);
    let mut pty = home.run("bash").arg("-c").arg(&script).arg(PROGRAM).start();
    pty.wait_for_text("PRACTICE TENANT");
    pty.send("n\x1b[Z");
    // Whether it is told at once or in a moment: what is typed is to be saved.
    let told = "the disk is full";
    for _ in 0..40 {
        pty.send("and a plan ".repeat(500));
        pty.send("\x7f");
        pty.wait_for("the next frame or the message", |screen| {
            let text = screen.contents();
            text.contains(told) || text.trim_end().ends_with("all keys")
        });
        if pty.screen().contains(told) {
            break;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    pty.wait_for_text(told);
    assert!(pty.has_shown("ulimit -f"), "the hint is true here:\n{}", pty.screen());
    pty.send("\x03\x03");
    pty.wait_for_exit(GONE);
    pty.assert_given_back();
}

#[test]
fn a_signal_at_any_moment_of_the_start_leaves_the_terminal_as_it_was() {
    if pty::missing() {
        return;
    }
    for wait in 0..20 {
        let home = Home::new();
        let mut pty = home.dashboard().start();
        std::thread::sleep(Duration::from_millis(2 * wait));
        pty.signal(Signal::TERM);
        pty.wait_for_exit(GONE);
        pty.assert_as_before();
    }
}

#[test]
fn a_panic_of_the_loop_ends_it_with_a_report_on_the_usual_screen() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard().env("MMD_ELEVATE_PANIC", "loop"));
    pty.send("j");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 101);
    pty.assert_given_back();
    assert!(pty.said_after().contains("asked to panic: loop"), "{}", pty.said_after());
}

#[test]
fn a_panic_of_the_thread_that_reads_keys_ends_it_too() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard().env("MMD_ELEVATE_PANIC", "input"));
    pty.send("j");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 1);
    pty.assert_given_back();
    let said = pty.said_after();
    assert!(said.contains("asked to panic: input") && said.contains("failed to read the terminal"), "{said}");
}

#[test]
fn a_panic_in_a_call_is_that_calls_failure_and_nothing_else() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard().env("MMD_ELEVATE_PANIC", "call"));
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("? unknown");
    pty.wait_for_text("The program failed during the call.");
    assert!(!pty.has_shown("asked to panic"));
    // The keys still work.
    pty.send("?");
    pty.wait_for_text("Help");
    pty.send("qq");
    pty.wait_for_text("Leave?");
    pty.send("l");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    assert!(home.read("logs/mmd-elevate.log").contains("asked to panic: call"), "the log has the panic");
}

fn hung_up(mut pty: Pty) {
    let before = pty.processor_time();
    pty.hang_up();
    pty.wait_until_dead(GONE);
    if let (Some(before), Some(after)) = (before, pty.processor_time()) {
        let used = after.saturating_sub(before);
        assert!(used < LITTLE, "{used:?} of processor time");
    }
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 129);
}

#[test]
fn a_closed_terminal_ends_it() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    hung_up(started(home.dashboard()));
}

#[test]
fn a_closed_terminal_ends_it_where_the_signal_is_ignored() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    hung_up(started(home.dashboard().ignoring_hang_up()));
}

#[test]
fn a_closed_terminal_ends_it_while_an_editor_is_open() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    home.write("editor.sh", "echo the editor is open; exec sleep 60");
    let mut pty = started(home.dashboard().env("EDITOR", &format!("sh {}", home.path("editor.sh"))));
    pty.send("n\x1b[Z");
    pty.send(super::EDITOR);
    pty.wait_for_text("the editor is open");
    hung_up(pty);
}

#[test]
fn without_a_terminal_there_is_a_message() {
    let home = Home::new();
    let mut command = std::process::Command::new(PROGRAM);
    command.env_clear().envs(home.environment()).stdin(std::process::Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(
        said,
        "mmd-elevate: failed to open the dashboard: standard input is not a terminal\n\
         hint: start it in a terminal, without a pipe or a redirection\n"
    );
    assert!(output.stdout.is_empty());
}

/// A terminal that says of itself that it cannot draw gets a message, and not one sequence.
#[test]
fn on_a_terminal_that_cannot_draw_there_is_a_message() {
    if pty::missing() {
        return;
    }
    for (set, told) in [
        ("TERM=dumb", "TERM is \"dumb\""),
        ("TERM=", "TERM is not set"),
        ("unset TERM", "TERM is not set"),
        ("TERM=' '", "TERM is not set"),
        ("TERM=unknown", "TERM is \"unknown\""),
        ("TERM=dumb-emacs-ansi", "TERM is \"dumb-emacs-ansi\""),
    ] {
        let home = Home::new();
        let mut pty = home.run("sh").arg("-c").arg(&format!(r#"{set}; "$0"; echo "code $?""#)).arg(PROGRAM).start();
        pty.wait_for_text("code 1");
        let screen = pty.screen();
        assert!(
            screen.contains(&format!("failed to open the dashboard: this terminal cannot draw ({told})")),
            "{screen}"
        );
        assert!(screen.contains("hint: start it in a terminal emulator"), "{screen}");
        assert!(!pty.bytes().contains(&0x1b), "{screen}");
        pty.wait_for_exit(GONE);
        pty.assert_as_before();
    }
}

#[test]
fn with_standard_output_in_a_file_there_is_a_message() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let script = r#""$0" >"$HOME/output"; echo "code $?""#;
    let mut pty = home.run("sh").arg("-c").arg(script).arg(PROGRAM).start();
    pty.wait_for_text("code 1");
    assert!(pty.screen().contains("standard output is not a terminal"), "{}", pty.screen());
    assert_eq!(home.read("output"), "");
    pty.wait_for_exit(GONE);
    pty.assert_as_before();
}
