use std::time::Duration;

use super::{ClaimOutcome, Owner, StoredResponse};
use crate::Fingerprint;

/// When to ask again about work that has no lease: it ends with its transaction.
const NO_LEASE: Duration = Duration::from_secs(1);

/// A key's row, as somebody who does not own it reads it.
#[derive(Debug, Clone)]
pub struct Record {
    /// The attempt that claimed it last; [nobody](Owner::NOBODY) once somebody else has resolved it.
    pub owner: Owner,
    /// How often it was claimed.
    pub epoch: u32,
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// How far the work is.
    pub state: State,
    /// What is left of its time by the store's clock; with nothing left the key may be used anew.
    pub expires_in: Duration,
}

/// How far a key's work is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Under way.
    Processing {
        /// What is left of the lease by the store's clock; `None` where there is no lease.
        lease_left: Option<Duration>,
    },
    /// Done; the response is kept.
    Completed(StoredResponse),
    /// Undone; may run again.
    Failed,
    /// Ended without anybody knowing how.
    Unknown,
}

impl Record {
    /// Says what this row means for a request with `fingerprint` that did not get it.
    pub fn verdict<T>(&self, fingerprint: &Fingerprint) -> ClaimOutcome<T> {
        if self.fingerprint.contradicts(fingerprint) {
            return ClaimOutcome::Mismatch;
        }
        match &self.state {
            State::Completed(response) => ClaimOutcome::Replay(response.clone()),
            State::Processing { lease_left } => {
                ClaimOutcome::InFlight { retry_after: lease_left.unwrap_or(NO_LEASE) }
            }
            // It was not free a moment ago: whoever made it so is about to run again.
            State::Failed => ClaimOutcome::InFlight { retry_after: NO_LEASE },
            State::Unknown => ClaimOutcome::Unknown,
        }
    }

    /// Tells whether a claim that did not get this row may well get it now.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn may_be_free(&self, fingerprint: &Fingerprint) -> bool {
        match self.state {
            State::Completed(_) => self.is_expired(),
            State::Failed => self.is_expired() || !self.fingerprint.contradicts(fingerprint),
            State::Processing { .. } | State::Unknown => false,
        }
    }

    /// Tells whether its time is over.
    pub fn is_expired(&self) -> bool {
        self.expires_in.is_zero()
    }

    /// Tells whether the row answers a request by itself and will go on doing so until it expires.
    pub(crate) fn is_settled(&self) -> bool {
        !self.is_expired() && matches!(self.state, State::Completed(_))
    }
}
