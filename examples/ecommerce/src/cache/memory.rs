use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use moka::ops::compute::Op;

use super::slot::{Mark, Slot};

/// The most entries; the least useful go first.
const CAPACITY: u64 = 10_000;

/// Slots in this process.
#[derive(Debug, Clone)]
pub(super) struct Memory(Cache<String, Entry>);

#[derive(Debug, Clone)]
struct Entry {
    slot: Slot,
    lasts: Duration,
}

/// Each entry lasts as long as it says.
struct OwnTime;

impl Expiry<String, Entry> for OwnTime {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.lasts)
    }

    fn expire_after_update(
        &self,
        _: &String,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.lasts)
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).expire_after(OwnTime).build())
    }

    /// What stands at the key; if nothing does, the mark is put there, for so long, and `None` answered.
    pub(super) async fn take(&self, key: &str, mark: Mark, lasts: Duration) -> Option<Slot> {
        if let Some(entry) = self.0.get(key).await {
            return Some(entry.slot);
        }
        let ours = Slot::Loading(mark);
        let entry = Entry { slot: ours.clone(), lasts };
        let stands = self.0.entry_by_ref(key).or_insert(entry).await.into_value().slot;
        (stands != ours).then_some(stands)
    }

    /// Puts a value in the place of the mark, if the mark still stands there.
    pub(super) async fn store(&self, key: &str, mark: Mark, value: Vec<u8>, lasts: Duration) {
        let put = Entry { slot: Slot::Value(value), lasts };
        self.0
            .entry_by_ref(key)
            .and_compute_with(|found| {
                let ours = found.is_some_and(|entry| entry.value().slot == Slot::Loading(mark));
                std::future::ready(if ours { Op::Put(put) } else { Op::Nop })
            })
            .await;
    }

    /// Takes away what stands at the key.
    pub(super) async fn evict(&self, key: &str) {
        // `invalidate` does not wait for a `store` under way, which would then put back what it has found before.
        self.0.entry_by_ref(key).and_compute_with(|_| std::future::ready(Op::Remove)).await;
    }
}
