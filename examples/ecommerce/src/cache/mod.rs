//! Answers kept for a while: in memory for a shop that is alone, in Redis for several.
//!
//! Each key is loaded by one request at a time, also across instances: the first to miss leaves a mark in the entry's
//! place, the others wait for what it loads. An eviction takes the mark away too, so what was loaded before a change is
//! not stored after it.

#[expect(clippy::module_inception, reason = "the cache is the noun of this folder")]
mod cache;
mod memory;
mod redis;
mod slot;

pub use cache::{Cache, Kind};
