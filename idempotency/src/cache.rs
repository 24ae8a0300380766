use std::time::{Duration, Instant};

use moka::{Expiry, sync::Cache as Moka};

use crate::{KeyId, flight::Landing};

/// How much earlier than in the store a response is forgotten here, whatever the two clocks do.
const MARGIN: Duration = Duration::from_secs(1);

/// What an entry takes beside its response.
const OVERHEAD: usize = 200;

/// Responses that need not be asked for: a key that is done does not change until it expires.
#[derive(Debug)]
pub(crate) struct Cache(Moka<KeyId, Entry>);

#[derive(Debug, Clone)]
struct Entry {
    landing: Landing,
    keep: Duration,
}

impl Cache {
    /// Keeps responses of at most `bytes` altogether, what each takes beside its bytes included.
    pub(crate) fn new(bytes: u64) -> Self {
        let weigh = |_: &KeyId, entry: &Entry| {
            u32::try_from(entry.landing.response.payload().as_bytes().len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        Self(Moka::builder().max_capacity(bytes).weigher(weigh).expire_after(UntilItExpires).build())
    }

    /// Keeps a response whose row has `left` to live.
    pub(crate) fn put(&self, id: KeyId, landing: Landing, left: Duration) {
        let keep = left.saturating_sub(MARGIN);
        if !keep.is_zero() {
            self.0.insert(id, Entry { landing, keep });
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

    #[test]
    fn what_is_about_to_expire_is_not_kept() {
        let cache = Cache::new(1 << 20);
        let (one, other) = (KeyId::from_bytes([1; 32]), KeyId::from_bytes([2; 32]));
        cache.put(one, landing(10), MARGIN);
        cache.put(other, landing(10), MARGIN * 100);
        assert!(cache.get(&one).is_none());
        assert!(cache.get(&other).is_some());
    }

    #[test]
    fn it_is_bounded_by_bytes() {
        let cache = Cache::new(10_000);
        for i in 0..100 {
            cache.put(KeyId::from_bytes([i; 32]), landing(1000), MARGIN * 100);
            cache.0.run_pending_tasks();
        }
        assert!(cache.0.weighted_size() <= 10_000);
        assert!(cache.0.entry_count() > 0);
    }
}
