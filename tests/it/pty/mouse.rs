//! The mouse in a real terminal: its reports are asked for on a key alone, and given up whenever the terminal is given away.

use rustix::process::Signal;

use super::{EDITOR, GONE, Home, PROGRAM, create, leave, lending, started, wait_until, wait_until_ready};
use crate::support::{
    modes::switched_modes,
    pty::{self, Pty},
};

/// What was done to the mouse's modes so far: whether clicks are reported, and that in decimal numbers.
fn modes(pty: &Pty) -> [String; 2] {
    let switched = switched_modes(&pty.bytes());
    ["?1000", "?1006"].map(|mode| switched.get(mode).cloned().unwrap_or_default())
}

fn wait_for_modes(pty: &Pty, history: &str) {
    wait_until(&format!("the mouse as in {history}"), || modes(pty) == [history, history]);
}

/// A click at the first place where the text stands.
fn click(pty: &mut Pty, text: &str) {
    let screen = pty.screen();
    let place = screen.lines().zip(1..).find_map(|(line, row)| {
        let before = &line[..line.find(text)?];
        Some((before.chars().count() + 1, row))
    });
    let (column, row): (usize, usize) = place.unwrap_or_else(|| panic!("{text} is not on this screen:\n{screen}"));
    pty.send(format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
}

fn with_two_open(home: &Home) -> Pty {
    let mut pty = started(home.dashboard());
    for (ticket, device, of) in [("INC-1", "MMD-03690457680", "1–1 of 1"), ("INC-2", "MMD-00000000020", "1–2 of 2")]
    {
        create(&mut pty, ticket, device);
        pty.wait_for_text(of);
        pty.wait_for("the open request", |screen| !screen.contents().contains("sending"));
    }
    pty
}

fn is_selected(screen: &vt100::Screen, ticket: &str) -> bool {
    screen.contents().lines().any(|line| line.contains(&format!("▌ {ticket} ")))
}

fn switch_on(pty: &mut Pty) {
    pty.send("M");
    pty.wait_for_text("mouse on");
}

#[test]
fn a_click_selects_a_row_once_the_mouse_is_on_and_quitting_gives_it_back() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = with_two_open(&home);
    pty.wait_for("the newest", |screen| is_selected(screen, "INC-2"));
    // Without being asked for, a report means nothing.
    click(&mut pty, "INC-1 ");
    pty.send("p");
    pty.wait_for("a list without details", |screen| !screen.contents().contains("hides"));
    pty.wait_for("the newest", |screen| is_selected(screen, "INC-2"));
    assert_eq!(modes(&pty), ["", ""]);
    switch_on(&mut pty);
    wait_for_modes(&pty, "h");
    click(&mut pty, "INC-1 ");
    pty.wait_for("the clicked row", |screen| is_selected(screen, "INC-1"));
    pty.send("M");
    pty.wait_for("no word of the mouse", |screen| !screen.contents().contains("mouse on"));
    wait_for_modes(&pty, "hl");
    switch_on(&mut pty);
    leave(&mut pty);
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    assert_eq!(modes(&pty), ["hlhl", "hlhl"]);
}

#[test]
fn a_signal_gives_the_mouse_back() {
    if pty::missing() {
        return;
    }
    for signal in [Signal::TERM, Signal::HUP] {
        let home = Home::new();
        let mut pty = started(home.dashboard());
        switch_on(&mut pty);
        pty.signal(signal);
        pty.wait_for_exit(GONE);
        pty.assert_given_back();
        assert_eq!(modes(&pty), ["hl", "hl"]);
    }
}

#[test]
fn an_editor_does_not_get_the_mouse_and_the_dashboard_has_it_again_afterwards() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let script = r#"touch "$HOME/opened"; while ! test -e "$HOME/go"; do sleep 0.02; done; printf edited >"$1""#;
    home.write("editor.sh", script);
    let mut pty = started(home.dashboard().env("EDITOR", &format!("sh {}", home.path("editor.sh"))));
    switch_on(&mut pty);
    pty.send(format!("n\x1b[Z{EDITOR}"));
    wait_until("opening the editor", || std::fs::exists(home.path("opened")).unwrap());
    wait_for_modes(&pty, "hl");
    home.write("go", "");
    pty.wait_for_text("edited");
    wait_for_modes(&pty, "hlh");
    click(&mut pty, "the number in your ticket");
    pty.send("INC-7");
    pty.wait_for("the clicked field", |screen| {
        screen.contents().contains("Ticket") && screen.contents().contains("INC-7")
    });
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[test]
fn a_shell_does_not_get_the_mouse_and_fg_has_it_again() {
    let home = Home::new();
    let Some(shell) = home.shell().filter(|_| !pty::missing()) else { return };
    let mut pty = shell.start();
    pty.wait_for_text("prompt>");
    pty.send(format!("{PROGRAM}\n"));
    wait_until_ready(&pty);
    switch_on(&mut pty);
    pty.send("\x1a");
    pty.wait_for_text("Stopped");
    assert_eq!(modes(&pty), ["hl", "hl"]);
    pty.send("fg\n");
    pty.wait_for_text("mouse on");
    wait_for_modes(&pty, "hlh");
    pty.send("q");
    pty.wait_for("the shell's screen", |screen| !screen.alternate_screen());
    assert_eq!(modes(&pty), ["hlhl", "hlhl"]);
    lending::leave_the_shell(pty);
}

#[test]
fn a_stop_from_outside_ends_with_the_mouse_asked_for_again() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    switch_on(&mut pty);
    pty.signal(Signal::STOP);
    if pty.is_stopped().is_none() {
        return;
    }
    wait_until("the stop", || pty.is_stopped() == Some(true));
    pty.reset();
    pty.signal(Signal::CONT);
    wait_for_modes(&pty, "hlh");
    pty.send("q");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    assert_eq!(modes(&pty), ["hlhl", "hlhl"]);
}
