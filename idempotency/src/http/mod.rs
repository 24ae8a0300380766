//! The `Idempotency-Key` header over HTTP, by draft-ietf-httpapi-idempotency-key-header.

mod class;
mod failure;
mod key_header;
mod layer;
mod policy;
mod problem;
mod service;
mod stored;

pub use self::{class::ResponseClass, layer::IdempotencyLayer, policy::Profile, service::IdempotencyService};
