use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::row::Row;
use crate::{
    KeyId, StoreError,
    store::{Claim, ClaimOutcome, Ownership, Record, Settled, Settlement, Store, StuckKey},
};

/// Keys in this process, gone with it. Clones share the keys.
///
/// Its clock is tokio's, so that a test can pause it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rows: Arc<Mutex<HashMap<KeyId, Row>>>,
}

impl MemoryStore {
    fn write(&self, id: &KeyId, write: impl FnOnce(&mut Row) -> bool) -> Settled {
        match self.rows.lock().get_mut(id).is_some_and(write) {
            true => Settled::Written,
            false => Settled::Fenced,
        }
    }
}

impl MemoryStore {
    pub(super) fn settle_now(
        &self,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Settled {
        self.write(&ownership.id, |row| row.settle(ownership, settlement, ttl, Instant::now()))
    }

    /// Claims a row, and answers what it was before.
    pub(super) fn claim_now(
        &self,
        claim: &Claim,
        lease: Duration,
        takeover: bool,
    ) -> (ClaimOutcome<Ownership>, Option<Row>) {
        let now = Instant::now();
        match self.rows.lock().entry(claim.id) {
            Entry::Vacant(vacant) => {
                let row = vacant.insert(Row::new(claim, lease, now));
                (ClaimOutcome::Started(row.ownership(claim)), None)
            }
            Entry::Occupied(mut occupied) => {
                let row = occupied.get_mut();
                match row.take(claim, lease, takeover, now) {
                    Some(before) => (ClaimOutcome::Started(row.ownership(claim)), Some(before)),
                    None => (row.read(now).verdict(&claim.fingerprint), None),
                }
            }
        }
    }

    /// Removes the row as if it had never been claimed, if it is still being worked on by its owner.
    pub(super) fn forget_now(&self, ownership: &Ownership) -> Settled {
        self.undo_now(ownership, None)
    }

    /// Puts back what the row was before it was claimed, if it is still being worked on by its owner.
    pub(super) fn undo_now(&self, ownership: &Ownership, before: Option<Row>) -> Settled {
        match self.rows.lock().entry(ownership.id) {
            Entry::Occupied(mut row) if row.get().is_processed_by(ownership) => {
                match before {
                    Some(before) => drop(row.insert(before)),
                    None => drop(row.remove()),
                }
                Settled::Written
            }
            _ => Settled::Fenced,
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn migrate(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn find(&self, id: &KeyId) -> Result<Option<Record>, StoreError> {
        Ok(self.rows.lock().get(id).map(|row| row.read(Instant::now())))
    }

    async fn claim(
        &self,
        claim: &Claim,
        lease: Duration,
        takeover: bool,
    ) -> Result<ClaimOutcome<Ownership>, StoreError> {
        Ok(self.claim_now(claim, lease, takeover).0)
    }

    async fn extend(&self, ownership: &Ownership, lease: Duration) -> Result<Settled, StoreError> {
        Ok(self.write(&ownership.id, |row| row.extend(ownership, lease, Instant::now())))
    }

    async fn settle(
        &self,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        Ok(self.settle_now(ownership, settlement, ttl))
    }

    async fn forget(&self, ownership: &Ownership) -> Result<Settled, StoreError> {
        Ok(self.forget_now(ownership))
    }

    async fn resolve(
        &self,
        id: &KeyId,
        epoch: u32,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError> {
        Ok(self.write(id, |row| row.resolve(epoch, settlement, ttl, Instant::now())))
    }

    async fn stuck(&self, limit: u32) -> Result<Vec<StuckKey>, StoreError> {
        let now = Instant::now();
        let mut stuck: Vec<_> = self.rows.lock().iter().filter_map(|(id, row)| row.stuck(id, now)).collect();
        stuck.sort_by_key(|key| std::cmp::Reverse(key.idle));
        stuck.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(stuck)
    }

    async fn sweep(&self, grace: Duration, limit: u32) -> Result<u64, StoreError> {
        let now = Instant::now();
        let mut left = u64::from(limit);
        self.rows.lock().retain(|_, row| {
            let goes = left > 0 && row.may_be_swept(grace, now);
            left -= u64::from(goes);
            !goes
        });
        Ok(u64::from(limit) - left)
    }
}
