use std::sync::LazyLock;
use std::time::Duration;

use redis::{AsyncCommands, RedisResult, Script};

use super::slot::{Mark, Slot};
use crate::shared::SharedRedis;

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
static STORE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("store.lua")));

/// Slots in Redis.
#[derive(Debug, Clone)]
pub(super) struct Shared(SharedRedis);

impl Shared {
    pub(super) fn new(redis: SharedRedis) -> Self {
        Self(redis)
    }

    /// What stands at the key; if nothing does, the mark is put there, for so long, and `None` answered.
    ///
    /// What cannot be read is taken away, and counts as nothing the next time.
    pub(super) async fn take(&self, key: &str, mark: Mark, lasts: Duration) -> RedisResult<Option<Slot>> {
        let mut connection = self.0.connection();
        let stands: RedisResult<Option<Vec<u8>>> = TAKE
            .key(self.0.key(key))
            .arg(Slot::Loading(mark).to_bytes())
            .arg(millis(lasts))
            .invoke_async(&mut connection)
            .await;
        match stands {
            Ok(None) => Ok(None),
            Ok(Some(bytes)) => match Slot::from_bytes(&bytes) {
                Some(slot) => Ok(Some(slot)),
                None => self.evict(key).await.map(|()| Some(Slot::Loading(Mark::nil()))),
            },
            // Somebody keeps something else under our key.
            Err(error) if error.code() == Some("WRONGTYPE") => {
                self.evict(key).await.map(|()| Some(Slot::Loading(Mark::nil())))
            }
            Err(error) => Err(error),
        }
    }

    /// Puts a value in the place of the mark, if the mark still stands there.
    pub(super) async fn store(
        &self,
        key: &str,
        mark: Mark,
        value: Vec<u8>,
        lasts: Duration,
    ) -> RedisResult<()> {
        let mut connection = self.0.connection();
        STORE
            .key(self.0.key(key))
            .arg(Slot::Loading(mark).to_bytes())
            .arg(Slot::Value(value).to_bytes())
            .arg(millis(lasts))
            .invoke_async(&mut connection)
            .await
    }

    pub(super) async fn evict(&self, key: &str) -> RedisResult<()> {
        self.0.connection().del(self.0.key(key)).await
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
