use idempotency::{Idempotency, MemoryStore, idempotent};

struct PayError;

#[idempotent(key = key, scope = "pay", store = once)]
async fn pay(once: &Idempotency<MemoryStore>, key: &str) -> Result<u64, PayError> {
    Ok(1)
}

fn main() {}
