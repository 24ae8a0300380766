use std::time::Duration;

use async_trait::async_trait;

use super::{Claim, ClaimOutcome, Ownership, Record, Settled, Settlement, StoreError, StuckKey};
use crate::KeyId;

/// Where the rows of idempotency keys live.
///
/// ```text
///                        claim                        settle
///          absent ─────────────────▶ PROCESSING ─────────────────▶ COMPLETED ──▶ (expires) ──▶ claimable
///                                     ▲      │ ├─────────────────▶ FAILED    ──▶ claimable by the same request
///   a claim after the lease is over,  │      │ └─────────────────▶ UNKNOWN   ──▶ resolve: COMPLETED or FAILED
///   epoch + 1                         └──────┘
/// ```
///
/// What each implementation owes:
///
/// - **One winner.** Of any number of claims of one free row at once exactly one is `Started`.
/// - **Its own clock.** Leases and expiry are judged by the store's clock, never by a caller's.
/// - **No surprises.** A row that is `COMPLETED` does not change until it expires; one that is `UNKNOWN` is
///   never claimed; a row of another request ([`Fingerprint::contradicts`](crate::Fingerprint::contradicts))
///   is never claimed before it expires.
/// - **Fencing.** A settlement or an extension is written only if owner and epoch are still the row's and
///   the row is `PROCESSING`.
/// - **Exact bytes.** A response is read back as it was written.
/// - **No policy.** Retries, waiting and wake-ups belong to the caller.
///
/// # Errors
///
/// Each method answers a [`StoreError`] whose [kind](crate::StoreErrorKind) says whether another try makes sense. What
/// a claim finds is no error.
///
/// # Cancel safety
///
/// Dropping the future of a method leaves the statement it sends done or not done, and no transaction open.
///
/// The suite in `idempotency::conformance` (feature `test-util`) tests all of it.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Creates the table, or brings an older one up to date. Running it again changes nothing.
    async fn migrate(&self) -> Result<(), StoreError>;

    /// Tells by an error whether the table is missing or older than this release.
    async fn check(&self) -> Result<(), StoreError>;

    /// Reads a row.
    async fn find(&self, id: &KeyId) -> Result<Option<Record>, StoreError>;

    /// Claims a row for `lease`, in a transaction of its own.
    ///
    /// A row whose lease is over is claimed anew only if `takeover` is set; else it is `InFlight` with
    /// nothing left to wait for.
    async fn claim(
        &self,
        claim: &Claim,
        lease: Duration,
        takeover: bool,
    ) -> Result<ClaimOutcome<Ownership>, StoreError>;

    /// Moves the end of the lease to `lease` from now.
    async fn extend(&self, ownership: &Ownership, lease: Duration) -> Result<Settled, StoreError>;

    /// Writes how the work ended; the row is kept for `ttl` from now.
    async fn settle(
        &self,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError>;

    /// Removes the row as if it had never been claimed, for work that did not begin.
    async fn forget(&self, ownership: &Ownership) -> Result<Settled, StoreError>;

    /// Settles a row that nobody works on any more: one that is `UNKNOWN`, or `PROCESSING` without a lease or with
    /// one that is over. `epoch` is what the caller has seen of it.
    ///
    /// The row's owner is [nobody](crate::Owner::NOBODY) from then on: who comes late with a settlement of their own
    /// must not find the row settled in their name.
    async fn resolve(
        &self,
        id: &KeyId,
        epoch: u32,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError>;

    /// Lists at most `limit` rows that nobody works on any more and that no request will settle by itself: those
    /// that [`resolve`](Self::resolve) is for, the oldest first. Reads the whole table.
    async fn stuck(&self, limit: u32) -> Result<Vec<StuckKey>, StoreError>;

    /// Deletes at most `limit` rows that are `COMPLETED` or `FAILED` and expired longer than `grace` ago, and
    /// returns how many.
    ///
    /// Several sweepers at once do not disturb each other.
    async fn sweep(&self, grace: Duration, limit: u32) -> Result<u64, StoreError>;
}
