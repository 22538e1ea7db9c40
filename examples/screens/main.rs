//! Makes the README's pictures from the real program: `cargo run --example screens`, and its recording:
//! `cargo run --example screens -- story`.
//!
//! It builds the program, runs it in a pseudo-terminal on the practice tenant, types what an agent would type, and
//! writes what is then on the screen to `assets/`. Clock and ids differ from run to run, so the pictures do too: look at
//! them before you commit them.
#![expect(clippy::print_stdout, reason = "it says which pictures it has made")]

mod film;
mod story;
mod svg;
mod terminal;

use std::{fs, path::Path, process::Command, thread, time::Duration};

use color_eyre::eyre::{self, WrapErr, ensure, eyre};

use self::terminal::Terminal;

/// The requests that are open in the pictures: the six fields in the order of the form.
const REQUESTS: [[&str; 6]; 3] = [
    [
        "INC-10442",
        "MMD-03690457680",
        "Excel crashes",
        "Office",
        "Excel",
        "Start Excel as administrator, register the add-in again, then start it as the user and open last week's \
         report.",
    ],
    [
        "INC-10447",
        "Kiosk-Lobby-01",
        "Kiosk shows the desktop",
        "Other",
        "Other",
        "Reset the assigned-access profile and restart.",
    ],
    [
        "INC-10460",
        "MMD-00000000020",
        "Dock not found",
        "Hardware",
        "Device",
        "Install the dock's firmware update as administrator, unplug it for ten seconds, then check both screens and \
         the network.",
    ],
];

/// The draft that is being typed.
const DRAFT: &str = "INC-10465\tMMD-00000000005\tVPN client needs an update\tOther\tOther\t\
    Install version 5.2 of the client as administrator.\r\
    Check that the profile is still there and that the user can sign in";

/// What is being typed into the close dialog.
const ACTIONS_TAKEN: &str = "Installed firmware 1.4.7 on the dock and restarted it.\r\
    Both screens and the network work again; the user has confirmed";

/// How the practice tenant misbehaves before the crash: one create is done and never answered, the next is neither.
const RULES: &str = "[[rules]]\non = \"create\"\ndo = \"hang-after\"\nticket = \"INC-10465\"\n
[[rules]]\non = \"create\"\ndo = \"hang\"\n";

/// What is sent then and finds no answer, beside the draft.
const LOST: &str =
    "INC-10471\tMMD-00000000008\tWord template missing\tOffice\tWord\tCopy the template as administrator.";

/// What is being typed when the program dies.
const NEXT_DRAFT: &str = "INC-10473\tMMD-00000000020\tDock lost its network again";

/// The columns and rows of the pictures.
const SIZE: (u16, u16) = (120, 36);

/// Longer than it takes until what is typed is saved.
const SAVED: Duration = Duration::from_millis(1500);

fn main() -> eyre::Result<()> {
    let program = built()?;
    let home = tempfile::tempdir().wrap_err("failed to make a home folder")?;
    // The picture's terminal answers no question about its background, and takes what comes behind a frame for its end.
    let settings = home.path().join(".config/mmd-elevate");
    fs::create_dir_all(&settings).wrap_err("failed to make the settings' folder")?;
    let mut text = "[appearance]\ntheme = \"dark\"\ntitle = false\n".to_owned();
    let is_story = std::env::args().nth(1).is_some_and(|what| what == "story");
    if is_story {
        // What colleagues do at their own times would make each recording another one, and a report names its folder.
        text.push_str("[practice]\ncolleagues = false\n[report]\nfolder = \"/srv/handover\"\n");
    }
    fs::write(settings.join("config.toml"), text).wrap_err("failed to write the settings")?;
    if is_story {
        return write("story", &story::record(&program, home.path())?);
    }
    dashboard(Terminal::start(&program, &[], home.path(), SIZE)?)?;
    let rules = home.path().join("rules.toml");
    fs::write(&rules, RULES).wrap_err("failed to write the rules")?;
    let rules = rules.to_str().ok_or_else(|| eyre!("the path of the rules is not text"))?;
    crash(Terminal::start(&program, &["--practice-rules", rules], home.path(), SIZE)?)?;
    recovery(Terminal::start(&program, &[], home.path(), SIZE)?)
}

fn dashboard(mut terminal: Terminal) -> eyre::Result<()> {
    terminal.wait_for("the dashboard", |screen| screen.contains("signed in"))?;
    for (number, request) in REQUESTS.iter().enumerate() {
        let (plan, fields) = request.split_last().ok_or_else(|| eyre!("a request has no fields"))?;
        terminal.type_keys("n")?;
        terminal.wait_for("the form", |screen| screen.contains("Ctrl-S send"))?;
        terminal.type_keys(&format!("{}\t{plan}\x13", fields.join("\t")))?;
        terminal.wait_for("an open request", |screen| {
            screen.contains(&format!("1 Mine {}", number + 1)) && screen.contains("Opened for")
        })?;
    }
    save(&terminal, "dashboard", "The dashboard of mmd-elevate: the agent's open requests, and one of them in detail")?;
    terminal.type_keys("2")?;
    terminal.wait_for("the tenant", |screen| screen.contains("Viewed by") && screen.contains("as of"))?;
    save(&terminal, "tenant", "The open requests of a whole tenant in mmd-elevate")?;
    terminal.type_keys("1n")?;
    terminal.wait_for("the form", |screen| screen.contains("Ctrl-S send"))?;
    terminal.type_keys(DRAFT)?;
    terminal.wait_for("the draft", |screen| screen.contains("can sign in"))?;
    save(&terminal, "form", "The form of mmd-elevate below the list of open requests")?;

    terminal.type_keys("\x1b")?;
    terminal.wait_for("the list", |screen| screen.contains("c close"))?;
    terminal.type_keys("c")?;
    terminal.wait_for("the dialog", |screen| screen.contains("Close request"))?;
    terminal.type_keys(ACTIONS_TAKEN)?;
    terminal.wait_for("the text", |screen| screen.contains("confirmed"))?;
    save(&terminal, "close", "The dialog of mmd-elevate that closes a request")?;

    terminal.type_keys("\x03\x03")?;
    terminal.wait_for_end()
}

fn crash(mut terminal: Terminal) -> eyre::Result<()> {
    terminal.wait_for("what the first run left", |screen| screen.contains("1 Mine 4") && screen.contains("s sort"))?;
    terminal.type_keys("n")?;
    terminal.wait_for("the draft", |screen| screen.contains("Ctrl-S send"))?;
    terminal.type_keys("\x13")?;
    terminal.wait_for("the create", |screen| screen.contains("… sending") && screen.contains("s sort"))?;
    terminal.type_keys("n")?;
    terminal.wait_for("an empty form", |screen| screen.contains("Ctrl-S send"))?;
    terminal.type_keys(&format!("{LOST}\x13"))?;
    terminal.wait_for("both creates", |screen| screen.matches("… sending").count() > 2)?;
    terminal.type_keys("n")?;
    terminal.wait_for("an empty form", |screen| screen.contains("Ctrl-S send"))?;
    terminal.type_keys(NEXT_DRAFT)?;
    terminal.wait_for("the next draft", |screen| screen.contains("network again"))?;
    thread::sleep(SAVED);
    terminal.kill()
}

fn recovery(mut terminal: Terminal) -> eyre::Result<()> {
    let is_told = |screen: &str| {
        let found = screen.lines().any(|line| line.contains("INC-10465") && line.contains("● open"));
        found && screen.contains("? unknown") && !screen.contains("asking the service")
    };
    terminal.wait_for("what the crash left", is_told)?;
    save(&terminal, "recovery", "What mmd-elevate shows when it starts again after a crash")?;
    terminal.type_keys("\x03\x03")?;
    terminal.wait_for_end()
}

fn save(terminal: &Terminal, name: &str, title: &str) -> eyre::Result<()> {
    write(name, &svg::picture(terminal.screen(), title))
}

fn write(name: &str, svg: &str) -> eyre::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name).with_extension("svg");
    fs::write(&path, svg).wrap_err_with(|| format!("failed to write {}", path.display()))?;
    println!("made assets/{name}.svg");
    Ok(())
}

/// Builds the program in the profile of this example, and says where it is.
fn built() -> eyre::Result<std::path::PathBuf> {
    let this = std::env::current_exe().wrap_err("failed to find out where this program is")?;
    let folder = this.ancestors().nth(2).ok_or_else(|| eyre!("{} is not in cargo's target folder", this.display()))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--locked", "--quiet", "--bin", "mmd-elevate"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        build.arg("--release");
    }
    let status = build.status().wrap_err("failed to run cargo")?;
    ensure!(status.success(), "failed to build mmd-elevate");
    Ok(folder.join("mmd-elevate"))
}
