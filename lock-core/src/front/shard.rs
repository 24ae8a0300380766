use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use tokio::time::Instant;

use crate::front::key_state::KeyState;
use crate::key::LockKey;
use crate::sync::Mutex;

const SHARDS: usize = 64;

/// All keys that this node owns, asks for or waits for, spread over shards so that tasks rarely meet at one mutex.
pub(crate) struct Shards {
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Default)]
struct Shard {
    keys: HashTable<Known>,
    /// Not later than the moment at which any key of the shard has to be looked at.
    due: Option<Instant>,
}

/// What is known of a key.
struct Known {
    key: LockKey,
    state: KeyState,
}

impl Default for Shards {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Shards {
    /// Changes the state of one key; a key about which nothing is left to know is forgotten.
    pub(crate) fn with<R>(&self, key: &LockKey, change: impl FnOnce(&mut KeyState) -> R) -> R {
        let mut shard = self.shards[key.code() as usize % SHARDS].lock();
        let shard = &mut *shard;
        let (result, due) = match shard.keys.entry(hash(key), |known| known.key == *key, Known::hash) {
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
                    entry.insert(Known { key: key.clone(), state });
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

impl Known {
    fn hash(&self) -> u64 {
        hash(&self.key)
    }
}

/// Within a shard, which the lowest bits chose.
fn hash(key: &LockKey) -> u64 {
    key.code().rotate_right(SHARDS.trailing_zeros())
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
