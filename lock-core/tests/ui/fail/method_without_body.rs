use lock_core::{LockError, distributed_lock};

trait Ledger {
    #[distributed_lock(key = "ledger")]
    async fn book(&self) -> Result<(), LockError>;
}

fn main() {}
