use idempotency::{BoxError, Idempotency, MemoryStore, idempotent};

trait Desk {
    #[idempotent(key = key, scope = "pay", store = once)]
    async fn pay(&self, once: &Idempotency<MemoryStore>, key: &str) -> Result<u64, BoxError>;
}

fn main() {}
