use std::future::Future;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::RenewRequest;
use crate::error::{ExtendError, ReleaseError};
use crate::front::{Front, Handover, Term};
use crate::key::LockKey;
use crate::options::LockOptions;
use crate::token::FencingToken;

/// What is known of one turn on one key.
#[derive(Clone)]
pub(crate) struct Hold {
    pub(crate) front: Arc<Front>,
    pub(crate) term: Arc<Term>,
    pub(crate) token: FencingToken,
    pub(crate) handover: Handover,
}

impl Hold {
    pub(crate) fn key(&self) -> &LockKey {
        &self.term.key
    }

    pub(crate) fn deadline(&self) -> Instant {
        let deadline = self.term.deadline();
        self.term.turn_end().map_or(deadline, |end| end.min(deadline))
    }

    pub(crate) fn is_live(&self, now: Instant) -> bool {
        self.term.has_turn(self.token, now)
    }

    /// Completes when the turn is over.
    pub(crate) async fn ended(&self) {
        self.term.ended(self.token).await;
    }

    /// Makes the lease last at least `lease` from now on.
    pub(crate) async fn extend(&self, lease: Duration) -> Result<(), ExtendError> {
        let lost = || ExtendError::Lost { key: self.key().clone() };
        if !self.is_live(Instant::now()) {
            return Err(lost());
        }
        let lease = lease.clamp(LockOptions::MIN_LEASE, LockOptions::MAX_LEASE);
        let request = RenewRequest::new(self.key().clone(), self.term.ticket, lease);
        match self.front.backend().renew(vec![request.clone()]).await {
            Ok(reply) if reply.held.first() == Some(&true) => {
                self.front.renewed(&request, reply.since, true);
                self.term.prolong_turn(super::term::deadline(reply.since, lease));
                Ok(())
            }
            Ok(reply) => {
                self.front.renewed(&request, reply.since, false);
                Err(lost())
            }
            Err(source) => Err(ExtendError::Unavailable { key: self.key().clone(), source }),
        }
    }
}

/// One exclusive turn on one key; dropping it gives the key on.
pub(crate) struct Turn {
    hold: Hold,
    armed: bool,
}

impl Turn {
    pub(crate) fn new(hold: Hold) -> Self {
        Self { hold, armed: true }
    }

    pub(crate) fn hold(&self) -> &Hold {
        &self.hold
    }

    /// Gives the key on at once; the future waits for the confirmation.
    pub(crate) fn release(mut self) -> impl Future<Output = Result<(), ReleaseError>> + Send + use<> {
        self.armed = false;
        self.hold.front.release_confirmed(&self.hold)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if mem::take(&mut self.armed) {
            self.hold.front.release(&self.hold);
        }
    }
}
