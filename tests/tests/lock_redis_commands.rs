//! What locks ask of Redis: how many commands, how many channels, and for how long a grant is made.

#![allow(clippy::unwrap_used)]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use interlock_tests::{RedisServer, eventually};
use lock_core::{LockGuard, LockManager};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_secs(30);

/// How many scripts the server has run.
async fn scripts(connection: &mut MultiplexedConnection) -> u64 {
    let stats: String = redis::cmd("INFO").arg("commandstats").query_async(connection).await.unwrap();
    let calls = |line: &str| line.split_once("calls=")?.1.split_once(',')?.0.parse::<u64>().ok();
    stats.lines().filter(|line| line.starts_with("cmdstat_eval")).filter_map(calls).sum()
}

#[tokio::test]
async fn a_free_key_costs_a_command_and_its_release_another() {
    let redis = RedisServer::private().await;
    let mut connection = redis.connection().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    // The scripts are known to the server from here on.
    locks.lock("k").acquire().await.unwrap().release().await.unwrap();
    let before = scripts(&mut connection).await;
    for _ in 0..10 {
        locks.lock("k").acquire().await.unwrap().release().await.unwrap();
    }
    assert_eq!(scripts(&mut connection).await - before, 20);
}

#[tokio::test]
async fn tasks_of_a_process_hand_a_key_over_without_redis() {
    const TURNS: usize = 200;
    let redis = RedisServer::private().await;
    let mut connection = redis.connection().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    let held = locks.lock("k").lease(LEASE).acquire().await.unwrap();
    let before = scripts(&mut connection).await;
    let mut tasks = JoinSet::new();
    for _ in 0..TURNS {
        let locks = locks.clone();
        tasks.spawn(async move { drop(locks.lock("k").lease(LEASE).wait(LEASE).acquire().await.unwrap()) });
    }
    drop(held);
    assert_eq!(tasks.join_all().await.len(), TURNS);
    let commands = scripts(&mut connection).await - before;
    // For fresh tokens now and then, for a renewal, and for the release.
    assert!(commands * 10 < TURNS as u64, "{commands} commands for {TURNS} turns");
}

#[tokio::test]
async fn leases_of_many_keys_are_renewed_together() {
    const KEYS: usize = 100;
    let redis = RedisServer::private().await;
    let mut connection = redis.connection().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    let lease = Duration::from_secs(3);
    let mut guards: Vec<LockGuard> = Vec::new();
    for key in 0..KEYS {
        guards.push(locks.lock(format!("k:{key}")).lease(lease).acquire().await.unwrap());
    }
    let before = scripts(&mut connection).await;
    tokio::time::sleep(lease + lease / 2).await;
    assert!(guards.iter().all(LockGuard::is_held), "each was renewed, more than once");
    let commands = scripts(&mut connection).await - before;
    assert!(commands < KEYS as u64, "{commands} commands for {KEYS} keys");
}

#[tokio::test]
async fn a_node_listens_on_one_channel_whatever_it_locks() {
    let redis = RedisServer::private().await;
    let mut connection = redis.connection().await;
    let nodes =
        [LockManager::redis(redis.url()).await.unwrap(), LockManager::redis(redis.url()).await.unwrap()];
    let mut guards = Vec::new();
    for key in 0..20 {
        guards.push(nodes[key % 2].lock(format!("k:{key}")).acquire().await.unwrap());
    }
    let channels: Vec<String> =
        redis::cmd("PUBSUB").arg("CHANNELS").query_async(&mut connection).await.unwrap();
    assert_eq!(channels.len(), nodes.len(), "{channels:?}");
}

/// A node that waits for the key, stands still once it queues, and goes on when told.
fn frozen_waiter(url: &str, queued: &Receiver<()>, frozen: &Sender<()>, go_on: &Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let locks = LockManager::redis(url).await.unwrap();
        let mut acquired = Box::pin(locks.lock("k").lease(LEASE).wait(LEASE).acquire());
        while queued.try_recv().is_err() {
            assert!(timeout(Duration::from_millis(5), &mut acquired).await.is_err(), "the key is busy");
        }
        frozen.send(()).unwrap();
        go_on.recv().unwrap();
        let guard = acquired.await.unwrap();
        guard.lost().await;
    });
}

#[tokio::test]
async fn a_direct_grant_is_short_until_it_is_renewed() {
    let redis = RedisServer::private().await;
    let mut connection = redis.connection().await;
    let here = LockManager::redis(redis.url()).await.unwrap();
    let held = here.lock("k").lease(LEASE).acquire().await.unwrap();
    let (queued, is_queued) = channel();
    let (frozen, is_frozen) = channel();
    let (go_on, goes_on) = channel();
    let url = redis.url().to_owned();
    thread::spawn(move || frozen_waiter(&url, &is_queued, &frozen, &goes_on));
    eventually("it queues", SOON, async || connection.zcard::<_, u64>("{k}:waiters").await.unwrap() == 1)
        .await;
    queued.send(()).unwrap();
    is_frozen.recv().unwrap();

    held.release().await.unwrap();

    // The release has made the other one the owner, or would have deleted the key.
    let left: i64 = connection.pttl("k").await.unwrap();
    assert!(left <= 2000, "{left} ms for a node that may be frozen");
    go_on.send(()).unwrap();
    eventually("the lease is as long as was asked for", SOON, async || {
        connection.pttl::<_, i64>("k").await.unwrap() > 2000
    })
    .await;
}
