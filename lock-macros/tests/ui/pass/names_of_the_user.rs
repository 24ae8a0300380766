// Names that the expansion uses as well, and a crate under another name.
mod vendor {
    pub use idempotency as keys;
}

use vendor::keys::{BoxError, Idempotency, MemoryStore, idempotent};

type Result<T> = std::result::Result<T, BoxError>;

#[idempotent(key = call, scope = "names", store = store, crate = crate::vendor::keys)]
async fn names(store: &Idempotency<MemoryStore>, call: &str, request: u8, work: u8) -> Result<u8> {
    Ok(request + work)
}

fn main() {
    let _ = names(&Idempotency::in_memory(), "call", 1, 2);
}
