use std::{convert::Infallible, fmt, time::Duration};

use super::StoredResponse;
use crate::{Fingerprint, IdempotencyKey, KeyId, Scope};

/// What a claim writes into a key's row.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claim {
    /// The row to claim.
    pub id: KeyId,
    /// The key as sent, for people who look at the table.
    pub key: IdempotencyKey,
    /// The operation and the tenant, for the same people.
    pub scope: Scope,
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// Who asks. Fresh for each attempt: it is how an attempt recognises its own row.
    pub owner: Owner,
    /// How long the row is kept once its work is over, or a thousandth longer.
    pub ttl: Duration,
    /// How long to wait for somebody else's open transaction on this row.
    pub wait: Duration,
    /// Whether an attempt before this one met a row, so that there may be one.
    pub retried: bool,
}

impl Claim {
    pub(crate) fn new(
        key: IdempotencyKey,
        scope: Scope,
        fingerprint: Fingerprint,
        ttl: Duration,
        wait: Duration,
    ) -> Self {
        let id = KeyId::of(&scope, &key);
        Self { id, key, scope, fingerprint, owner: Owner::fresh(), ttl, wait, retried: false }
    }

    /// The same claim as another attempt.
    pub(crate) fn again(&self) -> Self {
        Self { owner: Owner::fresh(), retried: true, ..self.clone() }
    }
}

/// What became of a claim.
#[derive(Debug)]
#[must_use]
pub enum ClaimOutcome<T> {
    /// The key is the caller's: do the work. Carries what proves it.
    Started(T),
    /// The work was done before: answer with this.
    Replay(StoredResponse),
    /// Somebody else is at work.
    InFlight {
        /// How long their work may still take, as far as the store knows.
        retry_after: Duration,
    },
    /// The key belongs to another request.
    Mismatch,
    /// The work ended without anybody knowing whether it took effect.
    Unknown,
}

impl<T> ClaimOutcome<T> {
    /// Parts a start from all that is answered without work.
    pub(crate) fn won(self) -> Result<T, ClaimOutcome<Infallible>> {
        Err(match self {
            Self::Started(proof) => return Ok(proof),
            Self::Replay(response) => ClaimOutcome::Replay(response),
            Self::InFlight { retry_after } => ClaimOutcome::InFlight { retry_after },
            Self::Mismatch => ClaimOutcome::Mismatch,
            Self::Unknown => ClaimOutcome::Unknown,
        })
    }
}

/// The name of one attempt: 16 random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner([u8; 16]);

impl Owner {
    /// The name that no attempt has: the owner of a row that was [resolved](crate::Store::resolve).
    pub const NOBODY: Self = Self([0; 16]);

    /// Draws a new name.
    pub fn fresh() -> Self {
        Self(uuid::Uuid::new_v4().into_bytes())
    }

    /// Takes a name that a store has kept.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Prints nothing of the name: who knows it can complete the work.
impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner(…)")
    }
}

/// Proof of a claim: the row, the attempt and the row's epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership {
    /// The claimed row.
    pub id: KeyId,
    /// The attempt that claimed it.
    pub owner: Owner,
    /// How often the row had been claimed by then, counted from 1. Grows with each takeover, so it serves as
    /// a fencing token.
    pub epoch: u32,
}
