use redis::streams::StreamMaxlen;
use redis::{AsyncCommands, RedisError};

use super::log::tell;
use super::{Event, EventSink, PublishError, SinkFuture};
use crate::shared::SharedRedis;

/// The stream's key.
const STREAM: &str = "events:orders";
/// About how many events the stream keeps.
const KEPT: usize = 100_000;

/// Publishes to a Redis stream, and to the log.
#[derive(Debug, Clone)]
pub struct RedisStreamSink {
    redis: SharedRedis,
}

impl RedisStreamSink {
    /// A sink on this Redis.
    pub fn new(redis: SharedRedis) -> Self {
        Self { redis }
    }
}

impl EventSink for RedisStreamSink {
    fn publish<'a>(&'a self, event: &'a Event) -> SinkFuture<'a> {
        Box::pin(async move {
            let order = event.order_id.to_string();
            let fields = [
                ("eventId", event.event_id.as_str()),
                ("type", &event.event_type),
                ("orderId", &order),
                ("payload", &event.payload),
            ];
            let mut connection = self.redis.connection();
            let added: Result<Option<String>, RedisError> = connection
                .xadd_maxlen(self.redis.key(STREAM), StreamMaxlen::Approx(KEPT), "*", &fields)
                .await;
            match added {
                Ok(_) => {
                    tell(event);
                    Ok(())
                }
                // Redis answered, and its answer is no.
                Err(error) if error.code().is_some() => Err(PublishError::Refused(Box::new(error))),
                Err(error) => Err(PublishError::Unavailable(Box::new(error))),
            }
        })
    }
}
