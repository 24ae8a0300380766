use lock_core::{LockError, distributed_lock};

#[distributed_lock(key = "a:{user_id}")]
async fn charge() -> Result<(), LockError> {
    Ok(())
}

fn main() {}
