//! Servers that hang, come back without scripts, or are replicas now.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::time::Duration;

use interlock_tests::{Proxy, RedisServer, eventually, unique_name};
use lock_core::{BackendErrorKind, ConnectError, LockError, LockManager, ReleaseError};
use tokio::time::{Instant, sleep, timeout};

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_hung_server_holds_no_caller_past_its_deadline() {
    let mut redis = RedisServer::private().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    redis.pause();

    let start = Instant::now();
    let outcome = locks.lock("k").wait(Duration::from_millis(300)).acquire().await;
    assert!(matches!(outcome, Err(LockError::Timeout { .. })), "{outcome:?}");
    assert!(start.elapsed() >= Duration::from_millis(300));
    // Who does not wait at all gets an error after the time that a reply may take.
    let outcome = timeout(SOON, locks.lock("other").try_acquire()).await.expect("in time");
    let Err(LockError::Unavailable { source, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(source.kind(), BackendErrorKind::TimedOut);
    redis.resume();
    let guard = timeout(SOON, locks.lock("k").wait(SOON).acquire()).await.unwrap().unwrap();
    guard.release().await.unwrap();
}

#[tokio::test]
async fn a_release_to_a_hung_server_ends_and_is_repeated() {
    let mut redis = RedisServer::private().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    let guard = locks.lock("k").acquire().await.unwrap();
    redis.pause();
    let outcome = timeout(SOON, guard.release()).await.expect("in time");
    assert!(matches!(outcome, Err(ReleaseError::Unconfirmed { .. })), "{outcome:?}");
    redis.resume();
    eventually("the release arrives", SOON, async || redis.lock_keys("k").await.is_empty()).await;
}

#[tokio::test]
async fn a_connection_that_is_half_open_is_replaced() {
    let redis = RedisServer::shared().await;
    let proxy = Proxy::to(&redis.address());
    let locks = LockManager::redis(format!("redis://{}", proxy.address())).await.unwrap();
    let key = unique_name("half_open");
    locks.lock(&key).acquire().await.unwrap().release().await.unwrap();

    // Nothing passes over the connections that stand; new ones are made after that.
    proxy.strand();
    let guard = timeout(SOON, locks.lock(&key).wait(SOON).acquire()).await.expect("in time").unwrap();
    guard.release().await.unwrap();
}

#[tokio::test]
async fn a_half_open_connection_for_events_is_noticed() {
    let redis = RedisServer::shared().await;
    let proxy = Proxy::to(&redis.address());
    let locks = LockManager::redis(format!("redis://{}", proxy.address())).await.unwrap();
    let other = LockManager::redis(redis.url()).await.unwrap();
    let key = unique_name("half_open");
    let hour = Duration::from_secs(3600);
    proxy.strand();
    // Commands notice at once; the connection for events has nothing to say, and is asked.
    eventually("another connection for events", SOON, async || {
        let _ = locks.lock(&key).try_acquire().await;
        proxy.connections() >= 4
    })
    .await;

    let guard = other.lock(&key).lease(hour).acquire().await.unwrap();
    let waiting = tokio::spawn({
        let key = key.clone();
        async move { locks.lock(&key).wait(hour).lease(hour).acquire().await }
    });
    eventually("it waits", SOON, async || redis.keys(&format!("*{key}*:waiters")).await.len() == 1).await;
    guard.release().await.unwrap();
    // By an event alone: the holder's lease is an hour.
    timeout(SOON, waiting).await.expect("in time").unwrap().unwrap().release().await.unwrap();
}

#[tokio::test]
async fn a_server_that_came_back_without_scripts_is_told_them_again() {
    let mut redis = RedisServer::private().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    locks.lock("k").acquire().await.unwrap().release().await.unwrap();
    redis.restart_empty().await;
    let guard = timeout(SOON, locks.lock("k").wait(SOON).acquire()).await.unwrap().unwrap();
    // More than one script.
    guard.extend(Duration::from_secs(60)).await.unwrap();
    guard.release().await.unwrap();
}

#[tokio::test]
async fn scripts_flushed_from_a_server_that_runs_on_are_told_again() {
    let redis = RedisServer::private().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    let _: () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut redis.connection().await).await.unwrap();
    let guard = locks.lock("k").acquire().await.unwrap();
    guard.extend(Duration::from_secs(60)).await.unwrap();
    guard.release().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_a_replica_now_is_unavailable_until_it_is_not() {
    let (redis, primary) = (RedisServer::private().await, RedisServer::private().await);
    let hasty = LockManager::redis(redis.url()).await.unwrap();
    let patient = LockManager::builder().patience(3 * SOON).redis(redis.url()).await.unwrap();
    let follow = async |port: &str, host: &str| {
        let _: () = redis::cmd("REPLICAOF")
            .arg(host)
            .arg(port)
            .query_async(&mut redis.connection().await)
            .await
            .unwrap();
    };
    follow(&primary.port().to_string(), "127.0.0.1").await;
    let Err(LockError::Unavailable { source, .. }) = hasty.lock("k").try_acquire().await else {
        panic!("a replica grants")
    };
    assert_eq!(source.kind(), BackendErrorKind::Unavailable);

    let waiting = tokio::spawn(async move { patient.lock("k").wait(SOON).acquire().await });
    sleep(Duration::from_millis(100)).await;
    follow("ONE", "NO").await;
    timeout(SOON, waiting).await.unwrap().unwrap().unwrap().release().await.unwrap();
}

#[tokio::test]
async fn a_hand_over_leaves_a_server_that_is_a_replica_now() {
    let redis = RedisServer::private().await;
    let mut console = redis.connection().await;
    let holder = LockManager::redis(redis.url()).await.unwrap();
    let waiter = LockManager::redis(redis.url()).await.unwrap();
    let guard = holder.lock("k").acquire().await.unwrap();
    let waiting = tokio::spawn(async move { waiter.lock("k").wait(2 * SOON).acquire().await.map(drop) });
    let inspect = holder.inspect();
    eventually("it waits", SOON, async || {
        inspect.show("k").await.unwrap().is_some_and(|held| held.queued == 1)
    })
    .await;
    // The holder has to hear of it.
    sleep(Duration::from_millis(100)).await;

    let _: () = redis::cmd("REPLICAOF").arg("127.0.0.1").arg(1).query_async(&mut console).await.unwrap();
    let before = connections(&mut console.clone()).await;
    drop(guard);
    let opened = async || connections(&mut console.clone()).await > before;
    eventually("the hand-over is tried on another connection", SOON, opened).await;
    let _: () = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut console).await.unwrap();
    timeout(SOON, waiting).await.expect("in time").unwrap().unwrap();
}

/// How many connections the server has taken so far.
async fn connections(console: &mut redis::aio::MultiplexedConnection) -> u64 {
    let stats: redis::InfoDict = redis::cmd("INFO").arg("stats").query_async(console).await.unwrap();
    stats.get("total_connections_received").unwrap()
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_connected_to() {
    let mut redis = RedisServer::private().await;
    redis.pause();
    let outcome = timeout(SOON, LockManager::redis(redis.url())).await.expect("in time");
    assert!(matches!(outcome, Err(ConnectError::Unreachable { .. })), "{outcome:?}");
}
