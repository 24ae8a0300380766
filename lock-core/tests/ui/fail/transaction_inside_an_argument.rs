use lock_core::{LockError, LockManager, distributed_lock};

struct DatabaseTransaction;

#[distributed_lock(key = "a:{user_id}", manager = locks)]
async fn charge(locks: &LockManager, tx: Option<&DatabaseTransaction>, user_id: u64) -> Result<u64, LockError> {
    let _ = tx;
    Ok(user_id)
}

fn main() {}
