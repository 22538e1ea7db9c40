//! Looks up writes of unknown outcome: lists again and again, for a while.

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

/// What to do after a list that failed in passing.
pub(super) const LOOK_AGAIN: &str = "look again a little later";

/// Looks up an operation again and again until a time has gone by.
pub(super) struct Watch<'a> {
    context: &'a Context,
    call: &'a CallContext,
    operation: &'a Operation,
    delays: Delays,
    /// No look begins later, so that the last one has time to end.
    last: Instant,
    until: Instant,
    begun: bool,
    /// Why the last look failed, where it did.
    pub(super) failed: Option<CallError>,
    pub(super) abandoned: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(context: &'a Context, call: &'a CallContext, operation: &'a Operation, time: Duration) -> Self {
        let now = Instant::now();
        Self {
            context,
            call,
            operation,
            delays: context.timing.look_again.delays((context.timing.seed)()),
            last: now + time - time / 10,
            until: now + time,
            begun: false,
            failed: None,
            abandoned: false,
        }
    }

    /// What the service lists now, or nothing when the time is over, the agent has abandoned the looking, or it cannot
    /// succeed.
    pub(super) async fn next(&mut self) -> Option<Listed> {
        loop {
            if self.begun {
                let left = self.last.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
                let pause = self.delays.next().unwrap_or(left).min(left);
                if self.call.unless_abandoned(sleep(pause)).await.is_none() {
                    self.abandoned = true;
                    return None;
                }
            }
            self.begun = true;
            let look = self.context.look_up(self.operation, None);
            match self.call.unless_abandoned(timeout_at(self.until, look)).await {
                Some(Ok(Ok(listed))) => return Some(listed),
                Some(Ok(Err(error))) => {
                    let passing = is_transient(&error);
                    self.failed = Some(error);
                    if !passing {
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

/// What looking for a create came to.
pub(super) enum LookupResult {
    /// It is there, and the intent is settled.
    Found { request: Box<ElevationRequest>, surplus: Vec<ElevationRequest> },
    /// It was not found for sure.
    Open { seen: MatchResult, at: Timestamp },
    /// The looking was abandoned before anything was seen.
    Abandoned,
}

/// Looks for a create of unknown outcome, and settles it where it is found.
pub(super) async fn for_create(
    context: &Context,
    call: &CallContext,
    write: &Write<'_>,
    new: &NewElevationRequest,
) -> LookupResult {
    let mut watch = Watch::new(context, call, &write.record.operation, context.timing.look);
    let mut last = None;
    let mut doubtful = Vec::new();
    while let Some(mut listed) = watch.next().await {
        let at = context.now();
        // What one list has shown and the next leaves out is no less there.
        doubtful.retain(|seen: &ElevationRequest| !listed.requests.iter().any(|request| request.id == seen.id));
        listed.requests.append(&mut doubtful);
        let seen = match decide(context, write, new, listed).await {
            Ok(MatchResult::Found { request, surplus }) => return LookupResult::Found { request, surplus },
            Ok(seen) => seen,
            Err(refused) => {
                write.transition(Transition::NotFind);
                return LookupResult::Open { seen: unclear_for(refused.problem), at };
            }
        };
        doubtful = if let MatchResult::Possible(possible) = &seen { possible.clone() } else { Vec::new() };
        last = Some((seen, at));
    }
    let (seen, at) = match (last, watch.failed) {
        (Some(last), _) => last,
        (None, Some(error)) if !watch.abandoned => (unclear(&error), context.now()),
        (None, _) => return LookupResult::Abandoned,
    };
    write.transition(Transition::NotFind);
    LookupResult::Open { seen, at }
}

/// Looks once for a create that the service has asked to wait with, before it goes out again. Settles it where it is
/// found.
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

/// Decides, and claims what is found before another decides.
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
    // Of this process's own creates `in_flight` knows more than the record.
    let others: Vec<_> = (context.record.unclaimed_creates().await?.into_iter())
        .filter(|other| !other.is_ours && other.state != WriteState::SetAside && are_equivalent(&other.request, new))
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
        // Others that are lost too will find theirs among the rest.
        surplus.truncate(surplus.len().saturating_sub(context.in_flight.lost_alike(id, new) + lost));
        let request = Box::new(request.with_gaps_from_draft(new.draft()));
        if write.settle_found(&request).await {
            return Ok(MatchResult::Found { request, surplus });
        }
        owned.insert(request.id);
    }
}
