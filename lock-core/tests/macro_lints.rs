//! The expansion of `#[distributed_lock]` raises no lint, however strict the crate it stands in.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    future_incompatible,
    let_underscore_drop,
    nonstandard_style,
    rust_2018_idioms,
    rust_2024_compatibility,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::nursery,
    clippy::pedantic
)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lock_core::{LockError, LockManager, distributed_lock};

/// A wallet.
#[derive(Debug)]
pub struct Wallet {
    locks: LockManager,
    shared: Arc<LockManager>,
    balance: u64,
}

impl Wallet {
    /// Every argument.
    ///
    /// # Errors
    ///
    /// When the lock is not obtained.
    #[distributed_lock(
        key = "balance:{self.balance}:{user_id:05}:{user_id}",
        wait = "1m",
        lease = "24h",
        renew = true,
        retain = "1s",
        reentrant = false,
        manager = self.locks,
        guard = lock
    )]
    pub async fn charge(&mut self, user_id: u64, amount: u64) -> Result<u64, LockError> {
        use std::convert::identity;
        const FEE: u64 = 1;
        if amount == 0 {
            return Ok(lock.token().get());
        }
        self.balance += amount + FEE;
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(identity(user_id))
    }

    /// A manager behind an `Arc`, a borrowed result.
    ///
    /// # Errors
    ///
    /// When the lock is not obtained.
    #[distributed_lock(key = "shared", manager = self.shared)]
    pub async fn borrow(&self) -> Result<&u64, LockError> {
        Ok(&self.balance)
    }

    /// A manager that is borrowed by hand.
    #[distributed_lock(keys = [format!("wallet:{}", self.balance), "all"], wait = "0s", manager = &self.shared)]
    pub async fn skip(&self) -> Option<()> {
        Some(())
    }
}

/// A plain name, a generic result.
#[distributed_lock(key = "balance:{user_id}", manager = locks)]
async fn free<T: Send>(locks: &LockManager, user_id: u64, value: T) -> Result<T, LockError> {
    Ok(value)
}

/// A function that only ends early.
#[distributed_lock(keys = ids.iter().map(|id| format!("id:{id}")), manager = *locks)]
async fn early(locks: &LockManager, ids: Vec<u64>) -> Result<(), LockError> {
    drop(ids);
    Err(LockError::ShutDown)
}

/// A key that is made by a call, an opaque result.
#[distributed_lock(key = name(), manager = locks)]
async fn opaque(locks: &LockManager) -> Result<impl Iterator<Item = u8>, LockError> {
    Ok([1, 2].into_iter())
}

fn name() -> String {
    "name".into()
}

/// A ledger.
#[async_trait]
pub trait Ledger {
    /// Books.
    async fn book(&self, amounts: (u64, u64)) -> Result<u64, LockError>;
}

#[async_trait]
impl Ledger for Wallet {
    #[distributed_lock(key = "book:{one}", manager = self.locks)]
    async fn book(&self, (one, two): (u64, u64)) -> Result<u64, LockError> {
        Ok(self.balance + one + two)
    }
}

#[tokio::test]
async fn what_the_lints_saw_also_works() {
    let locks = LockManager::in_process();
    let mut wallet = Wallet { shared: Arc::new(locks.clone()), balance: 0, locks };
    assert_eq!(wallet.charge(7, 10).await.ok(), Some(7));
    assert_eq!(wallet.borrow().await.ok(), Some(&11));
    assert_eq!(wallet.skip().await, Some(()));
    assert_eq!(wallet.book((1, 2)).await.ok(), Some(14));
    assert_eq!(free(&wallet.locks, 1, "x").await.ok(), Some("x"));
    assert!(matches!(early(&wallet.locks, vec![1]).await, Err(LockError::ShutDown)));
    assert_eq!(opaque(&wallet.locks).await.map(Iterator::count).ok(), Some(2));
}
