//! Locks over connections that are cut, fall silent or lose a reply.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use interlock_tests::{Proxy, RedisServer, eventually, unique_name};
use lock_core::{LockGuard, LockManager, ReleaseError};
use redis::AsyncCommands;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(20);
/// So long that nothing in these tests can be owed to its end.
const LEASE: Duration = Duration::from_secs(120);

/// Checks the outcome of a release over a connection that broke. Redis may not have confirmed it, but a lock that was
/// held until then was not lost.
fn was_held(outcome: &Result<(), ReleaseError>) {
    assert!(!matches!(outcome, Err(ReleaseError::Lost { .. })), "{outcome:?}");
}

/// One key of the shared Redis, a node that reaches it through a proxy and one that does not.
struct Scene {
    redis: &'static RedisServer,
    key: String,
    proxy: Proxy,
    proxied: LockManager,
    direct: LockManager,
}

impl Scene {
    async fn new() -> Scene {
        let redis = RedisServer::shared().await;
        let proxy = Proxy::to(&redis.address());
        let proxied = LockManager::redis(&format!("redis://{}", proxy.address())).await.unwrap();
        let direct = LockManager::redis(redis.url()).await.unwrap();
        Scene { redis, key: unique_name("connections"), proxy, proxied, direct }
    }

    async fn take(&self, locks: &LockManager) -> LockGuard {
        timeout(SOON, locks.lock(self.key.as_str()).lease(LEASE).acquire()).await.expect("in time").unwrap()
    }

    /// Queues for the lock; returns once Redis knows.
    async fn queue(&self, locks: &LockManager) -> JoinHandle<LockGuard> {
        let (locks, key) = (locks.clone(), self.key.clone());
        let waiting =
            tokio::spawn(async move { locks.lock(key).lease(LEASE).wait(LEASE).acquire().await.unwrap() });
        eventually("it waits", SOON, async || self.waiters().await == 1).await;
        waiting
    }

    async fn waiters(&self) -> u64 {
        self.redis.connection().await.zcard(format!("{{{}}}:waiters", self.key)).await.unwrap()
    }

    async fn owner(&self) -> Option<String> {
        self.redis.connection().await.get(&self.key).await.unwrap()
    }

    async fn nothing_is_left(&self) {
        let empty = async || self.redis.lock_keys(&self.key).await.is_empty();
        eventually("no key is left", SOON, empty).await;
    }
}

#[tokio::test]
async fn the_reply_to_an_acquire_is_lost() {
    let scene = Scene::new().await;
    scene.proxy.drop_reply_to(scene.key.as_str(), 1);

    let guard = scene.take(&scene.proxied).await;

    assert_eq!(scene.proxy.struck(), 1);
    assert!(scene.owner().await.is_some());
    assert!(scene.direct.lock(scene.key.as_str()).try_acquire().await.unwrap().is_none(), "it is held");
    guard.release().await.unwrap();
    assert_eq!(scene.owner().await, None, "one release is enough");
    scene.nothing_is_left().await;
}

#[tokio::test]
async fn the_reply_to_a_queueing_acquire_is_lost() {
    let scene = Scene::new().await;
    let holder = scene.take(&scene.direct).await;
    scene.proxy.drop_reply_to(scene.key.as_str(), 1);

    let waiting = scene.queue(&scene.proxied).await;

    eventually("the reply is lost", SOON, async || scene.proxy.struck() == 1).await;
    // Time for the command to be repeated.
    sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.waiters().await, 1, "it queues once");
    holder.release().await.unwrap();
    let guard = timeout(SOON, waiting).await.expect("the waiter is not forgotten").unwrap();
    guard.release().await.unwrap();
    scene.nothing_is_left().await;
}

#[tokio::test]
async fn the_reply_to_a_release_is_lost() {
    let scene = Scene::new().await;
    let guard = scene.take(&scene.proxied).await;
    let waiting = scene.queue(&scene.direct).await;
    scene.proxy.drop_reply_to(scene.key.as_str(), 1);

    was_held(&timeout(SOON, guard.release()).await.expect("answered in time"));

    assert_eq!(scene.proxy.struck(), 1);
    let next = timeout(SOON, waiting).await.expect("the waiter is not forgotten").unwrap();
    let owner = scene.owner().await;
    sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.owner().await, owner, "a repeated release frees nobody else's lock");
    assert!(next.is_held());
    next.release().await.unwrap();
    scene.nothing_is_left().await;
}

#[tokio::test]
async fn cut_while_waiting() {
    let scene = Scene::new().await;
    let holder = scene.take(&scene.direct).await;
    let waiting = scene.queue(&scene.proxied).await;

    scene.proxy.cut();
    holder.release().await.unwrap();

    let guard = timeout(SOON, waiting).await.expect("the waiter is not forgotten").unwrap();
    guard.release().await.unwrap();
    scene.nothing_is_left().await;
}

#[tokio::test]
async fn cut_while_held() {
    let scene = Scene::new().await;
    let guard = scene.take(&scene.proxied).await;
    let waiting = scene.queue(&scene.direct).await;

    scene.proxy.cut();
    was_held(&guard.release().await);

    timeout(SOON, waiting).await.expect("the release arrives").unwrap().release().await.unwrap();
    scene.nothing_is_left().await;
}

#[tokio::test]
async fn cut_off_for_a_while_while_waiting() {
    let scene = Scene::new().await;
    let holder = scene.take(&scene.direct).await;
    let waiting = scene.queue(&scene.proxied).await;

    scene.proxy.refuse();
    scene.proxy.cut();
    holder.release().await.unwrap();
    sleep(Duration::from_millis(300)).await;
    scene.proxy.accept();

    let guard = timeout(SOON, waiting).await.expect("the waiter is not forgotten").unwrap();
    guard.release().await.unwrap();
    scene.nothing_is_left().await;
}

#[tokio::test]
async fn half_open_past_the_lease() {
    let scene = Scene::new().await;
    let lease = Duration::from_millis(600);
    let guard = scene.proxied.lock(scene.key.as_str()).lease(lease).acquire().await.unwrap();

    scene.proxy.freeze();
    timeout(SOON, guard.lost()).await.expect("the holder finds out without a word from Redis");
    let next = scene.take(&scene.direct).await;
    assert!(next.token() > guard.token());
    scene.proxy.thaw();

    drop(guard);
    sleep(lease).await;
    assert!(next.is_held());
    assert!(scene.owner().await.is_some(), "what arrives late frees nobody else's lock");
    next.release().await.unwrap();
    scene.nothing_is_left().await;
}

/// Closes all connections of one kind (`normal` or `pubsub`) on the server's side.
async fn kill_connections(redis: &RedisServer, kind: &str) {
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("TYPE").arg(kind).arg("SKIPME").arg("yes");
    let killed: u64 = kill.query_async(&mut redis.connection().await).await.unwrap();
    assert!(killed > 0, "there was a {kind} connection to kill");
}

/// How many nodes listen for their grants.
async fn listeners(redis: &RedisServer) -> usize {
    let mut channels = redis::cmd("PUBSUB");
    channels.arg("CHANNELS");
    let channels: Vec<String> = channels.query_async(&mut redis.connection().await).await.unwrap();
    channels.len()
}

async fn killed_by_the_server_while_waiting(kind: &str) {
    let redis = RedisServer::private().await;
    let holder = LockManager::redis(redis.url()).await.unwrap();
    let waiter = LockManager::redis(redis.url()).await.unwrap();
    let guard = holder.lock("k").lease(LEASE).acquire().await.unwrap();
    let locks = waiter.clone();
    let waiting = tokio::spawn(async move { locks.lock("k").lease(LEASE).wait(LEASE).acquire().await });
    eventually("it waits", SOON, async || !redis.keys("*:waiters").await.is_empty()).await;

    kill_connections(&redis, kind).await;
    was_held(&guard.release().await);

    let guard = timeout(SOON, waiting).await.expect("the waiter is not forgotten").unwrap().unwrap();
    was_held(&guard.release().await);
    eventually("both listen again", SOON, async || listeners(&redis).await == 2).await;
    eventually("no key is left", SOON, async || redis.lock_keys("").await.is_empty()).await;
}

#[tokio::test]
async fn commands_killed_by_the_server_while_waiting() {
    killed_by_the_server_while_waiting("normal").await;
}

#[tokio::test]
async fn the_subscription_killed_by_the_server_while_waiting() {
    killed_by_the_server_while_waiting("pubsub").await;
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// As a thread does that locks now and then and is without a runtime otherwise.
#[test]
fn first_used_on_a_runtime_that_stands_still_afterwards() {
    let (other, here) = (runtime(), runtime());
    let scene = here.block_on(Scene::new());

    // The connections need their own runtime, so it has to be driven meanwhile.
    let (locks, key) = (scene.direct.clone(), scene.key.clone());
    let first = std::thread::spawn(move || {
        let turn = async { locks.lock(key).acquire().await.unwrap().release().await.unwrap() };
        other.block_on(turn);
        other
    });
    here.block_on(eventually("it was used", SOON, async || first.is_finished()));
    let _other = first.join().unwrap();

    drop(here.block_on(scene.take(&scene.direct)));
    here.block_on(scene.nothing_is_left());
}

#[test]
fn used_when_the_runtime_that_it_connected_on_is_gone() {
    let scene = runtime().block_on(Scene::new());

    let here = runtime();
    drop(here.block_on(scene.take(&scene.direct)));
    here.block_on(scene.nothing_is_left());
}

#[test]
fn renewed_and_told_when_the_runtime_that_it_connected_on_is_gone() {
    let scene = runtime().block_on(Scene::new());

    let here = runtime();
    here.block_on(async {
        let lease = Duration::from_millis(600);
        let guard = scene.direct.lock(scene.key.as_str()).lease(lease).acquire().await.unwrap();
        sleep(2 * lease).await;
        assert!(guard.is_held(), "it was not renewed");
        guard.extend(LEASE).await.unwrap();
        let other = LockManager::redis(scene.redis.url()).await.unwrap();
        guard.release().await.unwrap();

        let guard = scene.take(&other).await;
        let waiting = scene.queue(&scene.direct).await;
        // Whoever has to ask again does so when the lease is over, which is a long time.
        guard.release().await.unwrap();
        drop(timeout(SOON, waiting).await.expect("the waiter is told").unwrap());
        scene.nothing_is_left().await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unprotected_counter_loses_no_update_while_connections_are_cut() {
    let scene = Scene::new().await;
    let counter = Arc::new(AtomicU64::new(0));
    let counted = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let locks = if number % 2 == 0 { scene.proxied.clone() } else { scene.direct.clone() };
            let (key, counter, counted) = (scene.key.clone(), counter.clone(), counted.clone());
            let done = done.clone();
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let Ok(guard) = locks.lock(key.as_str()).lease(LEASE).acquire().await else {
                        continue;
                    };
                    // Read, give others a chance, write: an update is lost as soon as two run at once.
                    let read = counter.load(Ordering::Relaxed);
                    sleep(Duration::from_micros(200)).await;
                    counter.store(read + 1, Ordering::Relaxed);
                    counted.fetch_add(1, Ordering::Relaxed);
                    drop(guard);
                }
            })
        })
        .collect();

    for round in 0..40 {
        sleep(Duration::from_millis(25)).await;
        match round % 2 {
            0 => scene.proxy.cut(),
            _ => scene.proxy.drop_reply_to(scene.key.as_str(), 2),
        }
    }
    done.store(true, Ordering::Relaxed);
    for task in tasks {
        timeout(SOON, task).await.expect("no task is forgotten").unwrap();
    }

    assert!(scene.proxy.struck() > 0);
    assert!(counted.load(Ordering::Relaxed) > 40, "work was done meanwhile");
    assert_eq!(counter.load(Ordering::Relaxed), counted.load(Ordering::Relaxed));
    scene.nothing_is_left().await;
}
