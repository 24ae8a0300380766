//! Locks on a Redis Cluster, and what happens to them when a primary dies or hands over.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use interlock_tests::{RedisCluster, eventually, unique_name};
use lock_core::{InvalidKey, LockBackend, LockError, LockManager, RedisBackend, RedisConfig};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn config(cluster: &RedisCluster) -> RedisConfig {
    RedisConfig::cluster(cluster.urls())
}

async fn backend() -> Arc<dyn LockBackend> {
    let prefix = format!("{}:", unique_name("lock"));
    let cluster = RedisCluster::shared().await;
    Arc::new(RedisBackend::connect(config(cluster), &prefix).await.expect("the cluster answers"))
}

lock_core::conformance_suite!(backend);

/// A node that is ready to wait for the end of a failover.
async fn patient(cluster: &RedisCluster) -> LockManager {
    LockManager::builder().patience(SOON).redis(config(cluster)).await.unwrap()
}

async fn queue(cluster: &RedisCluster, locks: &LockManager, key: &str) -> JoinHandle<lock_core::LockGuard> {
    let (locks, owned) = (locks.clone(), key.to_owned());
    let waiting =
        tokio::spawn(async move { locks.lock(owned).wait(HOUR).lease(HOUR).acquire().await.unwrap() });
    eventually("it waits", SOON, async || cluster.keys(&format!("{{{key}}}:waiters")).await.len() == 1).await;
    waiting
}

/// Checks that a waiter is told by a message: the lease is so long that nothing is owed to its end.
async fn is_told(cluster: &RedisCluster, one: &LockManager, two: &LockManager, key: &str) {
    let before = one.lock(key).lease(HOUR).wait(SOON).acquire().await.unwrap();
    let waiting = queue(cluster, two, key).await;
    before.release().await.unwrap();
    let after = timeout(SOON, waiting).await.expect("it is told").unwrap();
    after.release().await.unwrap();
}

#[tokio::test]
async fn keys_of_every_node_are_locked_and_nothing_is_left() {
    let cluster = RedisCluster::shared().await;
    let (one, two) = (
        LockManager::redis(config(cluster)).await.unwrap(),
        LockManager::redis(RedisConfig::cluster(cluster.urls().into_iter().take(1))).await.unwrap(),
    );
    let name = unique_name("spread");
    for number in 0..30 {
        let key = format!("{name}:{number}");
        let guard = one.lock(&key).acquire().await.unwrap();
        assert!(two.lock(&key).try_acquire().await.unwrap().is_none());
        guard.release().await.unwrap();
    }
    is_told(cluster, &one, &two, &format!("{name}:told")).await;
    eventually("no key is left but fences", SOON, async || {
        let keys = cluster.keys(&format!("*{name}*")).await;
        keys.iter().all(|key| key.ends_with(":fence"))
    })
    .await;
}

#[tokio::test]
async fn leases_on_all_nodes_are_renewed() {
    let cluster = RedisCluster::shared().await;
    let locks = LockManager::redis(config(cluster)).await.unwrap();
    let name = unique_name("renewed");
    let lease = Duration::from_millis(900);
    let mut guards = Vec::new();
    for number in 0..20 {
        guards.push(locks.lock(format!("{name}:{number}")).lease(lease).acquire().await.unwrap());
    }
    sleep(3 * lease).await;
    assert!(guards.iter().all(lock_core::LockGuard::is_held));
}

#[tokio::test]
async fn several_keys_are_had_together_whichever_node_has_them() {
    let cluster = RedisCluster::shared().await;
    let locks = LockManager::redis(config(cluster)).await.unwrap();
    let name = unique_name("several");
    let apart: Vec<_> = (0..5).map(|number| format!("{name}:{number}")).collect();
    locks.lock_all(&apart).acquire().await.unwrap().release().await.unwrap();
    let together: Vec<_> = (0..5).map(|number| format!("{{{name}}}:{number}")).collect();
    locks.lock_all(&together).acquire().await.unwrap().release().await.unwrap();
}

#[tokio::test]
async fn keys_whose_parts_would_be_on_different_nodes_are_refused() {
    let cluster = RedisCluster::shared().await;
    let locks = LockManager::redis(config(cluster)).await.unwrap();
    for bad in ["odd{}", "a}b"] {
        let outcome = locks.lock(bad).acquire().await;
        assert!(matches!(outcome, Err(LockError::InvalidKey(InvalidKey::HashTag))), "{outcome:?}");
    }
    locks.lock("{user}:1").acquire().await.unwrap().release().await.unwrap();
}

#[tokio::test]
async fn an_idle_key_is_let_go_when_another_node_wants_it() {
    let cluster = RedisCluster::shared().await;
    let (one, two) = (
        LockManager::redis(config(cluster)).await.unwrap(),
        LockManager::redis(config(cluster)).await.unwrap(),
    );
    let key = unique_name("retained");
    // Nobody has ever waited in this slot: the first word of a wish goes another way.
    let guard = one.lock(&key).retain(HOUR).lease(HOUR).acquire().await.unwrap();
    guard.release().await.unwrap();
    let guard = timeout(SOON, two.lock(&key).wait(HOUR).acquire()).await.expect("it is let go").unwrap();
    guard.release().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unprotected_counter_loses_no_update_under_the_lock() {
    let cluster = RedisCluster::shared().await;
    let nodes = [
        LockManager::redis(config(cluster)).await.unwrap(),
        LockManager::redis(config(cluster)).await.unwrap(),
    ];
    let key = unique_name("counter");
    let counter = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let tokens = Arc::new(std::sync::Mutex::new(HashSet::new()));
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let (locks, key) = (nodes[number % 2].clone(), key.clone());
            let (counter, tokens) = (counter.clone(), tokens.clone());
            tokio::spawn(async move {
                for _ in 0..25 {
                    let guard = locks.lock(&key).wait(SOON).acquire().await.unwrap();
                    // Read, give others a chance, write: an update is lost as soon as two run at once.
                    let read = counter.load(std::sync::atomic::Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    assert!(tokens.lock().unwrap().insert(guard.token().get()));
                    counter.store(read + 1, std::sync::atomic::Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(counter.load(std::sync::atomic::Ordering::Relaxed), 200);
}

/// A key of another primary than that of `key`.
async fn elsewhere(cluster: &mut RedisCluster, key: &str) -> String {
    let port = cluster.primary_of(key).await.port();
    for number in 0.. {
        let other = format!("other:{number}");
        if cluster.primary_of(&other).await.port() != port {
            return other;
        }
    }
    unreachable!()
}

#[tokio::test]
async fn a_killed_primary_is_followed_by_its_replica_and_nobody_is_forgotten() {
    let mut cluster = RedisCluster::private().await;
    let (one, two) = (patient(&cluster).await, patient(&cluster).await);
    let other = elsewhere(&mut cluster, "k").await;
    let lease = Duration::from_secs(3);
    let unconcerned = one.lock(&other).lease(lease).acquire().await.unwrap();
    let before = one.lock("k").lease(lease).acquire().await.unwrap();
    let token = before.token();
    let waiting = queue(&cluster, &two, "k").await;

    cluster.primary_of("k").await.kill();
    let killed = Instant::now();
    let _ = before.release().await;
    let after = timeout(SOON, waiting).await.expect("nobody is forgotten").unwrap();
    assert!(after.token() > token, "tokens grow over a failover");
    after.release().await.unwrap();

    // Longer than its lease: it was renewed while its neighbour was dead.
    tokio::time::sleep_until(killed + 2 * lease).await;
    assert!(unconcerned.is_held(), "a dead node costs no locks on another");
    unconcerned.release().await.unwrap();
    is_told(&cluster, &one, &two, "k").await;
}

#[tokio::test]
async fn a_primary_that_is_well_is_left_when_it_hands_over() {
    let mut cluster = RedisCluster::private().await;
    let (one, two) = (patient(&cluster).await, patient(&cluster).await);
    let before = one.lock("k").lease(HOUR).acquire().await.unwrap();
    let waiting = queue(&cluster, &two, "k").await;

    cluster.fail_over("k").await;

    // Nothing is lost this way, so the guard lives on.
    before.release().await.unwrap();
    timeout(SOON, waiting).await.expect("nobody is forgotten").unwrap().release().await.unwrap();
    is_told(&cluster, &one, &two, "k").await;
}
