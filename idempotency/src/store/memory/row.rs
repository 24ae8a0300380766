use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Fingerprint, IdempotencyKey, KeyId, Scope,
    store::{Claim, Owner, Ownership, Record, Settlement, State, StoredResponse, StuckKey},
};

/// A key's row.
#[derive(Debug)]
pub(super) struct Row {
    names: Names,
    touched_at: Instant,
    owner: Owner,
    epoch: u32,
    fingerprint: Fingerprint,
    status: Status,
    expires_at: Instant,
}

/// What people call the row.
#[derive(Debug, Clone)]
struct Names {
    key: IdempotencyKey,
    scope: Scope,
    message: Option<String>,
}

#[derive(Debug)]
enum Status {
    Processing { locked_until: Instant },
    Completed(StoredResponse),
    Failed,
    Unknown,
}

impl Row {
    pub(super) fn new(claim: &Claim, lease: Duration, now: Instant) -> Self {
        Self {
            names: Names { key: claim.key.clone(), scope: claim.scope.clone(), message: None },
            touched_at: now,
            owner: claim.owner,
            epoch: 1,
            fingerprint: claim.fingerprint,
            status: Status::Processing { locked_until: now + lease },
            expires_at: now + claim.ttl,
        }
    }

    /// Takes the row over if the claim may have it, and answers what it was before.
    pub(super) fn take(
        &mut self,
        claim: &Claim,
        lease: Duration,
        takeover: bool,
        now: Instant,
    ) -> Option<Self> {
        let same_request = !self.fingerprint.contradicts(&claim.fingerprint);
        let free = match self.status {
            Status::Failed => same_request || self.expires_at <= now,
            Status::Completed(_) => self.expires_at <= now,
            Status::Processing { locked_until } => takeover && same_request && locked_until <= now,
            Status::Unknown => false,
        };
        free.then(|| {
            let next = Self { epoch: self.epoch + 1, ..Self::new(claim, lease, now) };
            std::mem::replace(self, next)
        })
    }

    pub(super) fn ownership(&self, claim: &Claim) -> Ownership {
        Ownership { id: claim.id, owner: self.owner, epoch: self.epoch }
    }

    pub(super) fn extend(&mut self, ownership: &Ownership, lease: Duration, now: Instant) -> bool {
        let ours = self.is_processed_by(ownership);
        if ours {
            self.status = Status::Processing { locked_until: now + lease };
        }
        ours
    }

    pub(super) fn settle(
        &mut self,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
        now: Instant,
    ) -> bool {
        let ours = self.is_processed_by(ownership);
        if ours {
            self.write(settlement, ttl, now);
        }
        ours
    }

    pub(super) fn resolve(
        &mut self,
        epoch: u32,
        settlement: &Settlement,
        ttl: Duration,
        now: Instant,
    ) -> bool {
        let free = self.epoch == epoch && self.is_stuck(now);
        if free {
            self.owner = Owner::NOBODY;
            self.write(settlement, ttl, now);
        }
        free
    }

    pub(super) fn stuck(&self, id: &KeyId, now: Instant) -> Option<StuckKey> {
        self.is_stuck(now).then(|| StuckKey {
            id: *id,
            key: self.names.key.as_str().to_owned(),
            tenant: self.names.scope.tenant().to_owned(),
            operation: self.names.scope.operation().to_owned(),
            epoch: self.epoch,
            unknown: matches!(self.status, Status::Unknown),
            idle: now.saturating_duration_since(self.touched_at),
            message: self.names.message.clone(),
        })
    }

    fn is_stuck(&self, now: Instant) -> bool {
        match self.status {
            Status::Unknown => true,
            Status::Processing { locked_until } => locked_until <= now,
            Status::Completed(_) | Status::Failed => false,
        }
    }

    fn write(&mut self, settlement: &Settlement, ttl: Duration, now: Instant) {
        (self.status, self.names.message) = match settlement {
            Settlement::Completed(response) => (Status::Completed(response.clone()), None),
            Settlement::Failed { message } => (Status::Failed, message.clone()),
            Settlement::Unknown { message } => (Status::Unknown, message.clone()),
        };
        self.expires_at = now + ttl;
        self.touched_at = now;
    }

    pub(super) fn may_be_swept(&self, grace: Duration, now: Instant) -> bool {
        matches!(self.status, Status::Completed(_) | Status::Failed) && self.expires_at + grace < now
    }

    pub(super) fn read(&self, now: Instant) -> Record {
        Record {
            owner: self.owner,
            epoch: self.epoch,
            fingerprint: self.fingerprint,
            state: match &self.status {
                Status::Processing { locked_until } => {
                    State::Processing { lease_left: Some(locked_until.saturating_duration_since(now)) }
                }
                Status::Completed(response) => State::Completed(response.clone()),
                Status::Failed => State::Failed,
                Status::Unknown => State::Unknown,
            },
            expires_in: self.expires_at.saturating_duration_since(now),
        }
    }

    pub(super) fn is_processed_by(&self, ownership: &Ownership) -> bool {
        matches!(self.status, Status::Processing { .. })
            && self.owner == ownership.owner
            && self.epoch == ownership.epoch
    }
}
