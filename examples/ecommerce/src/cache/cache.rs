use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use uuid::Uuid;

use tokio_util::sync::CancellationToken;

use super::memory::Memory;
use super::redis::Shared;
use super::slot::{Mark, Slot};
use crate::background::{Round, rounds};
use crate::error::ShopError;
use crate::shared::SharedRedis;

/// How long others wait for a load; after that each loads for itself.
const LOAD: Duration = Duration::from_secs(2);
/// How often they look.
const LOOK: Duration = Duration::from_millis(10);
/// How long a Redis that did not answer is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// What is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `cart:user:{id}`, for a day.
    Cart,
    /// `product:{id}` and `products:{category}`, without stock, for an hour.
    Product,
    /// `top-products:{period}`, for five minutes.
    TopProducts,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Cart => "cart",
            Self::Product => "product",
            Self::TopProducts => "top_products",
        }
    }

    fn lasts(self) -> Duration {
        Duration::from_secs(match self {
            Self::Cart => 86_400,
            Self::Product => 3_600,
            Self::TopProducts => 300,
        })
    }
}

/// A cache that never fails a request: where it cannot help, the value is loaded. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    trouble: Mutex<Trouble>,
}

#[derive(Debug)]
enum Place {
    Memory(Memory),
    Shared(Shared),
}

#[derive(Debug, Default)]
struct Trouble {
    until: Option<Instant>,
    /// Keys that were to be evicted while Redis was away: what stands there is old.
    not_evicted: HashSet<String>,
}

impl Cache {
    /// A cache in Redis, or without one in memory.
    pub fn new(redis: Option<SharedRedis>) -> Self {
        let place = match redis {
            Some(redis) => Place::Shared(Shared::new(redis)),
            None => Place::Memory(Memory::new()),
        };
        Self(Arc::new(Inner { place, trouble: Mutex::default() }))
    }

    /// What is kept under the key, or what `load` answers, which is then kept.
    ///
    /// # Errors
    ///
    /// What `load` answers. Nothing is kept then.
    ///
    /// # Cancel safety
    ///
    /// When dropped while it loads, others go on after two seconds.
    pub async fn get<T, L, F>(&self, kind: Kind, key: &str, load: L) -> Result<T, ShopError>
    where
        T: Serialize + DeserializeOwned,
        L: FnOnce() -> F,
        F: Future<Output = Result<T, ShopError>>,
    {
        let mark = Uuid::new_v4();
        let deadline = Instant::now() + LOAD;
        let outcome = loop {
            match self.take(key, mark).await {
                Taken::Value(json) => match serde_json::from_slice(&json) {
                    Ok(value) => {
                        count(kind, "hit");
                        return Ok(value);
                    }
                    Err(_) => self.evict(key).await,
                },
                Taken::Ours => break "miss",
                Taken::Nowhere => break "degraded",
                Taken::Theirs if Instant::now() < deadline => tokio::time::sleep(LOOK).await,
                Taken::Theirs => break "waited_in_vain",
            }
        };
        count(kind, outcome);
        let loaded = load().await;
        if outcome == "miss" {
            match loaded.as_ref().map(serde_json::to_vec) {
                Ok(Ok(json)) => self.store(key, mark, json, jittered(kind.lasts())).await,
                _ => self.evict(key).await,
            }
        }
        loaded
    }

    /// Forgets what is kept under the key; to be called after the change is committed, and before it is answered.
    pub async fn evict(&self, key: &str) {
        match &self.0.place {
            Place::Memory(memory) => memory.evict(key).await,
            Place::Shared(shared) => {
                if let Err(error) = shared.evict(key).await {
                    self.note(&error);
                    self.trouble().not_evicted.insert(key.to_owned());
                }
            }
        }
    }

    /// Evicts, again and again, what could not be evicted while Redis was away, until `stop`.
    pub async fn catch_up(self, stop: CancellationToken) {
        rounds("cache", LEFT_ALONE, stop, || self.evict_again()).await;
    }

    async fn evict_again(&self) -> Round {
        let Place::Shared(shared) = &self.0.place else {
            return Round::Done;
        };
        let keys: Vec<_> = self.trouble().not_evicted.iter().cloned().collect();
        for key in keys {
            if let Err(error) = shared.evict(&key).await {
                return Round::Failed(error.into());
            }
            self.trouble().not_evicted.remove(&key);
        }
        Round::Done
    }

    async fn take(&self, key: &str, mark: Mark) -> Taken {
        let stands = match &self.0.place {
            Place::Memory(memory) => memory.take(key, mark, LOAD).await,
            Place::Shared(shared) => {
                if self.is_left_alone(key) {
                    return Taken::Nowhere;
                }
                match shared.take(key, mark, LOAD).await {
                    Ok(stands) => stands,
                    Err(error) => {
                        self.note(&error);
                        return Taken::Nowhere;
                    }
                }
            }
        };
        match stands {
            None => Taken::Ours,
            Some(Slot::Value(json)) => Taken::Value(json),
            Some(Slot::Loading(_)) => Taken::Theirs,
        }
    }

    async fn store(&self, key: &str, mark: Mark, json: Vec<u8>, lasts: Duration) {
        match &self.0.place {
            Place::Memory(memory) => memory.store(key, mark, json, lasts).await,
            Place::Shared(shared) => {
                if let Err(error) = shared.store(key, mark, json, lasts).await {
                    self.note(&error);
                }
            }
        }
    }

    fn is_left_alone(&self, key: &str) -> bool {
        let trouble = self.trouble();
        trouble.until.is_some_and(|until| Instant::now() < until) || trouble.not_evicted.contains(key)
    }

    fn note(&self, error: &redis::RedisError) {
        tracing::debug!(%error, "the cache is away");
        self.trouble().until = Some(Instant::now() + LEFT_ALONE);
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Trouble> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was found at a key.
enum Taken {
    Value(Vec<u8>),
    /// Nothing: we load it.
    Ours,
    /// Nothing yet: somebody else loads it.
    Theirs,
    /// The cache is away.
    Nowhere,
}

/// A tenth more or less, so that what was stored together does not expire together.
fn jittered(lasts: Duration) -> Duration {
    let [random, ..] = Uuid::new_v4().into_bytes();
    lasts.mul_f64(0.9 + 0.2 * f64::from(random) / 255.0)
}

fn count(kind: Kind, outcome: &'static str) {
    metrics::counter!("shop_cache_requests_total", "cache" => kind.name(), "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn one_load_serves_all_who_ask_at_once_and_later() {
        let (cache, loads) = (Cache::new(None), AtomicUsize::new(0));
        let ask = || {
            cache.get(Kind::Product, "product:1", || async {
                loads.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(7)
            })
        };
        let (one, two, three) = tokio::join!(ask(), ask(), ask());
        assert_eq!((one.unwrap(), two.unwrap(), three.unwrap(), ask().await.unwrap()), (7, 7, 7, 7));
        assert_eq!(loads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_was_loaded_before_an_eviction_is_not_kept() {
        let cache = Cache::new(None);
        let stale = cache.get(Kind::Cart, "cart:user:1", || async {
            cache.evict("cart:user:1").await;
            Ok("old".to_owned())
        });
        assert_eq!(stale.await.unwrap(), "old");
        let fresh = cache.get(Kind::Cart, "cart:user:1", || async { Ok("new".to_owned()) });
        assert_eq!(fresh.await.unwrap(), "new");
    }

    #[tokio::test]
    async fn a_load_that_fails_leaves_nothing_behind() {
        let cache = Cache::new(None);
        let failed = cache.get::<i32, _, _>(Kind::Cart, "k", || async { Err(ShopError::Busy) }).await;
        assert!(failed.is_err());
        assert_eq!(cache.get(Kind::Cart, "k", || async { Ok(1) }).await.unwrap(), 1);
    }

    #[test]
    fn a_time_is_jittered_by_a_tenth() {
        for _ in 0..100 {
            let lasts = jittered(Duration::from_secs(100));
            assert!((90.0..=110.0).contains(&lasts.as_secs_f64()), "{lasts:?}");
        }
    }
}
