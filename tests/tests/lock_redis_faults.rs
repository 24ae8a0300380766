//! Locks on a Redis that is restarted, emptied, frozen or away.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use interlock_tests::{RedisServer, eventually, free_port};
use lock_core::{ConnectError, FencingToken, LockError, LockManager, ReleaseError};
use tokio::time::{sleep, timeout};

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_millis(600);
const KEY: &str = "balance:user:42";

async fn nodes(redis: &RedisServer) -> (LockManager, LockManager) {
    (LockManager::redis(redis.url()).await.unwrap(), LockManager::redis(redis.url()).await.unwrap())
}

/// Takes the lock, until it can be had, and gives it back.
async fn take_again(locks: &LockManager) -> FencingToken {
    let mut token = None;
    eventually("the lock can be had again", SOON, async || {
        match locks.lock(KEY).lease(LEASE).acquire().await {
            Ok(guard) => {
                token = Some(guard.token());
                guard.release().await.is_ok()
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                false
            }
        }
    })
    .await;
    token.unwrap()
}

async fn nothing_is_left(redis: &RedisServer) {
    eventually("no key is left", SOON, async || redis.lock_keys("").await.is_empty()).await;
}

/// Starts work under the lock that counts on for ever, and answers what it counts and what becomes of it.
async fn endless_work(
    locks: &LockManager,
) -> (Arc<AtomicU64>, tokio::task::JoinHandle<Result<(), LockError>>) {
    let steps = Arc::new(AtomicU64::new(0));
    let (locks, counted) = (locks.clone(), steps.clone());
    let work = tokio::spawn(async move {
        let endless = async |_| loop {
            counted.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(5)).await;
        };
        locks.lock(KEY).lease(LEASE).run(endless).await
    });
    eventually("the work runs", SOON, async || steps.load(Ordering::Relaxed) > 0).await;
    (steps, work)
}

/// Checks that the work was stopped and its caller told.
async fn stopped(steps: &AtomicU64, work: tokio::task::JoinHandle<Result<(), LockError>>) {
    let result = timeout(SOON, work).await.expect("the work is stopped").unwrap();
    assert!(matches!(&result, Err(LockError::Lost { key }) if key.as_str() == KEY), "{result:?}");
    let count = steps.load(Ordering::Relaxed);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(steps.load(Ordering::Relaxed), count, "the work goes on");
}

#[tokio::test]
async fn restarted_without_data_while_held() {
    let mut redis = RedisServer::private().await;
    let (holder, other) = nodes(&redis).await;
    let guard = holder.lock(KEY).lease(LEASE).acquire().await.unwrap();
    let token = guard.token();

    redis.restart_empty().await;

    timeout(SOON, guard.lost()).await.expect("the holder finds out");
    assert!(!guard.is_held());
    assert!(matches!(guard.release().await, Err(ReleaseError::Lost { .. })));
    assert!(take_again(&other).await > token, "tokens grow across the loss of all data");
    nothing_is_left(&redis).await;
}

#[tokio::test]
async fn restarted_without_data_while_waiting() {
    let mut redis = RedisServer::private().await;
    let (holder, waiter) = nodes(&redis).await;
    let guard = holder.lock(KEY).lease(LEASE).acquire().await.unwrap();
    let token = guard.token();
    let waiting = tokio::spawn(async move { waiter.lock(KEY).lease(LEASE).wait(2 * SOON).acquire().await });
    eventually("it waits", SOON, async || !redis.keys("*:waiters").await.is_empty()).await;

    redis.restart_empty().await;

    let next = timeout(SOON, waiting).await.expect("the waiter is not forgotten").unwrap();
    let next = match next {
        Ok(guard) => guard,
        Err(error) => panic!("{error:?}"),
    };
    assert!(next.token() > token);
    timeout(SOON, guard.lost()).await.expect("the holder finds out");
    next.release().await.unwrap();
    nothing_is_left(&redis).await;
}

#[tokio::test]
async fn emptied_while_held() {
    let redis = RedisServer::private().await;
    let (holder, other) = nodes(&redis).await;
    let guard = holder.lock(KEY).lease(LEASE).acquire().await.unwrap();
    let token = guard.token();

    let () = redis::cmd("FLUSHALL").query_async(&mut redis.connection().await).await.unwrap();

    let next = other.lock(KEY).lease(LEASE).acquire().await.unwrap();
    assert!(next.token() > token, "storage refuses the older holder while both believe to hold");
    timeout(SOON, guard.lost()).await.expect("the holder finds out");
    assert!(next.is_held());
    drop(guard);
    sleep(LEASE).await;
    assert!(next.is_held(), "what the older holder gave back was not its to give");
    next.release().await.unwrap();
    nothing_is_left(&redis).await;
}

#[tokio::test]
async fn emptied_while_work_runs() {
    let redis = RedisServer::private().await;
    let (holder, _) = nodes(&redis).await;
    let (steps, work) = endless_work(&holder).await;
    let () = redis::cmd("FLUSHALL").query_async(&mut redis.connection().await).await.unwrap();
    stopped(&steps, work).await;
    take_again(&holder).await;
    nothing_is_left(&redis).await;
}

#[tokio::test]
async fn frozen_past_the_lease() {
    let mut redis = RedisServer::private().await;
    let (holder, other) = nodes(&redis).await;
    let guard = holder.lock("other").lease(LEASE).acquire().await.unwrap();
    let (steps, work) = endless_work(&holder).await;

    redis.pause();
    stopped(&steps, work).await;
    timeout(SOON, guard.lost()).await.expect("lost fires while Redis is still silent");
    assert_eq!(guard.remaining(), Duration::ZERO);
    redis.resume();

    assert!(take_again(&other).await > guard.token());
    drop(guard);
    nothing_is_left(&redis).await;
}

#[tokio::test]
async fn frozen_for_a_part_of_the_lease() {
    let mut redis = RedisServer::private().await;
    let (holder, _) = nodes(&redis).await;
    let guard = holder.lock(KEY).lease(4 * LEASE).acquire().await.unwrap();

    redis.pause();
    sleep(LEASE).await;
    redis.resume();

    sleep(5 * LEASE).await;
    assert!(guard.is_held(), "renewed again after the silence");
    guard.release().await.unwrap();
    nothing_is_left(&redis).await;
}

#[tokio::test]
async fn away_at_start() {
    let url = format!("redis://:s3cret@127.0.0.1:{}", free_port());
    let started = timeout(SOON, LockManager::redis(&url)).await.expect("answered at once");
    let error = started.expect_err("nothing listens");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[tokio::test]
async fn an_address_that_cannot_be_read() {
    for url in
        ["", "127.0.0.1:6379", "http://127.0.0.1", "redis://:s3cret@[", "redis://:s3cret@127.0.0.1:70000"]
    {
        let started = timeout(SOON, LockManager::redis(url)).await.expect("answered at once");
        let error = started.expect_err("not an address");
        assert!(matches!(error, ConnectError::InvalidAddress { .. }), "{url}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}

#[tokio::test]
async fn away_during_an_acquire() {
    let mut redis = RedisServer::private().await;
    let (locks, _) = nodes(&redis).await;
    take_again(&locks).await;
    redis.kill();

    let refused = timeout(SOON, locks.lock(KEY).wait(Duration::from_secs(2)).acquire()).await;
    let error = refused.expect("refused within the wait").expect_err("Redis is away");
    assert!(matches!(error, LockError::Unavailable { .. } | LockError::Timeout { .. }), "{error:?}");
    assert!(error.is_retryable());

    redis.restart_empty().await;
    take_again(&locks).await;
    nothing_is_left(&redis).await;
}

#[tokio::test]
async fn frozen_during_an_acquire() {
    let mut redis = RedisServer::private().await;
    let (locks, _) = nodes(&redis).await;
    take_again(&locks).await;
    redis.pause();

    let refused = timeout(SOON, locks.lock(KEY).wait(Duration::from_secs(2)).acquire()).await;
    let error = refused.expect("refused within the wait").expect_err("Redis is silent");
    assert!(matches!(error, LockError::Unavailable { .. } | LockError::Timeout { .. }), "{error:?}");

    redis.resume();
    take_again(&locks).await;
    nothing_is_left(&redis).await;
}
