//! A Redis that refuses a command for a while, or for one key, harms nobody else.
#![allow(clippy::expect_used, reason = "helpers of tests may fail as loudly as tests")]

use std::time::Duration;

use interlock_tests::{RedisServer, eventually, unique_name};
use lock_core::LockManager;
use redis::aio::MultiplexedConnection;

async fn send<T: redis::FromRedisValue>(connection: &mut MultiplexedConnection, words: &[&str]) -> T {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(connection).await.expect("Redis obeys")
}

#[tokio::test]
async fn a_key_of_another_type_is_lost_alone() {
    let redis = RedisServer::shared().await;
    let prefix = unique_name("refusals");
    let locks = LockManager::builder().prefix(&prefix).redis(redis.url()).await.unwrap();
    let lease = Duration::from_secs(1);
    let a = locks.lock("a").lease(lease).acquire().await.unwrap();
    let b = locks.lock("b").lease(lease).acquire().await.unwrap();
    let mut connection = redis.connection().await;
    let key = format!("{prefix}a");
    let _: i64 = send(&mut connection, &["DEL", &key]).await;
    let _: i64 = send(&mut connection, &["HSET", &key, "field", "value"]).await;
    a.lost().await;
    tokio::time::sleep(2 * lease).await;
    assert!(b.is_held(), "b was renewed all the while");
    let _: i64 = send(&mut connection, &["DEL", &key]).await;
}

#[tokio::test]
async fn a_value_of_somebody_else_is_not_taken_for_free() {
    let redis = RedisServer::shared().await;
    let prefix = unique_name("refusals");
    let locks = LockManager::builder().prefix(&prefix).redis(redis.url()).await.unwrap();
    let mut connection = redis.connection().await;
    for value in ["theirs", ""] {
        let key = format!("{prefix}k");
        let _: String = send(&mut connection, &["SET", &key, value]).await;
        assert!(locks.lock("k").try_acquire().await.unwrap().is_none(), "{value:?}");
        let left: Option<String> = send(&mut connection, &["GET", &key]).await;
        assert_eq!(left.as_deref(), Some(value));
        let _: i64 = send(&mut connection, &["DEL", &key]).await;
    }
}

#[tokio::test]
async fn an_acquire_that_fails_half_way_leaves_the_key_free() {
    let redis = RedisServer::shared().await;
    let prefix = unique_name("refusals");
    let locks = LockManager::builder().prefix(&prefix).redis(redis.url()).await.unwrap();
    let mut connection = redis.connection().await;
    let fence = format!("{{{prefix}k}}:fence");
    let _: i64 = send(&mut connection, &["HSET", &fence, "field", "value"]).await;
    assert!(locks.lock("k").acquire().await.is_err());
    let owner = format!("{prefix}k");
    let mut owned: Option<String> = Some(String::new());
    for _ in 0..100 {
        owned = send(&mut connection, &["GET", &owner]).await;
        if owned.is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(owned, None);
    let _: i64 = send(&mut connection, &["DEL", &fence]).await;
}

#[tokio::test]
async fn a_release_that_is_refused_for_a_while_is_repeated() {
    let redis = RedisServer::private().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    let mut connection = redis.connection().await;
    let guard = locks.lock("k").acquire().await.unwrap();
    let _: String = send(&mut connection, &["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    assert!(guard.release().await.is_err(), "the server refuses every write");
    let _: String = send(&mut connection, &["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
    eventually("the key is free", Duration::from_secs(10), async || {
        locks.lock("k").try_acquire().await.unwrap().is_some()
    })
    .await;
}

#[test]
fn a_guard_may_be_dropped_after_its_runtime() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let first = runtime();
    let guard = first.block_on(async {
        let redis = RedisServer::shared().await;
        let prefix = unique_name("refusals");
        let locks = LockManager::builder().prefix(&prefix).redis(redis.url()).await.unwrap();
        locks.lock("k").acquire().await.unwrap()
    });
    first.shutdown_timeout(Duration::from_secs(1));
    drop(guard);
}
