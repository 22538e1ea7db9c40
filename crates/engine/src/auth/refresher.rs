//! The task that keeps a token: it alone fetches, one at a time, and decides when.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::{
    Renewal, SignInError, Source, Token,
    due::Due,
    session::{RefreshRequest, Shared},
};
use mmd_elevate_core::{CallError, SignIn};

type Fetching = Pin<Box<dyn Future<Output = Result<Token, SignInError>> + Send>>;
type Waiting = oneshot::Sender<Result<Token, CallError>>;

/// Why a fetch was begun.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The token is due, or there is none.
    Due,
    /// The agent wants it.
    Agent,
}

pub(super) struct TokenRefresher {
    source: Source,
    renewal: Renewal,
    shared: Arc<Shared>,
    /// The token that was fetched last, and whether the service has refused it since.
    token: Option<Token>,
    is_refused: bool,
    /// When the token ends, where that is known.
    ends: Option<Due>,
    renew_at: Option<Due>,
    /// How often the renewal of this token has failed.
    failures: usize,
    /// The last failure since there was a token.
    failed: Option<SignInError>,
    waiting: Vec<Waiting>,
    /// What is to be fetched for, as soon as nothing is being fetched.
    wanted: Option<Cause>,
}

impl TokenRefresher {
    pub(super) fn new(source: Source, renewal: Renewal, shared: Arc<Shared>) -> Self {
        let mut refresher = Self {
            source,
            renewal,
            shared,
            token: None,
            is_refused: false,
            ends: None,
            renew_at: None,
            failures: 0,
            failed: None,
            waiting: Vec::new(),
            wanted: Some(Cause::Due),
        };
        if let Some(token) = refresher.source.given().cloned() {
            refresher.wanted = None;
            refresher.has(&token);
        }
        refresher
    }

    /// Keeps the token until nobody is there to use it.
    pub(super) async fn refresh(mut self, mut words: mpsc::Receiver<RefreshRequest>) {
        let mut fetching: Option<(Cause, Fetching)> = None;
        loop {
            if fetching.is_none()
                && let Some(cause) = self.cause()
            {
                fetching = Some((cause, self.begin()));
            }
            let wake = if fetching.is_none() { self.wake() } else { None };
            tokio::select! {
                word = words.recv() => match word {
                    Some(word) => self.hear(word, fetching.is_some()),
                    None => return,
                },
                (cause, fetched) = done(&mut fetching) => {
                    fetching = None;
                    self.settle(cause, fetched);
                }
                () = sleep(wake.unwrap_or_default()), if wake.is_some() => self.look(),
            }
        }
    }

    fn now(&self) -> Timestamp {
        (self.renewal.now)()
    }

    /// When the token ends, where another could be fetched then. The end of one that was handed over is only what it
    /// says of itself: the service decides.
    fn until(&self) -> Option<Due> {
        self.ends.filter(|_| self.source.given().is_none())
    }

    fn usable(&self) -> Option<&Token> {
        let lasts = self.until().is_none_or(|until| !until.has_come(self.now()));
        self.token.as_ref().filter(|_| lasts && !self.is_refused)
    }

    /// Whether something is to be fetched now, and why.
    fn cause(&mut self) -> Option<Cause> {
        let is_due = self.renew_at.is_some_and(|at| at.has_come(self.now())) || !self.waiting.is_empty();
        self.wanted.take().or(is_due.then_some(Cause::Due))
    }

    fn begin(&mut self) -> Fetching {
        self.tell(match self.usable() {
            Some(token) => SignIn::Renewing { until: token.ends() },
            None => SignIn::SigningIn,
        });
        let (source, now) = (self.source.clone(), self.renewal.now);
        Box::pin(async move { source.fetch(now).await })
    }

    /// How long nothing is due. The wall clock is looked at again then.
    fn wake(&self) -> Option<Duration> {
        // A token that cannot be renewed any more is told as ended when it is.
        let ends = self.until().filter(|_| self.failed.is_some() && self.usable().is_some());
        let now = self.now();
        [self.renew_at, ends].into_iter().flatten().map(|due| due.wait(now)).min()
    }

    fn hear(&mut self, word: RefreshRequest, is_fetching: bool) {
        match word {
            RefreshRequest::Token(reply) => match (self.usable(), &self.failed) {
                (Some(token), _) => drop(reply.send(Ok(token.clone()))),
                (None, Some(failed)) if !is_fetching && !failed.may_pass => drop(reply.send(Err(failed.fault()))),
                _ => self.waiting.push(reply),
            },
            RefreshRequest::Renew(rejected, reply) => self.renew(&rejected, reply),
            RefreshRequest::Refused(token) => {
                if self.token.as_ref().is_some_and(|held| held.is(&token)) && self.source.given().is_none() {
                    self.refuse();
                    self.failed = None;
                    self.tell(SignIn::SignedOut(CallError::not_signed_in()));
                }
            }
            RefreshRequest::Accepted(token) => {
                if self.usable().is_some_and(|held| held.is(&token)) {
                    self.tell(SignIn::SignedIn { until: token.ends() });
                }
            }
            RefreshRequest::Now => self.wanted = if is_fetching { None } else { Some(Cause::Agent) },
            RefreshRequest::Look => self.look(),
        }
    }

    fn renew(&mut self, rejected: &Token, reply: Waiting) {
        if let Some(token) = self.usable()
            && !token.is(rejected)
        {
            // Another call was faster.
            let _ = reply.send(Ok(token.clone()));
        } else if self.source.given().is_some() {
            let fault = CallError::not_signed_in();
            self.tell(SignIn::SignedOut(fault.clone()));
            let _ = reply.send(Err(fault));
        } else {
            self.refuse();
            self.waiting.push(reply);
        }
    }

    /// No call takes this token any more.
    fn refuse(&mut self) {
        (self.is_refused, self.renew_at) = (true, None);
        let mut seen = self.shared.seen();
        (seen.token, seen.renew_at) = (None, None);
    }

    /// Whether the token has ended meanwhile.
    fn look(&mut self) {
        if self.token.is_some()
            && self.usable().is_none()
            && let Some(failed) = &self.failed
        {
            let fault = failed.fault();
            self.tell(SignIn::SignedOut(fault));
        }
    }

    fn settle(&mut self, cause: Cause, fetched: Result<Token, SignInError>) {
        let now = self.now();
        let fetched = fetched.and_then(|token| match token.ends() {
            Some(ends) if ends <= now && self.source.given().is_none() => Err(SignInError::lasting(
                "the token that came has ended already",
                "check this machine's clock, then sign in again",
            )),
            _ => Ok(token),
        });
        match fetched {
            Ok(token) => self.has(&token),
            Err(error) => self.has_not(cause, error),
        }
    }

    fn has(&mut self, token: &Token) {
        let now = self.now();
        self.renew_at = token.ends().filter(|_| self.source.given().is_none()).map(|ends| {
            let life = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
            let early = self.renewal.early.min(life / 2);
            Due::after(life.saturating_sub(early).max(self.renewal.least), now)
        });
        self.ends = token.ends().map(|ends| Due::at(ends, now));
        (self.is_refused, self.failures, self.failed) = (false, 0, None);
        self.token = Some(token.clone());
        {
            let until = self.until();
            let mut seen = self.shared.seen();
            (seen.token, seen.until, seen.renew_at) = (Some(token.clone()), until, self.renew_at);
        }
        self.tell(SignIn::SignedIn { until: token.ends() });
        for reply in self.waiting.drain(..) {
            let _ = reply.send(Ok(token.clone()));
        }
    }

    fn has_not(&mut self, cause: Cause, error: SignInError) {
        tracing::warn!(what = error.what, may_pass = error.may_pass, "no token");
        let fault = error.fault();
        if let Some(until) = self.usable().map(Token::ends) {
            if cause == Cause::Due {
                self.put_off(&error);
            }
            self.failed = Some(error);
            // A renewal that is tried again by itself is still under way.
            let is_tried_again = cause == Cause::Due && self.renew_at.is_some();
            self.tell(if is_tried_again { SignIn::Renewing { until } } else { SignIn::NotRenewed { until, fault } });
            return;
        }
        self.renew_at = None;
        self.shared.seen().renew_at = None;
        self.failed = Some(error);
        self.tell(SignIn::SignedOut(fault.clone()));
        for reply in self.waiting.drain(..) {
            let _ = reply.send(Err(fault.clone()));
        }
    }

    /// When the renewal that has failed is tried again, where that may help and the token lasts until then.
    fn put_off(&mut self, error: &SignInError) {
        let wait = self.renewal.again.get(self.failures).filter(|_| error.may_pass);
        let wait = wait.map(|wait| error.retry_after.unwrap_or_default().max(*wait));
        self.failures += 1;
        let again = wait.map(|wait| Due::after(wait, self.now()));
        self.renew_at = again.filter(|again| self.ends.is_none_or(|ends| again.is_before(ends)));
        self.shared.seen().renew_at = self.renew_at;
    }

    fn tell(&self, sign_in: SignIn) {
        self.shared.told.send_if_modified(|told| {
            let is_new = *told != sign_in;
            *told = sign_in;
            is_new
        });
    }
}

async fn done(fetching: &mut Option<(Cause, Fetching)>) -> (Cause, Result<Token, SignInError>) {
    match fetching {
        Some((cause, fetching)) => (*cause, fetching.await),
        None => std::future::pending().await,
    }
}
