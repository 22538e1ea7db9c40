//! Looks for what is unknown: lists again and again, for a while.

use std::{collections::HashSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    desk::{Desk, Job},
    record::Refused,
    repeats::may_pass,
    service::Service,
    timing::Delays,
    write::Write,
};
use crate::{
    api::Listed,
    domain::{ElevationRequest, Field, NewElevationRequest, Sighting, sighting},
    port::{Fault, Step},
};

/// Lists a device again and again until a time has gone by.
pub(super) struct Watch<'a, S> {
    desk: &'a Desk<S>,
    job: &'a Job,
    /// The device's names: all of them are listed, each time.
    spellings: Vec<String>,
    delays: Delays,
    /// No look begins later, so that the last one has time to end.
    last: Instant,
    until: Instant,
    begun: bool,
    /// Why the last look failed, where it did.
    pub(super) failed: Option<Fault>,
    pub(super) abandoned: bool,
}

impl<'a, S: Service> Watch<'a, S> {
    pub(super) fn new(desk: &'a Desk<S>, job: &'a Job, spellings: Vec<String>, time: Duration) -> Self {
        let now = Instant::now();
        Self {
            desk,
            job,
            spellings,
            delays: desk.timing.look_again.delays((desk.timing.seed)()),
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
                Some(Err(_)) => return None,
                None => {
                    self.abandoned = true;
                    return None;
                }
            }
        }
    }

    async fn look(&self) -> Result<Listed, Fault> {
        let mut all = Listed { to_end: true, ..Listed::default() };
        let mut seen = HashSet::new();
        for device in &self.spellings {
            let listed = self.desk.list(device, None).await?;
            all.skew = all.skew.max(listed.skew);
            all.unreadable += listed.unreadable;
            all.to_end &= listed.to_end;
            all.requests.extend(listed.requests.into_iter().filter(|request| seen.insert(request.id.clone())));
        }
        Ok(all)
    }
}

/// A device's name as it was typed, and as the service may have taken it: a filter may be sensitive to case.
fn spellings(device: &str) -> Vec<String> {
    let mut spellings = vec![device.to_owned()];
    for other in [device.trim().to_owned(), device.trim().to_uppercase()] {
        if !spellings.contains(&other) {
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
    Open { seen: Sighting, at: Timestamp },
    /// Nothing could be seen at all, or not be decided.
    Blind(Option<Fault>),
}

/// Looks for a create of unknown outcome, and settles it where it is found.
pub(super) async fn for_create<S: Service>(
    desk: &Desk<S>,
    job: &Job,
    write: &Write<'_, S>,
    new: &NewElevationRequest,
) -> Looked {
    let mut watch = Watch::new(desk, job, spellings(new.get(Field::Device)), desk.timing.look);
    let mut last = None;
    while let Some(listed) = watch.next().await {
        let at = desk.now();
        match decide(desk, write, new, listed).await {
            Ok(Sighting::Found { request, surplus }) => return Looked::Found { request, surplus },
            Ok(seen) => last = Some((seen, at)),
            Err(refused) => return Looked::Blind(Some(refused.into())),
        }
    }
    match last {
        Some((seen, at)) => {
            write.take(Step::NotFind);
            Looked::Open { seen, at }
        }
        None => Looked::Blind(watch.failed),
    }
}

/// Decides, and claims what is found before another decides.
async fn decide<S: Service>(
    desk: &Desk<S>,
    write: &Write<'_, S>,
    new: &NewElevationRequest,
    listed: Listed,
) -> Result<Sighting, Refused> {
    let id = write.intent.id;
    let _alone = desk.claims.decide().await;
    let mut owned = desk.record.owned(id).await?;
    desk.claims.add_owned(&mut owned);
    let skew = listed.skew.unwrap_or(SignedDuration::ZERO);
    // From the intent on, for a call that seemed to be deferred may have been processed after all.
    let sent_at = write.intent.at;
    loop {
        let seen = sighting(new, sent_at, skew, listed.requests.clone(), |request| owned.contains(request));
        let Sighting::Found { request, mut surplus } = seen else { return Ok(seen) };
        if desk.claims.may_be_anothers(id, new) {
            surplus.insert(0, *request);
            return Ok(Sighting::Possible(surplus));
        }
        // Others that are lost too will find theirs among the rest.
        surplus.truncate(surplus.len().saturating_sub(desk.claims.lost_alike(id, new)));
        if write.find(&request).await {
            return Ok(Sighting::Found { request, surplus });
        }
        owned.insert(request.id);
    }
}
