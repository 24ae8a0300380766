use idempotency::{BoxError, Idempotency, MemoryStore, idempotent};

#[idempotent(key = key, scope = "pay", store = once, lease = "1m", ttl = "10s")]
async fn pay(once: &Idempotency<MemoryStore>, key: &str) -> Result<u64, BoxError> {
    Ok(1)
}

fn main() {}
