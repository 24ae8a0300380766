//! What locks show and keep in Redis, and what several nodes see of each other.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use interlock_tests::{RedisServer, eventually, unique_name};
use lock_core::{LockError, LockManager, Ticket};
use redis::AsyncCommands;
use tokio::time::{Instant, sleep, timeout};

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(20);

async fn node() -> (&'static RedisServer, String, LockManager) {
    let redis = RedisServer::shared().await;
    (redis, unique_name("locks"), LockManager::redis(redis.url()).await.unwrap())
}

async fn nothing_is_left(redis: &RedisServer, key: &str) {
    eventually("no key is left", SOON, async || redis.lock_keys(key).await.is_empty()).await;
}

#[tokio::test]
async fn the_owner_key_shows_a_ticket_and_never_outlasts_the_lease() {
    let (redis, key, locks) = node().await;
    let mut connection = redis.connection().await;
    let lease = Duration::from_millis(600);
    let guard = locks.lock(key.as_str()).lease(lease).acquire().await.unwrap();

    let end = Instant::now() + 3 * lease;
    while Instant::now() < end {
        let owner: String = connection.get(&key).await.unwrap();
        owner.parse::<Ticket>().unwrap();
        let left: i64 = connection.pttl(&key).await.unwrap();
        assert!((1..=600).contains(&left), "{left} ms left of a lease of {lease:?}");
        sleep(Duration::from_millis(10)).await;
    }
    assert!(guard.is_held(), "renewed past its first lease");
    guard.release().await.unwrap();

    let fence = format!("{{{key}}}:fence");
    assert_eq!(redis.keys(&format!("*{key}*")).await, [fence.as_str()]);
    let day = 24 * 60 * 60;
    let left: i64 = connection.ttl(&fence).await.unwrap();
    assert!((1..=day + 60).contains(&left), "the fence is kept for {left} s");
}

#[tokio::test]
async fn a_key_that_is_owned_in_redis_is_not_had_by_another_node() {
    let (redis, key, locks) = node().await;
    let other = LockManager::redis(redis.url()).await.unwrap();
    let guard = locks.lock(key.as_str()).acquire().await.unwrap();

    assert!(other.lock(key.as_str()).try_acquire().await.unwrap().is_none());
    let refused = other.lock(key.as_str()).wait(Duration::from_millis(50)).acquire().await;
    assert!(matches!(refused, Err(LockError::Timeout { .. })), "{refused:?}");

    drop(guard);
    let guard = timeout(SOON, other.lock(key.as_str()).acquire()).await.unwrap().unwrap();
    guard.release().await.unwrap();
    nothing_is_left(redis, &key).await;
}

#[tokio::test]
async fn a_cancelled_waiter_leaves_no_place_in_the_queue() {
    let (redis, key, locks) = node().await;
    let other = LockManager::redis(redis.url()).await.unwrap();
    let guard = locks.lock(key.as_str()).acquire().await.unwrap();
    let waiters = format!("{{{key}}}:waiters");
    let mut connection = redis.connection().await;
    let mut waiting = Box::pin(other.lock(key.as_str()).acquire());
    eventually("it waits", SOON, async || {
        let _ = timeout(Duration::from_millis(5), &mut waiting).await;
        connection.zcard::<_, u64>(&waiters).await.unwrap() == 1
    })
    .await;

    drop(waiting);

    let gone = async || connection.zcard::<_, u64>(&waiters).await.unwrap() == 0;
    eventually("its place is gone", SOON, gone).await;
    guard.release().await.unwrap();
    nothing_is_left(redis, &key).await;
}

#[tokio::test]
async fn several_keys_are_had_together_or_not_at_all() {
    let (redis, key, locks) = node().await;
    let other = LockManager::redis(redis.url()).await.unwrap();
    let keys = ["a", "b", "c"].map(|end| format!("{key}:{end}"));
    let middle = other.lock(keys[1].as_str()).acquire().await.unwrap();
    let all = locks.lock_all(keys.iter().map(String::as_str));
    assert!(all.try_acquire().await.unwrap().is_none());
    assert!(other.lock(keys[0].as_str()).try_acquire().await.unwrap().is_some());

    middle.release().await.unwrap();
    let all = locks.lock_all(keys.iter().map(String::as_str)).acquire().await.unwrap();
    assert!(other.lock(keys[2].as_str()).try_acquire().await.unwrap().is_none());
    all.release().await.unwrap();
    nothing_is_left(redis, &key).await;
}

#[tokio::test]
async fn keys_that_differ_by_braces_have_queues_of_their_own() {
    let (redis, plain, locks) = node().await;
    let (_, _, other) = node().await;
    let connection = redis.connection().await;
    let tagged = format!("{{{plain}}}");
    let first = locks.lock(plain.as_str()).acquire().await.unwrap();
    let second = locks.lock(tagged.as_str()).acquire().await.unwrap();
    let waiting = tokio::spawn({
        let tagged = tagged.clone();
        async move { other.lock(tagged).wait(SOON).acquire().await.unwrap() }
    });
    let waiters = format!("{tagged}::waiters");
    let queued = async || connection.clone().zcard::<_, u64>(&waiters).await.unwrap() == 1;
    eventually("it queues", SOON, queued).await;
    first.release().await.unwrap();
    assert!(queued().await, "it still queues");
    second.release().await.unwrap();
    // Far before it would ask again by itself, when the lease of half a minute is over.
    drop(timeout(SOON, waiting).await.expect("it is told").unwrap());
    nothing_is_left(redis, &plain).await;
}

#[tokio::test]
async fn whoever_queued_before_the_clock_was_set_back_comes_first() {
    let (redis, key, giver) = node().await;
    let (first, second) = (node().await.2, node().await.2);
    let connection = redis.connection().await;
    let waiters = format!("{{{key}}}:waiters");
    let guard = giver.lock(key.as_str()).acquire().await.unwrap();
    let mut queued = Vec::new();
    for (number, node) in [first, second].into_iter().enumerate() {
        let key = key.clone();
        queued.push(tokio::spawn(async move {
            let guard = node.lock(key).wait(SOON).acquire().await.unwrap();
            (guard.token(), guard.release().await)
        }));
        let mut connection = connection.clone();
        let waiters = waiters.as_str();
        let is_queued = async || connection.clone().zcard::<_, usize>(waiters).await.unwrap() == number + 1;
        eventually("it queues", SOON, is_queued).await;
        if number == 0 {
            // As if it had queued when the clock was an hour ahead.
            let [member]: [String; 1] = connection.zrange(waiters, 0, -1).await.unwrap();
            let _: f64 = connection.zincr(waiters, member, 3_600_000_000_u64).await.unwrap();
        }
    }
    // Given back and asked for again in one step.
    drop(guard);
    let last = giver.lock(key.as_str()).wait(SOON).acquire().await.unwrap();
    let mut tokens = Vec::new();
    for queued in queued {
        tokens.push(queued.await.unwrap().0);
    }
    tokens.push(last.token());
    assert!(tokens.is_sorted(), "they had their turns in another order: {tokens:?}");
    drop(last);
    nothing_is_left(redis, &key).await;
}

#[tokio::test]
async fn a_shut_down_node_leaves_nothing() {
    let (redis, key, locks) = node().await;
    let hour = Duration::from_secs(3600);
    locks.lock(key.as_str()).retain(hour).lease(hour).acquire().await.unwrap().release().await.unwrap();
    assert_eq!(redis.lock_keys(&key).await, [key.as_str()], "kept for the next turn");
    locks.shutdown().await;
    nothing_is_left(redis, &key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unprotected_counter_loses_no_update_under_the_lock() {
    let (redis, key, locks) = node().await;
    let other = LockManager::redis(redis.url()).await.unwrap();
    let counter = Arc::new(AtomicU64::new(0));
    let tokens = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let locks = if number % 2 == 0 { locks.clone() } else { other.clone() };
            let (key, counter, tokens) = (key.clone(), counter.clone(), tokens.clone());
            tokio::spawn(async move {
                for _ in 0..50 {
                    let guard = locks.lock(key.as_str()).wait(SOON).acquire().await.unwrap();
                    // Read, give others a chance, write: an update is lost as soon as two run at once.
                    let read = counter.load(Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    tokens.lock().unwrap().push(guard.token());
                    counter.store(read + 1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(counter.load(Ordering::Relaxed), 16 * 50);
    assert!(tokens.lock().unwrap().is_sorted_by(|one, next| one < next), "tokens grow from turn to turn");
    nothing_is_left(redis, &key).await;
}
