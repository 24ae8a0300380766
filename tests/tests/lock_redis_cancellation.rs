//! Whatever is dropped at whichever await, nothing is left behind in Redis: the next caller gets the lock.
//!
//! Each case is polled so many times, as often as it wakes, and then dropped: at once, or when it has woken once more. That
//! goes on with one more poll until the case comes to its end by itself, under several ways in which commands may go wrong.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may fail as loudly as tests"
)]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use interlock_tests::{RedisServer, eventually, unique_name};
use lock_core::{BackendFault, BackendVerb, FaultyBackend, LockGuard, LockManager, RedisBackend};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;

const LEASE: Duration = Duration::from_secs(60);
/// Far below the lease, which must not be what helps.
const SOON: Duration = Duration::from_secs(20);
/// After this time a case is polled again although nothing woke it.
const PATIENCE: Duration = Duration::from_millis(20);
/// No case has more awaits than this; on a busy machine it is polled more often in vain.
const POLLS: usize = 12;

const FAULTS: [BackendFault; 3] = [
    BackendFault::SlowReply(Duration::ZERO),
    BackendFault::SlowCommand(Duration::from_millis(1)),
    BackendFault::CutAfter,
];

/// Where a case is dropped.
#[derive(Debug, Clone, Copy)]
struct At {
    polls: usize,
    /// Not before it has woken once more.
    late: bool,
}

/// Two nodes on one Redis, and three keys of this very case.
struct World {
    redis: &'static RedisServer,
    backend: Arc<FaultyBackend>,
    here: LockManager,
    there: LockManager,
    keys: [String; 3],
}

impl World {
    async fn new() -> Self {
        let redis = RedisServer::shared().await;
        let prefix = unique_name("cancelled");
        let inner = RedisBackend::connect(redis.url(), "").await.unwrap();
        let backend = Arc::new(FaultyBackend::new(Arc::new(inner)));
        Self {
            redis,
            here: LockManager::builder().backend(backend.clone()),
            there: LockManager::builder().backend(backend.clone()),
            backend,
            keys: ["a", "b", "c"].map(|key| format!("{prefix}:{key}")),
        }
    }

    fn suffers(&self, fault: BackendFault) {
        for verb in BackendVerb::ALL {
            match fault {
                // Cut for ever, nothing would be reached at all: the first command of each kind.
                BackendFault::CutAfter => self.backend.next(verb, fault),
                fault => self.backend.every(verb, fault),
            }
        }
    }

    async fn hold(&self, locks: &LockManager, key: &str) -> LockGuard {
        timeout(SOON, locks.lock(key).lease(LEASE).acquire()).await.unwrap().unwrap()
    }

    /// A caller that waits for a key and gives it back.
    fn other(locks: &LockManager, key: &str) -> JoinHandle<()> {
        let (locks, key) = (locks.clone(), key.to_owned());
        tokio::spawn(async move { drop(locks.lock(key).lease(LEASE).wait(SOON).acquire().await.unwrap()) })
    }

    /// Redis soon knows of no key, without anybody asking for it, and every node gets every key.
    async fn is_clean(&self, at: At, fault: BackendFault) {
        let what = format!("no key is left behind: {at:?}, {fault:?}");
        eventually(&what, SOON, async || {
            for key in &self.keys {
                if !self.redis.lock_keys(key).await.is_empty() {
                    return false;
                }
            }
            true
        })
        .await;
        for key in &self.keys {
            for locks in [&self.there, &self.here] {
                self.hold(locks, key).await.release().await.ok();
            }
        }
        self.backend.heal();
    }
}

#[derive(Default)]
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// Polls a future, others running in between, and drops it; true when it came to its end before. After [`POLLS`] it has to
/// come to its end.
async fn dropped<F: Future>(future: F, at: At, mut between: impl FnMut(usize)) -> bool {
    let mut future = pin!(future);
    for poll in 0..at.polls {
        between(poll);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return true;
        }
        if at.late || poll + 1 < at.polls {
            let _ = timeout(PATIENCE, woken.0.notified()).await;
        }
    }
    if at.polls == POLLS {
        timeout(SOON, future).await.expect("it does not end");
    }
    at.polls == POLLS
}

/// Runs a case for every fault and every number of polls, until it ends by itself.
async fn matrix(at_least: usize, case: impl AsyncFn(&World, At) -> bool) {
    for fault in FAULTS {
        let world = World::new().await;
        for late in [false, true] {
            let mut ended = false;
            let mut polls = 0;
            while !ended {
                let at = At { polls, late };
                world.suffers(fault);
                ended = case(&world, at).await;
                world.is_clean(at, fault).await;
                polls += 1;
            }
            // The last one came to its end; without any before it the case would show nothing.
            assert!(polls > at_least, "only {polls} cases under {fault:?}");
        }
    }
}

#[tokio::test]
async fn acquiring_a_free_key() {
    matrix(1, async |world, at| {
        dropped(world.here.lock(&world.keys[0]).lease(LEASE).acquire(), at, |_| {}).await
    })
    .await;
}

#[tokio::test]
async fn trying_a_free_key() {
    matrix(1, async |world, at| {
        dropped(world.here.lock(&world.keys[0]).lease(LEASE).try_acquire(), at, |_| {}).await
    })
    .await;
}

/// The key is busy at first and given back after every possible number of polls.
async fn acquiring_a_busy_key(holder: impl Fn(&World) -> &LockManager) {
    for free_after in 0..3 {
        matrix(1, async |world, at| {
            let mut held = Some(world.hold(holder(world), &world.keys[0]).await);
            let waits = world.here.lock(&world.keys[0]).lease(LEASE).wait(SOON).acquire();
            dropped(waits, at, |poll| {
                if poll == free_after {
                    held = None;
                }
            })
            .await
        })
        .await;
    }
}

#[tokio::test]
async fn acquiring_a_key_that_is_busy_here() {
    acquiring_a_busy_key(|world| &world.here).await;
}

#[tokio::test]
async fn acquiring_a_key_that_is_busy_there() {
    acquiring_a_busy_key(|world| &world.there).await;
}

#[tokio::test]
async fn acquiring_several_free_keys() {
    matrix(1, async |world, at| {
        dropped(world.here.lock_all(&world.keys).lease(LEASE).acquire(), at, |_| {}).await
    })
    .await;
}

#[tokio::test]
async fn acquiring_several_keys_of_which_one_is_busy() {
    for busy in 0..3 {
        matrix(2, async |world, at| {
            let mut held = Some(world.hold(&world.there, &world.keys[busy]).await);
            dropped(world.here.lock_all(&world.keys).lease(LEASE).wait(SOON).acquire(), at, |poll| {
                if poll == 2 {
                    held = None;
                }
            })
            .await
        })
        .await;
    }
}

#[tokio::test]
async fn running_work() {
    matrix(3, async |world, at| {
        let work = world.here.lock(&world.keys[0]).lease(LEASE).run(async |_| {
            yield_now().await;
            yield_now().await;
        });
        dropped(work, at, |_| {}).await
    })
    .await;
}

#[tokio::test]
async fn running_work_while_others_wait() {
    matrix(3, async |world, at| {
        let others = [&world.here, &world.there].map(|locks| World::other(locks, &world.keys[0]));
        let work = world.here.lock(&world.keys[0]).lease(LEASE).wait(SOON).run(async |_| {
            yield_now().await;
            yield_now().await;
        });
        let ended = dropped(work, at, |_| {}).await;
        for other in others {
            timeout(SOON, other).await.expect("a waiter is forgotten").unwrap();
        }
        ended
    })
    .await;
}

#[tokio::test]
async fn releasing() {
    matrix(1, async |world, at| {
        let guard = world.hold(&world.here, &world.keys[0]).await;
        dropped(guard.release(), at, |_| {}).await
    })
    .await;
}

#[tokio::test]
async fn releasing_several_keys_to_others() {
    matrix(1, async |world, at| {
        let guard = world.here.lock_all(&world.keys).lease(LEASE).acquire().await.unwrap();
        let others = [0, 1, 2].map(|key| World::other(&world.there, &world.keys[key]));
        yield_now().await;
        let ended = dropped(guard.release(), at, |_| {}).await;
        for other in others {
            timeout(SOON, other).await.expect("a waiter is forgotten").unwrap();
        }
        ended
    })
    .await;
}

#[tokio::test]
async fn extending() {
    matrix(1, async |world, at| {
        let guard = world.hold(&world.here, &world.keys[0]).await;
        let ended = dropped(guard.extend(2 * LEASE), at, |_| {}).await;
        assert!(guard.is_held());
        ended
    })
    .await;
}
