//! Leased work on a store whose replies get lost, or come at an awkward moment.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use idempotency::{
    BoxError, Claim, ClaimOutcome, Failure, FailureClass, Idempotency, IdempotencyError, KeyId, MemoryStore,
    Outcome, Ownership, Record, Settled, Settlement, State, Store, StoreError, StoreErrorKind, StuckKey,
    Takeover,
};

const LEASE: Duration = Duration::from_secs(30);

/// A store in memory that does what it is asked, whatever it answers.
#[derive(Debug, Default)]
struct Awkward {
    inner: MemoryStore,
    /// So many claims come before the clock of the store has seen the end of the lease.
    early: AtomicU32,
    /// So many replies to claims get lost.
    lost_claims: AtomicU32,
    /// So many claims do not arrive.
    unsent_claims: AtomicU32,
    /// So many calls that give a key back do not arrive.
    unsent_returns: AtomicU32,
}

#[derive(Debug, thiserror::Error)]
enum PayError {
    #[error("not started")]
    NotStarted,
    #[error("undone")]
    Undone,
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
}

impl Failure for PayError {
    fn class(&self) -> FailureClass {
        match self {
            Self::NotStarted => FailureClass::NotStarted,
            Self::Undone => FailureClass::RolledBack,
            Self::Idempotency(_) => FailureClass::Unstated,
        }
    }
}

async fn pay(once: &Idempotency<Awkward>, receipt: Result<u32, PayError>) -> Result<u32, PayError> {
    let request = once.request("pay", "key")?.lease(LEASE);
    let paid = request.run(async |_| receipt).await?;
    Ok(paid.into_inner())
}

/// Takes one of what is left.
fn take(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Store for Awkward {
    async fn migrate(&self) -> Result<(), StoreError> {
        self.inner.migrate().await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.inner.check().await
    }

    async fn find(&self, id: &KeyId) -> Result<Option<Record>, StoreError> {
        self.inner.find(id).await
    }

    async fn claim(
        &self,
        claim: &Claim,
        lease: Duration,
        takeover: bool,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        if take(&self.unsent_claims) {
            return Err(StoreErrorKind::Unavailable.into());
        }
        let takeover = takeover && !take(&self.early);
        let claimed = self.inner.claim(claim, lease, takeover).await;
        if take(&self.lost_claims) {
            return Err(StoreErrorKind::Unavailable.into());
        }
        claimed
    }

    async fn extend(&self, ownership: &Ownership, lease: Duration) -> Result<Settled, StoreError> {
        self.inner.extend(ownership, lease).await
    }

    async fn settle(
        &self,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        if matches!(settlement, Settlement::Failed { .. }) && take(&self.unsent_returns) {
            return Err(StoreErrorKind::Unavailable.into());
        }
        self.inner.settle(ownership, settlement, ttl).await
    }

    async fn forget(&self, ownership: &Ownership) -> Result<Settled, StoreError> {
        if take(&self.unsent_returns) {
            return Err(StoreErrorKind::Unavailable.into());
        }
        self.inner.forget(ownership).await
    }

    async fn resolve(
        &self,
        id: &KeyId,
        epoch: u32,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        self.inner.resolve(id, epoch, settlement, ttl).await
    }

    async fn stuck(&self, limit: u32) -> Result<Vec<StuckKey>, StoreError> {
        self.inner.stuck(limit).await
    }

    async fn sweep(&self, grace: Duration, limit: u32) -> Result<u64, StoreError> {
        self.inner.sweep(grace, limit).await
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_at_the_very_end_of_a_lease_takes_over() {
    let once = Idempotency::new(Awkward { early: 3.into(), ..Awkward::default() });
    let crashed = once.request("pay", "key").unwrap().lease(LEASE).run(async |_| {
        std::future::pending::<()>().await;
        Ok::<_, BoxError>(0)
    });
    tokio::time::timeout(LEASE / 3, crashed).await.unwrap_err();
    tokio::time::sleep(LEASE).await;
    let request = once.request("pay", "key").unwrap().wait(Duration::ZERO).lease(LEASE);
    let again = request.takeover(Takeover::Rerun).run(async |held| Ok::<_, BoxError>(held.epoch())).await;
    assert_eq!(again.map(Outcome::into_inner).unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_reply_was_lost_is_found_and_the_work_begins() {
    let once = Idempotency::new(Awkward { lost_claims: 1.into(), ..Awkward::default() });
    assert_eq!(pay(&once, Ok(1)).await.unwrap(), 1);
    assert_eq!(pay(&once, Ok(2)).await.unwrap(), 1);
    assert!(once.admin().stuck(10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_did_not_arrive_begins_nothing() {
    let once = Idempotency::new(Awkward { unsent_claims: 1.into(), ..Awkward::default() });
    let unsent = pay(&once, Ok(1)).await.unwrap_err();
    assert!(matches!(&unsent, PayError::Idempotency(IdempotencyError::Store(_))), "{unsent:?}");
    assert_eq!(pay(&once, Ok(2)).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_the_claim_of_another_is_not_taken_for_ours() {
    let once = Idempotency::new(Awkward::default());
    assert_eq!(pay(&once, Ok(1)).await.unwrap(), 1);
    let other = Idempotency::new(Awkward {
        inner: once.store().inner.clone(),
        lost_claims: 1.into(),
        ..Awkward::default()
    });
    let lost = pay(&other, Ok(2)).await.unwrap_err();
    assert!(matches!(&lost, PayError::Idempotency(IdempotencyError::Store(_))), "{lost:?}");
    assert_eq!(pay(&other, Ok(3)).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_not_used_is_given_back_at_another_try() {
    let once = Idempotency::new(Awkward { unsent_returns: 2.into(), ..Awkward::default() });
    assert!(matches!(pay(&once, Err(PayError::NotStarted)).await, Err(PayError::NotStarted)));
    assert!(once.admin().find("pay", "", "key").await.unwrap().is_none());
    // A row that was claimed before stays.
    assert!(matches!(pay(&once, Err(PayError::Undone)).await, Err(PayError::Undone)));
    once.store().unsent_returns.store(2, Ordering::SeqCst);
    assert!(matches!(pay(&once, Err(PayError::NotStarted)).await, Err(PayError::NotStarted)));
    let record = once.admin().find("pay", "", "key").await.unwrap().unwrap();
    assert_eq!((record.state, record.epoch), (State::Failed, 2));
    assert_eq!(pay(&once, Ok(1)).await.unwrap(), 1);
}
