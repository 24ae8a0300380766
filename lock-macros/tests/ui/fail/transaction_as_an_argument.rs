use idempotency::{BoxError, Idempotency, MemoryStore, idempotent};

struct Transaction<'c>(&'c ());

#[idempotent(key = key, scope = "pay", store = once, fingerprint = 0)]
async fn pay(once: &Idempotency<MemoryStore>, key: &str, tx: &mut Transaction<'_>) -> Result<u64, BoxError> {
    Ok(1)
}

fn main() {}
