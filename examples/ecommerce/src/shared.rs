//! What instances share besides locks: a connection to Redis.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};

/// How long an answer may take. Nothing that is asked here is worth more.
const PATIENCE: Duration = Duration::from_millis(500);

/// A connection to Redis that comes back by itself. Cloning is cheap.
#[derive(Clone)]
pub struct SharedRedis {
    connection: ConnectionManager,
    prefix: String,
}

impl SharedRedis {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Redis does not answer, or the address cannot be read.
    pub async fn connect(url: &str, prefix: &str) -> redis::RedisResult<Self> {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(PATIENCE))
            .set_connection_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_with_config(redis::Client::open(url)?, config).await?;
        Ok(Self { connection, prefix: prefix.to_owned() })
    }

    /// Something to send commands on.
    pub fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }

    /// A key as it is called in Redis.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl fmt::Debug for SharedRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRedis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
