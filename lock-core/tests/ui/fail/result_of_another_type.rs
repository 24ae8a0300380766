use lock_core::{LockError, LockManager, distributed_lock};

#[distributed_lock(key = "a:{user_id}", manager = locks)]
async fn charge(locks: &LockManager, user_id: u64) -> Result<u64, LockError> {
    if user_id == 0 {
        return None;
    }
    user_id
}

fn main() {}
