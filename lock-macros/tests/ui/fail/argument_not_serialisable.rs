use idempotency::{BoxError, Idempotency, MemoryStore, idempotent};

struct Gateway;

#[idempotent(key = key, scope = "pay", store = once)]
async fn pay(once: &Idempotency<MemoryStore>, key: &str, gateway: &Gateway) -> Result<u64, BoxError> {
    Ok(1)
}

fn main() {}
