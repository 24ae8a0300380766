use idempotency::{BoxError, Idempotency, MemoryStore, idempotent};

#[idempotent(key = key, scope = "pay", store = once, takeover = "rerun")]
async fn pay(once: &Idempotency<MemoryStore>, key: &str) -> Result<u64, BoxError> {
    Ok(1)
}

fn main() {}
