use std::sync::Arc;

use redis::aio::ConnectionManager;
use redis::{Client, Script};

use crate::contender::Contender;

/// The least that a lock on Redis can do: `SET NX PX` awaited, then a compare-and-delete awaited. Never waits for a busy
/// key, has no fence, no renewal and no queue.
#[derive(Clone)]
pub struct Floor {
    connection: ConnectionManager,
    release: Arc<Script>,
}

const OWNER: &str = "00112233445566778899aabbccddeeff:1";
const LEASE_MS: u32 = 30_000;
const COMPARE_AND_DELETE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

impl Floor {
    /// Connects as the lock does: one socket for all callers, kept by redis-rs.
    pub async fn connect(url: &str) -> Self {
        let client = Client::open(url).expect("a Redis URL");
        Self {
            connection: client.get_connection_manager().await.expect("Redis answers"),
            release: Arc::new(Script::new(COMPARE_AND_DELETE)),
        }
    }
}

/// The key, and what is needed to give it back.
pub struct FloorGuard {
    floor: Floor,
    key: String,
}

impl Contender for Floor {
    type Guard = FloorGuard;

    const SENDS: &'static [&'static str] = &["set", "evalsha"];

    async fn acquire(&self, key: &str) -> FloorGuard {
        let mut floor = self.clone();
        let key = format!("floor:{key}");
        let set: Option<String> = redis::cmd("SET")
            .arg(&key)
            .arg(OWNER)
            .arg("NX")
            .arg("PX")
            .arg(LEASE_MS)
            .query_async(&mut floor.connection)
            .await
            .expect("Redis answers");
        assert!(set.is_some(), "the floor is for keys that nobody else holds");
        FloorGuard { floor, key }
    }

    async fn release(mut guard: FloorGuard) {
        let deleted: i64 = guard
            .floor
            .release
            .key(&guard.key)
            .arg(OWNER)
            .invoke_async(&mut guard.floor.connection)
            .await
            .expect("Redis answers");
        assert_eq!(deleted, 1);
    }
}
