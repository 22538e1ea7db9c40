//! The real model, the real worker, the real record and the real practice server, through whatever can happen between
//! them, in whatever order: an agent who opens, closes, looks, abandons, sends again, sets aside and adopts; a server
//! that misbehaves in every way it knows; a process that is killed at any moment and started again.
//!
//! At the end of each run the server behaves, everything comes to rest, and then again after one more start:
//!
//! - the server holds no more requests of a kind than the agent confirmed (a server that opens two for one is allowed
//!   for, and only where it does);
//! - what the list says of each request is what the server holds, or that it is unknown, or was set aside;
//! - every text that was typed and had a second to be saved is in the form, in a row, in a dialog, at the server, or was
//!   let go on purpose;
//! - every intent in the record is settled, or a row tells of it.
//!
//! What is not promised, and not asserted. A server may do what it was sent long after the connection broke. A create
//! is then "not seen" or set aside, which claims nothing. A close was then read back as open, and the row says open until
//! the next refresh: so the list is compared after a refresh. And a text that is less than a second old when the process
//! is killed may be lost.
//!
//! Killed means here: the runtime with all tasks of the worker is dropped, nothing is flushed, and the owner's lock is
//! let go. The thread of the record does what it had been given already, as if the process had died a moment later;
//! `pty/killed.rs` kills real processes.

mod agent;
mod chance;
mod process;
mod world;

use std::time::{Duration, Instant};

use self::world::World;

/// How long new runs are begun. What holds for a minute holds for an hour: raise it to look for more.
const BUDGET: Duration = Duration::from_secs(40);
/// How many steps a run has before it comes to rest.
const STEPS: usize = 250;
/// How many runs are under way at once. They wait for sockets and disks most of the time.
const AT_ONCE: usize = 4;
/// The first run's. A run that fails names its own; put it here, and it is the first.
const SEED: u64 = 1;

#[test]
fn whatever_happens_nothing_is_done_twice_and_nothing_is_lost() {
    let began = Instant::now();
    let threads: Vec<_> = (0..AT_ONCE)
        .map(|lane| {
            let first = SEED + lane as u64;
            std::thread::spawn(move || {
                let (mut runs, mut told) = (0, world::Told::default());
                for seed in (first..).step_by(AT_ONCE) {
                    if runs > 0 && began.elapsed() > BUDGET {
                        break;
                    }
                    told += run(seed);
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

fn run(seed: u64) -> world::Told {
    let named = Named(seed);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let told = runtime.block_on(async {
        let mut world = World::begin(seed).await;
        for _ in 0..STEPS {
            world.step().await;
        }
        world.rests().await;
        world.starts_again().await;
        world.rests().await;
        world.told
    });
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
            println!("the seed was {}: set SEED to it, and it is the first run", self.0);
        }
    }
}
