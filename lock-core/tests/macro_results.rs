//! What a function under `#[distributed_lock]` returns when its body did not run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lock_core::{LockError, LockManager, distributed_lock};

#[derive(Debug)]
enum WalletError {
    Lock(LockError),
    Broke,
}

impl From<LockError> for WalletError {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}

#[distributed_lock(key = "balance", wait = "0s", manager = locks)]
async fn spend(locks: &LockManager, balance: &AtomicU32, amount: u32) -> Result<u32, WalletError> {
    let left = balance.load(Ordering::Relaxed).checked_sub(amount).ok_or(WalletError::Broke)?;
    balance.store(left, Ordering::Relaxed);
    Ok(left)
}

#[tokio::test]
async fn the_own_error_of_the_function_carries_the_lock_error() {
    let (locks, balance) = (LockManager::in_process(), AtomicU32::new(5));
    assert_eq!(spend(&locks, &balance, 2).await.unwrap(), 3);
    assert!(matches!(spend(&locks, &balance, 9).await, Err(WalletError::Broke)));

    let guard = locks.lock("balance").acquire().await.unwrap();
    let busy = spend(&locks, &balance, 1).await;
    assert!(
        matches!(&busy, Err(WalletError::Lock(LockError::Timeout { key, .. })) if key.as_str() == "balance"),
        "{busy:?}"
    );
    guard.release().await.unwrap();
    assert_eq!(spend(&locks, &balance, 1).await.unwrap(), 2);
}

#[distributed_lock(key = "job:report", wait = "0s", manager = locks)]
async fn report(locks: &LockManager) -> Option<&'static str> {
    Some("report")
}

#[tokio::test]
async fn an_option_is_none_while_the_lock_is_busy() {
    let locks = LockManager::in_process();
    let guard = locks.lock("job:report").acquire().await.unwrap();
    assert_eq!(report(&locks).await, None);
    drop(guard);
    assert_eq!(report(&locks).await, Some("report"));
}

struct Tree {
    locks: LockManager,
}

impl Tree {
    #[distributed_lock(key = "tree", manager = self.locks)]
    async fn outer(&self) -> Result<u32, LockError> {
        self.inner().await
    }

    #[distributed_lock(key = "tree", manager = self.locks)]
    async fn inner(&self) -> Result<u32, LockError> {
        Ok(1)
    }

    #[distributed_lock(key = "tree", manager = self.locks)]
    async fn outer_skips(&self) -> Result<Option<u32>, LockError> {
        Ok(self.inner_skips().await)
    }

    #[distributed_lock(key = "tree", manager = self.locks)]
    async fn inner_skips(&self) -> Option<u32> {
        Some(1)
    }

    #[distributed_lock(key = "depth", reentrant = true, manager = self.locks, guard = lock)]
    async fn depth(&self, depth: u32) -> Result<Vec<u64>, LockError> {
        let mut tokens = if depth == 0 { Vec::new() } else { Box::pin(self.depth(depth - 1)).await? };
        tokens.push(lock.token().get());
        Ok(tokens)
    }

    #[distributed_lock(key = "depth:{depth}", manager = self.locks)]
    async fn down(&self, depth: u32) -> Result<u32, LockError> {
        Ok(if depth == 0 { 0 } else { 1 + Box::pin(self.down(depth - 1)).await? })
    }
}

#[tokio::test]
async fn a_function_that_asks_for_the_key_it_holds_is_told_so_at_once() {
    let tree = Tree { locks: LockManager::in_process() };
    let error = tree.outer().await.unwrap_err();
    assert!(matches!(&error, LockError::Reentrant { key } if key.as_str() == "tree"), "{error}");
    assert_eq!(tree.outer_skips().await.unwrap(), None);
    assert_eq!(tree.inner().await.unwrap(), 1);
}

#[tokio::test]
async fn recursion_takes_other_keys_or_joins_the_lock_it_holds() {
    let tree = Arc::new(Tree { locks: LockManager::in_process() });
    assert_eq!(tree.down(3).await.unwrap(), 3);
    let spawned = Arc::clone(&tree);
    let tokens = tokio::spawn(async move { spawned.depth(3).await }).await.unwrap().unwrap();
    assert_eq!((tokens.len(), tokens.iter().all(|token| *token == tokens[0])), (4, true), "{tokens:?}");
}

#[distributed_lock(key = "count", manager = locks)]
async fn count(locks: &LockManager, counter: &AtomicU32) -> Result<(), LockError> {
    let seen = counter.load(Ordering::Relaxed);
    tokio::task::yield_now().await;
    counter.store(seen + 1, Ordering::Relaxed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_update_is_lost_between_tasks() {
    let (locks, counter) = (LockManager::in_process(), Arc::new(AtomicU32::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (locks, counter) = (locks.clone(), Arc::clone(&counter));
        tasks.spawn(async move {
            for _ in 0..8 {
                count(&locks, &counter).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(counter.load(Ordering::Relaxed), 64 * 8);
}
