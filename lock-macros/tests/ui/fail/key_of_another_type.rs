use idempotency::{BoxError, Idempotency, MemoryStore, idempotent};

#[idempotent(key = order_id, scope = "pay", store = once)]
async fn pay(once: &Idempotency<MemoryStore>, order_id: u64) -> Result<u64, BoxError> {
    Ok(1)
}

fn main() {}
