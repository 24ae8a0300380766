use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use crate::model::OrderId;

/// Something that happened.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Event {
    /// Its name; who is told twice knows by it.
    pub event_id: String,
    /// What kind of event.
    pub event_type: String,
    /// Which order it is about.
    pub order_id: OrderId,
    /// The event, as JSON.
    pub payload: String,
}

/// A future of a sink.
pub type SinkFuture<'a> = Pin<Box<dyn Future<Output = Result<(), PublishError>> + Send + 'a>>;

/// Somewhere that events are published to.
pub trait EventSink: Debug + Send + Sync {
    /// Publishes an event. It may come again: a sink that must not show it twice knows it by its id.
    fn publish<'a>(&'a self, event: &'a Event) -> SinkFuture<'a>;
}

/// Why an event was not published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// Nobody is there at the moment. That is not the event's fault.
    #[error("the sink cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It was refused, and may be refused again.
    #[error("the sink refused the event")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}
