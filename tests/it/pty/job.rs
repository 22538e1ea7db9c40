//! The whole job: open a request, see it, close it, leave.

use super::{GONE, Home, SUBMIT, create, started};
use crate::support::pty;

#[test]
fn a_request_is_opened_and_closed_on_the_practice_tenant() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    let first = &pty.frames()[0];
    // What is open is not known before the record is read.
    for text in ["PRACTICE TENANT", "1 Mine", "2 Tenant", "3 Attention", "4 Closed", "Details", "Reading the record"] {
        assert!(first.contains(text), "no {text:?} in the first frame:\n{first}");
    }
    pty.wait_for_text("No open requests. n opens one.");

    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("● open");
    assert!(pty.has_shown("… sending"), "{}", pty.screen());
    assert!(pty.screen().contains("Opened for MMD-03690457680 (INC-10442)"), "{}", pty.screen());
    let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    assert!(pty.screen().split_whitespace().any(is_id), "no id on this screen:\n{}", pty.screen());

    pty.send("c");
    pty.wait_for_text("Close request");
    let dialog = pty.screen();
    for line in ["Close request  INC-10442", "│ Device   MMD-03690457680", "│ Title    Excel add-in crashes"] {
        assert!(dialog.contains(line), "no {line:?} in the dialog:\n{dialog}");
    }
    pty.send(format!("Registered the add-in again{SUBMIT}"));
    pty.wait_for_text("Request closed: MMD-03690457680 (INC-10442)");
    assert!(pty.has_shown("◌ closing"));
    pty.wait_for_text("No open requests.");

    pty.send("q");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    assert_eq!(pty.said_after(), "");
}

#[test]
fn leaving_asks_where_a_request_stays_open() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = started(home.dashboard());
    create(&mut pty, "INC-10442", "MMD-03690457680");
    pty.wait_for_text("● open");
    pty.send("q");
    pty.wait_for_text("Leave?");
    pty.send("l");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}
