//! Several keys at once on a real Redis.

#![allow(clippy::expect_used)]

use std::time::Duration;

use interlock_tests::{RedisServer, unique_name};
use lock_core::{LockError, LockManager};

async fn manager(prefix: &str) -> LockManager {
    let redis = RedisServer::shared().await;
    LockManager::builder().prefix(prefix).redis(redis.url()).await.expect("Redis answers")
}

#[tokio::test]
async fn free_keys_are_taken_in_one_step_with_one_token() {
    let locks = manager(&unique_name("all")).await;
    let all = locks.lock_all(["c", "a", "b", "a"]).acquire().await.unwrap();
    assert_eq!(all.keys().count(), 3);
    for key in ["a", "b", "c"] {
        assert_eq!(all.token_of(key), Some(all.token()), "one step gives the same token to every key");
        assert!(locks.lock(key).try_acquire().await.unwrap().is_none());
    }
    let before = all.token();
    all.release().await.unwrap();
    for key in ["a", "b", "c"] {
        assert!(locks.lock(key).try_acquire().await.unwrap().unwrap().token() > before);
    }
}

#[tokio::test]
async fn one_busy_key_leaves_the_others_alone() {
    let prefix = unique_name("all");
    let (ours, theirs) = (manager(&prefix).await, manager(&prefix).await);
    let held = theirs.lock("b").acquire().await.unwrap();
    assert!(ours.lock_all(["a", "b", "c"]).try_acquire().await.unwrap().is_none());
    for key in ["a", "c"] {
        theirs.lock(key).try_acquire().await.unwrap().unwrap().release().await.unwrap();
    }
    let error = ours.lock_all(["a", "b", "c"]).wait(Duration::from_millis(200)).acquire().await.unwrap_err();
    assert!(matches!(error, LockError::Timeout { .. }), "{error}");
    for key in ["a", "c"] {
        theirs.lock(key).acquire().await.unwrap().release().await.unwrap();
    }
    held.release().await.unwrap();
    ours.lock_all(["a", "b", "c"]).acquire().await.unwrap().release().await.unwrap();
}

#[tokio::test]
async fn two_processes_that_take_many_keys_in_any_order_all_get_them() {
    let prefix = unique_name("all");
    let managers = [manager(&prefix).await, manager(&prefix).await];
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let locks = managers[n % 2].clone();
            tokio::spawn(async move {
                let mut keys = ["a", "b", "c", "d"];
                keys.rotate_left(n % 4);
                let all = locks.lock_all(&keys[..3]).acquire().await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
                all.release().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
