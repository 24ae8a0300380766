use lock_core::{LockManager, distributed_lock};

#[distributed_lock(key = "a:{user_id}", manager = locks)]
async fn charge(locks: &LockManager, user_id: u64) -> Vec<u64> {
    vec![user_id]
}

fn main() {}
