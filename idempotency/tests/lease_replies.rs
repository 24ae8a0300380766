//! Leased work on a store whose replies get lost, or come at an awkward moment.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use idempotency::{
    BoxError, Claim, ClaimOutcome, Idempotency, KeyId, MemoryStore, Outcome, Ownership, Record, Settled,
    Settlement, Store, StoreError, StuckKey, Takeover,
};

const LEASE: Duration = Duration::from_secs(30);

/// A store in memory that does what it is asked, whatever it answers.
#[derive(Debug, Default)]
struct Awkward {
    inner: MemoryStore,
    /// So many claims come before the clock of the store has seen the end of the lease.
    early: AtomicU32,
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
        let takeover = takeover && !take(&self.early);
        self.inner.claim(claim, lease, takeover).await
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
        self.inner.settle(ownership, settlement, ttl).await
    }

    async fn forget(&self, ownership: &Ownership) -> Result<Settled, StoreError> {
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
