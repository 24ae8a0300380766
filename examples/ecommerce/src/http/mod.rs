//! What all routes need of HTTP: reading, refusing, observing.

mod deadline;
mod errors;
mod fallback;
mod idempotency_key;
mod json;
mod object;
mod observe;
mod panic;
mod path;
mod query;
mod replayable;
mod request_id;

pub use deadline::deadline;
pub(crate) use errors::{describe_errors, errors};
pub use fallback::{method_not_allowed, not_found};
pub use idempotency_key::IdempotencyKeyHeader;
pub use json::Json;
pub use object::Object;
pub use observe::observe;
pub use panic::panicked;
pub use path::Path;
pub use query::Query;
pub(crate) use replayable::REPLAYED;
pub use replayable::Replayable;
pub use request_id::RequestId;
