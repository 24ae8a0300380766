use std::hint::black_box;

use lock_core::{LockError, LockManager, distributed_lock};

/// A function under the attribute, which does nothing.
///
/// # Errors
///
/// When there is no lock.
#[distributed_lock(key = "balance:user:{user}", manager = locks)]
pub async fn by_attribute(locks: &LockManager, user: u64) -> Result<u64, LockError> {
    Ok(black_box(user))
}

/// The same by hand.
///
/// # Errors
///
/// When there is no lock.
pub async fn by_hand(locks: &LockManager, user: u64) -> Result<u64, LockError> {
    locks.lock(format!("balance:user:{user}")).run(async |_| black_box(user)).await
}
