//! Whatever is dropped at whichever await, nothing is left behind: the next caller gets the lock.
//!
//! Each case is polled so many times and then dropped, for every number of polls until it comes to its end, under every
//! way in which commands may go wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use lock_core::{BackendFault, BackendVerb, FaultyBackend, InProcessBackend, LockGuard, LockManager};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout};

const LEASE: Duration = Duration::from_secs(30);
/// Far below the lease, which must not be what helps.
const SOON: Duration = Duration::from_secs(3);
/// No case has more awaits than this.
const POLLS: usize = 40;
const KEYS: [&str; 3] = ["a", "b", "c"];

/// Two nodes on one backend whose every command suffers a fault.
struct World {
    backend: Arc<FaultyBackend>,
    here: LockManager,
    there: LockManager,
}

impl World {
    fn new(fault: BackendFault) -> Self {
        let backend = Arc::new(FaultyBackend::new(Arc::new(InProcessBackend::new())));
        for verb in BackendVerb::ALL {
            match fault {
                // Cut for ever, nothing would be reached at all: every first command of its kind.
                BackendFault::CutAfter | BackendFault::CutBefore => backend.next(verb, fault),
                fault => backend.every(verb, fault),
            }
        }
        Self {
            here: LockManager::builder().backend(backend.clone()),
            there: LockManager::builder().backend(backend.clone()),
            backend,
        }
    }

    async fn hold(&self, locks: &LockManager, key: &str) -> LockGuard {
        locks.lock(key).lease(LEASE).acquire().await.unwrap()
    }

    /// Every node gets every key soon, and when all is over none of them is owned.
    async fn ends_clean(self) {
        let began = Instant::now();
        for key in KEYS {
            for locks in [&self.there, &self.here] {
                let guard = timeout(SOON, locks.lock(key).lease(LEASE).acquire()).await;
                guard.expect("the key is left behind").unwrap().release().await.ok();
            }
        }
        assert!(began.elapsed() < SOON);
        self.backend.heal();
        tokio::time::sleep(SOON).await;
        let fresh = LockManager::builder().backend(self.backend.clone());
        for key in KEYS {
            drop(timeout(SOON, fresh.lock(key).lease(LEASE).acquire()).await.expect("left behind").unwrap());
        }
    }
}

/// Polls a future so many times, others running in between, and drops it; true when it came to its end before.
async fn polled<F: Future>(future: F, times: usize, mut between: impl FnMut(usize)) -> bool {
    let mut future = pin!(future);
    for poll in 0..times {
        between(poll);
        if poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await {
            return true;
        }
        yield_now().await;
    }
    false
}

const FAULTS: [BackendFault; 6] = [
    BackendFault::SlowReply(Duration::ZERO),
    BackendFault::SlowReply(Duration::from_millis(5)),
    BackendFault::SlowCommand(Duration::ZERO),
    BackendFault::CutBefore,
    BackendFault::CutAfter,
    BackendFault::Repeat(Duration::ZERO),
];

/// Runs a case for every fault and every number of polls, until it ends by itself.
async fn matrix<C: AsyncFn(&World, usize) -> bool>(at_least: usize, case: C) {
    for fault in FAULTS {
        let mut awaits = 0;
        for times in 0..POLLS {
            let world = World::new(fault);
            let ended = case(&world, times).await;
            world.ends_clean().await;
            if ended {
                break;
            }
            awaits = times;
        }
        // Some of the awaits are in the case's own hold; without any the case would show nothing.
        let slow =
            matches!(fault, BackendFault::SlowReply(by) | BackendFault::SlowCommand(by) if by.is_zero());
        assert!(!slow || awaits >= at_least, "only {awaits} awaits under {fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn acquiring_a_free_key() {
    matrix(1, async |world, times| polled(world.here.lock("a").lease(LEASE).acquire(), times, |_| {}).await)
        .await;
}

#[tokio::test(start_paused = true)]
async fn trying_a_free_key() {
    matrix(1, async |world, times| {
        polled(world.here.lock("a").lease(LEASE).try_acquire(), times, |_| {}).await
    })
    .await;
}

/// The key is busy at first and given back after every possible number of polls.
async fn acquiring_a_busy_key(holder: impl Fn(&World) -> &LockManager) {
    for free_after in 0..8 {
        matrix(1, async |world, times| {
            let mut held = Some(world.hold(holder(world), "a").await);
            polled(world.here.lock("a").lease(LEASE).acquire(), times, |poll| {
                if poll == free_after {
                    held = None;
                }
            })
            .await
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn acquiring_a_key_that_is_busy_here() {
    acquiring_a_busy_key(|world| &world.here).await;
}

#[tokio::test(start_paused = true)]
async fn acquiring_a_key_that_is_busy_there() {
    acquiring_a_busy_key(|world| &world.there).await;
}

#[tokio::test(start_paused = true)]
async fn acquiring_several_free_keys() {
    matrix(1, async |world, times| {
        polled(world.here.lock_all(KEYS).lease(LEASE).acquire(), times, |_| {}).await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn acquiring_several_keys_of_which_one_is_busy() {
    for free_after in 0..8 {
        for key in KEYS {
            matrix(1, async |world, times| {
                let mut held = Some(world.hold(&world.there, key).await);
                polled(world.here.lock_all(KEYS).lease(LEASE).acquire(), times, |poll| {
                    if poll == free_after {
                        held = None;
                    }
                })
                .await
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn running_work() {
    matrix(4, async |world, times| {
        let work = world.here.lock("a").lease(LEASE).run(async |_| {
            for _ in 0..3 {
                yield_now().await;
            }
        });
        polled(work, times, |_| {}).await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn running_work_while_others_wait() {
    matrix(4, async |world, times| {
        let others = [&world.here, &world.there].map(|locks| {
            let locks = locks.clone();
            tokio::spawn(async move { locks.lock("a").lease(LEASE).acquire().await.map(drop) })
        });
        let work = world.here.lock("a").lease(LEASE).run(async |_| {
            for _ in 0..3 {
                yield_now().await;
            }
        });
        let ended = polled(work, times, |_| {}).await;
        for other in others {
            timeout(SOON, other).await.expect("a waiter is forgotten").unwrap().unwrap();
        }
        ended
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn releasing() {
    matrix(1, async |world, times| {
        let guard = world.hold(&world.here, "a").await;
        polled(guard.release(), times, |_| {}).await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn releasing_several_keys_to_others() {
    matrix(1, async |world, times| {
        let guard = world.here.lock_all(KEYS).lease(LEASE).acquire().await.unwrap();
        let others = KEYS.map(|key| {
            let locks = world.there.clone();
            tokio::spawn(async move { locks.lock(key).lease(LEASE).acquire().await.map(drop) })
        });
        yield_now().await;
        let ended = polled(guard.release(), times, |_| {}).await;
        for other in others {
            timeout(SOON, other).await.expect("a waiter is forgotten").unwrap().unwrap();
        }
        ended
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn extending() {
    matrix(1, async |world, times| {
        let guard = world.hold(&world.here, "a").await;
        let ended = polled(guard.extend(2 * LEASE), times, |_| {}).await;
        assert!(guard.is_held());
        ended
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_makes_room_for_the_next_in_a_bounded_queue() {
    let locks = LockManager::builder().max_waiters(1).backend(Arc::new(InProcessBackend::new()));
    let held = locks.lock("a").acquire().await.unwrap();
    assert!(!polled(locks.lock("a").acquire(), 3, |_| {}).await);
    let next = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lock("a").acquire().await.map(drop) }
    });
    yield_now().await;
    drop(held);
    next.await.unwrap().unwrap();
}
