//! Who is told of what happened in the shop.

mod event;
mod log;
mod redis_stream;

pub use event::{Event, EventSink, PublishError, SinkFuture};
pub use log::LogSink;
pub use redis_stream::RedisStreamSink;
