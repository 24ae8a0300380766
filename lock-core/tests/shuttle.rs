//! Threads that meet in one manager, in orders that a scheduler chooses: `RUSTFLAGS='--cfg shuttle'` builds it.
//!
//! Every lock and atomic of the front and of the in-process backend is a point at which another thread may go on. No
//! runtime drives timers here, so nothing is helped by time: a wake-up that gets lost is a deadlock, which the scheduler
//! reports with the order that led to it.
#![cfg(shuttle)]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;

use lock_core::{InProcessBackend, LockManager, LockRequest};
use shuttle::future::block_on;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

/// How many orders are tried of each test.
const ORDERS: usize = 1000;
/// Of how many changes of thread at places chosen at random.
const CHANGES: usize = 3;

/// What the threads of a test share: two nodes on one backend, and a counter that loses updates when two are inside.
struct World {
    nodes: [LockManager; 2],
    counter: AtomicU64,
    last_token: AtomicU64,
}

impl World {
    fn new() -> Arc<Self> {
        let backend = Arc::new(InProcessBackend::new());
        Arc::new(Self {
            nodes: [(); 2].map(|()| LockManager::builder().backend(backend.clone())),
            counter: AtomicU64::new(0),
            last_token: AtomicU64::new(0),
        })
    }

    fn lock(&self, node: usize) -> LockRequest<'_> {
        self.nodes[node].lock("k")
    }

    /// What is done under the lock.
    fn work(&self, token: u64) {
        let read = self.counter.load(Ordering::SeqCst);
        thread::yield_now();
        self.counter.store(read + 1, Ordering::SeqCst);
        let last = self.last_token.swap(token, Ordering::SeqCst);
        assert!(token > last, "token {token} after {last}");
    }

    async fn turn(&self, node: usize) {
        let guard = self.lock(node).acquire().await.unwrap();
        self.work(guard.token().get());
        drop(guard);
    }

    /// All threads are done: so many updates were made, and the key is free.
    fn check(&self, updates: u64) {
        assert_eq!(self.counter.load(Ordering::SeqCst), updates, "an update was lost");
        for node in [0, 1] {
            assert!(block_on(self.lock(node).try_acquire()).unwrap().is_some(), "left behind");
        }
    }
}

/// Tries many orders of the same threads, some at random and some with few changes, which find other faults.
fn in_many_orders(test: impl Fn() + Send + Sync + 'static) {
    // For `Handle::current` and for timers, neither of which is ever driven. All threads of the scheduler are one thread
    // to the runtime. It is never dropped: its tasks hold what belongs to a scheduler that is gone by then.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = Box::leak(Box::new(runtime)).enter();
    let test = Arc::new(test);
    let again = Arc::clone(&test);
    shuttle::check_random(move || test(), ORDERS);
    shuttle::check_pct(move || again(), ORDERS, CHANGES);
}

/// Runs each part in a thread of its own, and waits for all.
fn together<const N: usize>(world: &Arc<World>, parts: [fn(&World); N]) {
    let threads = parts.map(|part| {
        let world = Arc::clone(world);
        thread::spawn(move || part(&world))
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Polls a future once and drops it.
async fn once<F: Future>(future: F) {
    let mut future = Box::pin(future);
    std::future::poll_fn(|cx| {
        let _ = future.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await;
}

#[test]
fn tasks_of_one_node_take_turns() {
    in_many_orders(|| {
        let world = World::new();
        together(
            &world,
            [
                |world| block_on(world.turn(0)),
                |world| block_on(world.turn(0)),
                |world| block_on(world.turn(0)),
            ],
        );
        world.check(3);
    });
}

#[test]
fn tasks_of_two_nodes_take_turns() {
    in_many_orders(|| {
        let world = World::new();
        let here: fn(&World) = |world| block_on(world.turn(0));
        let there: fn(&World) = |world| block_on(world.turn(1));
        together(&world, [here, there, here, there]);
        world.check(4);
    });
}

#[test]
fn a_caller_that_leaves_while_it_is_called_up_gives_its_turn_on() {
    in_many_orders(|| {
        let world = World::new();
        let turn: fn(&World) = |world| block_on(world.turn(0));
        let leave: fn(&World) = |world| block_on(once(world.lock(0).acquire()));
        let leave_there: fn(&World) = |world| block_on(once(world.lock(1).acquire()));
        together(&world, [turn, leave, leave_there, turn]);
        world.check(2);
    });
}

#[test]
fn a_try_never_waits_and_takes_nothing_with_it() {
    in_many_orders(|| {
        let world = World::new();
        let turn: fn(&World) = |world| block_on(world.turn(0));
        let try_once: fn(&World) = |world| {
            if let Some(guard) = block_on(world.lock(1).try_acquire()).unwrap() {
                drop(guard);
            }
        };
        together(&world, [turn, try_once, turn]);
        world.check(2);
    });
}

#[test]
fn a_shutdown_answers_everybody() {
    in_many_orders(|| {
        let world = World::new();
        let ask: fn(&World) = |world| {
            // A turn, or a refusal, but never silence.
            if let Ok(guard) = block_on(world.lock(0).acquire()) {
                drop(guard);
            }
        };
        let end: fn(&World) = |world| block_on(once(world.nodes[0].shutdown()));
        together(&world, [ask, end, ask]);
        block_on(world.turn(1));
        assert!(block_on(world.lock(1).try_acquire()).unwrap().is_some(), "left behind");
    });
}
