use std::hash::BuildHasher;
use std::hash::RandomState;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use tokio::time::Instant;

use crate::front::key_state::KeyState;
use crate::key::LockKey;
use crate::sync::Mutex;

const SHARDS: usize = 64;

/// All keys that this node owns, asks for or waits for, spread over shards so that tasks rarely meet at one mutex.
pub(crate) struct Shards {
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Default)]
struct Shard {
    keys: HashTable<Known>,
    /// Not later than the moment at which any key of the shard has to be looked at.
    due: Option<Instant>,
}

/// What is known of a key. Its hash is kept: the key is hashed once per change, though it is looked up twice.
struct Known {
    hash: u64,
    key: LockKey,
    state: KeyState,
}

impl Default for Shards {
    fn default() -> Self {
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Shards {
    /// Changes the state of one key; a key about which nothing is left to know is forgotten.
    pub(crate) fn with<R>(&self, key: &LockKey, change: impl FnOnce(&mut KeyState) -> R) -> R {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shards[hash as usize % SHARDS].lock();
        let shard = &mut *shard;
        // The lowest bits chose the shard.
        let hash = hash.rotate_right(6);
        let (result, due) = match shard.keys.entry(hash, |known| known.key == *key, |known| known.hash) {
            Entry::Occupied(mut entry) => {
                let state = &mut entry.get_mut().state;
                let result = change(state);
                let due = state.due();
                if state.is_vacant() {
                    entry.remove();
                }
                (result, due)
            }
            Entry::Vacant(entry) => {
                let mut state = KeyState::default();
                let result = change(&mut state);
                let due = state.due();
                if !state.is_vacant() {
                    entry.insert(Known { hash, key: key.clone(), state });
                }
                (result, due)
            }
        };
        shard.due = earlier(shard.due, due);
        result
    }

    /// Visits every key.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&LockKey, &mut KeyState)) {
        for shard in &self.shards {
            shard.lock().visit(&mut visit);
        }
    }

    /// Visits the keys of those shards where something is due, and answers when the next thing will be.
    pub(crate) fn for_each_due(
        &self,
        now: Instant,
        mut visit: impl FnMut(&LockKey, &mut KeyState),
    ) -> Option<Instant> {
        let mut next = None;
        for shard in &self.shards {
            let mut shard = shard.lock();
            if shard.due.is_some_and(|due| due <= now) {
                shard.visit(&mut visit);
            }
            next = earlier(next, shard.due);
        }
        next
    }
}

impl Shard {
    fn visit(&mut self, visit: &mut impl FnMut(&LockKey, &mut KeyState)) {
        let mut due = None;
        self.keys.retain(|known| {
            visit(&known.key, &mut known.state);
            due = earlier(due, known.state.due());
            !known.state.is_vacant()
        });
        self.due = due;
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
