//! What the locks keep in Redis.

use redis::aio::MultiplexedConnection;

use crate::redis_server::RedisServer;

impl RedisServer {
    /// The keys that locks under `prefix` keep, except for fences that expire by themselves: none once every lock is
    /// released.
    pub async fn lock_keys(&self, prefix: &str) -> Vec<String> {
        let mut connection = self.connection().await;
        let mut kept = Vec::new();
        for pattern in [format!("{prefix}*"), format!("{{{prefix}*")] {
            for key in self.keys(&pattern).await {
                if !key.ends_with(":fence") || !expires(&mut connection, &key).await {
                    kept.push(key);
                }
            }
        }
        kept
    }
}

async fn expires(connection: &mut MultiplexedConnection, key: &str) -> bool {
    let seconds: i64 = redis::cmd("TTL").arg(key).query_async(connection).await.expect("Redis answers");
    seconds >= 0
}
