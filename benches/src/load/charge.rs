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

/// The same by hand: the same body, which may fail as that one may.
///
/// # Errors
///
/// When there is no lock.
pub async fn by_hand(locks: &LockManager, user: u64) -> Result<u64, LockError> {
    locks.lock(format!("balance:user:{user}")).run(async |_| Ok(black_box(user))).await?
}
