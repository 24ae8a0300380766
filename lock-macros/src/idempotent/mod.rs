//! `#[idempotent]`: arguments → model → rules → expansion, as for the lock.

mod args;
mod arguments;
mod expand;
mod model;
mod pipeline;
mod validate;

pub(crate) use self::pipeline::idempotent;
