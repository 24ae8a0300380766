//! The `Idempotency-Key` header over HTTP, by draft-ietf-httpapi-idempotency-key-header.

mod body;
mod class;
mod detached;
mod failure;
mod key_header;
mod keyed;
mod layer;
mod policy;
mod problem;
mod read;
mod service;
mod stored;

pub use self::{
    body::ResponseBody, class::ResponseClass, layer::IdempotencyLayer, policy::Profile,
    service::IdempotencyService,
};
