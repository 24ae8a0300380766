use std::ops::ControlFlow;

use hashbrown::HashTable;

use crate::key::LockKey;
use crate::sync::Mutex;

const SHARDS: usize = 64;
/// How many keys a shard remembers although there is nothing to know about them, beside as many as are in use: whoever
/// asks for one of them again finds its place made.
const SPARE: usize = 32;

/// What is known of one key.
pub(crate) trait Entry: Default {
    /// What is known of the keys of a shard together.
    type Summary: Default;

    /// Whether there is nothing to know: the key may be forgotten.
    fn is_idle(&self) -> bool;

    /// Says what outlives the key's being forgotten.
    fn forget(self, _summary: &mut Self::Summary) {}
}

/// What is known of each key, spread over shards so that tasks rarely meet at one mutex.
pub(crate) struct KeyTable<E: Entry> {
    shards: Box<[Mutex<Shard<E>>]>,
}

struct Shard<E: Entry> {
    keys: HashTable<Known<E>>,
    /// How many of them are idle.
    idle: usize,
    summary: E::Summary,
}

struct Known<E> {
    key: LockKey,
    entry: E,
}

impl<E: Entry> Default for KeyTable<E> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl<E: Entry> KeyTable<E> {
    /// Changes what is known of one key. The key that `change` is given is the one remembered: those who go on with that
    /// one are found faster.
    pub(crate) fn with<R>(
        &self,
        key: &LockKey,
        change: impl FnOnce(&LockKey, &mut E, &mut E::Summary) -> R,
    ) -> R {
        let mut shard = self.shards[key.code() as usize % SHARDS].lock();
        let Shard { keys, idle, summary } = &mut *shard;
        let mut was_idle = true;
        let known = keys.entry(hash(key), |known| known.key == *key, |known| hash(&known.key));
        let known = known
            .and_modify(|known| was_idle = known.entry.is_idle())
            .or_insert_with(|| {
                *idle += 1;
                Known { key: key.clone(), entry: E::default() }
            })
            .into_mut();
        let result = change(&known.key, &mut known.entry, summary);
        let is_idle = known.entry.is_idle();
        if was_idle && !is_idle {
            *idle -= 1;
        } else if is_idle {
            *idle += usize::from(!was_idle);
            if shard.is_untidy() {
                shard.tidy();
            }
        }
        result
    }

    /// Looks at every key, shard by shard, until `look` breaks off.
    pub(crate) fn try_for_each(&self, mut look: impl FnMut(&LockKey, &E) -> ControlFlow<()>) {
        for shard in &self.shards {
            let shard = shard.lock();
            if shard.keys.iter().try_for_each(|known| look(&known.key, &known.entry)).is_break() {
                return;
            }
        }
    }

    /// Looks at every shard: at its summary first, then at its keys if `begin` says so, and at its summary again.
    pub(crate) fn for_each_if(
        &self,
        mut begin: impl FnMut(&mut E::Summary) -> bool,
        mut visit: impl FnMut(&LockKey, &mut E, &mut E::Summary),
        mut end: impl FnMut(&E::Summary),
    ) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            if begin(&mut shard.summary) {
                shard.visit(&mut visit);
            }
            end(&shard.summary);
        }
    }
}

impl<E: Entry> Default for Shard<E> {
    fn default() -> Self {
        Self { keys: HashTable::new(), idle: 0, summary: E::Summary::default() }
    }
}

impl<E: Entry> Shard<E> {
    fn visit(&mut self, mut visit: impl FnMut(&LockKey, &mut E, &mut E::Summary)) {
        self.idle = 0;
        for known in self.keys.iter_mut() {
            visit(&known.key, &mut known.entry, &mut self.summary);
            self.idle += usize::from(known.entry.is_idle());
        }
        if self.is_untidy() {
            self.tidy();
        }
    }

    /// Whether many keys are idle: not before as many keys have become idle as have to be looked at.
    fn is_untidy(&self) -> bool {
        let in_use = self.keys.len() - self.idle;
        self.idle > SPARE + in_use
    }

    /// Forgets the idle keys.
    #[cold]
    fn tidy(&mut self) {
        for known in self.keys.extract_if(|known| known.entry.is_idle()) {
            known.entry.forget(&mut self.summary);
        }
        self.idle = 0;
    }
}

/// Within a shard, which the lowest bits chose.
fn hash(key: &LockKey) -> u64 {
    key.code().rotate_right(SHARDS.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that is idle at zero; the summary keeps the sum of all that were forgotten, each plus one.
    #[derive(Default)]
    struct Number(u64);

    impl Entry for Number {
        type Summary = u64;

        fn is_idle(&self) -> bool {
            self.0 == 0
        }

        fn forget(self, sum: &mut u64) {
            *sum += self.0 + 1;
        }
    }

    fn key(number: u64) -> LockKey {
        LockKey::new(format!("key:{number}")).unwrap()
    }

    fn forgotten(table: &KeyTable<Number>) -> u64 {
        let mut all = 0;
        table.for_each_if(|_| false, |_, _, _| {}, |sum| all += sum);
        all
    }

    fn known(table: &KeyTable<Number>) -> u64 {
        let mut known = 0;
        table.try_for_each(|_, _| {
            known += 1;
            ControlFlow::Continue(())
        });
        known
    }

    #[test]
    fn keys_in_use_are_kept_and_of_idle_ones_a_few() {
        let table = KeyTable::<Number>::default();
        for number in 0..1_000 {
            table.with(&key(number), |_, entry, _| entry.0 = 7);
        }
        assert_eq!((known(&table), forgotten(&table)), (1_000, 0));
        for number in 0..100_000 {
            table.with(&key(number + 1_000), |_, entry, _| entry.0 = 7);
            table.with(&key(number + 1_000), |_, entry, _| entry.0 = 0);
        }
        let spare = known(&table) - 1_000;
        assert!((1..=1_000 + 64 * 33).contains(&spare), "{spare} idle keys are remembered");
        assert_eq!(forgotten(&table), 100_000 - spare, "whatever is forgotten says so");
        for number in 0..1_000 {
            assert_eq!(table.with(&key(number), |_, entry, _| std::mem::take(&mut entry.0)), 7);
        }
        table.with(&key(0), |_, _, _| {});
        assert!(known(&table) <= 64 * 33, "{} keys are remembered, and none is in use", known(&table));
    }

    #[test]
    fn no_key_is_looked_at_after_the_last_one_asked_for() {
        let table = KeyTable::<Number>::default();
        for number in 0..1_000 {
            table.with(&key(number), |_, entry, _| entry.0 = 7);
        }
        let mut looked_at = 0;
        table.try_for_each(|_, _| {
            looked_at += 1;
            if looked_at < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert_eq!(looked_at, 100);
        assert_eq!(known(&table), 1_000);
    }

    #[test]
    fn looking_at_a_key_does_not_use_it() {
        let table = KeyTable::<Number>::default();
        for number in 0..100_000 {
            table.with(&key(number), |_, _, _| {});
        }
        assert!(known(&table) <= 64 * 33, "{} keys are remembered", known(&table));
    }
}
