//! Locks on a primary that Sentinels watch, and what a failover does to them.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use interlock_tests::{RedisSentinel, eventually, unique_name};
use lock_core::{ConnectError, LockBackend, LockManager, RedisBackend, RedisConfig};
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(60);

static WELL: OnceCell<RedisSentinel> = OnceCell::const_new();

fn config(sentinel: &RedisSentinel) -> RedisConfig {
    RedisConfig::sentinel(sentinel.urls(), RedisSentinel::NAME)
}

async fn backend() -> Arc<dyn LockBackend> {
    let sentinel = WELL.get_or_init(RedisSentinel::private).await;
    let prefix = format!("{}:", unique_name("lock"));
    Arc::new(RedisBackend::connect(config(sentinel), &prefix).await.expect("the primary answers"))
}

lock_core::conformance_suite!(backend);

/// A node that is ready to wait for the end of a failover.
async fn patient(sentinel: &RedisSentinel) -> LockManager {
    LockManager::builder().patience(SOON).redis(config(sentinel)).await.unwrap()
}

/// Queues for `k`; returns once the primary of the moment knows.
async fn queue(
    sentinel: &RedisSentinel,
    locks: &LockManager,
) -> tokio::task::JoinHandle<lock_core::LockGuard> {
    let locks = locks.clone();
    let waiting = tokio::spawn(async move {
        locks.lock("k").wait(SOON).lease(Duration::from_secs(3)).acquire().await.unwrap()
    });
    // The replica has heard of it too, so the new primary knows the queue.
    eventually("it waits", SOON, async || !sentinel.first_replica().keys("{k}:waiters").await.is_empty())
        .await;
    waiting
}

async fn a_lock_is_held_and_waited_for_over(failover: impl AsyncFnOnce(&mut RedisSentinel)) {
    let mut sentinel = RedisSentinel::private().await;
    let (one, two) = (patient(&sentinel).await, patient(&sentinel).await);
    let before = one.lock("k").acquire().await.unwrap();
    let waiting = queue(&sentinel, &two).await;

    failover(&mut sentinel).await;

    // Whether the first guard outlives the failover depends on what the replica had heard; its token is older anyway.
    let token = before.token();
    let _ = before.release().await;
    let after = timeout(SOON, waiting).await.expect("nobody is forgotten").unwrap();
    assert!(after.token() > token, "tokens grow over a failover");
    after.release().await.unwrap();

    // And messages come from the new primary: the lease is so long that nothing is owed to its end.
    let hour = Duration::from_secs(3600);
    let guard = one.lock("again").lease(hour).acquire().await.unwrap();
    let waiting = tokio::spawn(async move { two.lock("again").wait(hour).acquire().await });
    eventually("it waits", SOON, async || !sentinel.first_replica().keys("{again}:waiters").await.is_empty())
        .await;
    guard.release().await.unwrap();
    timeout(SOON, waiting).await.expect("it is told").unwrap().unwrap().release().await.unwrap();
}

#[tokio::test]
async fn a_killed_primary_is_followed_by_its_replica() {
    a_lock_is_held_and_waited_for_over(async |sentinel| {
        sentinel.first_primary().kill();
        sentinel.failed_over().await;
    })
    .await;
}

#[tokio::test]
async fn a_hung_primary_is_followed_by_its_replica() {
    a_lock_is_held_and_waited_for_over(async |sentinel| {
        sentinel.first_primary().pause();
        sentinel.failed_over().await;
    })
    .await;
}

#[tokio::test]
async fn a_primary_that_is_well_is_left_when_it_is_made_a_replica() {
    a_lock_is_held_and_waited_for_over(async |sentinel| sentinel.fail_over().await).await;
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_said_to_be_so() {
    let sentinel = WELL.get_or_init(RedisSentinel::private).await;
    let outcome = LockManager::redis(RedisConfig::sentinel(sentinel.urls(), "other")).await;
    let Err(ConnectError::Unreachable { address, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(address.starts_with("other (by Sentinels 127.0.0.1:"), "{address}");
    let outcome = LockManager::redis(RedisConfig::sentinel(Vec::<String>::new(), "other")).await;
    assert!(matches!(outcome, Err(ConnectError::InvalidAddress { .. })), "{outcome:?}");
}

#[tokio::test]
async fn one_sentinel_that_answers_is_enough() {
    let sentinel = WELL.get_or_init(RedisSentinel::private).await;
    let mut urls = vec!["redis://127.0.0.1:1".to_owned()];
    urls.extend(sentinel.urls().pop());
    let locks = LockManager::redis(RedisConfig::sentinel(urls, RedisSentinel::NAME)).await.unwrap();
    locks.lock(unique_name("one")).acquire().await.unwrap().release().await.unwrap();
}
