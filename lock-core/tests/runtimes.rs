//! Runtimes that end while others go on with the same manager.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use std::sync::Arc;
use std::time::Duration;

use lock_core::*;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

/// Longer than anything takes here.
const SOON: Duration = Duration::from_secs(20);
/// So long that nothing can be owed to its end.
const LEASE: Duration = Duration::from_secs(120);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Says what the in-process backend says, after a while.
struct Far(InProcessBackend);

const FAR: Duration = Duration::from_millis(100);

impl LockBackend for Far {
    fn attach(&self, node: NodeId, events: Arc<dyn BackendEvents>) {
        self.0.attach(node, events);
    }

    fn detach(&self, node: NodeId) {
        self.0.detach(node);
    }

    fn acquire(&self, request: AcquireRequest) -> BackendFuture<AcquireReply> {
        let reply = self.0.acquire(request);
        BackendFuture::new(async move {
            sleep(FAR).await;
            reply.await
        })
    }

    fn acquire_all(&self, requests: Vec<AcquireRequest>) -> BackendFuture<AcquireAllReply> {
        let reply = self.0.acquire_all(requests);
        BackendFuture::new(async move {
            sleep(FAR).await;
            reply.await
        })
    }

    fn release(&self, request: ReleaseRequest) -> BackendFuture<ReleaseReply> {
        let reply = self.0.release(request);
        BackendFuture::new(async move {
            sleep(FAR).await;
            reply.await
        })
    }

    fn renew(&self, requests: Vec<RenewRequest>) -> BackendFuture<RenewReply> {
        self.0.renew(requests)
    }

    fn cancel(&self, request: CancelRequest) -> BackendFuture<()> {
        self.0.cancel(request)
    }

    fn name(&self) -> &'static str {
        "far"
    }
}

/// A manager that was first used on the runtime.
fn locks(runtime: &Runtime) -> LockManager {
    let locks = LockManager::builder().backend(Arc::new(Far(InProcessBackend::new())));
    drop(runtime.block_on(locks.lock("other").acquire()).unwrap());
    locks
}

/// The keys are free for whoever asks here, and for whoever asked already.
fn all_are_served(here: &Runtime, locks: &LockManager, keys: [&str; 2]) {
    for key in keys {
        let guard = here.block_on(locks.lock(key).lease(LEASE).wait(SOON).acquire());
        assert!(guard.is_ok(), "{key}: {guard:?}");
    }
}

#[test]
fn a_reply_whose_caller_ends_with_its_runtime() {
    let here = runtime();
    let locks = locks(&here);
    for several in [false, true] {
        let there = runtime();
        there.spawn({
            let locks = locks.clone();
            async move {
                match several {
                    false => drop(locks.lock("a").lease(LEASE).acquire().await),
                    true => drop(locks.lock_all(["a", "b"]).lease(LEASE).acquire().await),
                }
            }
        });
        std::thread::sleep(FAR / 5);
        let behind = here.spawn({
            let locks = locks.clone();
            async move { locks.lock("a").lease(LEASE).wait(SOON).acquire().await.map(drop) }
        });
        std::thread::sleep(FAR / 5);
        drop(there);
        here.block_on(behind).unwrap().unwrap();
        all_are_served(&here, &locks, ["a", "b"]);
    }
}

#[test]
fn a_turn_that_ends_on_a_runtime_that_ends() {
    let here = runtime();
    let locks = locks(&here);
    // One turn after the other, each on a runtime of its own; after some of them the node needs more tokens.
    let mut guard = here.block_on(locks.lock("a").lease(LEASE).acquire()).unwrap();
    for turn in 0..40 {
        let next = here.spawn({
            let locks = locks.clone();
            async move { locks.lock("a").lease(LEASE).wait(SOON).acquire().await }
        });
        // It queues, unless this machine is slow; then it merely asks.
        std::thread::sleep(Duration::from_millis(5));
        let there = runtime();
        there.block_on(async move { drop(guard) });
        drop(there);
        let taken = here.block_on(next).unwrap();
        assert!(taken.is_ok(), "turn {turn}: {taken:?}");
        guard = taken.unwrap();
    }
    drop(guard);
    all_are_served(&here, &locks, ["a", "b"]);
}

#[test]
fn a_key_that_is_given_back_and_asked_for_on_a_runtime_that_ends() {
    let here = runtime();
    let backend = Arc::new(Far(InProcessBackend::new()));
    let [a, b] = [0; 2].map(|_| LockManager::builder().backend(backend.clone()));
    let guard = here.block_on(a.lock("k").lease(LEASE).acquire()).unwrap();
    // Since somebody has queued, the key does not stay in this node for long; but nobody takes it.
    assert!(here.block_on(b.lock("k").wait(3 * FAR).acquire()).is_err());
    let next = here.spawn(async move { a.lock("k").lease(LEASE).wait(SOON).acquire().await.map(drop) });
    std::thread::sleep(FAR);
    let there = runtime();
    there.block_on(async move { drop(guard) });
    drop(there);
    here.block_on(next).unwrap().unwrap();
}
