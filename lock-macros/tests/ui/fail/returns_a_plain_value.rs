use idempotency::{Idempotency, MemoryStore, idempotent};

#[idempotent(key = key, scope = "pay", store = once)]
async fn pay(once: &Idempotency<MemoryStore>, key: &str) -> u64 {
    1
}

fn main() {}
