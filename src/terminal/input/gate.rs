//! Lets the input thread read, or keeps it from reading while another program has the terminal.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The gate. It is open at first.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    closed: bool,
    /// Whether the thread is between [`Gate::enter`] and [`Gate::leave`], where it may take keys.
    inside: bool,
}

impl Gate {
    /// Waits until the gate is open. Says whether it was closed.
    pub(super) fn enter(&self) -> bool {
        let mut state = self.lock();
        let closed = state.closed;
        while state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.inside = true;
        closed
    }

    pub(super) fn leave(&self) {
        self.lock().inside = false;
        self.changed.notify_all();
    }

    /// Closes the gate, wakes the thread and waits until it has left. Says whether it has within the limit.
    pub(super) fn close(&self, limit: Duration, wake: impl FnOnce()) -> bool {
        let started = Instant::now();
        let mut state = self.lock();
        state.closed = true;
        if state.inside {
            wake();
        }
        while state.inside && started.elapsed() < limit {
            let left = limit.saturating_sub(started.elapsed());
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        !state.inside
    }

    pub(super) fn open(&self) {
        self.lock().closed = false;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn a_closed_gate_keeps_the_thread_out_until_it_is_opened() {
        let gate = Arc::new(Gate::default());
        assert!(gate.close(Duration::ZERO, || panic!("nobody is inside to be woken")));
        let theirs = Arc::clone(&gate);
        let thread = thread::spawn(move || theirs.enter());
        thread::sleep(Duration::from_millis(20));
        assert!(!thread.is_finished());
        gate.open();
        assert!(thread.join().unwrap(), "it has waited");
        let mut woken = false;
        assert!(!gate.close(Duration::ZERO, || woken = true), "the thread is inside and does not answer");
        assert!(woken);
    }
}
