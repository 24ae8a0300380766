use std::{sync::Arc, time::Duration};

use lock_core::{LockError, LockManager};
use tokio::{
    sync::{Notify, oneshot},
    time::{sleep, timeout},
};

use super::{
    Counter, Shop,
    shop::ShopError::{self, Idempotency as Told},
};
use crate::{FencingStore, IdempotencyError, Json, LockedRequest, Request};

const LOCK: &str = "balance:user:1";
/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

fn request<'a, S: FencingStore<Database: Counter> + Clone>(shop: &'a Shop<S>, key: &str) -> Request<'a, S> {
    shop.once.request("charge", key).unwrap().wait(LONG)
}

/// Runs the request, which is the first under its key.
async fn start<S>(shop: &Shop<S>, locked: LockedRequest<'_, '_, S, Json>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    assert!(!locked.transaction(async |tx, _| shop.effect(tx).await).await.unwrap().replayed());
}

fn overtaken(error: &ShopError) -> bool {
    matches!(error, Told(IdempotencyError::Overtaken { key }) if key.as_str() == LOCK)
}

/// From one call: the lock is held around the transaction, and free afterwards.
pub async fn the_lock_is_held_around_the_transaction<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    let locks = LockManager::in_process();
    let locked = request(&shop, "key").locked(locks.lock(LOCK));
    let outcome = locked.transaction(async |tx, lock| {
        assert!(lock.is_held());
        // Nobody else has it, and this task need not wait to be told so.
        assert!(matches!(locks.lock(LOCK).acquire().await, Err(LockError::Reentrant { .. })));
        let other = locks.clone();
        assert!(
            tokio::spawn(async move { other.lock(LOCK).try_acquire().await.unwrap() })
                .await
                .unwrap()
                .is_none()
        );
        shop.effect(tx).await
    });
    assert!(!outcome.await.unwrap().replayed());
    assert!(locks.lock(LOCK).try_acquire().await.unwrap().is_some(), "it is given back");
    assert_eq!(shop.effects().await, 1);
}

/// What is known in memory is answered without the lock.
pub async fn a_repeat_does_not_wait_for_the_lock<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    let locks = LockManager::in_process();
    let charge = async || {
        let locked = request(&shop, "key").locked(locks.lock(LOCK).wait(LONG));
        locked.transaction(async |tx, _| shop.effect(tx).await).await.unwrap()
    };
    let first = charge().await;
    let _busy = locks.lock(LOCK).acquire().await.unwrap();
    let again = timeout(LONG / 2, charge()).await.expect("it waits for the lock");
    assert!(again.replayed());
    assert_eq!(first.payload(), again.payload());
}

/// A lock that is not obtained leaves the key as unused as before.
pub async fn without_the_lock_nothing_begins<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    let locks = LockManager::in_process();
    let busy = locks.lock(LOCK).acquire().await.unwrap();
    let charge = async || {
        let locked = request(&shop, "key").locked(locks.lock(LOCK).wait(Duration::from_millis(1)));
        locked.transaction(async |tx, _| shop.effect(tx).await).await
    };
    let error = charge().await.unwrap_err();
    assert!(matches!(error, Told(IdempotencyError::Lock(LockError::Timeout { .. }))), "{error:?}");
    assert_eq!((shop.runs(), S::Database::columns(&shop.pool).await), (0, Vec::new()));
    drop(busy);
    assert!(!charge().await.unwrap().replayed());
}

/// The holder believes that the lock is its own; its token says otherwise.
pub async fn an_overtaken_holder_cannot_commit<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    // Two holders at once, as after a failover that lost the first one's lock.
    let (old, new) = (LockManager::in_process(), LockManager::in_process());
    let late = old.lock(LOCK).acquire().await.unwrap();
    let faster = request(&shop, "faster").locked(new.lock(LOCK));
    start(&shop, faster).await;

    assert!(late.is_held());
    let locked = request(&shop, "late").under(&late.held());
    let error = locked.transaction(async |tx, _| shop.effect(tx).await).await.unwrap_err();
    assert!(overtaken(&error), "{error:?}");
    assert_eq!((shop.effects().await, shop.runs()), (1, 1), "its work has not even begun");

    let again = request(&shop, "late").locked(new.lock(LOCK));
    start(&shop, again).await;
    assert_eq!(shop.effects().await, 2);
}

/// Of several locks each one's token counts.
pub async fn each_of_several_locks_is_checked<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    let (old, new) = (LockManager::in_process(), LockManager::in_process());
    let late = old.lock_all(["a", LOCK, "z"]).acquire().await.unwrap();
    let faster = request(&shop, "faster").locked(new.lock(LOCK));
    start(&shop, faster).await;
    let locked = request(&shop, "late").under(&late.held());
    let error = locked.transaction(async |tx, _| shop.effect(tx).await).await.unwrap_err();
    assert!(overtaken(&error), "{error:?}");
    // What was refused has raised no other fence.
    let others = request(&shop, "others").locked(old.lock("b"));
    start(&shop, others).await;
    assert_eq!(shop.effects().await, 2);
}

/// One turn may hold any number of transactions.
pub async fn a_token_may_be_shown_again<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    let locks = LockManager::in_process();
    let guard = locks.lock(LOCK).acquire().await.unwrap();
    for key in ["one", "two"] {
        let locked = request(&shop, key).under(&guard.held());
        start(&shop, locked).await;
    }
    assert!(guard.is_held());
    assert_eq!(shop.effects().await, 2);
}

/// Even where two hold the lock, the later one sees what the earlier one did.
pub async fn two_holders_work_one_after_the_other<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    let (old, new) = (LockManager::in_process(), LockManager::in_process());
    let (working, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (over, mut is_over) = oneshot::channel();
    let first = {
        let (shop, working, go_on) = (Arc::clone(&shop), Arc::clone(&working), Arc::clone(&go_on));
        tokio::spawn(async move {
            let locked = request(&shop, "first").locked(old.lock(LOCK));
            let work = async |tx: &mut sqlx::Transaction<'_, S::Database>, _: &lock_core::HeldLock| {
                working.notify_one();
                go_on.notified().await;
                let _ = over.send(());
                shop.effect(tx).await
            };
            assert!(!locked.transaction(work).await.unwrap().replayed());
        })
    };
    working.notified().await;
    let second = {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            let locked = request(&shop, "second").locked(new.lock(LOCK));
            let work = async |tx: &mut sqlx::Transaction<'_, S::Database>, _: &lock_core::HeldLock| {
                assert!(is_over.try_recv().is_ok(), "both work at once");
                shop.effect(tx).await
            };
            assert!(!locked.transaction(work).await.unwrap().replayed());
        })
    };
    // Long enough for it to come as far as it may.
    sleep(Duration::from_millis(100)).await;
    go_on.notify_one();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(shop.effects().await, 2);
}

/// Work is stopped when its lock is lost, and leaves nothing.
pub async fn work_that_loses_its_lock_is_undone<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    let locks = LockManager::in_process();
    let brief = locks.lock(LOCK).lease(Duration::from_millis(50)).renew(false);
    let lost = request(&shop, "key").locked(brief).transaction(async |tx, _| {
        shop.effect(tx).await?;
        sleep(LONG).await;
        Ok(0)
    });
    let error = timeout(LONG / 2, lost).await.expect("it goes on").unwrap_err();
    assert!(matches!(error, Told(IdempotencyError::Lock(LockError::Lost { .. }))), "{error:?}");
    let again = request(&shop, "key").locked(locks.lock(LOCK));
    start(&shop, again).await;
    assert_eq!(shop.effects().await, 1);
}

/// Work that never awaits cannot be stopped; its commit can.
pub async fn work_that_outlives_its_lock_is_not_committed<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    let locks = LockManager::in_process();
    let brief = locks.lock(LOCK).lease(Duration::from_millis(50)).renew(false);
    let lost = request(&shop, "key").locked(brief).transaction(async |tx, lock| {
        let run = shop.effect(tx).await?;
        while lock.is_held() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(run)
    });
    let error = lost.await.unwrap_err();
    assert!(matches!(error, Told(IdempotencyError::Lock(LockError::Lost { .. }))), "{error:?}");
    let again = request(&shop, "key").locked(locks.lock(LOCK));
    start(&shop, again).await;
    assert_eq!(shop.effects().await, 1);
}

/// The token can be checked where the effect is: then the table is left alone.
pub async fn a_fence_of_the_users_own_costs_nothing<S>(shop: Arc<Shop<S>>)
where
    S: FencingStore<Database: Counter> + Clone,
{
    let (old, new) = (LockManager::in_process(), LockManager::in_process());
    let late = old.lock(LOCK).acquire().await.unwrap();
    for key in ["one", "two"] {
        let locked = request(&shop, key).locked(new.lock(LOCK)).own_fence();
        start(&shop, locked).await;
    }
    let locked = request(&shop, "late").under(&late.held());
    start(&shop, locked).await;
    assert_eq!(shop.effects().await, 3);
}
