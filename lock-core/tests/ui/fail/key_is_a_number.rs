use lock_core::{LockError, LockManager, distributed_lock};

#[distributed_lock(key = 42, manager = locks)]
async fn charge(locks: &LockManager, user_id: u64) -> Result<u64, LockError> {
    Ok(user_id)
}

fn main() {}
