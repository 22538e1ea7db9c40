//! The two minutes of the README, as a recording: what is typed, what is said of it, and what is then on the screen.

use std::{path::Path, time::Duration};

use color_eyre::eyre;

use crate::{film::Film, terminal::Terminal};

/// Columns and rows: as few as have the list and the sheet below one another, so that the letters are large.
pub(crate) const SIZE: (u16, u16) = (100, 28);

/// How many characters are typed between two frames, and how long each of these is seen.
const TYPED_AT_ONCE: usize = 2;
const TYPING: Duration = Duration::from_millis(90);

/// The settings, from the home folder: a path that begins there is shown without the name of that folder.
const SETTINGS: &str = ".config/mmd-elevate/config.toml";

/// How long what passes by itself is seen: it may have taken less.
const PASSING: Duration = Duration::from_millis(350);

/// What the agent does.
#[derive(Clone, Copy)]
enum Input {
    /// Nothing.
    Look,
    /// Presses keys, as the terminal sends them.
    Press(&'static str),
    /// Types a text, letter by letter.
    Type(&'static str),
    /// Pastes a text.
    Paste(&'static str),
}

use Input::{Look, Paste, Press, Type};

/// What is said below the screen, what is done, what is then on the screen, and for how many tenths of a second it is seen.
type Step = (&'static str, Input, &'static str, u64);

const TAB: &str = "\t";
const DOWN: &str = "\x1b[B";
const ENTER: &str = "\r";
const ESC: &str = "\x1b";
const CTRL_G: &str = "\x07";
const CTRL_R: &str = "\x12";
const CTRL_S: &str = "\x13";
const CTRL_T: &str = "\x14";

/// What is pasted from the ticket.
const TICKET: &str = "INC-10466\nShort description: VPN client is out of date\n";

/// What is open before the story begins: the six fields in the order of the form.
const BEFORE: [[&str; 6]; 2] = [
    ["INC-10447", "Kiosk-Lobby-01", "Kiosk shows the desktop", "Other", "Other", "Reset the profile and restart."],
    [
        "INC-10460",
        "MMD-00000000020",
        "Dock not found",
        "Hardware",
        "Device",
        "Install the dock's firmware update, then check both screens.",
    ],
];

/// The story.
const STORY: &[Step] = &[
    ("Two requests are open: each lets a person administer a device until it is closed", Look, "1–2 of 2", 30),
    ("A ticket is pasted: its number and title are recognized", Paste(TICKET), "From the paste", 25),
    ("The device is found by its user", Type("lee"), "MMD-00000000014", 10),
    ("Down, Enter: take it", Press(DOWN), "▌ MMD-00000000014", 8),
    (
        "Leaving the field asks the service: a colleague has a request open on this device",
        Press(ENTER),
        "1 open on",
        32,
    ),
    ("Ctrl-G: which one?", Press(CTRL_G), "Already open on", 30),
    ("Esc: back to the form; Tab: the next field", Press(ESC), "New request", 6),
    ("Esc: back to the form; Tab: the next field", Press(TAB), "Office", 6),
    ("oth and Tab make Other", Type("oth"), "oth", 5),
    ("oth and Tab make Other", Press(TAB), "Category: Other", 10),
    ("oth and Tab make Other", Type("oth"), "oth", 4),
    ("The plan", Press(TAB), "Ctrl-T texts", 5),
    ("Ctrl-T: templates and recent texts", Press(CTRL_T), "Texts for the plan", 18),
    ("Ctrl-T: templates and recent texts", Press(DOWN), "▌ Software installation", 14),
    ("Its blank is filled in", Press(ENTER), "from the approved source", 10),
    ("Its blank is filled in", Type("VPN client 5.2"), "VPN client 5.2 as", 12),
    ("Ctrl-S: send. It is written to disk before it is sent", Press(CTRL_S), "Opened for", 32),
    ("The work is done on the device; then c: close it", Press("c"), "Close request", 14),
    ("Ctrl-T, Enter: it was done as planned", Press(CTRL_T), "As planned", 14),
    ("Ctrl-T, Enter: it was done as planned", Press(ENTER), "Close request", 16),
    ("Ctrl-S: close. The service is asked whether it is closed", Press(CTRL_S), "Request closed", 30),
    ("2: everything that is open in the tenant", Press("2"), "Listed every", 22),
    ("/ filters", Press("/"), "by:ana", 6),
    ("/ filters", Type("by:noor age:>30m"), "2 found", 18),
    ("Esc, 1: back to one's own", Press(ESC), "Listed every", 4),
    ("Esc, 1: back to one's own", Press("1"), "1–2 of 2", 6),
    ("q: quit? What is still open is never forgotten", Press("q"), "Leave?", 28),
    ("Esc: stay", Press(ESC), "n new", 5),
    ("* marks all; c closes them", Press("*"), "2 marked", 12),
    ("* marks all; c closes them", Press("c"), "1 of 2", 14),
    ("Ctrl-R: one text for all", Press(CTRL_R), "one text for all", 12),
    ("Ctrl-R: one text for all", Type("Done as planned; both users have confirmed."), "confirmed", 8),
    ("Ctrl-S: close both", Press(CTRL_S), "No open requests", 20),
    (": finds every action by its name", Press(":"), "╭ Do", 8),
    (": finds every action by its name", Type("report"), "▌ Report of the shift", 12),
    ("The report of the shift, for who goes on", Press(ENTER), "Closed (3)", 45),
];

/// The step whose last frame is seen where nothing plays.
const STILL: &str = "Ctrl-S: send. It is written to disk before it is sent";

/// Plays the story. Returns it as an SVG.
pub(crate) fn record(program: &Path, home: &Path) -> eyre::Result<String> {
    let mut terminal = Terminal::start(program, &["--config", SETTINGS], home, SIZE)?;
    terminal.wait_for("the dashboard", |screen| screen.contains("signed in"))?;
    for (number, request) in BEFORE.iter().enumerate() {
        terminal.type_keys("n")?;
        terminal.wait_for("the form", |screen| screen.contains("Ctrl-S send"))?;
        terminal.type_keys(&format!("{}{CTRL_S}", request.join(TAB)))?;
        terminal.wait_for("an open request", |screen| {
            screen.contains(&format!("1 Mine {}", number + 1)) && screen.contains("Opened for")
        })?;
    }
    // A key that is not bound: the notice of the last request goes.
    terminal.type_keys("ä")?;
    terminal.wait_for("a quiet screen", |screen| !screen.contains("Opened for"))?;
    let mut film = Film::new();
    for (caption, input, then, tenths) in STORY {
        match input {
            Look => {}
            Press(keys) => terminal.type_keys(keys)?,
            Paste(text) => terminal.type_keys(&format!("\x1b[200~{text}\x1b[201~"))?,
            Type(text) => {
                let letters: Vec<char> = text.chars().collect();
                for letters in letters.chunks(TYPED_AT_ONCE) {
                    terminal.type_keys(&letters.iter().collect::<String>())?;
                    terminal.settle();
                    film.add(terminal.screen(), caption, TYPING);
                }
            }
        }
        terminal.watch(caption, |screen| screen.contains(then), |screen| film.add(screen, caption, PASSING))?;
        terminal.settle();
        film.add(terminal.screen(), caption, Duration::from_millis(tenths * 100));
        if *caption == STILL {
            film.keep_as_still();
        }
    }
    let svg = film.svg(terminal.screen(), "Two minutes with mmd-elevate: a request is opened, closed and found again");
    terminal.type_keys("\x03\x03")?;
    terminal.wait_for_end()?;
    Ok(svg)
}
