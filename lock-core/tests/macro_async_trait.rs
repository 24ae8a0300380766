//! `#[distributed_lock]` together with attributes that rewrite the function too.

use std::sync::Arc;

use async_trait::async_trait;
use lock_core::{LockError, LockManager, distributed_lock};

#[async_trait]
trait Ledger: Send + Sync {
    async fn book(&self, amount: u64) -> Result<u64, LockError>;
    async fn change(&mut self, amount: u64) -> Result<&u64, LockError>;
    async fn take(self: Box<Self>, parts: (u64, [u64; 2]), mut total: u64) -> Option<u64>;
    async fn consume(self, amount: u64) -> Result<u64, LockError>
    where
        Self: Sized;
    async fn traced(&self, amount: u64) -> Result<u64, LockError>;

    fn locks(&self) -> &LockManager;

    #[distributed_lock(key = "default:{amount}", manager = self.locks())]
    async fn by_default(&self, amount: u64) -> Result<u64, LockError> {
        Ok(amount)
    }
}

struct Wallet {
    locks: LockManager,
    balance: u64,
}

#[async_trait]
impl Ledger for Wallet {
    #[distributed_lock(key = "balance:{self.balance}:{amount}", manager = self.locks, guard = lock)]
    async fn book(&self, amount: u64) -> Result<u64, LockError> {
        assert_eq!(lock.key().as_str(), format!("balance:{}:{amount}", self.balance));
        tokio::task::yield_now().await;
        Ok(self.balance + amount)
    }

    #[distributed_lock(key = "balance:{self.balance}", manager = self.locks)]
    async fn change(&mut self, amount: u64) -> Result<&u64, LockError> {
        self.balance += amount;
        Ok(&self.balance)
    }

    #[distributed_lock(key = "parts:{a}:{b}:{total}", manager = self.locks, guard = lock)]
    async fn take(self: Box<Self>, (a, [b, _]): (u64, [u64; 2]), mut total: u64) -> Option<u64> {
        assert_eq!(lock.key().as_str(), format!("parts:{a}:{b}:{total}"));
        total += a + b + self.balance;
        Some(total)
    }

    #[distributed_lock(key = "balance:{self.balance}", manager = self.locks)]
    async fn consume(self, amount: u64) -> Result<u64, LockError> {
        Ok(self.balance + amount)
    }

    #[tracing::instrument(skip(self))]
    #[distributed_lock(key = "balance:{amount}", manager = self.locks)]
    async fn traced(&self, amount: u64) -> Result<u64, LockError> {
        Ok(self.balance + amount)
    }

    fn locks(&self) -> &LockManager {
        &self.locks
    }
}

fn wallet() -> Wallet {
    Wallet { locks: LockManager::in_process(), balance: 10 }
}

#[tokio::test]
async fn methods_under_async_trait_are_guarded() {
    let mut wallet = wallet();
    assert_eq!(wallet.book(1).await.unwrap(), 11);
    assert_eq!(*wallet.change(5).await.unwrap(), 15);
    assert_eq!(wallet.traced(1).await.unwrap(), 16);
    assert_eq!(wallet.by_default(2).await.unwrap(), 2);
    assert_eq!(self::wallet().consume(1).await.unwrap(), 11);
    assert_eq!(Box::new(wallet).take((1, [2, 3]), 100).await, Some(118));
}

#[tokio::test]
async fn their_futures_are_send_and_dispatched_dynamically() {
    let ledger: Arc<dyn Ledger> = Arc::new(wallet());
    assert_eq!(tokio::spawn(async move { ledger.book(2).await }).await.unwrap().unwrap(), 12);
}

#[distributed_lock(key = "above:{number}", manager = locks)]
#[tracing::instrument(skip(locks))]
async fn above(locks: &LockManager, number: u8) -> Result<u8, LockError> {
    Ok(number)
}

#[tracing::instrument(skip(locks))]
#[distributed_lock(key = "below:{number}", manager = locks)]
async fn below(locks: &LockManager, number: u8) -> Result<u8, LockError> {
    Ok(number)
}

#[distributed_lock(key = "above:main:{number}", manager = locks)]
#[tokio::main(flavor = "current_thread")]
async fn blocking(locks: &LockManager, number: u8) -> Result<u8, LockError> {
    Ok(number)
}

#[test]
fn it_goes_above_attributes_that_block_on_the_future() {
    assert_eq!(blocking(&LockManager::in_process(), 7).unwrap(), 7);
}

#[tokio::test]
async fn it_goes_above_and_below_instrument() {
    let locks = LockManager::in_process();
    assert_eq!(above(&locks, 1).await.unwrap() + below(&locks, 2).await.unwrap(), 3);
}
