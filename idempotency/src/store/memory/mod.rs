//! Keys in this process.

mod request;
mod row;
mod store;
mod transaction;

pub use self::{store::MemoryStore, transaction::MemoryTransaction};
