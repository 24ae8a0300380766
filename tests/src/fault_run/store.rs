use lock_core::FencingToken;
use redis::aio::MultiplexedConnection;

use crate::redis_connection;

/// Writes unless a newer token has written.
const WRITE: &str = r"
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if last > tonumber(ARGV[1]) and ARGV[2] == '1' then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
";

/// What the locks guard: a server of its own, which nothing happens to.
#[derive(Clone)]
pub(super) struct Store {
    connection: MultiplexedConnection,
    fenced: bool,
}

impl Store {
    pub(super) async fn connect(url: &str, fenced: bool) -> redis::RedisResult<Store> {
        let connection = redis_connection(url).await?;
        Ok(Store { connection, fenced })
    }

    /// Whether the store took the write.
    pub(super) async fn write(&self, key: &str, token: FencingToken) -> redis::RedisResult<bool> {
        let mut connection = self.connection.clone();
        redis::Script::new(WRITE)
            .key(key)
            .arg(token.get())
            .arg(u8::from(self.fenced))
            .invoke_async(&mut connection)
            .await
    }
}
