//! What a key costs, and what rest costs. It is counted, not timed, so that a busy machine changes nothing.

use std::time::Duration;

use rstest::rstest;

use super::{GONE, Home, started};
use crate::support::pty::{self, Pty};

/// How many keys are counted.
const KEYS: usize = 20;

/// How many calls to write these keys may cost. Measured: 20 to 21, one for each key, and one that saves the draft. It also
/// has room for reading a history and for a minute that passes.
const MOST_WRITE_CALLS: u64 = 30;

/// How long the dashboard is left alone, to count what it does then.
const REST: Duration = Duration::from_secs(5);

/// How often threads may be woken in that time. Measured: 0. What wakes once a second is above it.
const MOST_WAKES: u64 = 3;

/// How many such times there are at most. In the first, notices go; in one, a minute may pass, which is drawn; and threads
/// that read files end ten seconds after they had the last one to read.
const RESTS: usize = 3;

/// A dashboard that asks the service for its list once, and waits for nothing but keys.
fn dashboard(home: &Home) -> Pty {
    home.write("config.toml", "[list]\nrefresh_seconds = 86400");
    let pty = started(home.dashboard().env("MMD_ELEVATE_CONFIG", &home.path("config.toml")));
    // The list has come.
    _ = pty.panes();
    pty
}

fn quit(pty: &mut Pty) {
    pty.send("\x03\x03");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
}

#[expect(clippy::print_stdout, reason = "what is not checked is said")]
fn skip(what: &str) {
    println!("skipped: the system does not tell {what}");
}

fn median(mut numbers: Vec<usize>) -> usize {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

// Bytes are those of the larger of the two frames, on 120 columns and 36 rows. They were measured, and may become half as
// many again: 1,024 between two requests, 56 for a letter, 6,013 for the help that gives way to the whole screen.
#[rstest]
#[case::of_the_selection("2", "INC-10459", ["j", "k"], 1_500)]
#[case::of_a_letter("n\t\t", "what the user sees", ["e", "x"], 85)]
#[case::of_the_help("", "No open requests", ["?", "q"], 9_000)]
fn a_key_costs_one_frame_and_one_write_and_few_bytes(
    #[case] before: &str,
    #[case] shown: &str,
    #[case] keys: [&str; 2],
    #[case] most_bytes: usize,
) {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = dashboard(&home);
    pty.send(before);
    pty.wait_for_text(shown);
    let mut written = vec![pty.settled().len()];
    let calls_before = pty.write_calls();
    for key in keys.iter().cycle().take(KEYS) {
        pty.send_and_wait_for_frame(key);
        written.push(pty.bytes().len());
    }
    let bytes = pty.settled();
    let calls_after = pty.write_calls();

    // What comes by itself, such as that a draft was saved, comes with one key or the other: a median leaves it out.
    let of_keys: Vec<_> = written.windows(2).map(|of_key| &bytes[of_key[0]..of_key[1]]).collect();
    assert_eq!(median(of_keys.iter().map(|written| pty::count_frames(written)).collect()), 1, "frames of a key");
    let most = median(of_keys.iter().map(|written| written.len()).collect());
    assert!(most <= most_bytes, "a key costs {most} bytes, and may cost {most_bytes}");
    if let (Some(before), Some(after)) = (calls_before, calls_after) {
        let calls = after - before;
        assert!(calls <= MOST_WRITE_CALLS, "{KEYS} keys cost {calls} calls to write, and may cost {MOST_WRITE_CALLS}");
    } else {
        skip("how often a program writes");
    }
    quit(&mut pty);
}

#[test]
fn a_dashboard_at_rest_writes_nothing_and_is_not_woken() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut pty = dashboard(&home);
    // Ages, details and a history are shown, so that there is something that could be drawn again.
    pty.send("2");
    pty.wait_for_text("INC-10459");
    let mut rests = Vec::new();
    while !rests.iter().any(|&(written, wakes)| written == 0 && wakes <= MOST_WAKES) {
        assert!(rests.len() < RESTS, "bytes written and times woken, every {REST:?}: {rests:?}");
        let (written, sleeps) = (pty.bytes().len(), pty.sleeps());
        std::thread::sleep(REST);
        let wakes = sleeps.zip(pty.sleeps()).map(|(before, after)| pty::wakes(&before, &after));
        if wakes.is_none() {
            skip("how often threads sleep");
        }
        rests.push((pty.bytes().len() - written, wakes.unwrap_or(0)));
    }
    quit(&mut pty);
}
