//! A sign-in that lasts: the token that all calls take, renewed ahead of its end.
//!
//! A mutex is held across each fetch, so that at most one token request is in flight. Whoever waited for the mutex takes
//! the result of the fetch that held it.

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

use super::{SignInError, Source, Token, due::Due};
use mmd_elevate_core::{CallError, Problem, SignIn};

/// The clock, and when a token is renewed.
#[derive(Clone, Copy, Debug)]
pub struct Renewal {
    /// What time it is.
    pub now: fn() -> Timestamp,
    /// How long before its end a token is renewed: 5 minutes. One that lasts less than twice as long is renewed at half
    /// of its life.
    pub early: Duration,
    /// The least time between two renewals: 30 s. A source that hands out the same token again must not be asked
    /// without end.
    pub least: Duration,
    /// After how long a renewal that failed in a way that may pass is tried again, each time: after 30 s and 90 s.
    pub again: [Duration; 2],
}

impl Default for Renewal {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { now: Timestamp::now, early: seconds(300), least: seconds(30), again: [seconds(30), seconds(90)] }
    }
}

/// A sign-in that lasts. A clone is the same one; with the last of them it ends, and what it was fetching too.
#[derive(Clone)]
pub struct TokenSession {
    shared: Arc<Shared>,
    end: CancellationToken,
    _until_dropped: Arc<DropGuard>,
}

impl fmt::Debug for TokenSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSession").field("stands", &*self.shared.status.borrow()).finish_non_exhaustive()
    }
}

impl TokenSession {
    /// Begins to sign in. It needs the runtime, on which it keeps a task that renews the token.
    #[must_use]
    pub fn start(source: Source, renewal: Renewal) -> Self {
        let shared = Arc::new(Shared::new(source, renewal));
        let end = CancellationToken::new();
        tokio::spawn(end.clone().run_until_cancelled_owned(Arc::clone(&shared).renew_when_due()));
        Self { shared, _until_dropped: Arc::new(end.clone().drop_guard()), end }
    }

    /// Each change of where signing in stands.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<SignIn> {
        self.shared.status.subscribe()
    }

    /// Fetches a token now, whatever there is. One that is being fetched already is that one.
    pub fn sign_in(&self) {
        let fetches = self.shared.state().fetches;
        drop(self.fetch(fetches, Cause::Agent));
    }

    /// A token that has not ended. Where there is none and the last failure may have passed, one try is made.
    ///
    /// # Errors
    /// [`mmd_elevate_core::ErrorCode::SignInFailed`], which says why there is none. Nothing was sent to the service then.
    pub async fn token(&self) -> Result<Token, CallError> {
        let fetches = {
            let (state, now) = (self.shared.state(), self.shared.now());
            if let Some(token) = state.usable(now) {
                // The timer may have slept with the machine: whoever calls looks at the clock too.
                if state.is_due(now) {
                    self.shared.rescheduled.notify_one();
                }
                return Ok(token.clone());
            }
            state.fetches
        };
        self.fetch_and_wait(fetches).await
    }

    /// Another token in the place of one that the service does not accept.
    ///
    /// # Errors
    /// [`mmd_elevate_core::ErrorCode::NotSignedIn`] where none can be fetched, [`mmd_elevate_core::ErrorCode::SignInFailed`] where that failed.
    pub async fn renew(&self, rejected: &Token) -> Result<Token, CallError> {
        let fetches = {
            let mut state = self.shared.state();
            match state.usable(self.shared.now()) {
                // Another call was faster.
                Some(token) if !token.is(rejected) => return Ok(token.clone()),
                _ if self.shared.source.fixed_token().is_some() => {
                    let error = CallError::not_signed_in();
                    self.shared.set_status(SignIn::SignedOut(error.clone()));
                    return Err(error);
                }
                _ => state.refuse(),
            }
            state.fetches
        };
        self.fetch_and_wait(fetches).await
    }

    /// The service does not accept a token that was just renewed.
    pub fn refused(&self, token: &Token) {
        let mut state = self.shared.state();
        if state.token.as_ref().is_some_and(|held| held.is(token)) && self.shared.source.fixed_token().is_none() {
            state.refuse();
            self.shared.set_status(SignIn::SignedOut(CallError::not_signed_in()));
        }
    }

    /// The service has accepted a token.
    pub fn accepted(&self, token: &Token) {
        let state = self.shared.state();
        let is_signed_out = matches!(*self.shared.status.borrow(), SignIn::SignedOut(_));
        if is_signed_out && state.usable(self.shared.now()).is_some_and(|held| held.is(token)) {
            self.shared.set_status(SignIn::SignedIn { until: token.ends() });
        }
    }

    async fn fetch_and_wait(&self, fetches: u64) -> Result<Token, CallError> {
        self.fetch(fetches, Cause::Call).await.ok().flatten().unwrap_or_else(|| {
            let what = "the program failed while it signed in";
            Err(CallError::sign_in_failed(&Problem::new(what, "leave, and start the program again")))
        })
    }

    /// Fetches in a task, so that a call that is given up does not take the token away from the others that wait.
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
    /// It is due, so that calls need not wait for it.
    Due,
    /// A call has none that it could use.
    Call,
    /// The agent wants it.
    Agent,
}

/// What is known of the token.
struct State {
    /// The token that was fetched last, until the service refuses it.
    token: Option<Token>,
    /// When it ends, where that is known and another could be fetched then. The end of a token that was handed over is
    /// only what it says of itself: the service decides.
    ends: Option<Due>,
    renew_at: Option<Due>,
    /// How often the renewal of this token has failed.
    failures: usize,
    /// The last failure since there was a token.
    failed: Option<SignInError>,
    /// How many fetches have ended. Who waits for one knows by it whether there was one.
    fetches: u64,
}

impl State {
    fn usable(&self, now: Timestamp) -> Option<&Token> {
        self.token.as_ref().filter(|_| self.ends.is_none_or(|ends| !ends.is_past(now)))
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.renew_at.is_some_and(|at| at.is_past(now))
    }

    /// No call takes this token any more. The next that needs one fetches it, whatever has failed before.
    fn refuse(&mut self) {
        (self.token, self.renew_at, self.failed) = (None, None, None);
    }
}

struct Shared {
    source: Source,
    renewal: Renewal,
    state: Mutex<State>,
    /// Held across a fetch.
    fetching: tokio::sync::Mutex<()>,
    /// Something may be due sooner than the task that renews knows.
    rescheduled: Notify,
    status: watch::Sender<SignIn>,
}

impl Shared {
    fn new(source: Source, renewal: Renewal) -> Self {
        // The first token is due at once.
        let renew_at = Some(Due::after(Duration::ZERO, (renewal.now)()));
        let state = State { token: None, ends: None, renew_at, failures: 0, failed: None, fetches: 0 };
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

    /// It is never held across a wait.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        (self.renewal.now)()
    }

    /// Renews the token ahead of its end, and tells when one that could not be renewed has ended.
    async fn renew_when_due(self: Arc<Self>) {
        loop {
            // The wall clock is looked at again whatever has ended the wait.
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

    /// How long nothing is due.
    fn wait(&self) -> Duration {
        let (state, now) = (self.state(), self.now());
        let ends = state.ends.filter(|_| state.failed.is_some() && state.usable(now).is_some());
        [state.renew_at, ends].into_iter().flatten().map(|due| due.wait(now)).min().unwrap_or(Duration::MAX)
    }

    /// Fetches a token, unless more than so many fetches have ended meanwhile: the result is theirs then. A failure that
    /// will not pass is the result for a call too.
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

    fn store_token(&self, state: &mut State, token: &Token) {
        let now = self.now();
        let ends = token.ends().filter(|_| self.source.fixed_token().is_none());
        state.renew_at = ends.map(|ends| {
            let life = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
            let early = self.renewal.early.min(life / 2);
            Due::after(life.saturating_sub(early).max(self.renewal.least), now)
        });
        state.ends = ends.map(|ends| Due::at(ends, now));
        state.token = Some(token.clone());
        (state.failures, state.failed) = (0, None);
        self.set_status(SignIn::SignedIn { until: token.ends() });
    }

    fn store_failure(&self, state: &mut State, cause: Cause, failure: SignInError) -> CallError {
        tracing::warn!(what = failure.problem.what, is_transient = failure.is_transient, "no token");
        let (now, error) = (self.now(), failure.to_call_error());
        if let Some(until) = state.usable(now).map(Token::ends) {
            if cause == Cause::Due {
                self.schedule_retry(state, &failure);
            }
            // A renewal that is tried again by itself is still under way.
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

    /// When the renewal that has failed is tried again, where that may help and the token lasts until then.
    fn schedule_retry(&self, state: &mut State, error: &SignInError) {
        let wait = self.renewal.again.get(state.failures).filter(|_| error.is_transient);
        let wait = wait.map(|wait| error.retry_after.unwrap_or_default().max(*wait));
        state.failures += 1;
        let again = wait.map(|wait| Due::after(wait, self.now()));
        state.renew_at = again.filter(|again| state.ends.is_none_or(|ends| again.is_before(ends)));
    }

    /// Tells where signing in stands. It is called with the state locked, so that what is told comes in its order.
    fn set_status(&self, sign_in: SignIn) {
        self.status.send_if_modified(|status| {
            let is_new = *status != sign_in;
            *status = sign_in;
            is_new
        });
    }
}
