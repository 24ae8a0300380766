use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::contender::Contender;

/// What one writes without a lock library: a sharded map from key to `tokio::sync::Mutex`. Nothing is ever removed from
/// it, and there is no lease, no fence, no timeout and no loss.
#[derive(Clone)]
pub struct MutexMap {
    shards: Arc<[Shard]>,
    hasher: RandomState,
}

type Shard = RwLock<HashMap<String, Arc<Mutex<()>>>>;

const SHARDS: usize = 64;

impl Default for MutexMap {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect(), hasher: RandomState::new() }
    }
}

impl MutexMap {
    fn mutex(&self, key: &str) -> Arc<Mutex<()>> {
        let hash = self.hasher.hash_one(key);
        let shard = &self.shards[usize::try_from(hash).expect("64 bits") % SHARDS];
        if let Some(mutex) = shard.read().get(key) {
            return Arc::clone(mutex);
        }
        Arc::clone(shard.write().entry(key.to_owned()).or_default())
    }
}

impl Contender for MutexMap {
    type Guard = OwnedMutexGuard<()>;

    const SENDS: &'static [&'static str] = &[];

    async fn acquire(&self, key: &str) -> OwnedMutexGuard<()> {
        self.mutex(key).lock_owned().await
    }

    async fn release(guard: OwnedMutexGuard<()>) {
        drop(guard);
    }
}
