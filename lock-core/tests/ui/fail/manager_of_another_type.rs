use lock_core::{LockError, distributed_lock};

struct Wallet {
    locks: String,
}

impl Wallet {
    #[distributed_lock(key = "a", manager = self.locks)]
    async fn charge(&self) -> Result<(), LockError> {
        Ok(())
    }
}

fn main() {}
