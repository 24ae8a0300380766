//! A manager that several runtimes use, of which the first one ends.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::time::Duration;

use interlock_tests::{RedisServer, eventually};
use lock_core::{LockGuard, LockManager};
use tokio::runtime::{Builder, Runtime};

const KEY: &str = "k";
const LEASE: Duration = Duration::from_secs(6);
/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(30);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Waits until the lease of the key lasts longer than that of its grant.
async fn renewed(locks: &LockManager, guard: &LockGuard) {
    let granted = std::time::Instant::now();
    eventually("the lease is renewed", SOON, async || {
        let held = match locks.inspect().show(KEY).await {
            Ok(held) => held.expect("somebody owns the key"),
            // The connections went with the runtime that ended; others are made.
            Err(_) => return false,
        };
        held.remaining + granted.elapsed() > LEASE + LEASE / 10
    })
    .await;
    assert!(guard.is_held());
}

/// The first use of the manager is on one runtime, and a key is held on another when that one ends.
fn goes_on_without_the_first(first: Runtime, locks: &LockManager) {
    let second = runtime();
    first.block_on(async { drop(locks.lock("another").acquire().await.unwrap()) });
    let guard = second.block_on(async { locks.lock(KEY).lease(LEASE).acquire().await.unwrap() });
    drop(first);
    second.block_on(async {
        renewed(locks, &guard).await;
        guard.release().await.unwrap();
        assert!(locks.inspect().show(KEY).await.unwrap().is_none());
    });
}

#[test]
fn leases_are_renewed_when_the_first_runtime_has_ended() {
    goes_on_without_the_first(runtime(), &LockManager::in_process());
}

#[test]
fn leases_on_redis_are_renewed_when_the_first_runtime_has_ended() {
    let servers = runtime();
    let redis = servers.block_on(RedisServer::private());
    let first = runtime();
    let locks = first.block_on(LockManager::redis(redis.url())).unwrap();
    goes_on_without_the_first(first, &locks);
}

/// A guard needs no task that holds it.
#[test]
fn leases_are_renewed_when_every_runtime_has_ended() {
    let locks = LockManager::in_process();
    let first = runtime();
    let guard = first.block_on(async { locks.lock(KEY).lease(LEASE).acquire().await.unwrap() });
    drop(first);
    // Only looks.
    runtime().block_on(renewed(&locks, &guard));
    drop(guard);
    runtime().block_on(async { assert!(locks.inspect().show(KEY).await.unwrap().is_none()) });
}

#[test]
fn a_caller_who_waits_on_redis_is_served_when_the_first_runtime_has_ended() {
    let (others, first, second) = (runtime(), runtime(), runtime());
    let redis = others.block_on(RedisServer::private());
    let other = others.block_on(LockManager::redis(redis.url())).unwrap();
    // Nobody waits for the end of this lease.
    let held = others.block_on(other.lock(KEY).lease(10 * SOON).acquire()).unwrap();
    let locks = first.block_on(LockManager::redis(redis.url())).unwrap();
    first.block_on(async { drop(locks.lock("another").acquire().await.unwrap()) });
    let waiting = second.spawn(async move { locks.lock(KEY).wait(2 * SOON).acquire().await.map(drop) });
    others.block_on(eventually("somebody queues", SOON, async || {
        other.inspect().show(KEY).await.unwrap().unwrap().queued == 1
    }));
    drop(first);
    others.block_on(held.release()).unwrap();
    second.block_on(waiting).unwrap().unwrap();
}
