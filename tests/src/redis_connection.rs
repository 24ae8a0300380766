use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};

/// The client's own limit of half a second is no fault of a server on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens a connection to look at what the code under test has done, and to write what it guards.
///
/// # Errors
///
/// When the URL is none, or nobody answers.
pub async fn redis_connection(url: &str) -> RedisResult<MultiplexedConnection> {
    let patient = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    Client::open(url)?.get_multiplexed_async_connection_with_config(&patient).await
}
