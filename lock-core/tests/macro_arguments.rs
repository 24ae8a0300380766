//! What the arguments of `#[distributed_lock]` other than the key do.

use std::sync::Arc;
use std::time::Duration;

use lock_core::{FencingToken, LockError, LockManager, distributed_lock};

struct Wallet {
    locks: LockManager,
    shared: Arc<LockManager>,
    nested: Vec<LockManager>,
}

impl Wallet {
    fn new() -> Self {
        let locks = LockManager::in_process();
        Self { shared: Arc::new(locks.clone()), nested: vec![locks.clone()], locks }
    }

    #[distributed_lock(key = "k", manager = self.locks)]
    async fn owned(&self) -> Result<(), LockError> {
        self.refused().await
    }

    #[distributed_lock(key = "k", manager = &self.locks)]
    async fn borrowed(&self) -> Result<(), LockError> {
        self.refused().await
    }

    #[distributed_lock(key = "k", manager = self.shared)]
    async fn counted(&self) -> Result<(), LockError> {
        self.refused().await
    }

    #[distributed_lock(key = "k", manager = self.shared.as_ref().clone())]
    async fn cloned(&self) -> Result<(), LockError> {
        self.refused().await
    }

    #[distributed_lock(key = "k", manager = self.nested[0])]
    async fn indexed(&self) -> Result<(), LockError> {
        self.refused().await
    }

    #[distributed_lock(key = "k", manager = if self.nested.is_empty() { &*self.shared } else { &self.locks })]
    async fn chosen(&self) -> Result<(), LockError> {
        self.refused().await
    }

    /// Whether the manager is the very one that `locks` names.
    async fn refused(&self) -> Result<(), LockError> {
        let again = self.locks.lock("k").try_acquire().await;
        assert!(
            matches!(again, Err(LockError::Reentrant { .. })),
            "this manager does not hold the lock: {again:?}"
        );
        Ok(())
    }
}

#[tokio::test]
async fn the_manager_may_be_owned_borrowed_or_shared() {
    let wallet = Wallet::new();
    wallet.owned().await.unwrap();
    wallet.borrowed().await.unwrap();
    wallet.counted().await.unwrap();
    wallet.cloned().await.unwrap();
    wallet.indexed().await.unwrap();
    wallet.chosen().await.unwrap();
}

#[distributed_lock(key = "installed")]
async fn with_the_installed_manager() -> Result<u8, LockError> {
    Ok(1)
}

#[tokio::test]
async fn without_a_manager_the_installed_one_serves() {
    assert!(matches!(with_the_installed_manager().await, Err(LockError::NotInstalled)));
    LockManager::in_process().install().unwrap();
    assert_eq!(with_the_installed_manager().await.unwrap(), 1);
}

#[distributed_lock(key = "token", manager = locks, guard = turn)]
async fn token(locks: &LockManager) -> Result<FencingToken, LockError> {
    assert!(turn.is_held());
    Ok(turn.token())
}

#[tokio::test]
async fn the_guard_is_bound_by_name_and_tokens_grow() {
    let locks = LockManager::in_process();
    assert!(token(&locks).await.unwrap() < token(&locks).await.unwrap());
}

#[distributed_lock(key = "slow", wait = "50ms", manager = locks)]
async fn impatient(locks: &LockManager) -> Result<(), LockError> {
    Ok(())
}

#[distributed_lock(key = "slow", wait = "1m30s", manager = locks)]
async fn patient(locks: &LockManager) -> Result<(), LockError> {
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn wait_is_how_long_to_queue() {
    let locks = LockManager::in_process();
    let guard = locks.lock("slow").acquire().await.unwrap();
    let error = impatient(&locks).await.unwrap_err();
    let LockError::Timeout { key, waited } = &error else { panic!("{error}") };
    assert_eq!((key.as_str(), *waited >= Duration::from_millis(50)), ("slow", true), "{waited:?}");

    let waiter = tokio::spawn(async move { patient(&locks).await });
    tokio::time::sleep(Duration::from_secs(80)).await;
    drop(guard);
    waiter.await.unwrap().unwrap();
}

#[distributed_lock(key = "hard", lease = "200ms", renew = false, manager = locks)]
async fn overstays(locks: &LockManager, awhile: Duration) -> Result<&'static str, LockError> {
    tokio::time::sleep(awhile).await;
    Ok("done")
}

#[distributed_lock(key = "soft", lease = "200ms", renew = true, retain = "1s", manager = locks)]
async fn renewed(locks: &LockManager, awhile: Duration) -> Result<&'static str, LockError> {
    tokio::time::sleep(awhile).await;
    Ok("done")
}

#[tokio::test(start_paused = true)]
async fn a_lease_without_renewal_ends_the_work_and_one_with_renewal_does_not() {
    let locks = LockManager::in_process();
    assert_eq!(overstays(&locks, Duration::from_millis(50)).await.unwrap(), "done");
    let error = overstays(&locks, Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(&error, LockError::Lost { key } if key.as_str() == "hard"), "{error}");
    assert_eq!(renewed(&locks, Duration::from_secs(5)).await.unwrap(), "done");
}

mod facade {
    pub(crate) mod locks {
        pub(crate) use lock_core::__private;
    }
}

#[distributed_lock(key = "elsewhere:{user_id}", manager = locks, crate = crate::facade::locks)]
async fn through_another_path(locks: &LockManager, user_id: u64) -> Result<u64, LockError> {
    Ok(user_id)
}

#[tokio::test]
async fn the_path_of_the_crate_can_be_named() {
    assert_eq!(through_another_path(&LockManager::in_process(), 3).await.unwrap(), 3);
}
