//! Looks for what is unknown: lists again and again, for a while.

use std::{collections::HashSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    context::{CallContext, Context},
    record::RecordRefusal,
    repeats::may_pass,
    service::Service,
    timing::Delays,
    write::Write,
};
use crate::api::Listed;
use mmd_elevate_core::{
    CallError, CallErrorKind, ElevationRequest, Field, Gaps, MatchResult, NewElevationRequest, Sent, Transition,
    WriteState, are_alike, match_listed,
};

/// Lists a device again and again until a time has gone by.
pub(super) struct Watch<'a, S> {
    context: &'a Context<S>,
    job: &'a CallContext,
    /// The device's names: all of them are listed, each time.
    spellings: Vec<String>,
    delays: Delays,
    /// No look begins later, so that the last one has time to end.
    last: Instant,
    until: Instant,
    begun: bool,
    /// Why the last look failed, where it did.
    pub(super) failed: Option<CallError>,
    pub(super) abandoned: bool,
}

impl<'a, S: Service> Watch<'a, S> {
    pub(super) fn new(context: &'a Context<S>, job: &'a CallContext, spellings: Vec<String>, time: Duration) -> Self {
        let now = Instant::now();
        Self {
            context,
            job,
            spellings,
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
                if self.job.unless_abandoned(sleep(pause)).await.is_none() {
                    self.abandoned = true;
                    return None;
                }
            }
            self.begun = true;
            match self.job.unless_abandoned(timeout_at(self.until, self.look())).await {
                Some(Ok(Ok(listed))) => return Some(listed),
                Some(Ok(Err(fault))) => {
                    let passing = may_pass(&fault.kind);
                    self.failed = Some(fault);
                    if !passing {
                        return None;
                    }
                }
                Some(Err(_)) => {
                    self.failed.get_or_insert(CallError::new(CallErrorKind::TimedOut));
                    return None;
                }
                None => {
                    self.abandoned = true;
                    return None;
                }
            }
        }
    }

    async fn look(&self) -> Result<Listed, CallError> {
        list_all(self.context, &self.spellings, None).await
    }
}

/// What the service lists of a device under all these names.
async fn list_all<S: Service>(
    context: &Context<S>,
    spellings: &[String],
    waits: Option<&CallContext>,
) -> Result<Listed, CallError> {
    let mut all = Listed { to_end: true, ..Listed::default() };
    let mut known = HashSet::new();
    for device in spellings {
        let listed = context.list(device, waits).await?;
        all.skew = all.skew.max(listed.skew);
        // Two filters may yield the same entries.
        all.unreadable = all.unreadable.max(listed.unreadable);
        all.to_end &= listed.to_end;
        all.stopped = all.stopped.or(listed.stopped);
        all.requests.extend(listed.requests.into_iter().filter(|request| known.insert(request.id.clone())));
    }
    Ok(all)
}

/// A device's name as it was typed, and as the service may have taken it: a filter may be sensitive to case, and a service
/// may leave out the domain.
fn spellings(device: &str) -> Vec<String> {
    let trimmed = device.trim();
    let host = trimmed.split_once('.').map_or(trimmed, |(host, _)| host);
    let mut spellings = vec![device.to_owned()];
    for other in [trimmed.to_owned(), trimmed.to_uppercase(), host.to_owned()] {
        if !other.is_empty() && !spellings.contains(&other) {
            spellings.push(other);
        }
    }
    spellings
}

/// What looking for a create came to.
pub(super) enum Looked {
    /// It is there, and the intent is settled.
    Found { request: Box<ElevationRequest>, surplus: Vec<ElevationRequest> },
    /// It was not found for sure.
    Open { seen: MatchResult, at: Timestamp },
    /// The looking was abandoned before anything was seen.
    Abandoned,
}

/// Looks for a create of unknown outcome, and settles it where it is found.
pub(super) async fn for_create<S: Service>(
    context: &Context<S>,
    job: &CallContext,
    write: &Write<'_, S>,
    new: &NewElevationRequest,
) -> Looked {
    let mut watch = Watch::new(context, job, spellings(new.get(Field::Device)), context.timing.look);
    let mut last = None;
    let mut doubtful = Vec::new();
    while let Some(mut listed) = watch.next().await {
        let at = context.now();
        // What one list has shown and the next leaves out is no less there.
        doubtful.retain(|seen: &ElevationRequest| !listed.requests.iter().any(|request| request.id == seen.id));
        listed.requests.append(&mut doubtful);
        let seen = match decide(context, write, new, listed).await {
            Ok(MatchResult::Found { request, surplus }) => return Looked::Found { request, surplus },
            Ok(seen) => seen,
            Err(refused) => {
                write.take(Transition::NotFind);
                return Looked::Open { seen: unclear_for(refused.what, refused.hint), at };
            }
        };
        doubtful = if let MatchResult::Possible(possible) = &seen { possible.clone() } else { Vec::new() };
        last = Some((seen, at));
    }
    let (seen, at) = match (last, watch.failed) {
        (Some(last), _) => last,
        (None, Some(fault)) if !watch.abandoned => (unclear(&fault), context.now()),
        (None, _) => return Looked::Abandoned,
    };
    write.take(Transition::NotFind);
    Looked::Open { seen, at }
}

/// Looks once for a create that the service has asked to wait with, before it goes out again. Settles it where it is
/// found.
pub(super) async fn before_repeat<S: Service>(
    context: &Context<S>,
    job: &CallContext,
    write: &Write<'_, S>,
    new: &NewElevationRequest,
) -> Looked {
    let spellings = spellings(new.get(Field::Device));
    let listed = match job.unless_abandoned(list_all(context, &spellings, Some(job))).await {
        Some(Ok(listed)) => listed,
        Some(Err(fault)) => return Looked::Open { seen: unclear(&fault), at: context.now() },
        None => return Looked::Abandoned,
    };
    let at = context.now();
    match decide(context, write, new, listed).await {
        Ok(MatchResult::Found { request, surplus }) => Looked::Found { request, surplus },
        Ok(seen) => Looked::Open { seen, at },
        Err(refused) => Looked::Open { seen: unclear_for(refused.what, refused.hint), at },
    }
}

fn unclear(fault: &CallError) -> MatchResult {
    unclear_for(format!("the list could not be read: {}", fault.what()), fault.hint_to_read().to_owned())
}

fn unclear_for(what: String, hint: String) -> MatchResult {
    MatchResult::Unclear(Gaps { unreadable: 0, cut: Some((what, Some(hint))) })
}

/// Decides, and claims what is found before another decides.
async fn decide<S: Service>(
    context: &Context<S>,
    write: &Write<'_, S>,
    new: &NewElevationRequest,
    listed: Listed,
) -> Result<MatchResult, RecordRefusal> {
    let id = write.intent.id;
    let _alone = context.in_flight.decide().await;
    let mut owned = context.record.owned(id).await?;
    context.in_flight.add_owned(&mut owned);
    let gaps = listed.gaps();
    let sent = Sent { request: new, at: write.sent_at(), skew: listed.skew.unwrap_or(SignedDuration::ZERO) };
    // Of this process's own creates `in_flight` knows more than the record.
    let others: Vec<_> = (context.record.unclaimed().await?.into_iter())
        .filter(|other| !other.is_ours && other.stage != WriteState::SetAside && are_alike(&other.request, new))
        .collect();
    let lost = others.iter().filter(|other| other.stage == WriteState::Unknown).count();
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
        if write.find(&request).await {
            return Ok(MatchResult::Found { request, surplus });
        }
        owned.insert(request.id);
    }
}
