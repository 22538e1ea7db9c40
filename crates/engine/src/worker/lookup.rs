//! Looks up writes of unknown outcome: lists repeatedly for a limited time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    context::{CallContext, Context},
    record::RecordRefusal,
    retry::is_transient,
    timing::Delays,
    write::Write,
};
use crate::backend::Listed;
use mmd_elevate_core::{
    CallError, ElevationRequest, Gaps, MatchResult, NewElevationRequest, Operation, Problem, SentCreate, Transition,
    WriteState, are_equivalent, match_listed,
};

/// The hint after a transient failure of a list.
pub(super) const LOOK_AGAIN: &str = "look again a little later";

/// Looks up an operation repeatedly for a limited time.
pub(super) struct RepeatedLookup<'a> {
    context: &'a Context,
    call: &'a CallContext,
    operation: &'a Operation,
    delays: Delays,
    /// The latest start of a look-up, so that it has time to end.
    last_start: Instant,
    until: Instant,
    has_started: bool,
    /// The error of the last look-up that failed.
    pub(super) failed: Option<CallError>,
    pub(super) abandoned: bool,
}

impl<'a> RepeatedLookup<'a> {
    pub(super) fn new(context: &'a Context, call: &'a CallContext, operation: &'a Operation, time: Duration) -> Self {
        let now = Instant::now();
        Self {
            context,
            call,
            operation,
            delays: context.timing.look_again.delays((context.timing.seed)()),
            last_start: now + time - time / 10,
            until: now + time,
            has_started: false,
            failed: None,
            abandoned: false,
        }
    }

    /// Waits and lists. Returns `None` if the time is over, the agent has abandoned the look-up, or it fails permanently.
    pub(super) async fn next(&mut self) -> Option<Listed> {
        loop {
            if self.has_started {
                let left = self.last_start.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
                let pause = self.delays.next().unwrap_or(left).min(left);
                if self.call.unless_abandoned(sleep(pause)).await.is_none() {
                    self.abandoned = true;
                    return None;
                }
            }
            self.has_started = true;
            let look = self.context.look_up(self.operation, None);
            match self.call.unless_abandoned(timeout_at(self.until, look)).await {
                Some(Ok(Ok(listed))) => return Some(listed),
                Some(Ok(Err(error))) => {
                    let is_transient = is_transient(&error);
                    self.failed = Some(error);
                    if !is_transient {
                        return None;
                    }
                }
                Some(Err(_)) => {
                    self.failed.get_or_insert(CallError::timed_out().with_hint(LOOK_AGAIN));
                    return None;
                }
                None => {
                    self.abandoned = true;
                    return None;
                }
            }
        }
    }
}

/// The result of looking up a create.
pub(super) enum LookupResult {
    /// The request is listed, and the write is settled.
    Found { request: Box<ElevationRequest>, surplus: Vec<ElevationRequest> },
    /// The look-up was not conclusive.
    Open { seen: MatchResult, at: Timestamp },
    /// The look-up was abandoned before anything was listed.
    Abandoned,
}

/// Looks up a create of unknown outcome, and settles it if it is found.
pub(super) async fn for_create(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    new: &NewElevationRequest,
) -> LookupResult {
    let mut lookup = RepeatedLookup::new(context, call, &write.record.operation, context.timing.look);
    let mut last = None;
    let mut possible = Vec::new();
    while let Some(mut listed) = lookup.next().await {
        let at = context.now();
        // A possible request that the next list lacks stays possible.
        possible.retain(|seen: &ElevationRequest| !listed.requests.iter().any(|request| request.id == seen.id));
        listed.requests.append(&mut possible);
        let seen = match decide(context, write, new, listed).await {
            Ok(MatchResult::Found { request, surplus }) => return LookupResult::Found { request, surplus },
            Ok(seen) => seen,
            Err(refused) => {
                write.transition(Transition::NotFind);
                return LookupResult::Open { seen: unclear_for(refused.problem), at };
            }
        };
        possible = if let MatchResult::Possible(possible) = &seen { possible.clone() } else { Vec::new() };
        last = Some((seen, at));
    }
    let (seen, at) = match (last, lookup.failed) {
        (Some(last), _) => last,
        (None, Some(error)) if !lookup.abandoned => (unclear(&error), context.now()),
        (None, _) => return LookupResult::Abandoned,
    };
    write.transition(Transition::NotFind);
    LookupResult::Open { seen, at }
}

/// Looks up a throttled create once before it is repeated, and settles it if it is found.
pub(super) async fn before_repeat(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    new: &NewElevationRequest,
) -> LookupResult {
    let listed = match call.unless_abandoned(context.look_up(&write.record.operation, Some(call))).await {
        Some(Ok(listed)) => listed,
        Some(Err(error)) => return LookupResult::Open { seen: unclear(&error), at: context.now() },
        None => return LookupResult::Abandoned,
    };
    let at = context.now();
    match decide(context, write, new, listed).await {
        Ok(MatchResult::Found { request, surplus }) => LookupResult::Found { request, surplus },
        Ok(seen) => LookupResult::Open { seen, at },
        Err(refused) => LookupResult::Open { seen: unclear_for(refused.problem), at },
    }
}

fn unclear(error: &CallError) -> MatchResult {
    unclear_for(Problem::new(format!("the list could not be read: {}", error.what()), error.hint()))
}

fn unclear_for(problem: Problem) -> MatchResult {
    MatchResult::Unclear(Gaps { unreadable: 0, cut: Some(problem) })
}

/// Matches a list, and claims the request that is found, under the lock of the claims.
async fn decide(
    context: &Context,
    write: &Write<'_>,
    new: &NewElevationRequest,
    listed: Listed,
) -> Result<MatchResult, RecordRefusal> {
    let id = write.record.id;
    let _alone = context.in_flight.lock_claims().await;
    let mut owned = context.record.owned_requests(id).await?;
    context.in_flight.add_owned(&mut owned);
    let gaps = listed.gaps();
    let sent = SentCreate { request: new, at: write.sent_at(), skew: listed.skew.unwrap_or(SignedDuration::ZERO) };
    // `in_flight` holds the newest state of this process's own creates, and of those that it looks up for dead ones.
    let others: Vec<_> = (context.record.unclaimed_creates().await?.into_iter())
        .filter(|other| !other.is_ours && !context.in_flight.has_create(other.id))
        .filter(|other| other.state != WriteState::SetAside && are_equivalent(&other.request, new))
        .collect();
    let lost = others.iter().filter(|other| other.state == WriteState::Unknown).count();
    let may_be_anothers = context.in_flight.may_be_anothers(id, new) || lost < others.len();
    loop {
        let seen = match_listed(sent, listed.requests.clone(), &gaps, |request| owned.contains(request));
        let MatchResult::Found { request, mut surplus } = seen else { return Ok(seen) };
        if may_be_anothers {
            surplus.insert(0, *request);
            return Ok(MatchResult::Possible(surplus));
        }
        // Other creates of unknown outcome will claim requests of the rest.
        surplus.truncate(surplus.len().saturating_sub(context.in_flight.count_equal_lost(id, new) + lost));
        let request = Box::new(request.with_gaps_from_draft(new.draft()));
        if write.settle_found(&request).await {
            return Ok(MatchResult::Found { request, surplus });
        }
        owned.insert(request.id);
    }
}
