use lock_core::{LockManager, distributed_lock};

struct WalletError;

#[distributed_lock(key = "a:{user_id}", manager = locks)]
async fn charge(locks: &LockManager, user_id: u64) -> Result<u64, WalletError> {
    Ok(user_id)
}

fn main() {}
