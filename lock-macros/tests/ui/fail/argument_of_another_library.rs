use idempotency::{BoxError, Idempotency, MemoryStore, idempotent};

#[idempotent(key = key, operation = "pay", store = once)]
async fn pay(once: &Idempotency<MemoryStore>, key: &str) -> Result<u64, BoxError> {
    Ok(1)
}

fn main() {}
