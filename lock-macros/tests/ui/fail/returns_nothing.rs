use idempotency::{Idempotency, MemoryStore, idempotent};

#[idempotent(key = key, scope = "pay", store = once)]
async fn pay(once: &Idempotency<MemoryStore>, key: &str) {}

fn main() {}
