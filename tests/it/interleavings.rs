//! The real model, the real worker, the real record and the real practice server, through whatever can happen between
//! them, in whatever order: agents who open, close, look, abandon, send again, set aside and adopt, one or two at a
//! time, each with a dashboard, on one record; a server that misbehaves in every way it knows, lies and lists halves
//! among them; clocks that are minutes off, the server's or this machine's, and step; processes that are killed at any
//! moment and started again.
//!
//! At the end of each run the server behaves, everything comes to rest, and then again after one more start:
//!
//! - the server holds no more requests of a kind than agents confirmed (a server that opens two for one is allowed for,
//!   and only where it does);
//! - each dashboard has all requests that are open in the record, whoever opened them;
//! - what each list says of each request is what the server holds, or that it is unknown, or was set aside;
//! - every text that was typed and had a second to be saved is in a form, in a row, in a dialog, at the server, or was
//!   let go on purpose;
//! - every write in the record is settled, or a row shows it;
//! - no request that was opened here and is open at the server is out of sight: a row of a living dashboard is it, an
//!   unknown row shows it as possible or may be it, or the record has it as open. What is in a list counts when its
//!   agent wants to leave.
//!
//! What is not promised, and not asserted. A server may do what it was sent long after the connection broke. A create
//! is then "not seen" or set aside, which claims nothing. A close was then read back as open, and the row says open until
//! the next refresh: so the list is compared after a refresh. A text that is less than a second old when the process is
//! killed may be lost. And a 429 is taken to mean that the call was not processed, where it is not sent again: for one
//! ticket the server does it all the same, and what is open with that may be told as not opened.
//!
//! Killed means here: the runtime with all tasks of the worker is dropped, nothing is flushed, and the owner's lock is
//! let go. The thread of the record does what it had been given already, as if the process had died a moment later;
//! `pty/killed.rs` kills real processes.

mod agent;
mod chance;
mod checks;
mod commands;
mod process;
mod world;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use self::{commands::CommandsTold, process::OPEN_FILES, world::World};

/// How long new runs are begun. `MMD_ELEVATE_INTERLEAVINGS_SECONDS` raises it, to look for more.
const BUDGET: Duration = Duration::from_secs(40);
/// How many steps a run has before it comes to rest.
const STEPS: usize = 250;
/// How many runs are under way at once. They wait for sockets and disks most of the time. Each has a clock of its own.
const AT_ONCE: usize = 4;
/// The same, with the run beside which there are commands.
const LANES: usize = AT_ONCE + 1;
/// How long commands run beside dashboards, all runs together. `MMD_ELEVATE_COMMANDS_SECONDS` raises it.
const COMMANDS_BUDGET: Duration = Duration::from_secs(60);
/// How long one such run has before it comes to rest.
const COMMANDS_RUN: Duration = Duration::from_secs(10);
/// The first run's. A run that fails names its own: with that as `MMD_ELEVATE_INTERLEAVINGS_SEED` it is the first.
const SEED: u64 = 1;

/// A number from the environment.
fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn whatever_happens_nothing_is_done_twice_and_nothing_is_lost() {
    let began = Instant::now();
    let budget = given("MMD_ELEVATE_INTERLEAVINGS_SECONDS").map_or(BUDGET, Duration::from_secs);
    let seed = given("MMD_ELEVATE_INTERLEAVINGS_SEED").unwrap_or(SEED);
    let threads: Vec<_> = (0..AT_ONCE)
        .map(|lane| {
            let first = seed + lane as u64;
            std::thread::spawn(move || {
                let (mut runs, mut told) = (0, world::Told::default());
                for seed in (first..).step_by(AT_ONCE) {
                    if runs > 0 && began.elapsed() > budget {
                        break;
                    }
                    told += run(seed, lane);
                    runs += 1;
                }
                (runs, told)
            })
        })
        .collect();
    let (mut runs, mut told) = (0, world::Told::default());
    for thread in threads {
        let (more, its) = thread.join().unwrap_or_else(|failed| std::panic::resume_unwind(failed));
        runs += more;
        told += its;
    }
    println!("{runs} runs in {:?}: {told:?}", began.elapsed());
    assert!(told.creates > 0 && told.kills > 0 && told.unknown > 0 && told.closes > 0, "{told:?}");
}

/// Dashboards and a loop of commands use one record, each command in a process of its own.
#[test]
fn dashboards_and_a_loop_of_commands_on_one_record_do_nothing_twice_and_lose_nothing() {
    if !Path::new(OPEN_FILES).exists() {
        println!("skipped: {OPEN_FILES}, which tells the locks of dashboards from those of commands, is not there");
        return;
    }
    let budget = given("MMD_ELEVATE_COMMANDS_SECONDS").map_or(COMMANDS_BUDGET, Duration::from_secs);
    let seed = given("MMD_ELEVATE_INTERLEAVINGS_SEED").unwrap_or(SEED);
    let began = Instant::now();
    let (mut told, mut commands) = (world::Told::default(), CommandsTold::default());
    for seed in seed.. {
        if began.elapsed() >= budget {
            break;
        }
        let (its, of_commands) = run_beside_commands(seed);
        told += its;
        commands += of_commands;
    }
    println!("{:?}: {told:?}, {commands:?}", began.elapsed());
    assert!(commands.done > 0 && commands.killed > 0 && commands.closed > 0, "{commands:?}");
}

fn run_beside_commands(seed: u64) -> (world::Told, CommandsTold) {
    run_named(seed, async {
        let mut world = Box::pin(World::begin(seed, AT_ONCE, true)).await;
        let began = Instant::now();
        while began.elapsed() < COMMANDS_RUN {
            world.step().await;
        }
        let commands = world.ends_commands().await;
        world.rests().await;
        world.all_start_again().await;
        world.rests().await;
        (world.told, commands)
    })
}

fn run(seed: u64, lane: usize) -> world::Told {
    run_named(seed, async {
        let mut world = Box::pin(World::begin(seed, lane, false)).await;
        for _ in 0..STEPS {
            world.step().await;
        }
        world.rests().await;
        world.all_start_again().await;
        world.rests().await;
        world.told
    })
}

fn run_named<T>(seed: u64, run: impl Future<Output = T>) -> T {
    let named = Named(seed);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let told = runtime.block_on(run);
    runtime.shutdown_background();
    drop(named);
    told
}

/// Names the seed of a run that fails.
struct Named(u64);

impl Drop for Named {
    #[expect(clippy::print_stdout, reason = "the seed is what a failure is found again by")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the seed was {}: with MMD_ELEVATE_INTERLEAVINGS_SEED={0} it is the first run", self.0);
        }
    }
}
