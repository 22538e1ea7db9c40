//! Holds the token of all calls, and renews it before it expires.
//!
//! A mutex is held during each fetch, so that at most one token request is in flight. A caller that waited for the mutex uses
//! the result of that fetch.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{SignInError, Source, Token, deadline::Deadline};
use mmd_elevate_core::{CallError, Problem, SignIn};

/// The clock, and the times of renewal.
#[derive(Clone, Copy, Debug)]
pub struct Renewal {
    /// The wall clock.
    pub now: fn() -> Timestamp,
    /// How long before its end a token is renewed: 5 minutes. A token with less than twice this lifetime is renewed at half
    /// of its lifetime.
    pub early: Duration,
    /// The minimum time between two renewals: 30 s. A source may return the same token again.
    pub least: Duration,
    /// The waits before a renewal with a transient error is retried: 30 s and 90 s.
    pub again: [Duration; 2],
}

impl Default for Renewal {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { now: Timestamp::now, early: seconds(300), least: seconds(30), again: [seconds(30), seconds(90)] }
    }
}

/// A sign-in whose token is renewed. Clones share it; it ends, with a fetch in flight, when the last clone is dropped.
#[derive(Clone)]
pub struct TokenSession {
    shared: Arc<SessionState>,
    end: CancellationToken,
    _until_dropped: Arc<DropGuard>,
}

impl fmt::Debug for TokenSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSession").field("status", &*self.shared.status.borrow()).finish_non_exhaustive()
    }
}

impl TokenSession {
    /// Starts to sign in. Spawns a task on the current runtime that renews the token.
    #[must_use]
    pub fn start(source: Source, renewal: Renewal) -> Self {
        let shared = Arc::new(SessionState::new(source, renewal));
        let end = CancellationToken::new();
        tokio::spawn(end.clone().run_until_cancelled_owned(Arc::clone(&shared).renew_when_due()));
        Self { shared, _until_dropped: Arc::new(end.clone().drop_guard()), end }
    }

    /// Returns the state of signing in as it changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<SignIn> {
        self.shared.status.subscribe()
    }

    /// Fetches a token now, even if there is one. A fetch in flight is used.
    pub fn sign_in(&self) {
        let fetches = self.shared.state().fetches;
        drop(self.fetch(fetches, Cause::Agent));
    }

    /// Returns a token that has not expired. If there is none and the last error was transient, one fetch is tried.
    ///
    /// # Errors
    /// [`mmd_elevate_core::ErrorCode::SignInFailed`]: there is no token. Nothing was sent to the service.
    pub async fn token(&self) -> Result<Token, CallError> {
        let fetches = {
            let (state, now) = (self.shared.state(), self.shared.now());
            if let Some(token) = state.usable(now) {
                // The timer may have been delayed by a sleep of the machine, so a call checks the clock too.
                if state.is_due(now) {
                    self.shared.rescheduled.notify_one();
                }
                return Ok(token.clone());
            }
            state.fetches
        };
        self.fetch_and_wait(fetches).await
    }

    /// Returns another token in place of one that the service does not accept.
    ///
    /// # Errors
    /// [`mmd_elevate_core::ErrorCode::NotSignedIn`] if no token can be fetched, [`mmd_elevate_core::ErrorCode::SignInFailed`]
    /// if fetching it fails.
    pub async fn renew(&self, rejected: &Token) -> Result<Token, CallError> {
        let fetches = {
            let mut state = self.shared.state();
            match state.usable(self.shared.now()) {
                // Another call was faster.
                Some(token) if !token.is_same(rejected) => return Ok(token.clone()),
                _ if self.shared.source.fixed_token().is_some() => {
                    let error = CallError::not_signed_in();
                    self.shared.set_status(SignIn::SignedOut(error.clone()));
                    return Err(error);
                }
                _ => state.discard_token(),
            }
            state.fetches
        };
        self.fetch_and_wait(fetches).await
    }

    /// Notes that the service does not accept a token that was just renewed.
    pub fn mark_refused(&self, token: &Token) {
        let mut state = self.shared.state();
        if state.token.as_ref().is_some_and(|held| held.is_same(token)) && self.shared.source.fixed_token().is_none() {
            state.discard_token();
            self.shared.set_status(SignIn::SignedOut(CallError::not_signed_in()));
        }
    }

    /// Notes that the service has accepted a token.
    pub fn mark_accepted(&self, token: &Token) {
        let state = self.shared.state();
        let is_signed_out = matches!(*self.shared.status.borrow(), SignIn::SignedOut(_));
        if is_signed_out && state.usable(self.shared.now()).is_some_and(|held| held.is_same(token)) {
            self.shared.set_status(SignIn::SignedIn { until: token.ends() });
        }
    }

    async fn fetch_and_wait(&self, fetches: u64) -> Result<Token, CallError> {
        self.fetch(fetches, Cause::Call).await.ok().flatten().unwrap_or_else(|| {
            let what = "the program failed while it signed in";
            Err(CallError::sign_in_failed(&Problem::new(what, "leave, and start the program again")))
        })
    }

    /// Fetches in a task, so that an abandoned call does not cancel the fetch for which other calls wait.
    fn fetch(&self, fetches: u64, cause: Cause) -> JoinHandle<Option<Result<Token, CallError>>> {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(
            self.end.clone().run_until_cancelled_owned(async move { shared.fetch_after(fetches, cause).await }),
        )
    }
}

/// Why a token is fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The token is due for renewal.
    Due,
    /// A call has no usable token.
    Call,
    /// The agent signs in again.
    Agent,
}

/// The token and its renewal.
struct TokenState {
    /// The token that was fetched last, until the service refuses it.
    token: Option<Token>,
    /// When the token expires, if this is known and another one can be fetched. A token that was given at the start is used
    /// until the service refuses it.
    ends: Option<Deadline>,
    renew_at: Option<Deadline>,
    /// How often the renewal of this token has failed.
    failures: usize,
    /// The last failure since the last token.
    failed: Option<SignInError>,
    /// How many fetches have ended, by which a waiting caller recognizes a result.
    fetches: u64,
}

impl TokenState {
    fn usable(&self, now: Timestamp) -> Option<&Token> {
        self.token.as_ref().filter(|_| self.ends.is_none_or(|ends| !ends.is_past(now)))
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.renew_at.is_some_and(|at| at.is_past(now))
    }

    /// Discards the token and the last failure. The next call fetches a token.
    fn discard_token(&mut self) {
        (self.token, self.renew_at, self.failed) = (None, None, None);
    }
}

struct SessionState {
    source: Source,
    renewal: Renewal,
    state: Mutex<TokenState>,
    /// Held during a fetch.
    fetching: tokio::sync::Mutex<()>,
    /// Wakes the task that renews, because a deadline has changed.
    rescheduled: Notify,
    status: watch::Sender<SignIn>,
}

impl SessionState {
    fn new(source: Source, renewal: Renewal) -> Self {
        // The first token is due at once.
        let renew_at = Some(Deadline::after(Duration::ZERO, (renewal.now)()));
        let state = TokenState { token: None, ends: None, renew_at, failures: 0, failed: None, fetches: 0 };
        let shared = Self {
            source,
            renewal,
            state: Mutex::new(state),
            fetching: tokio::sync::Mutex::default(),
            rescheduled: Notify::new(),
            status: watch::Sender::new(SignIn::SigningIn),
        };
        if let Some(token) = shared.source.fixed_token() {
            shared.store_token(&mut shared.state(), token);
        }
        shared
    }

    /// Locks the state, which is never held across an await.
    fn state(&self) -> MutexGuard<'_, TokenState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        (self.renewal.now)()
    }

    /// Renews the token before it expires, and updates the status when a token that could not be renewed expires.
    async fn renew_when_due(self: Arc<Self>) {
        loop {
            // Both a timeout and a wake-up are followed by a check of the wall clock.
            let _ = timeout(self.wait(), self.rescheduled.notified()).await;
            let due = {
                let (state, now) = (self.state(), self.now());
                if let Some(failed) = &state.failed
                    && state.token.is_some()
                    && state.usable(now).is_none()
                {
                    self.set_status(SignIn::SignedOut(failed.to_call_error()));
                }
                state.is_due(now).then_some(state.fetches)
            };
            if let Some(fetches) = due {
                let _ = self.fetch_after(fetches, Cause::Due).await;
            }
        }
    }

    /// Returns the time until the next deadline.
    fn wait(&self) -> Duration {
        let (state, now) = (self.state(), self.now());
        let ends = state.ends.filter(|_| state.failed.is_some() && state.usable(now).is_some());
        [state.renew_at, ends].into_iter().flatten().map(|due| due.wait(now)).min().unwrap_or(Duration::MAX)
    }

    /// Fetches a token, unless another fetch has ended since `fetches` was read: its result is returned then. A call also gets
    /// a permanent failure again, without a new fetch.
    async fn fetch_after(&self, fetches: u64, cause: Cause) -> Result<Token, CallError> {
        let _one_at_a_time = self.fetching.lock().await;
        {
            let state = self.state();
            let usable = state.usable(self.now());
            let is_answered = state.fetches != fetches;
            match (usable, &state.failed) {
                (Some(token), _) if is_answered => return Ok(token.clone()),
                (None, Some(failed)) if is_answered || (cause == Cause::Call && !failed.is_transient) => {
                    return Err(failed.to_call_error());
                }
                _ => {}
            }
            self.set_status(match usable {
                Some(token) => SignIn::Renewing { until: token.ends() },
                None => SignIn::SigningIn,
            });
        }
        let result = self.source.fetch(self.renewal.now).await;
        let result = result.and_then(|token| match token.ends() {
            Some(ends) if ends <= self.now() && self.source.fixed_token().is_none() => Err(SignInError::permanent(
                "the token that came has ended already",
                "check this machine's clock, then sign in again",
            )),
            _ => Ok(token),
        });
        let mut state = self.state();
        state.fetches += 1;
        let result = match result {
            Ok(token) => {
                self.store_token(&mut state, &token);
                Ok(token)
            }
            Err(error) => Err(self.store_failure(&mut state, cause, error)),
        };
        self.rescheduled.notify_one();
        result
    }

    fn store_token(&self, state: &mut TokenState, token: &Token) {
        let now = self.now();
        let ends = token.ends().filter(|_| self.source.fixed_token().is_none());
        state.renew_at = ends.map(|ends| {
            let life = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
            let early = self.renewal.early.min(life / 2);
            Deadline::after(life.saturating_sub(early).max(self.renewal.least), now)
        });
        state.ends = ends.map(|ends| Deadline::at(ends, now));
        state.token = Some(token.clone());
        (state.failures, state.failed) = (0, None);
        self.set_status(SignIn::SignedIn { until: token.ends() });
    }

    fn store_failure(&self, state: &mut TokenState, cause: Cause, failure: SignInError) -> CallError {
        tracing::warn!(what = failure.problem.what, is_transient = failure.is_transient, "no token");
        let (now, error) = (self.now(), failure.to_call_error());
        if let Some(until) = state.usable(now).map(Token::ends) {
            if cause == Cause::Due {
                self.schedule_retry(state, &failure);
            }
            // A renewal that is retried automatically is still in progress.
            let is_tried_again = cause == Cause::Due && state.renew_at.is_some();
            self.set_status(if is_tried_again {
                SignIn::Renewing { until }
            } else {
                SignIn::NotRenewed { until, error: error.clone() }
            });
        } else {
            state.renew_at = None;
            self.set_status(SignIn::SignedOut(error.clone()));
        }
        state.failed = Some(failure);
        error
    }

    /// Schedules the next renewal after a transient error, if the token is still valid then.
    fn schedule_retry(&self, state: &mut TokenState, error: &SignInError) {
        let wait = self.renewal.again.get(state.failures).filter(|_| error.is_transient);
        let wait = wait.map(|wait| error.retry_after.unwrap_or_default().max(*wait));
        state.failures += 1;
        let again = wait.map(|wait| Deadline::after(wait, self.now()));
        state.renew_at = again.filter(|again| state.ends.is_none_or(|ends| again.is_before(ends)));
    }

    /// Publishes the status. It is called with the state locked, so that changes are published in order.
    fn set_status(&self, sign_in: SignIn) {
        self.status.send_if_modified(|status| {
            let is_new = *status != sign_in;
            *status = sign_in;
            is_new
        });
    }
}
