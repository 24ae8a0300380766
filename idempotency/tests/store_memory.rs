//! The suite on keys in memory.

#![allow(clippy::panic, clippy::unwrap_used)]

use idempotency::MemoryStore;

async fn fixture() -> (MemoryStore, ()) {
    (MemoryStore::default(), ())
}

idempotency::store_suite!(fixture());
