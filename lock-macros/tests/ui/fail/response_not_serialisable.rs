use idempotency::{BoxError, Idempotency, MemoryStore, idempotent};

struct Receipt;

#[idempotent(key = key, scope = "pay", store = once)]
async fn pay(once: &Idempotency<MemoryStore>, key: &str) -> Result<Receipt, BoxError> {
    Ok(Receipt)
}

fn main() {}
