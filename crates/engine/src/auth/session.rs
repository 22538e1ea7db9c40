//! The token as calls see it: asked for before each, told when the service does not accept it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Source, Token, due::Due, refresher::TokenRefresher};
use mmd_elevate_core::{CallError, Problem, SignIn};

/// How many words may wait for the refresher, which answers each at once.
const WORDS_WAITING: usize = 64;

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

/// What calls ask the refresher, and what they tell it.
pub(super) enum RefreshRequest {
    /// There is no token that can be used: wait for one.
    Token(oneshot::Sender<Result<Token, CallError>>),
    /// The service does not accept this one: wait for another.
    Renew(Token, oneshot::Sender<Result<Token, CallError>>),
    /// The service does not accept this one either, which was new.
    Refused(Token),
    /// The service accepts this one after all.
    Accepted(Token),
    /// Fetch one now, whatever there is.
    Now,
    /// Look at the clock.
    Look,
}

/// What calls see without asking.
#[derive(Default)]
pub(super) struct TokenSeen {
    /// The token that calls take.
    pub(super) token: Option<Token>,
    /// Until when, where that is known and something can be fetched after it.
    pub(super) until: Option<Due>,
    /// From when on it is to be renewed.
    pub(super) renew_at: Option<Due>,
}

pub(super) struct Shared {
    pub(super) seen: Mutex<TokenSeen>,
    pub(super) told: watch::Sender<SignIn>,
}

impl Shared {
    pub(super) fn seen(&self) -> MutexGuard<'_, TokenSeen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sign-in that lasts. A clone is the same one; with the last of them it ends, and what it was fetching too.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    words: mpsc::Sender<RefreshRequest>,
    now: fn() -> Timestamp,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("stands", &*self.shared.told.borrow()).finish_non_exhaustive()
    }
}

impl Session {
    /// Begins to sign in. It needs the runtime, on which it keeps a task of its own.
    #[must_use]
    pub fn start(source: Source, renewal: Renewal) -> Self {
        let shared = Arc::new(Shared { seen: Mutex::default(), told: watch::Sender::new(SignIn::SigningIn) });
        let (words, heard) = mpsc::channel(WORDS_WAITING);
        let refresher = TokenRefresher::new(source, renewal, Arc::clone(&shared));
        tokio::spawn(refresher.refresh(heard));
        Self { shared, words, now: renewal.now }
    }

    /// Each change of where signing in stands.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<SignIn> {
        self.shared.told.subscribe()
    }

    /// Fetches a token now, whatever there is. One that is being fetched already is that one.
    pub fn sign_in(&self) {
        self.tell(RefreshRequest::Now);
    }

    /// A token that has not ended. Where there is none and the last failure may have passed, one try is made.
    ///
    /// # Errors
    /// [`ErrorCode::SignInFailed`], which says why there is none. Nothing was sent to the service then.
    pub async fn token(&self) -> Result<Token, CallError> {
        let now = (self.now)();
        let (token, is_due) = {
            let seen = self.shared.seen();
            let lasts = seen.until.is_none_or(|until| !until.has_come(now));
            (seen.token.clone().filter(|_| lasts), seen.renew_at.is_some_and(|at| at.has_come(now)))
        };
        // The timer may have slept with the machine: whoever calls looks at the clock too.
        if is_due {
            self.tell(RefreshRequest::Look);
        }
        match token {
            Some(token) => Ok(token),
            None => self.ask(RefreshRequest::Token).await,
        }
    }

    /// Another token in the place of one that the service does not accept.
    ///
    /// # Errors
    /// [`ErrorCode::NotSignedIn`] where none can be fetched, [`ErrorCode::SignInFailed`] where that failed.
    pub async fn renew(&self, rejected: &Token) -> Result<Token, CallError> {
        self.ask(|reply| RefreshRequest::Renew(rejected.clone(), reply)).await
    }

    /// The service does not accept a token that was just renewed.
    pub fn refused(&self, token: &Token) {
        self.tell(RefreshRequest::Refused(token.clone()));
    }

    /// The service has accepted a token.
    pub fn accepted(&self, token: &Token) {
        if matches!(*self.shared.told.borrow(), SignIn::SignedOut(_)) {
            self.tell(RefreshRequest::Accepted(token.clone()));
        }
    }

    async fn ask(
        &self,
        word: impl FnOnce(oneshot::Sender<Result<Token, CallError>>) -> RefreshRequest,
    ) -> Result<Token, CallError> {
        let (reply, answer) = oneshot::channel();
        let ended = || {
            let what = "the program failed while it signed in";
            CallError::sign_in_failed(&Problem::new(what, "leave, and start the program again"))
        };
        self.words.send(word(reply)).await.map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Where there is no room the refresher has much to look at already, and will see this too.
    fn tell(&self, word: RefreshRequest) {
        if self.words.try_send(word).is_err() {
            tracing::warn!("the sign-in is not listening");
        }
    }
}
