//! Keeps the input thread from reading while another program has the terminal. It knows nothing of the terminal.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A gate around each read of the input thread. It is open at first.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    is_closed: bool,
    /// Whether the thread is between [`Gate::enter`] and [`Gate::leave`], where it may read keys.
    is_reading: bool,
}

impl Gate {
    /// Waits until the gate is open. Returns whether it was closed.
    pub(super) fn enter(&self) -> bool {
        let mut state = self.lock();
        let was_closed = state.is_closed;
        while state.is_closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_reading = true;
        was_closed
    }

    pub(super) fn leave(&self) {
        self.lock().is_reading = false;
        self.changed.notify_all();
    }

    /// Closes the gate, wakes the thread and waits until it has left. Returns whether it has left within the limit.
    pub(super) fn close(&self, limit: Duration, wake: impl FnOnce()) -> bool {
        let started = Instant::now();
        let mut state = self.lock();
        state.is_closed = true;
        if state.is_reading {
            wake();
        }
        while state.is_reading && started.elapsed() < limit {
            let left = limit.saturating_sub(started.elapsed());
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        !state.is_reading
    }

    pub(super) fn open(&self) {
        self.lock().is_closed = false;
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
    fn closed_gate_keeps_the_thread_out_until_it_is_opened() {
        let gate = Arc::new(Gate::default());
        assert!(gate.close(Duration::ZERO, || panic!("nobody is inside to be woken")));
        let thread_gate = Arc::clone(&gate);
        let thread = thread::spawn(move || thread_gate.enter());
        thread::sleep(Duration::from_millis(20));
        assert!(!thread.is_finished());
        gate.open();
        assert!(thread.join().unwrap(), "it has waited");
        let mut woken = false;
        assert!(!gate.close(Duration::ZERO, || woken = true), "the thread is inside and does not answer");
        assert!(woken);
    }
}
