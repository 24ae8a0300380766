use std::time::{Duration, Instant};

use moka::{Expiry, sync::Cache as Moka};

use crate::{KeyId, flight::Landing};

/// How much earlier than in the store a response is forgotten here, whatever the two clocks do.
const MARGIN: Duration = Duration::from_secs(1);

/// What an entry takes beside its response.
const OVERHEAD: usize = 200;

/// How much is kept at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
}

impl Bounds {
    /// The sum of all weights, within which both bounds hold, and what an entry weighs at least.
    fn weights(self) -> (u64, u32) {
        // A weight has 32 bits, so that few entries cannot share more.
        let capacity = self.bytes.min(self.entries.saturating_mul(u32::MAX.into()));
        let least = capacity.div_ceil(self.entries.max(1));
        (capacity, u32::try_from(least).unwrap_or(u32::MAX))
    }
}

/// Responses that need not be asked for: a key that is done does not change until it expires.
#[derive(Debug)]
pub(crate) struct Cache(Moka<KeyId, Entry>);

#[derive(Debug, Clone)]
struct Entry {
    landing: Landing,
    keep: Duration,
}

impl Cache {
    /// Keeps responses within both bounds, what each takes beside its bytes included.
    pub(crate) fn new(bounds: Bounds) -> Self {
        let (capacity, least) = bounds.weights();
        let weigh = move |_: &KeyId, entry: &Entry| {
            let bytes = entry.landing.response.payload().as_bytes().len() + OVERHEAD;
            u32::try_from(bytes).unwrap_or(u32::MAX).max(least)
        };
        Self(Moka::builder().max_capacity(capacity).weigher(weigh).expire_after(UntilItExpires).build())
    }

    /// Keeps a response whose row has `left` to live.
    pub(crate) fn put(&self, id: KeyId, landing: Landing, left: Duration) {
        let keep = left.saturating_sub(MARGIN);
        if !keep.is_zero() {
            self.0.insert(id, Entry { landing, keep });
            // By itself it would look at its bounds some time later, dozens of large responses beyond them.
            self.0.run_pending_tasks();
        }
    }

    pub(crate) fn get(&self, id: &KeyId) -> Option<Landing> {
        self.0.get(id).map(|entry| entry.landing)
    }
}

struct UntilItExpires;

impl Expiry<KeyId, Entry> for UntilItExpires {
    fn expire_after_create(&self, _: &KeyId, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.keep)
    }

    fn expire_after_update(
        &self,
        _: &KeyId,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fingerprint, Payload, store::StoredResponse};

    fn landing(bytes: usize) -> Landing {
        let response = StoredResponse::Success(Payload::from(vec![7; bytes]));
        Landing { fingerprint: Fingerprint::from_parts(0, [0; 32]), response }
    }

    const ROOMY: Bounds = Bounds { bytes: 1 << 20, entries: 1000 };

    fn id(number: u32) -> KeyId {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        KeyId::from_bytes(bytes)
    }

    /// How many of 100 responses of so many bytes are kept, at each time at most, and what they weigh.
    fn most_of_a_hundred(bytes: usize, bounds: Bounds) -> (usize, usize) {
        let cache = Cache::new(bounds);
        let mut most = 0;
        for number in 0..100 {
            cache.put(id(number), landing(bytes), MARGIN * 100);
            // Counted by what is there: the cache's own count could be late.
            most = most.max((0..100).filter(|number| cache.get(&id(*number)).is_some()).count());
        }
        (most, most * (bytes + OVERHEAD))
    }

    #[test]
    fn what_is_about_to_expire_is_not_kept() {
        let cache = Cache::new(ROOMY);
        cache.put(id(1), landing(10), MARGIN);
        cache.put(id(2), landing(10), MARGIN * 100);
        assert!(cache.get(&id(1)).is_none());
        assert!(cache.get(&id(2)).is_some());
    }

    #[test]
    fn it_is_bounded_by_bytes() {
        let (entries, bytes) = most_of_a_hundred(1000, Bounds { bytes: 10_000, entries: 50 });
        assert!(bytes <= 10_000 && entries > 0, "{entries} entries of {bytes} bytes");
    }

    #[test]
    fn it_is_bounded_by_entries() {
        let (entries, _) = most_of_a_hundred(10, Bounds { bytes: 1 << 20, entries: 7 });
        assert!(entries <= 7 && entries > 0, "{entries} entries");
    }

    #[test]
    fn within_both_bounds_it_keeps_all() {
        assert_eq!(most_of_a_hundred(10, ROOMY).0, 100);
    }

    #[test]
    fn bounds_of_every_size_hold() {
        let weights = |bytes, entries| Bounds { bytes, entries }.weights();
        assert_eq!(weights(100, 3), (100, 34));
        assert_eq!(weights(0, 7), (0, 0));
        assert_eq!(weights(7, 0), (0, 0));
        assert_eq!(weights(u64::MAX, 2), (2 * u64::from(u32::MAX), u32::MAX));
        assert_eq!(most_of_a_hundred(10, Bounds { bytes: 1 << 20, entries: 0 }).0, 0);
        assert_eq!(most_of_a_hundred(10, Bounds { bytes: 0, entries: 10 }).0, 0);
    }
}
