use lock_core::{LockError, LockManager, distributed_lock};

mod sqlx {
    pub struct MySql;
    pub struct Transaction<'c, DB>(pub &'c DB);
}
use sqlx::{MySql, Transaction};

#[distributed_lock(key = "a:{user_id}", manager = locks)]
async fn charge(locks: &LockManager, tx: &mut Transaction<'_, MySql>, user_id: u64) -> Result<u64, LockError> {
    let _ = tx;
    Ok(user_id)
}

fn main() {}
